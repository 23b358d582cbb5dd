import { pointedAt } from "../agents/answer.ts";
import { decimal, fields, listOf, ShapeError, text, type Shape } from "../base/shape.ts";
import { schemaOf, toJsonSchema, type Schema } from "../contracts/schema.ts";

/** Something that is known, and how surely. */
export interface Fact {
  /** What it is about: receivers say which topics they take. */
  readonly topic: string;
  readonly fact: string;
  /** From 0 to 1. Passing a fact on never makes it surer. */
  readonly confidence: number;
}

/** What peers are asked to do together. */
export interface PeerTask {
  readonly goal: string;
  readonly known?: readonly Fact[];
  readonly missing?: readonly string[];
}

/** A task as one peer gets it from another: what this receiver needs, and no more. */
export interface Packet {
  readonly goal: string;
  /** Who hands it over; "" for who called the team. */
  readonly from: string;
  /** Why this peer. */
  readonly reason: string;
  readonly done: readonly string[];
  /** Facts on the topics that this peer takes. */
  readonly known: readonly Fact[];
  readonly assumed: readonly string[];
  readonly missing: readonly string[];
  /** To whom it may be handed on. */
  readonly peers: readonly { readonly name: string; readonly does: string }[];
  /** Who would not take it so far, and why. */
  readonly refusals: readonly Refusal[];
}

export interface Refusal {
  readonly by: string;
  readonly reason: string;
}

/** A peer passes the task on, with what it found out. */
export interface HandOff {
  readonly to: string;
  readonly reason: string;
  readonly done: readonly string[];
  readonly known: readonly Fact[];
  readonly assumed: readonly string[];
  readonly missing: readonly string[];
}

/** A peer answers, or hands off: exactly one is not null. */
export interface PeerReply<Answer> {
  readonly answer: Answer | null;
  readonly handOff: HandOff | null;
}

/** What a peer may add in one go. */
const itemsMax = 50;
const charactersMax = 2_000;

const words: Shape<string> = (value, path) => {
  const said = text(value, path);
  if (said.length <= charactersMax) return said;
  throw new ShapeError(path, `text of at most ${charactersMax} characters`, value);
};

const share: Shape<number> = (value, path) => {
  const number = decimal(value, path);
  if (number >= 0 && number <= 1) return number;
  throw new ShapeError(path, "a number from 0 to 1", value);
};

function few<Item>(item: Shape<Item>, max = itemsMax): Shape<readonly Item[]> {
  const list = listOf(item);
  return (value, path) => {
    if (Array.isArray(value) && value.length > max) throw new ShapeError(path, `a list of at most ${max}`, value);
    return list(value, path);
  };
}

const factShape: Shape<Fact> = fields({ topic: words, fact: words, confidence: share });
const handOffShape: Shape<HandOff> = fields({
  to: words,
  reason: words,
  done: few(words),
  known: few(factShape),
  assumed: few(words),
  missing: few(words),
});

const wordsJson = { type: "string", maxLength: charactersMax };
const listJson = { type: "array", items: wordsJson, maxItems: itemsMax };
const factsJson = {
  type: "array",
  maxItems: itemsMax,
  items: {
    type: "object",
    properties: { topic: wordsJson, fact: wordsJson, confidence: { type: "number", minimum: 0, maximum: 1 } },
    required: ["topic", "fact", "confidence"],
    additionalProperties: false,
  },
};
const handOffJson = {
  type: "object",
  properties: {
    to: { ...wordsJson, description: "The name of one of the peers." },
    reason: { ...wordsJson, description: "Why this peer, in one sentence." },
    done: { ...listJson, description: "What you have done." },
    known: { ...factsJson, description: "What you found out and the receiver has to know." },
    assumed: { ...listJson, description: "What you took for true without knowing." },
    missing: { ...listJson, description: "What is still to be found out or done." },
  },
  required: ["to", "reason", "done", "known", "assumed", "missing"],
  additionalProperties: false,
};

/** The input of a team of peers. */
export const peerTask: Schema<PeerTask> = schemaOf(
  fields({ goal: words }, { known: few(factShape), missing: few(words) }),
  {
    type: "object",
    properties: { goal: wordsJson, known: factsJson, missing: listJson },
    required: ["goal"],
    additionalProperties: false,
  },
);

const packetItemsMax = 1_000;

/** The input of a member of a team of peers. */
export const packet: Schema<Packet> = schemaOf(
  fields({
    goal: words,
    from: text,
    reason: words,
    done: few(words, packetItemsMax),
    known: few(factShape, packetItemsMax),
    assumed: few(words, packetItemsMax),
    missing: few(words, packetItemsMax),
    peers: few(fields({ name: text, does: text })),
    refusals: few(fields({ by: words, reason: text }), packetItemsMax),
  }),
  { type: "object" },
);

/** The output of a member of a team of peers: an answer of this schema, or a hand-off. */
export function peerReply<Answer>(answer: Schema<Answer>): Schema<PeerReply<Answer>> {
  const toJson = (): Record<string, unknown> => {
    const { $schema, $defs, ...schema } = toJsonSchema(answer, "input", "the answer of a peer");
    return {
      ...($schema === undefined ? {} : { $schema }),
      type: "object",
      properties: {
        answer: { anyOf: [pointedAt(schema), { type: "null" }], description: "Your answer, or null if you hand off." },
        handOff: { anyOf: [handOffJson, { type: "null" }], description: "To whom and what, or null if you answer." },
      },
      required: ["answer", "handOff"],
      additionalProperties: false,
      ...($defs === undefined ? {} : { $defs: pointedAt($defs) }),
    };
  };
  return {
    "~standard": {
      version: 1,
      vendor: "tutti",
      validate: (value) => validateReply(answer, value),
      jsonSchema: { input: toJson, output: toJson },
    },
  };
}

type Validated<Value> = ReturnType<Schema<Value>["~standard"]["validate"]>;

function validateReply<Answer>(answer: Schema<Answer>, value: unknown): Validated<PeerReply<Answer>> {
  const said = typeof value === "object" && value !== null ? { answer: null, handOff: null, ...value } : undefined;
  const hasAnswer = said !== undefined && said.answer !== null;
  const hasHandOff = said !== undefined && said.handOff !== null;
  if (hasAnswer === hasHandOff || said === undefined)
    return { issues: [{ message: "exactly one of `answer` and `handOff` has to be given, the other null" }] };
  if (hasHandOff) {
    try {
      return { value: { answer: null, handOff: handOffShape(said.handOff, "handOff") } };
    } catch (error) {
      return { issues: [{ message: error instanceof Error ? error.message : String(error) }] };
    }
  }
  const validated = answer["~standard"].validate(said.answer);
  return validated instanceof Promise ? validated.then(toReply) : toReply(validated);
}

function toReply<Answer>(validated: Awaited<Validated<Answer>>): Awaited<Validated<PeerReply<Answer>>> {
  if (validated.issues === undefined) return { value: { answer: validated.value, handOff: null } };
  const issues = validated.issues.map((issue) => ({ ...issue, path: ["answer", ...(issue.path ?? [])] }));
  return { issues };
}
