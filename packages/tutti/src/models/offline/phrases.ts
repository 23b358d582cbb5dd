import { toStem, toTerms, toWords } from "../../base/text-rank.ts";
import type { Sentence } from "./evidence.ts";

/** A phrase that the material uses, with the number of sources that use it. */
interface Phrase {
  readonly words: string;
  readonly terms: readonly string[];
  score: number;
  readonly sources: Set<string>;
}

const wordsMax = 3;

/** What the material talks about, in its own words: runs of content words that several sources use, most telling first. */
export function toKeyPhrases(sentences: readonly Sentence[], question: string, limit: number): string[] {
  const asked = new Set(toTerms(question));
  const byTerms = new Map<string, Phrase>();
  for (const sentence of sentences) {
    for (const run of contentRuns(sentence.text)) {
      for (let from = 0; from < run.length; from++) {
        for (let length = 1; length <= wordsMax && from + length <= run.length; length++) {
          const words = run.slice(from, from + length);
          const terms = words.map(toStem);
          if (terms.every((term) => asked.has(term)) || new Set(terms).size < terms.length) continue;
          const key = terms.join(" ");
          const phrase = byTerms.get(key) ?? { words: words.join(" "), terms, score: 0, sources: new Set<string>() };
          byTerms.set(key, phrase);
          phrase.sources.add(sentence.source);
          // Two words say more than one; a sentence that stands by itself counts more.
          phrase.score += sentence.quality * (length === 2 ? 2.4 : length === 3 ? 2 : 1);
        }
      }
    }
  }
  return pick([...byTerms.values()], limit);
}

function pick(phrases: readonly Phrase[], limit: number): string[] {
  const ranked = phrases
    .filter((phrase) => phrase.terms.length > 1 || (phrase.terms[0] ?? "").length > 3)
    .map((phrase) => ({ phrase, rank: phrase.score * Math.sqrt(phrase.sources.size) }))
    .toSorted((left, right) => right.rank - left.rank || (left.phrase.words < right.phrase.words ? -1 : 1));
  const picked: Phrase[] = [];
  for (const { phrase } of ranked) {
    if (picked.length >= limit) break;
    // One phrase for one idea: none that shares a word with an earlier one.
    if (!picked.some((other) => other.terms.some((term) => phrase.terms.includes(term)))) picked.push(phrase);
  }
  return picked.map((phrase) => phrase.words);
}

// Words between two stop words or marks, as they are written there.
function contentRuns(text: string): string[][] {
  const runs: string[][] = [];
  for (const part of text.split(/[^\p{L}\p{N}\p{M}'’\s-]+|\s-+\s/u)) {
    let run: string[] = [];
    for (const word of toWords(part)) {
      if (toTerms(word).length > 0 && !/^\p{N}+$/u.test(word)) run.push(word);
      else {
        if (run.length > 0) runs.push(run);
        run = [];
      }
    }
    if (run.length > 0) runs.push(run);
  }
  return runs;
}

/**
 * Questions that a topic falls into: one for each thing that it lists ("speed, size and safety of …"), then one for each phrase
 * that the material keeps using. Nothing is asked that neither the topic nor the material mentions.
 */
export function toQuestions(topic: string, sentences: readonly Sentence[], limit: number): string[] {
  const facets = toFacets(topic);
  const questions = facets.length > 1 ? facets : [topic];
  const asked = questions.map(toAsked);
  if (asked.length < limit && sentences.length > 0) {
    for (const phrase of toKeyPhrases(sentences, topic, limit - asked.length)) asked.push(toAsked(phrase));
  }
  return [...new Set(asked)].slice(0, limit);
}

function toAsked(words: string): string {
  const trimmed = words.trim().replace(/[.?!\s]+$/u, "");
  return /^(?:what|how|why|when|where|who|which|is|are|do|does|did|can|should|was|were|wie|warum|wann|wo|wer|welche)\b/iu.test(
    trimmed,
  )
    ? `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}?`
    : `What is said about ${toInside(trimmed)}?`;
}

// Inside a sentence a first word is small, unless it is a name or an abbreviation.
function toInside(words: string): string {
  return /^\p{Lu}\p{Ll}/u.test(words) && !/^\S+\s+\p{Lu}/u.test(words)
    ? `${words.charAt(0).toLowerCase()}${words.slice(1)}`
    : words;
}

const joints = /\s*,\s*(?:and|or|und|oder|et|y)\s+|\s*[,;]\s*|\s+(?:and|or|und|oder|et|y)\s+/iu;
const lead = /^(.*\b(?:about|of|on|for|with|in|handle|regarding|über|von|zu|mit)\s+)(.+)$/iu;
const tail = /^(.+?)(\s+(?:of|in|for|with|by|from|at|when|while|without|von|bei|mit|für)\s+.+)$/iu;

/** "What do they say about speed, size and safety in practice?" asks three things; this takes them apart. */
function toFacets(topic: string): string[] {
  const parts = topic
    .replace(/[.?!\s]+$/u, "")
    .split(joints)
    .filter((part) => part.trim() !== "");
  const [first, ...others] = parts;
  const last = others.pop();
  if (first === undefined || last === undefined) return [topic];
  const [, before = "", firstItem = first] = lead.exec(first) ?? [];
  const [, lastItem = last, after = ""] = tail.exec(last) ?? [];
  const items = [firstItem, ...others, lastItem];
  // A list names things; long parts are clauses, and taking those apart would change what is asked.
  if (items.some((item) => item.split(/\s+/).length > 4)) return [topic];
  return items.map((item) => `${before}${item.trim()}${after}`);
}
