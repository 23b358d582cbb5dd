import type { ActHost, Retry } from "../contracts/callable.ts";
import type { ModelDelta, ModelReply, ModelRequest, ToolCall } from "../contracts/model.ts";
import type { Run, StepHost } from "../contracts/run.ts";
import { toPrecedentMessages } from "./prompt.ts";
import { askWithinBudget, type StepDown } from "./step-down.ts";

/** What a model's step records: never the conversation, which the other records of the run give again. */
export interface RecordedReply extends Omit<ModelReply, "provider" | "modelId"> {
  /** How long the text was, when it was longer than any answer may be and only its beginning is kept. */
  readonly length?: number;
  /** How many calls it asked for beyond what is made in one turn. */
  readonly dropped?: number;
  /** Which model answered: provider and id. */
  readonly model: string;
}

// Rate limits and outages of a provider pass; a minute is what most of them ask for at worst.
const modelRetry: Retry = { attemptsMax: 4, delayMs: 1_000, factor: 3, delayMaxMs: 30_000 };
const modelTimeoutMs = 180_000;

/** More is no answer that a person or an agent could work with. */
export const answerCharactersMax = 1_000_000;
const beginningCharacters = 2_000;
/** A turn that asks for more gets the first ones. */
export const callsPerTurnMax = 32;

export interface Question {
  /** Its name in the step's path. */
  readonly name: string;
  readonly tier: string;
  readonly stepDown?: StepDown | undefined;
  readonly request: ModelRequest;
  /** It gets no more time than is left of the agent's own. */
  readonly leftMs?: number | undefined;
  readonly host: ActHost;
  /** What it is about, in words: what people decided in cases like it is said behind it. */
  readonly task?: string;
}

/** Asks a model once, as a step of the run. What it says is told to whoever watches while it says it. */
export function askModel(run: Run, question: Question): Promise<RecordedReply> {
  const { name, tier, stepDown, leftMs } = question;
  const timeoutMs = leftMs === undefined ? modelTimeoutMs : Math.min(modelTimeoutMs, leftMs);
  const ask = (step: StepHost): Promise<RecordedReply> =>
    askWithinBudget({ tier, stepDown }, (affordable) => askTier(run, question, { step, tier: affordable, timeoutMs }));
  return run.step(name, ask, { effect: "local", retry: modelRetry, timeoutMs });
}

interface Asking {
  readonly step: StepHost;
  readonly tier: string;
  readonly timeoutMs: number;
}

async function askTier(
  run: Run,
  { request, host, task }: Question,
  { step, tier, timeoutMs }: Asking,
): Promise<RecordedReply> {
  // Looked up here, not before: a replay does not need the model.
  const model = host.model(tier, { host: step, timeoutMs });
  host.progress(`asks ${model.provider}/${model.id}`);
  const watch = openWatch(host.tell, step);
  try {
    const precedents = task === undefined ? [] : await host.precedents(task);
    const messages = [...request.messages, ...toPrecedentMessages(precedents)];
    const asked = { ...request, messages, hints: { ...request.hints, run: run.id } };
    const reply = await model.generate(asked, step.signal, watch?.onDelta);
    return toRecorded(reply, `${reply.provider ?? model.provider}/${reply.modelId ?? model.id}`);
  } finally {
    watch?.close();
  }
}

interface Watch {
  readonly onDelta: (delta: ModelDelta) => void;
  close(): void;
}

// What comes after the reply, or after the attempt was given up, belongs to nobody.
function openWatch(tell: ActHost["tell"], { step, attempt, signal }: StepHost): Watch | undefined {
  if (tell === undefined) return undefined;
  let isOpen = true;
  return {
    onDelta(delta) {
      if (!isOpen || signal.aborted || delta.text === "") return;
      tell({ step, attempt, text: delta.text, ...(delta.kind === "tool-call" ? { tool: delta.tool } : {}) });
    },
    close() {
      isOpen = false;
    },
  };
}

function toRecorded(reply: ModelReply, model: string): RecordedReply {
  const { text, toolCalls, usage, confidence, passedOver, cached, providerData } = reply;
  const isTooLong = text.length > answerCharactersMax;
  const dropped = toolCalls.length - callsPerTurnMax;
  return {
    text: isTooLong ? text.slice(0, beginningCharacters) : text,
    ...(isTooLong ? { length: text.length } : {}),
    toolCalls: toDistinct(toolCalls.slice(0, callsPerTurnMax)),
    ...(dropped > 0 ? { dropped } : {}),
    usage,
    model,
    ...(confidence === undefined ? {} : { confidence }),
    ...(passedOver === undefined ? {} : { passedOver }),
    ...(cached === undefined ? {} : { cached }),
    ...(providerData === undefined ? {} : { providerData }),
  };
}

// Some providers leave ids out or repeat them; steps are keyed by them, and a result must find its call.
function toDistinct(calls: readonly ToolCall[]): ToolCall[] {
  const taken = new Set<string>();
  return calls.map((call) => {
    const base = call.id === "" ? "call" : call.id;
    let id = base;
    for (let count = 2; taken.has(id); count++) id = `${base}-${count}`;
    taken.add(id);
    return { ...call, id };
  });
}
