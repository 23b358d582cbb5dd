import { isTuttiError, TuttiError } from "../base/errors.ts";
import type { EntryHead, Progress } from "../contracts/api/ledger.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { Call, Desk } from "./desk.ts";
import { findOwnRun } from "./desk.ts";
import { openPassing } from "./passing.ts";
import { seesRun } from "./sees-run.ts";

const batchEntriesMax = 500;
const heartbeatMs = 15_000;
const reconnectMs = 1_000;

/**
 * Entries as they come. Read from the ledger only when the reader has taken what was sent before: whoever reads slowly falls behind in the
 * ledger, and costs no memory. The id of each event is the position to go on from.
 */
export async function toStreamResponse(desk: Desk, call: Call<"stream">): Promise<Response> {
  const givePlace = desk.tail.takePlace();
  if (givePlace === undefined)
    throw new TuttiError("CALLER_TOO_FAST", "all streams are taken", { hint: "Close one, or try again later." });
  try {
    const reader = await openReader(desk, call);
    const leave = (): void => {
      reader.leave();
      givePlace();
    };
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(toBytes(`retry: ${reconnectMs}\nid: ${reader.lsn}\n\n`)),
      async pull(controller) {
        let text: string | undefined;
        try {
          text = await reader.next();
        } finally {
          if (text === undefined) leave();
        }
        if (text === undefined) controller.close();
        else controller.enqueue(toBytes(text));
      },
      cancel: leave,
    });
    const headers = {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    };
    return new Response(body, { headers });
  } catch (error) {
    givePlace();
    throw error;
  }
}

const encoder = new TextEncoder();
const toBytes = (text: string): Uint8Array => encoder.encode(text);

interface StreamReader {
  /** Where it begins, so that whoever is cut off before the first entry comes back to the same place. */
  readonly lsn: number;
  /** The next piece of text; nothing when the stream ends. */
  next(): Promise<string | undefined>;
  leave(): void;
}

async function openReader(desk: Desk, call: Call<"stream">): Promise<StreamReader> {
  const { run } = call.query;
  const found = run === undefined ? undefined : await findOwnRun(desk, { caller: call.caller, param: () => run });
  const state = await desk.fleet.catchUp();
  const isWanted = (entry: LedgerEntry): boolean =>
    (run === undefined || entry.run === run) && seesRun(call.caller, state, entry.run);
  let lsn = Math.max(readPosition(call) ?? state.lsn, (found?.notes.startLsn ?? 1) - 1);
  // A run that has just begun may not be known yet; whose it is, is asked again before anything is sent.
  const passing = openPassing(
    desk.tutti,
    (id) => (run === undefined || id === run) && (!state.runs.has(id) || seesRun(call.caller, state, id)),
  );
  const left = new AbortController();
  const stop = AbortSignal.any([left.signal, desk.draining]);
  return {
    lsn,
    async next() {
      while (!stop.aborted && (await isStillWelcome(desk, call))) {
        const entries = await desk.tutti.ledger.scan(lsn, batchEntriesMax);
        await desk.fleet.catchUp(); // whose runs these are
        // Taken after the entries and sent before them: what a step says never comes behind its end.
        const said = toProgressEvent(passing.take().filter((each) => seesRun(call.caller, state, each.run)));
        lsn = entries.at(-1)?.lsn ?? lsn;
        const wanted = entries.filter(isWanted);
        if (wanted.length > 0) return said + toEvent(lsn, wanted);
        // Nothing to see, but a place from which nobody has to look at it again.
        if (entries.length > 0) return `${said}id: ${lsn}\n\n`;
        if (said !== "") return said;
        if ((await desk.tail.after(lsn, heartbeatMs, () => passing.isThere())) === "silent") return ": still here\n\n";
      }
      return undefined;
    },
    leave() {
      left.abort();
      passing.close();
    },
  };
}

function toProgressEvent(progress: readonly Progress[]): string {
  return progress.length === 0 ? "" : `event: progress\ndata: ${JSON.stringify({ progress })}\n\n`;
}

function toEvent(lsn: number, entries: readonly LedgerEntry[]): string {
  const heads = entries.map(({ lsn: at, run, seq, kind, key, at: when }): EntryHead => ({
    lsn: at,
    run,
    seq,
    kind,
    key,
    at: when,
  }));
  return `id: ${lsn}\nevent: entries\ndata: ${JSON.stringify({ entries: heads })}\n\n`;
}

/** A browser that comes back says where it was; a new reader may say where to begin. @throws TuttiError INPUT_INVALID */
function readPosition({ query, request }: Call<"stream">): number | undefined {
  const last = request.headers.get("last-event-id");
  if (last === null || last === "") return query.after;
  if (/^\d{1,15}$/u.test(last)) return Number(last);
  throw new TuttiError("INPUT_INVALID", "Last-Event-ID is no position in the ledger", {
    hint: "Send the id of the last event, or leave it out.",
  });
}

/** A token that was revoked, or is over, ends its streams too. */
async function isStillWelcome({ callers }: Desk, { request }: Call<"stream">): Promise<boolean> {
  try {
    await callers.find(request);
    return true;
  } catch (error) {
    if (isTuttiError(error)) return false;
    throw error;
  }
}
