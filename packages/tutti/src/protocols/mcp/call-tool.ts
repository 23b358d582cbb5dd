import {
  isInputRequiredResult,
  type CallToolResult,
  type ProgressCallback,
  type Tool as RemoteTool,
} from "@modelcontextprotocol/client";

import type { Clock } from "../../base/clock.ts";
import type { EffectKnowledge } from "../../base/error-codes.ts";
import { TuttiError } from "../../base/errors.ts";
import { anything, fields, ShapeError, text } from "../../base/shape.ts";
import { toTraceparent } from "../../base/trace-context.ts";
import type { ToolHost } from "../../contracts/callable.ts";
import { toCallError, toMessage } from "./call-errors.ts";
import { neverMs, type Connection } from "./connection.ts";
import { toContent, toText } from "./content.ts";
import type { RemoteContract } from "./contract.ts";
import type { McpInput, McpSettings } from "./mcp-options.ts";
import { answerQuestion, parseQuestion, type Asking, type Elicited } from "./question.ts";

/** In `_meta` of every call: the same action has the same key, so that a server that keeps it does nothing twice. */
const idempotencyKeyName = "dev.tutti/idempotency-key";

/** In `_meta` of calls to servers that are to be shown it: the right to make just this call. */
const capabilityName = "dev.tutti/capability";

export interface RemoteCall {
  readonly settings: McpSettings;
  readonly clock: Clock;
  readonly remote: RemoteTool;
  readonly contract: RemoteContract;
  readonly input: McpInput;
  readonly host: ToolHost;
}

/** A server of today's protocol asks by answering with questions and being called again. */
const roundsMax = 10;
const questionsMax = 20;
/** Before calling again a server that has no question and only wants to be called later. */
const laterMs = 250;

/**
 * Calls a tool of a server once, answers what it asks, and returns its output.
 * @throws TuttiError whose `effect` says what is known: `none` while nothing was sent, and afterwards only if the answer says so.
 */
export async function callTool(connection: Connection, call: RemoteCall): Promise<unknown> {
  const { settings, remote, contract, host } = call;
  const name = `${settings.name}.${remote.name}`;
  const asked: EffectKnowledge = contract.effect === "read" ? "none" : "unknown";
  const asking: Asking = { tool: remote.name, notes: [], rounds: 0 };
  connection.asking.add(asking);
  let result: CallToolResult;
  try {
    result = await converse(connection, call, asking);
  } catch (thrown) {
    throw toCallError(thrown, {
      name,
      asked,
      takeFault: () => connection.takeFault(),
      ended: connection.ended,
      stopped: host.signal.aborted,
      begun: asking.rounds > 1,
      notes: asking.notes,
    });
  } finally {
    connection.asking.delete(asking);
  }
  if (result.isError === true) {
    const effect = contract.failures === "nothing-happened" ? "none" : asked;
    throw new TuttiError("TOOL_FAILED", toMessage({ name, notes: asking.notes }, toText(result) || "it failed"), {
      effect,
    });
  }
  // Checked by the engine against the tool's output: what does not fit has happened all the same, and is recorded so.
  return remote.outputSchema === undefined ? toContent(result) : result.structuredContent;
}

async function converse(connection: Connection, call: RemoteCall, asking: Asking): Promise<CallToolResult> {
  const { settings, remote, input, host } = call;
  // What was accepted, for the headers of HTTP. Not its output: the SDK would refuse an answer that lacks it in the words of a server
  // that did nothing, and a tool that answered has done what it does.
  const toolDefinition = { name: remote.name, inputSchema: remote.inputSchema };
  const right = settings.capability === true ? { [capabilityName]: await host.capability() } : {};
  const meta = { ...toMeta(host), ...right };
  let answers: Answers = {};
  while (asking.rounds < roundsMax) {
    asking.rounds++;
    const result: unknown = await connection.client.callTool(
      { name: remote.name, arguments: { ...input }, _meta: meta, ...answers },
      { signal: host.signal, timeout: neverMs, toolDefinition, allowInputRequired: true, ...toProgress(call) },
    );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is not a question is what callTool declares
    if (!isInputRequiredResult(result)) return result as CallToolResult;
    answers = await answerAll(call, result, asking);
  }
  throw new TuttiError("TOOL_FAILED", `it still asks after ${roundsMax} rounds`, { effect: "unknown" });
}

function toMeta({ idempotencyKey, runId, step, attempt }: ToolHost): Record<string, string> {
  return { [idempotencyKeyName]: idempotencyKey, traceparent: toTraceparent(runId, step, attempt) };
}

function toProgress({ settings, remote, host }: RemoteCall): { onprogress?: ProgressCallback } {
  const { onProgress, name } = settings;
  if (onProgress === undefined) return {};
  return {
    onprogress: ({ progress, total, message }) =>
      onProgress({ server: name, tool: remote.name, run: host.runId, step: host.step, done: progress, total, message }),
  };
}

/** What the next round sends beside the call itself. */
type Answers = { readonly inputResponses?: Record<string, Elicited>; readonly requestState?: string };

const request = fields({ method: text }, { params: anything });

async function answerAll(
  call: RemoteCall,
  asks: { readonly inputRequests?: object; readonly requestState?: string },
  asking: Asking,
): Promise<Answers> {
  const state = asks.requestState === undefined ? {} : { requestState: asks.requestState };
  const requests = Object.entries(asks.inputRequests ?? {});
  if (requests.length === 0) {
    await pause(call);
    return state;
  }
  if (requests.length > questionsMax) throw toUnanswerable(`it asks over ${questionsMax} questions at once`);
  const inputResponses: Record<string, Elicited> = {};
  for (const [key, wanted] of requests) inputResponses[key] = await answerOne(call, wanted, asking);
  return { inputResponses, ...state };
}

async function answerOne({ settings, host }: RemoteCall, wanted: unknown, asking: Asking): Promise<Elicited> {
  try {
    const { method, params } = request(wanted, "what it asks");
    if (method !== "elicitation/create") throw new ShapeError("what it asks", "a question to a person", method);
    const question = parseQuestion(params, settings.name, asking.tool);
    return await answerQuestion(settings, { question, asking, signal: host.signal });
  } catch (error) {
    throw error instanceof ShapeError ? toUnanswerable(error.message) : error;
  }
}

function toUnanswerable(what: string): TuttiError {
  return new TuttiError("TOOL_ANSWER_INVALID", what);
}

function pause({ clock, host }: RemoteCall): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const forget = clock.after(laterMs, resolve);
  const onAbort = (): void => {
    forget();
    resolve(); // the next call meets the aborted signal
  };
  host.signal.addEventListener("abort", onAbort, { once: true });
  return promise.finally(() => host.signal.removeEventListener("abort", onAbort));
}
