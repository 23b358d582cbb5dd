import { isTuttiError, TuttiError } from "../base/errors.ts";
import { findJson } from "../base/json-in-text.ts";
import type { Acted, ActHost, Retry, Tool } from "../contracts/callable.ts";
import type { ModelMessage, ModelReply, ModelRequest, ModelTool, ToolCall } from "../contracts/model.ts";
import { addUsage, noUsage } from "../contracts/outcome.ts";
import type { Run } from "../contracts/run.ts";
import { parseWith, type Schema } from "../contracts/schema.ts";
import { toFirstMessages, toRefusal, toRepairMessage, type Role } from "./prompt.ts";

/** Everything about an agent that its turns need. */
export interface Loop<Output> extends Omit<Role, "hasTools"> {
  readonly tier: string;
  readonly tools: readonly Tool[];
  readonly modelTools: readonly ModelTool[];
  readonly answer: ModelRequest["answer"];
  readonly output: Schema<Output>;
  readonly turnsMax: number;
}

/** What a model's step records: never the conversation, which the other records of the run give again. */
interface RecordedReply extends Omit<ModelReply, "provider" | "modelId"> {
  /** Which model answered: provider and id. */
  readonly model: string;
}

// Rate limits and outages of a provider pass; a minute is what most of them ask for at worst.
const modelRetry: Retry = { attemptsMax: 4, delayMs: 1_000, factor: 3, delayMaxMs: 30_000 };
const modelTimeoutMs = 180_000;

/**
 * Asks the model, makes the calls that it wants, all of a turn at once, and asks again, until it answers. Every question to the model
 * and every call is a step of the run, so that after a crash none of them is paid or made again.
 * @throws TuttiError MODEL_ANSWER_INVALID when the answer does not fit after one repair, AGENT_LIMIT when the turns are used up.
 */
export async function actInTurns<Output>(
  loop: Loop<Output>,
  run: Run,
  given: { readonly input: unknown; readonly host: ActHost },
): Promise<Acted<Output>> {
  const messages = toFirstMessages({ ...loop, hasTools: loop.tools.length > 0 }, given.input);
  let usage = noUsage;
  let repaired = false;
  for (let turn = 1; turn <= loop.turnsMax; turn++) {
    const reply = await askModel(loop, run, { messages: [...messages], host: given.host });
    usage = addUsage(usage, reply.usage);
    messages.push(toSaid(reply));
    if (reply.toolCalls.length > 0) {
      messages.push(...(await callTools(loop, run, reply.toolCalls)));
      continue;
    }
    const answer = await readAnswer(loop, reply.text);
    if (answer.kind === "fits") return { output: answer.value, usage };
    if (repaired) {
      throw new TuttiError(
        "MODEL_ANSWER_INVALID",
        `${reply.model} answered ${loop.name} twice with what can't be used: ${answer.problem}`,
        {
          hint: "Try a stronger model for this tier, or ask for a simpler output.",
          facts: { agent: loop.name, model: reply.model, turn },
        },
      );
    }
    repaired = true;
    messages.push(toRepairMessage(answer.problem));
  }
  throw new TuttiError("AGENT_LIMIT", `${loop.name} gave no answer in ${loop.turnsMax} turns`, {
    hint: "Raise turnsMax, or give it a smaller task.",
    facts: { agent: loop.name, turnsMax: loop.turnsMax },
  });
}

interface Question {
  readonly messages: readonly ModelMessage[];
  readonly host: ActHost;
}

function askModel<Output>(loop: Loop<Output>, run: Run, { messages, host }: Question): Promise<RecordedReply> {
  const ask = async ({ signal }: { readonly signal: AbortSignal }): Promise<RecordedReply> => {
    // Looked up here, not before: a replay does not need the model.
    const model = host.model(loop.tier);
    host.progress(`asks ${model.provider}/${model.id}`);
    const request = { messages, tools: loop.modelTools, answer: loop.answer, hints: { run: run.id } };
    const reply = await model.generate(request, signal);
    return toRecorded(reply, `${reply.provider ?? model.provider}/${reply.modelId ?? model.id}`);
  };
  return run.step("model", ask, { effect: "local", retry: modelRetry, timeoutMs: modelTimeoutMs });
}

// What is missing is not stored.
function toRecorded(reply: ModelReply, model: string): RecordedReply {
  const { text, toolCalls, usage, confidence, passedOver, cached, providerData } = reply;
  return {
    text,
    toolCalls: toDistinct(toolCalls),
    usage,
    model,
    ...(confidence === undefined ? {} : { confidence }),
    ...(passedOver === undefined ? {} : { passedOver }),
    ...(cached === undefined ? {} : { cached }),
    ...(providerData === undefined ? {} : { providerData }),
  };
}

function toSaid({ text, toolCalls, providerData }: RecordedReply): ModelMessage {
  return { role: "assistant", text, toolCalls, ...(providerData === undefined ? {} : { providerData }) };
}

// Some providers leave ids out or repeat them; steps are keyed by them, and a result must find its call.
function toDistinct(calls: readonly ToolCall[]): ToolCall[] {
  const taken = new Set<string>();
  return calls.map((call) => {
    const base = call.id === "" ? "call" : call.id;
    let id = base;
    for (let count = 2; taken.has(id); count++) id = `${base}-${count}`;
    taken.add(id);
    return { id, tool: call.tool, input: call.input };
  });
}

function callTools<Output>(loop: Loop<Output>, run: Run, calls: readonly ToolCall[]): Promise<ModelMessage[]> {
  return Promise.all(
    calls.map(async (call): Promise<ModelMessage> => {
      const { result, isError } = await callTool(loop, run, call);
      return { role: "tool", callId: call.id, tool: call.tool, result, isError };
    }),
  );
}

interface ToolOutcome {
  readonly result: unknown;
  readonly isError: boolean;
}

async function callTool<Output>(loop: Loop<Output>, run: Run, call: ToolCall): Promise<ToolOutcome> {
  const tool = loop.tools.find((each) => each.name === call.tool);
  if (tool === undefined) {
    const names = loop.tools.map((each) => each.name).join(", ");
    return refuse(
      toRefusal(
        `There is no tool ${JSON.stringify(call.tool)}.`,
        names === "" ? "You have no tools; answer." : `You have: ${names}.`,
      ),
    );
  }
  try {
    await parseWith(tool.input, call.input, { code: "INPUT_INVALID", what: `the input of ${tool.name}` });
  } catch (error) {
    if (isTuttiError(error) && error.code === "INPUT_INVALID")
      return refuse(toRefusal(error.message, "Correct the input and call again."));
    throw error;
  }
  try {
    return { result: await run.call(tool, call.input, { name: toStepName(tool.name, call.id) }), isError: false };
  } catch (error) {
    if (isTuttiError(error) && error.disposition === "tell-model") return refuse(toRefusal(error.message, error.hint));
    throw error;
  }
}

function refuse(result: string): ToolOutcome {
  return { result, isError: true };
}

const callIdMax = 80;

// Part of a step's path, so without the characters that structure it.
function toStepName(tool: string, callId: string): string {
  return `${tool}:${callId.replaceAll(/[^\w.-]/g, "_").slice(0, callIdMax)}`;
}

type Answer<Output> =
  | { readonly kind: "fits"; readonly value: Output }
  | { readonly kind: "unfit"; readonly problem: string };

async function readAnswer<Output>(loop: Loop<Output>, text: string): Promise<Answer<Output>> {
  const parsed = findJson(text);
  if (parsed === undefined) return { kind: "unfit", problem: text.trim() === "" ? "it is empty." : "it is not JSON." };
  try {
    const value = await parseWith(loop.output, parsed.value, { code: "OUTPUT_INVALID", what: "the answer" });
    return { kind: "fits", value };
  } catch (error) {
    if (isTuttiError(error) && error.code === "OUTPUT_INVALID") return { kind: "unfit", problem: error.message };
    throw error;
  }
}
