import { TuttiError } from "../base/errors.ts";
import { findJson } from "../base/json-in-text.ts";
import { estimateTokens } from "../base/token-estimate.ts";
import type { ActHost } from "../contracts/callable.ts";
import type { StepKey } from "../contracts/ids.ts";
import type { ModelMessage } from "../contracts/model.ts";
import type { Run } from "../contracts/run.ts";
import { askModel } from "./ask-model.ts";
import type { LimitBook } from "./limits.ts";
import { toCompactedMessage, toSummaryMessages } from "./prompt.ts";

/**
 * When and how a conversation is shortened. What is left out stays in the ledger, as the output of a step named `compact`: every message
 * word for word, but for results of tools, which are in the ledger already and are named by their step.
 */
export interface Compaction {
  /** Shortened once it has more messages than this, */
  readonly afterMessages?: number;
  /** or is longer than about this many tokens. At least one of the two. */
  readonly afterTokens?: number;
  /** The last turns stay word for word; a turn is what the model said, with what came back. */
  readonly keepTurns: number;
  /** `drop`: a marker stands for what is left out. A model: its summary does. */
  readonly by: "drop" | { readonly model: string };
}

/** A message, and the step whose output it tells, if it does. */
export interface Said {
  readonly message: ModelMessage;
  readonly step?: StepKey;
}

/** What was said so far. */
export interface Conversation {
  readonly messages: readonly ModelMessage[];
  push(...messages: readonly ModelMessage[]): void;
  pushSaid(said: readonly Said[]): void;
  /** What a step keeps of the messages that `fold` is about to take away. */
  record(end: number): readonly unknown[];
  /** Puts one message in the place of those from the third up to, not including, `end`. */
  fold(end: number, marker: ModelMessage): void;
  /** About how long it is. */
  readonly tokens: number;
}

// The role and the input always stay.
const firstMessages = 2;

export function openConversation(first: readonly ModelMessage[]): Conversation {
  const messages = [...first];
  const stepByMessage = new WeakMap<ModelMessage, StepKey>();
  let tokens = 0;
  let counted = 0;
  // Only a rule about tokens asks, and each message is counted once.
  const countTokens = (): number => {
    tokens += toTokens(messages.slice(counted));
    counted = messages.length;
    return tokens;
  };
  return {
    messages,
    get tokens() {
      return countTokens();
    },
    push: (...more) => void messages.push(...more),
    pushSaid(said) {
      for (const { message, step } of said) {
        if (step !== undefined) stepByMessage.set(message, step);
        messages.push(message);
      }
    },
    record: (end) => messages.slice(firstMessages, end).map((message) => toRecord(message, stepByMessage.get(message))),
    fold(end, marker) {
      const before = countTokens();
      const left = messages.splice(firstMessages, end - firstMessages, marker);
      tokens = before + toTokens([marker]) - toTokens(left);
      counted = messages.length;
    },
  };
}

// Nothing is stored twice.
function toRecord(message: ModelMessage, step: StepKey | undefined): unknown {
  if (step === undefined || message.role !== "tool") return message;
  const { result: _inStep, ...rest } = message;
  return { ...rest, resultOf: step };
}

function toTokens(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, message) => sum + estimateTokens(JSON.stringify(message)), 0);
}

export interface Compacting {
  readonly rule: Compaction;
  readonly conversation: Conversation;
  readonly host: ActHost;
  readonly limits: LimitBook;
}

/** Shortens the conversation if its rule says so. The same on replay: the rule looks at what is recorded and nothing else. */
export async function compact(run: Run, { rule, conversation, host, limits }: Compacting): Promise<void> {
  const { messages } = conversation;
  const isDue =
    messages.length > (rule.afterMessages ?? Number.POSITIVE_INFINITY) ||
    conversation.tokens > (rule.afterTokens ?? Number.POSITIVE_INFINITY);
  if (!isDue) return;
  const end = messages.flatMap(({ role }, index) => (role === "assistant" ? [index] : [])).at(-rule.keepTurns);
  if (end === undefined || end - firstMessages < 2) return; // nothing to leave out but an earlier marker
  await run.step("compact", () => ({ left: conversation.record(end) }));
  const left = messages.slice(firstMessages, end);
  const summary =
    rule.by === "drop" ? undefined : await sumUp(run, { tier: rule.by.model, left, messages, host, limits });
  conversation.fold(end, toCompactedMessage(left.length, summary));
}

interface Summing {
  readonly tier: string;
  readonly left: readonly ModelMessage[];
  readonly messages: readonly ModelMessage[];
  readonly host: ActHost;
  readonly limits: LimitBook;
}

/** Longer parts are cut in the middle before they are summed up. */
const summedCharactersMax = 400_000;
const summaryAnswer = {
  name: "summary",
  schema: {
    type: "object",
    properties: { summary: { type: "string" } },
    required: ["summary"],
    additionalProperties: false,
  },
};

async function sumUp(run: Run, { tier, left, messages, host, limits }: Summing): Promise<string> {
  const task = messages[1]?.role === "user" ? messages[1].text : "";
  const reply = await askModel(run, {
    name: "summary",
    tier,
    request: { messages: toSummaryMessages(task, cutMiddle(JSON.stringify(left))), tools: [], answer: summaryAnswer },
    host,
  });
  limits.spend(reply.usage);
  const found = findJson(reply.text)?.value;
  const summary =
    typeof found === "object" && found !== null && "summary" in found && typeof found.summary === "string"
      ? found.summary
      : reply.text; // whatever it said is said about the conversation
  if (summary.trim() !== "" && reply.length === undefined) return summary.trim();
  throw new TuttiError("MODEL_ANSWER_INVALID", `${reply.model} gave no summary of the conversation`, {
    hint: 'Try a stronger model for this tier, or compact by "drop".',
    facts: { model: reply.model },
  });
}

function cutMiddle(text: string): string {
  if (text.length <= summedCharactersMax) return text;
  const half = summedCharactersMax / 2;
  return `${text.slice(0, half)}… (cut) …${text.slice(-half)}`;
}
