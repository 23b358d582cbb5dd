import type { SettleRequest, SignalRequest, StartRequest } from "../contracts/api/commands.ts";
import { progressBatch, streamBatch, type EntryHead, type Progress } from "../contracts/api/ledger.ts";
import type {
  ApprovalDetail,
  ApprovalLine,
  BatchRequest,
  DecideRequest,
  Directed,
  DirectiveRequest,
  FreezeLine,
  FreezeRequest,
  Inbox,
  InboxFilter,
} from "../contracts/api/people.ts";
import { routes, type AnswerOf, type Operation } from "../contracts/api/routes.ts";
import type { RunDetail, RunListFilter, RunPage, RunLine } from "../contracts/api/runs.ts";
import { ClientError, toClientError, toUnreachable } from "./client-error.ts";
import { readEvents } from "./event-stream.ts";
import { pause } from "./pause.ts";
import { send, sendRaw, type ClientOptions, type Sending } from "./send.ts";

/** What a command may bring beside what it says. */
export interface CommandOptions {
  /** The same key again is the same command, and has the same answer. A random one by default. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

export interface StreamOptions {
  /** Only entries of this run. */
  readonly run?: string | undefined;
  /** Entries after this position in the ledger, from 0; without it, those that come from now on. */
  readonly after?: number | undefined;
  /**
   * Called with what goes on now and is never stored, between the entries: steps that begin, progress, the words of models. What came while
   * nobody read, or while the connection was lost, does not come again. Only while the stream is read.
   */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Ends the stream. */
  readonly signal?: AbortSignal | undefined;
}

/** A Tutti server, from anywhere: a page, a program, another server. Every method throws `ClientError`. */
export interface Client {
  /** Any operation of the interface, with its types: `client.call("showScore", { params: { run } })`. */
  call<Name extends Operation>(operation: Name, sending?: Sending<Name>): Promise<AnswerOf<Name>>;
  runs(filter?: RunListFilter): Promise<RunPage>;
  run(run: string): Promise<RunDetail>;
  /** Starts a run; resolves with its id when the start is durable. */
  start(request: StartRequest, options?: CommandOptions): Promise<string>;
  signal(run: string, signal: SignalRequest, options?: CommandOptions): Promise<void>;
  cancel(run: string, reason?: string): Promise<void>;
  pause(run: string): Promise<void>;
  resume(run: string): Promise<void>;
  /** Says whether an effect that is in doubt happened. */
  settle(request: SettleRequest, options?: CommandOptions): Promise<void>;
  /** What people are asked, the oldest first; with `needs: "you"`, what the token's holder may decide. */
  inbox(filter?: InboxFilter): Promise<Inbox>;
  /** All that whoever decides has to see. */
  approval(approval: string): Promise<ApprovalDetail>;
  /** Says yes, no or something else to what was shown; `saw` is the hash of the package. */
  decide(approval: string, request: DecideRequest, options?: CommandOptions): Promise<ApprovalLine>;
  /** Decides several, all of them or none. */
  decideAll(request: BatchRequest, options?: CommandOptions): Promise<readonly ApprovalLine[]>;
  /** Gives a run, and all that it started, a directive. */
  steer(run: string, request: DirectiveRequest, options?: CommandOptions): Promise<Directed>;
  /** Takes back what a run did that failed or was stopped. */
  undo(run: string, reason?: string): Promise<void>;
  freezes(): Promise<readonly FreezeLine[]>;
  freeze(request: FreezeRequest, options?: CommandOptions): Promise<void>;
  unfreeze(request: FreezeRequest, options?: CommandOptions): Promise<void>;
  /** Waits until the run is over, and returns how it stands then. */
  whenOver(run: string, signal?: AbortSignal): Promise<RunDetail>;
  /** A large value by its hash, or a range of its bytes. */
  blob(run: string, hash: string): Promise<string>;
  /** Entries as they come: each once, in order and without gaps, however often the connection breaks or the server starts anew. */
  stream(options?: StreamOptions): AsyncGenerator<EntryHead, void>;
}

export function openClient(options: ClientOptions): Client {
  const call: Client["call"] = (operation, sending) => send(options, operation, sending);
  const client: Client = {
    call,
    runs: (filter) => call("listRuns", filter === undefined ? {} : { query: filter }),
    run: (run) => call("showRun", { params: { run } }),
    async start(body, command) {
      return (await call("startRun", { body, ...command })).run;
    },
    async signal(run, body, command) {
      await call("signalRun", { params: { run }, body, ...command });
    },
    async cancel(run, reason) {
      await call("cancelRun", { params: { run }, body: { reason } });
    },
    async pause(run) {
      await call("pauseRun", { params: { run } });
    },
    async resume(run) {
      await call("resumeRun", { params: { run } });
    },
    async settle(body, command) {
      await call("settleEffect", { body, ...command });
    },
    inbox: (filter) => call("listInbox", filter === undefined ? {} : { query: filter }),
    approval: (approval) => call("showApproval", { params: { approval } }),
    decide: (approval, body, command) => call("decide", { params: { approval }, body, ...command }),
    async decideAll(body, command) {
      return (await call("decideAll", { body, ...command })).approvals;
    },
    steer: (run, body, command) => call("giveDirective", { params: { run }, body, ...command }),
    async undo(run, reason) {
      await call("undoRun", { params: { run }, body: { reason } });
    },
    async freezes() {
      return (await call("listFreezes")).freezes;
    },
    async freeze(body, command) {
      await call("freeze", { body, ...command });
    },
    async unfreeze(body, command) {
      await call("liftFreeze", { body, ...command });
    },
    async whenOver(run, signal) {
      const before = await client.run(run);
      if (isOver(before.line)) return before;
      for await (const { kind } of client.stream({ run, after: before.line.lsn, signal })) {
        if (kind === "run-done" || kind === "run-failed" || kind === "run-cancelled") break;
      }
      signal?.throwIfAborted();
      return client.run(run);
    },
    async blob(run, hash) {
      return (await sendRaw(options, "readBlob", { params: { run, hash } })).text();
    },
    stream: (wanted = {}) => stream(options, wanted),
  };
  return client;
}

function isOver({ status }: RunLine): boolean {
  return status === "done" || status === "failed" || status === "cancelled";
}

/** How long it waits before it connects again; the last one counts from then on. */
const reconnectDelaysMs = [100, 250, 500, 1_000, 2_000, 5_000] as const;
/** The server says something every 15 seconds; silence means that the connection is dead. */
const silenceMaxMs = 45_000;

async function* stream(options: ClientOptions, wanted: StreamOptions): AsyncGenerator<EntryHead, void> {
  const { run, after, onProgress, signal } = wanted;
  let position = after;
  let broken = 0;
  const isWanted = (): boolean => signal?.aborted !== true;
  while (isWanted()) {
    try {
      for await (const { id, name, data } of connect(options, { run, after: position, signal })) {
        broken = 0;
        if (name === "progress") {
          if (onProgress !== undefined)
            for (const each of progressBatch.shape(JSON.parse(data), "").progress) onProgress(each);
          continue;
        }
        const { entries } = data === "" ? { entries: [] } : streamBatch.shape(JSON.parse(data), "");
        for (const entry of entries) {
          if (position !== undefined && entry.lsn <= position) continue;
          position = entry.lsn;
          yield entry;
        }
        if (/^\d+$/u.test(id)) position = Math.max(position ?? 0, Number(id));
      }
    } catch (thrown) {
      if (!isWanted()) return;
      const error = thrown instanceof ClientError ? thrown : toUnreachable(thrown);
      if (!error.mayPass) throw error;
    }
    const delayMs = reconnectDelaysMs[Math.min(broken, reconnectDelaysMs.length - 1)] ?? 0;
    broken += 1;
    await pause(delayMs, signal).catch(() => {}); // the loop ends by itself
  }
}

type Connection = Awaited<ReturnType<typeof readEvents>>;

async function* connect(options: ClientOptions, { run, after, signal }: StreamOptions): Connection {
  const search = new URLSearchParams(run === undefined ? {} : { run });
  const headers = new Headers({ accept: "text/event-stream" });
  if (options.token !== undefined) headers.set("authorization", `Bearer ${options.token}`);
  if (after !== undefined) headers.set("last-event-id", String(after));
  const url = `${options.url.replace(/\/$/u, "")}${routes.stream.path}?${search.toString()}`;
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), silenceMaxMs);
  const stop = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
  try {
    const response = await (options.fetch ?? fetch)(url, { headers, signal: stop, credentials: "same-origin" });
    if (!response.ok || response.body === null) throw await toClientError(response);
    for await (const event of readEvents(response.body)) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMaxMs);
      yield event;
    }
  } finally {
    clearTimeout(timer);
    silence.abort(); // lets the connection go when the reader leaves
  }
}
