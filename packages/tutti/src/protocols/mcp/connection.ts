import { setTimeout as sleep } from "node:timers/promises";

import { Client, type ClientOptions, type Tool as RemoteTool } from "@modelcontextprotocol/client";

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
  /** Told when the server says that its tools changed, and when it can't say so any more. */
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

/** Outputs are checked once, by the engine, against the schema that was accepted. */
const acceptAll: NonNullable<ClientOptions["jsonSchemaValidator"]> = {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing of the SDK reads the checked value by its type
  getValidator: () => (data) => ({ valid: true, data: data as never, errorMessage: undefined }),
};

function toDialogue({ options, onToolsChanged }: ConnectionSettings, mode: "auto" | "legacy"): Dialogue {
  const messageBytesMax = options.messageBytesMax ?? messageBytesDefault;
  const transport =
    "url" in options ? new HttpTransport(options, messageBytesMax) : new StdioTransport(options, messageBytesMax);
  const asking = new Set<Asking>();
  const client = new Client(
    { name: "tutti", version: "0.1.0" },
    {
      capabilities: { elicitation: { form: {}, url: {} } },
      versionNegotiation: {
        mode,
        probe: { timeoutMs: Math.min(probeMs, (options.startTimeoutMs ?? startMsDefault) / 2) },
      },
      listMaxPages: listPagesMax,
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: onToolsChanged } },
      jsonSchemaValidator: acceptAll,
    },
  );
  client.setRequestHandler("elicitation/create", (request, { mcpReq }) => {
    // An older server asks in a request of its own, which does not say for which call.
    const [only, ...others] = asking;
    const caller = others.length === 0 ? only : undefined;
    const question = parseQuestion(request.params, options.name, caller?.tool);
    return answerQuestion(options, { question, asking: caller, signal: mcpReq.signal });
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
  try {
    return await untilAborted(limit.signal, begin(dialogue, settings, limit.signal));
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
  const { options, onToolsChanged } = settings;
  await client.connect(transport, { signal, timeout: neverMs });
  void client.autoOpenedSubscription?.closed.then(onToolsChanged);
  return {
    client,
    protocol: client.getNegotiatedProtocolVersion() ?? "",
    asking,
    get isOpen() {
      return client.transport !== undefined;
    },
    takeFault: () => transport.takeFault(),
    get ended() {
      return transport instanceof StdioTransport ? transport.ended : undefined;
    },
    async listTools() {
      if (client.getServerCapabilities()?.tools === undefined) return [];
      const timeout = options.startTimeoutMs ?? startMsDefault;
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
