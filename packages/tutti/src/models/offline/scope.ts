import { toQuestion, type Conversation } from "./conversation.ts";
import {
  collectSentences,
  isReadingMatter,
  rankSentences,
  sentencesOf,
  textByRole,
  type Answering,
  type Sentence,
} from "./evidence.ts";
import { isObject, type JsonObject } from "./schema-node.ts";

/** What a value may be made from. An item of a list has a scope of its own: its record, or its sentence. */
export interface Scope {
  readonly question: string;
  readonly sentences: readonly Sentence[];
  readonly answering: readonly Answering[];
  /** Values that were handed in by name: taken over before anything is looked for. */
  readonly own: JsonObject;
  /** All material as it stands, for values that are no sentences: dates, amounts, "label: value". */
  readonly raw: string;
  readonly shared: Shared;
}

/** What one answer keeps in mind while it is written. */
export interface Shared {
  /** Why an option was chosen, for a field that asks for the reason. */
  readonly reasons: string[];
  /** Quotes that were used: none is used twice. Those that were rejected count as used. */
  readonly quoted: Set<string>;
  /** Whether the answer has said, or has a place to say, what wrote it. */
  disclosed: boolean;
}

const rawMax = 100_000;
// A field of this name says what not to answer again.
const rejecting = /problem|reject|avoid|wrong|refus/i;

/** The scope of a whole answer. */
export function toScope(conversation: Conversation): Scope {
  const { question, input, calls } = conversation;
  const copyable = calls
    .filter((call) => !call.isError && isObject(call.result) && !isReadingMatter(call.result))
    .map((call) => call.result);
  const own = Object.assign({}, input, ...copyable);
  const rejected = Object.entries(input).flatMap(([name, value]) => (rejecting.test(name) ? quotesOf(value) : []));
  const quoted = new Set(rejected);
  const sentences = collectSentences(conversation).filter((sentence) => !quoted.has(sentence.text));
  const texts = [
    conversation.userText,
    ...textsOf(input),
    ...calls.filter((call) => !call.isError).flatMap((call) => textsOf(call.result)),
  ];
  return {
    question,
    sentences,
    answering: rankSentences(sentences, question),
    own,
    raw: texts.join("\n").slice(0, rawMax),
    shared: { reasons: [], quoted, disclosed: false },
  };
}

function quotesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(quotesOf);
  if (typeof value === "string") return [value];
  return isObject(value) ? [textByRole(value, "quote")].filter((quote) => quote !== "") : [];
}

/** The scope of an item that is made from a record. What the record itself says comes first; else all that is said about it. */
export function toRecordScope(record: JsonObject, scope: Scope): Scope {
  const inside = sentencesOf(record);
  const sentences = inside.length > 0 ? inside : scope.sentences;
  const question = toQuestion(record) ?? scope.question;
  const ranked = rankSentences(sentences, question);
  return { ...scope, question, sentences, answering: ranked, own: record, raw: textsOf(record).join("\n") };
}

/** The scope of an item that is made from a sentence. */
export function toSentenceScope(sentence: Answering, scope: Scope): Scope {
  const own = { quote: sentence.text, source: sentence.source, title: sentence.title };
  return { ...scope, sentences: [sentence], answering: [sentence], own, raw: sentence.text };
}

function textsOf(value: unknown, depth = 0): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number") return [String(value)];
  if (depth > 6 || typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => textsOf(item, depth + 1));
  return Object.entries(value).flatMap(([name, item]) =>
    typeof item === "object" ? textsOf(item, depth + 1) : [`${name}: ${String(item)}`],
  );
}

/** A list of records found in what was handed in. Lists of one place (`answers[].findings`) are one list. */
export interface RecordList {
  readonly name: string;
  readonly records: JsonObject[];
}

/** Every list of records, the nearest first. */
export function recordListsOf(own: JsonObject): RecordList[] {
  const byPath = new Map<string, RecordList>();
  let level: { readonly path: string; readonly value: JsonObject }[] = [{ path: "", value: own }];
  for (let depth = 0; depth < 5 && level.length > 0; depth++) {
    const next: typeof level = [];
    for (const { path, value } of level) {
      for (const [name, part] of Object.entries(value)) {
        const inside = `${path}.${name}`;
        if (isObject(part)) next.push({ path: inside, value: part });
        if (!Array.isArray(part)) continue;
        const records = part.filter(isObject);
        if (records.length === 0) continue;
        const list = byPath.get(inside) ?? { name, records: [] };
        byPath.set(inside, list);
        list.records.push(...records);
        next.push(...records.map((record) => ({ path: inside, value: record })));
      }
    }
    level = next;
  }
  return [...byPath.values()];
}
