import { toSentences, toTerms, toTextIndex } from "../../base/text-rank.ts";
import { toFocus, type Conversation } from "./conversation.ts";
import { toRole, type PropertyRole } from "./property-role.ts";
import { isObject, type JsonObject } from "./schema-node.ts";

/** A sentence that was found in the material, exactly as it stands there, and where. */
export interface Sentence {
  readonly text: string;
  readonly terms: readonly string[];
  readonly source: string;
  readonly title: string;
  /** 0 at the beginning of its text, 1 at its end. */
  readonly place: number;
  /** How much it looks like a statement that stands by itself, from 0 to 1. */
  readonly quality: number;
  /** Somebody already found it to be an answer: it was handed in as a quote or a claim. */
  readonly given: boolean;
}

/** A sentence that answers, and how well. */
export interface Answering extends Sentence {
  readonly score: number;
  /** The share of the question's words that it holds, from 0 to 1. */
  readonly coverage: number;
}

// Material beyond this is not looked at; a long document is read in its first part.
const sentencesMax = 4_000;
const depthMax = 8;
/** A text of this length is something to read; a shorter one is a value. */
const readingMin = 120;
/** A sentence must hold this share of what the question is about to answer it. */
const coverageMin = 0.6;

/** Results with passages in them are read; what the tools returned without any is taken as it is. */
export function isReadingMatter(value: unknown, depth = 0): boolean {
  if (typeof value === "string") return value.length >= readingMin;
  if (depth > depthMax || typeof value !== "object" || value === null) return false;
  return Object.values(value).some((part) => isReadingMatter(part, depth + 1));
}

/** Everything that was said: by the tools' results if they brought passages, else by the input and the user. */
export function collectSentences(conversation: Conversation): Sentence[] {
  const brought = conversation.calls
    .filter((call) => !call.isError && isReadingMatter(call.result))
    .map((call) => call.result);
  const sentences = brought.flatMap((result) => sentencesOf(result));
  const all =
    sentences.length > 0 ? sentences : [...sentencesOf(conversation.input), ...sentencesOf(conversation.userText)];
  return withoutRepetition(all, conversation.question).slice(0, sentencesMax);
}

/** The sentences of any value. What stands beside a text in its object names its source and title. */
export function sentencesOf(value: unknown, beside: JsonObject = {}, depth = 0): Sentence[] {
  if (depth > depthMax) return [];
  if (typeof value === "string") return splitText(value, beside, false);
  if (Array.isArray(value)) return value.flatMap((item) => sentencesOf(item, beside, depth + 1));
  if (!isObject(value)) return [];
  const near = textByRole(value, "source") === "" ? beside : value;
  const isQuoted = textByRole(value, "quote") !== "";
  return Object.entries(value).flatMap(([name, part]) => {
    if (typeof part !== "string") return sentencesOf(part, near, depth + 1);
    const role = toRole(name);
    // What stands beside a quote only says it again.
    return aboutTheMaterial.has(role) || (isQuoted && role !== "quote")
      ? []
      : splitText(part, near, role === "quote" || role === "claim");
  });
}

// Names, questions and addresses are about the material; they are not what it says.
const aboutTheMaterial: ReadonlySet<PropertyRole> = new Set(["source", "title", "question", "slug", "disclosure"]);

function splitText(text: string, beside: JsonObject, given: boolean): Sentence[] {
  const source = textByRole(beside, "source");
  const title = textByRole(beside, "title");
  const sentences: Sentence[] = [];
  for (const span of toSentences(text)) {
    const words = span.text.replaceAll(/\s+/g, " ");
    const quality = toQuality(words);
    if (quality > 0)
      sentences.push({
        text: words,
        terms: toTerms(words),
        source,
        title,
        place: span.start / text.length,
        quality,
        given,
      });
  }
  return sentences;
}

export function textByRole(record: JsonObject, role: PropertyRole): string {
  for (const [name, value] of Object.entries(record)) {
    if (typeof value === "string" && toRole(name) === role) return value;
  }
  return "";
}

// How far back a repetition is looked for: passages of one source that overlap come one after the other.
const repetitionWindow = 60;

// Overlapping passages and a claim beside its quote bring the same words twice: the longer one stays.
function withoutRepetition(sentences: readonly Sentence[], question: string): Sentence[] {
  const keptBySource = new Map<string, Sentence[]>();
  for (const sentence of sentences) {
    if (sentence.text === question) continue;
    const kept = keptBySource.get(sentence.source) ?? [];
    keptBySource.set(sentence.source, kept);
    const recent = kept.slice(-repetitionWindow);
    if (recent.some((other) => other.text.includes(sentence.text))) continue;
    const shorter = recent.find((other) => sentence.text.includes(other.text));
    if (shorter === undefined) kept.push(sentence);
    else kept[kept.indexOf(shorter)] = sentence;
  }
  const kept = new Set([...keptBySource.values()].flat());
  return sentences.filter((sentence) => kept.has(sentence));
}

const codeMarks =
  /[{};=<>]{2}|=>|\(\)|\);|[{}]|^\s*(?:import|const|let|var|npm|npx|return|export|\$)\s|https?:\/\/\S+\s*$|\|/;

/** 0 for what is no sentence: code, a table row, a heading, a bare link. */
function toQuality(text: string): number {
  const words = text.split(" ").length;
  const letters = text.match(/[\p{L}\s]/gu)?.length ?? 0;
  // Scripts without spaces have no words to count by.
  const unspaced = words < 4 && /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Thai}]/u.test(text);
  if (
    (words < 4 && !unspaced) ||
    words > 70 ||
    text.length > 600 ||
    letters / text.length < 0.6 ||
    codeMarks.test(text)
  )
    return 0;
  let quality = 1;
  if (!/[.!。！…]["'”’»)\]]*$/u.test(text)) quality *= text.endsWith("?") || text.endsWith(":") ? 0.3 : 0.6;
  if (!/^["'“‘«([]*[\p{Lu}\p{Lo}\p{N}]/u.test(text)) quality *= 0.6;
  if (
    /^(?:It|This|That|These|Those|They|He|She|But|And|Or|So|However|Also|Then|See|Note|For example|E\.g\.)\b/.test(text)
  )
    quality *= 0.7;
  if (/^(?:npm|yarn|pnpm|pip|run|install)\b/i.test(text)) quality *= 0.3;
  // BM25 likes short sentences; an answer needs room to say something.
  return unspaced ? quality : quality * Math.min(1, 0.45 + words / 22);
}

/** The sentences that answer a question, best first: BM25, how much of the question they hold, how early and how well they stand. */
export function rankSentences(sentences: readonly Sentence[], question: string): Answering[] {
  // A sentence rarely repeats what its document is called, and is about it all the same.
  const index = toTextIndex(sentences.map((sentence) => [...sentence.terms, ...toTerms(sentence.title)]));
  const inFocus = new Map(
    index.rank(toTerms(toFocus(question)), sentences.length).map((found) => [found.index, found.coverage]),
  );
  const answering: Answering[] = [];
  const wanted = toTerms(question);
  for (const found of index.rank(wanted, sentences.length)) {
    const sentence = sentences[found.index];
    const focus = inFocus.get(found.index) ?? 0;
    // The title helps, but something of the question has to be in the sentence itself.
    if (sentence === undefined || focus < coverageMin || !sentence.terms.some((term) => wanted.includes(term)))
      continue;
    const score = found.score * (0.5 + focus) * sentence.quality * (1.15 - 0.15 * sentence.place);
    answering.push({ ...sentence, score, coverage: found.coverage });
  }
  const found = new Set(answering.map((sentence) => sentence.text));
  // What was handed in as an answer is one, whatever words it uses.
  const given = sentences
    .filter((sentence) => sentence.given && !found.has(sentence.text))
    .map((sentence) => ({ ...sentence, score: 0, coverage: 0 }));
  return [...answering.toSorted((left, right) => right.score - left.score), ...given];
}

/** A few that together hold as much of the question as they can: the best one, then what adds most to it. */
export function summarise(answering: readonly Answering[], question: string, limit: number): Answering[] {
  const missing = new Set(toTerms(question));
  const chosen: Answering[] = [];
  while (chosen.length < limit) {
    let best: { readonly sentence: Answering; readonly gain: number } | undefined;
    for (const sentence of answering) {
      if (chosen.some((other) => other.text === sentence.text)) continue;
      const added = new Set(sentence.terms.filter((term) => missing.has(term))).size;
      const gain = (1 + sentence.score) * (chosen.length === 0 ? 1 : added) * sentence.quality;
      if (gain > (best?.gain ?? 0)) best = { sentence, gain };
    }
    if (best === undefined) break;
    chosen.push(best.sentence);
    for (const term of best.sentence.terms) missing.delete(term);
  }
  return chosen;
}

/** At most so many, no source more than its share while others have something to say. */
export function spread(answering: readonly Answering[], limit: number): Answering[] {
  const perSource = Math.max(1, Math.ceil(limit / 3));
  const countBySource = new Map<string, number>();
  const first: Answering[] = [];
  const later: Answering[] = [];
  const said = new Set<string>();
  for (const sentence of answering) {
    if (said.has(sentence.text)) continue;
    said.add(sentence.text);
    const count = countBySource.get(sentence.source) ?? 0;
    countBySource.set(sentence.source, count + 1);
    (sentence.source === "" || count < perSource ? first : later).push(sentence);
  }
  return [...first, ...later].slice(0, limit);
}
