import { setTimeout as sleep } from "node:timers/promises";

import { Client, type McpSubscription, type Tool as RemoteTool } from "@modelcontextprotocol/client";

import type { Clock } from "../../base/clock.ts";
import { TuttiError } from "../../base/errors.ts";
import { toConnectError } from "./call-errors.ts";
import { HttpTransport } from "./http-transport.ts";
import type { McpServerOptions } from "./mcp-options.ts";
import { answerQuestion, parseQuestion, type Asking } from "./question.ts";
import { StdioTransport } from "./stdio-transport.ts";

/** One conversation with a server. When it is over, it is over; the next one is opened anew. */
export interface Connection {
  readonly client: Client;
  /** The protocol revision that is spoken. */
  readonly protocol: string;
  readonly isOpen: boolean;
  /** The server can't say any more that its tools changed; asking for the list mends it. */
  readonly isDeaf: boolean;
  /** What the server did that broke the conversation or an answer, told once; `undefined` if nothing is known. */
  takeFault(): TuttiError | undefined;
  /** How a server process ended, for people. */
  readonly ended: string | undefined;
  /** Calls under way, by the server's names of their tools. */
  readonly asking: Set<Asking>;
  listTools(): Promise<readonly RemoteTool[]>;
  close(): Promise<void>;
}

export interface ConnectionSettings {
  readonly options: McpServerOptions;
  readonly clock: Clock;
  /** Gives up the beginning. */
  readonly signal: AbortSignal;
  /** Told when the server says that its tools changed. */
  readonly onToolsChanged: () => void;
}

const startMsDefault = 30_000;
const messageBytesDefault = 10_000_000;
/** A server on a pipe that says nothing to a question of today's protocol is asked in the older way. */
const probeMs = 5_000;
const listPagesMax = 64;
/** The SDK's own limits, where one from here holds. */
export const neverMs = 2 ** 31 - 1;
const toolsMax = 1_000;
/** For telling a server that it may forget this conversation. */
const farewellMs = 1_000;
/** Of one conversation, at once. */
const questionsMax = 20;

/**
 * Reaches the server and agrees on a protocol: the current one, or else an older one.
 * @throws TuttiError TOOL_UNAVAILABLE, TOOL_REFUSED or TOOL_ANSWER_INVALID; nothing stays open then.
 */
export async function openConnection(settings: ConnectionSettings): Promise<Connection> {
  const first = toDialogue(settings, "auto");
  try {
    return await start(settings, first);
  } catch (error) {
    // An old server may end at a question that it does not know.
    if (!first.isEndedByItself || first.client.getProtocolEra() !== undefined) throw error;
    return start(settings, toDialogue(settings, "legacy"));
  }
}

interface Dialogue {
  readonly client: Client;
  readonly transport: StdioTransport | HttpTransport;
  readonly asking: Set<Asking>;
  /** The process ended before the conversation began, without having broken a limit. */
  isEndedByItself: boolean;
}

function toDialogue({ options, onToolsChanged }: ConnectionSettings, mode: "auto" | "legacy"): Dialogue {
  const messageBytesMax = options.messageBytesMax ?? messageBytesDefault;
  const transport =
    "url" in options ? new HttpTransport(options, messageBytesMax) : new StdioTransport(options, messageBytesMax);
  const asking = new Set<Asking>();
  const client = new Client(
    { name: "tutti", version: "0.1.0" },
    {
      capabilities: { elicitation: { form: {}, url: {} } },
      versionNegotiation: { mode, probe: { timeoutMs: "url" in options ? neverMs : probeMs } },
      listMaxPages: listPagesMax,
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: onToolsChanged } },
    },
  );
  let questions = 0;
  client.setRequestHandler("elicitation/create", async (request, { mcpReq }) => {
    // An older server asks in a request of its own, which does not say for which call.
    const [only, ...others] = asking;
    const caller = others.length === 0 ? only : undefined;
    const question = parseQuestion(request.params, options.name, caller?.tool);
    if (questions >= questionsMax) return { action: "decline" };
    questions++;
    try {
      return await answerQuestion(options, { question, asking: caller, signal: mcpReq.signal });
    } finally {
      questions--;
    }
  });
  return { client, transport, asking, isEndedByItself: false };
}

async function start(settings: ConnectionSettings, dialogue: Dialogue): Promise<Connection> {
  const { client, transport } = dialogue;
  const limitMs = settings.options.startTimeoutMs ?? startMsDefault;
  const limit = new AbortController();
  const forget = settings.clock.after(limitMs, () =>
    limit.abort(new TuttiError("TOOL_UNAVAILABLE", `the server did not get ready in ${limitMs} ms`)),
  );
  const signal = AbortSignal.any([limit.signal, settings.signal]);
  try {
    signal.throwIfAborted();
    return await untilAborted(signal, begin(dialogue, settings, signal));
  } catch (error) {
    const fault = transport.takeFault();
    const ended = transport instanceof StdioTransport ? transport.ended : undefined;
    dialogue.isEndedByItself = ended !== undefined && fault === undefined;
    await client.close();
    await transport.close();
    throw toConnectError(settings.options.name, fault ?? error, ended);
  } finally {
    forget();
  }
}

async function begin(dialogue: Dialogue, settings: ConnectionSettings, signal: AbortSignal): Promise<Connection> {
  const { client, transport, asking } = dialogue;
  const timeout = settings.options.startTimeoutMs ?? startMsDefault;
  await client.connect(transport, { signal, timeout: neverMs });
  let isDeaf = false;
  const hear = (subscription: McpSubscription | undefined): void => {
    void subscription?.closed.then(() => {
      isDeaf = true;
    });
  };
  hear(client.autoOpenedSubscription);
  return {
    client,
    protocol: client.getNegotiatedProtocolVersion() ?? "",
    asking,
    get isOpen() {
      return client.transport !== undefined;
    },
    get isDeaf() {
      return isDeaf;
    },
    takeFault: () => transport.takeFault(),
    get ended() {
      return transport instanceof StdioTransport ? transport.ended : undefined;
    },
    async listTools() {
      if (client.getServerCapabilities()?.tools === undefined) return [];
      if (isDeaf) {
        hear(await client.listen({ toolsListChanged: true }, { timeout }));
        isDeaf = false;
      }
      const { tools } = await client.listTools(undefined, { cacheMode: "refresh", timeout });
      if (tools.length <= toolsMax) return tools;
      throw new TuttiError("TOOL_ANSWER_INVALID", `the server offers ${tools.length} tools; ${toolsMax} are the limit`);
    },
    async close() {
      if (transport instanceof HttpTransport && transport.sessionId !== undefined) await sayFarewell(transport);
      await client.close();
      await transport.close();
    },
  };
}

/** A server that does not answer, or knows no sessions, is left all the same. */
async function sayFarewell(transport: HttpTransport): Promise<void> {
  const waiting = new AbortController();
  const late = sleep(farewellMs, undefined, { ref: false, signal: waiting.signal }).catch(() => undefined);
  await Promise.race([transport.terminateSession().catch(() => undefined), late]);
  waiting.abort();
}

/** What `work` comes to, or the reason of the signal, whichever is first. */
export async function untilAborted<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
