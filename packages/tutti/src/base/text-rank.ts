/**
 * Finding text by its words: terms, sentences and BM25. Pure, deterministic, without a dictionary:
 * good enough to find a passage, and to say why it was found.
 */

/** Words that say nothing about what a text is about; of English, and the commonest of German, French and Spanish. */
const stopWordsText = `a about above after again against all also although am among an and any anyone are as at be because been before being below between both but by
  can could did do does doing don done down during each either else ever every few for from further get had has have having he her here hers him his
  how however i if in into is isn it its itself just let like made make makes making many may me might more most much must my need needs neither no nor
  not now of off often on once one only onto or other others our out over own per rather really said same say says see shall she should since so some such
  than that the their them then there these they this those though through thus to too under until up upon us use used uses using very via was
  way ways we well were what when where whether which while who whom whose why will with within without would yet you your
  aber als am an auch auf aus bei bin das dass dem den der des die du durch ein eine einem einen einer eines er es für hat ich ihr im in ist mit nach
  nicht noch nur oder sein sich sie sind so um und uns vom von vor war was wenn wer werden wie wird wo zu zum zur
  au aux avec ce ces dans de des du elle en est et eux il ils je la le les leur lui ma mais même mes moi mon ne nos notre nous on ou où par pas pour
  qu que qui sa se ses son sont sur ta te tes toi ton tu un une vos votre vous
  con como cuando del donde el ella ellos entre era es esta este está hay la las lo los más muy ni para pero por que quien se ser si sin sobre su sus una unos y`;

// Scripts that are written without spaces: pairs of characters serve as words.
const unspacedScripts = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}`;
const spacedWord = String.raw`(?:(?![${unspacedScripts}])[\p{L}\p{N}\p{M}])+(?:['’](?=\p{L})\p{L}+)?`;
const shortWords = String.raw`e\.g|i\.e|etc|vs|cf|ca|approx|incl|resp|no|nos|vol|fig|eq|mr|mrs|ms|dr|prof|st|inc|ltd|co|z\.b|d\.h|bzw|usw|p\.ex`;

interface Language {
  readonly word: RegExp;
  readonly unspaced: RegExp;
  readonly abbreviation: RegExp;
  readonly stopWords: ReadonlySet<string>;
}

let language: Language | undefined;

// Put together from texts: a pattern that stands in the code is read by V8 with the file, whoever uses it, and these take longer than all the rest.
function toLanguage(): Language {
  return {
    word: new RegExp(`[${unspacedScripts}]+|${spacedWord}`, "gu"),
    unspaced: new RegExp(`^[${unspacedScripts}]`, "u"),
    abbreviation: new RegExp(String.raw`(?:\b(?:${shortWords})|\b\p{L})\.$`, "iu"),
    stopWords: new Set(stopWordsText.split(/\s+/)),
  };
}

/** Every word of a text in lower case, in order, as it stands there. */
export function toWords(text: string): string[] {
  language ??= toLanguage();
  return text.toLowerCase().match(language.word) ?? [];
}

/** The words that carry meaning, cut back to a common form, in order and with repetitions. */
export function toTerms(text: string): string[] {
  const { unspaced, stopWords } = (language ??= toLanguage());
  const terms: string[] = [];
  for (const word of toWords(text)) {
    if (unspaced.test(word)) {
      if (word.length === 1) terms.push(word);
      for (let index = 0; index + 1 < word.length; index++) terms.push(word.slice(index, index + 2));
    } else if (!stopWords.has(word)) {
      const term = toStem(word);
      if (term.length > 1 || /\p{N}/u.test(term)) terms.push(term);
    }
  }
  return terms;
}

/** Cuts English endings, so that "retries", "retried" and "retrying" meet. Crude on purpose: it only has to be the same on both sides. */
export function toStem(word: string): string {
  let stem = word.replace(/['’].*$/u, "");
  if (!/^[a-z]+$/.test(stem)) return stem;
  if (stem.length > 4 && /(?:ies|ied)$/.test(stem)) return `${stem.slice(0, -3)}y`;
  if (stem.length > 3 && /[^siu]s$/.test(stem)) stem = stem.slice(0, -1);
  else if (stem.length > 5 && /(?:ss|sh|ch|x)es$/.test(stem)) stem = stem.slice(0, -2);
  if (stem.length > 5 && stem.endsWith("ing")) stem = toUndoubled(stem.slice(0, -3));
  else if (stem.length > 4 && stem.endsWith("ed")) stem = toUndoubled(stem.slice(0, -2));
  return stem.length > 4 && stem.endsWith("e") ? stem.slice(0, -1) : stem;
}

function toUndoubled(stem: string): string {
  return /([bdgklmnprt])\1$/.test(stem) ? stem.slice(0, -1) : stem;
}

/** A piece of a text, and where it begins and ends there: `text` is exactly what stands between. */
export interface Span {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

// No part of it looks ahead over text that another part may look over again: it takes as long as the text is.
const boundary = /[.!?…]+["'”’»)\]]*|[。！？]+|\n[^\S\n]*\n|$/gu;

/**
 * The sentences of a text, in order. A blank line always ends one, so that headings and list items stay by themselves;
 * a full stop does not when an abbreviation, an initial or a lower-case word shows that the sentence goes on.
 */
export function toSentences(text: string): Span[] {
  const sentences: Span[] = [];
  let from = 0;
  for (const match of text.matchAll(boundary)) {
    const end = match[0].startsWith("\n") ? match.index : match.index + match[0].length;
    if (end < text.length && goesOn(text, from, end)) continue;
    const piece = text.slice(from, end);
    const start = from + (piece.length - piece.trimStart().length);
    const trimmed = piece.trim();
    if (trimmed !== "") sentences.push({ text: trimmed, start, end: start + trimmed.length });
    from = match.index + match[0].length;
  }
  return sentences;
}

function goesOn(text: string, from: number, end: number): boolean {
  const mark = text.charAt(end - 1);
  if (/[。！？]/u.test(mark) || text.charAt(end) === "\n") return false;
  if (!/\s/u.test(text.charAt(end))) return true;
  if (mark !== ".") return false;
  const { abbreviation } = (language ??= toLanguage());
  return (
    abbreviation.test(text.slice(Math.max(from, end - 12), end)) ||
    /^[^\S\n]*\n?[^\S\n]*\p{Ll}/u.test(text.slice(end, end + 40))
  );
}

/** One text found, by its position in the list that was indexed. */
export interface Ranked {
  readonly index: number;
  readonly score: number;
  /** The share of the query that is in it, from 0 to 1: rare terms count more, and one that no text has counts most. */
  readonly coverage: number;
}

export interface TextIndex {
  /** The texts that hold a term of the query, best first; equal scores in the order of the list. */
  rank(query: readonly string[], limit: number): Ranked[];
}

// The usual constants of BM25 (Robertson and Zaragoza, 2009): how fast repetition saturates, how much length counts.
const saturation = 1.2;
const lengthWeight = 0.75;

interface Posting {
  readonly indexes: number[];
  readonly counts: number[];
}

/** An index over texts that are given as their terms. */
export function toTextIndex(texts: readonly (readonly string[])[]): TextIndex {
  const postingByTerm = new Map<string, Posting>();
  let total = 0;
  for (const [index, terms] of texts.entries()) {
    total += terms.length;
    for (const [term, count] of countTerms(terms)) {
      const posting = postingByTerm.get(term);
      if (posting === undefined) postingByTerm.set(term, { indexes: [index], counts: [count] });
      else {
        posting.indexes.push(index);
        posting.counts.push(count);
      }
    }
  }
  const meanLength = total / Math.max(1, texts.length) || 1;
  const weightOf = (term: string): number => {
    const found = postingByTerm.get(term)?.indexes.length ?? 0;
    return Math.log(1 + (texts.length - found + 0.5) / (found + 0.5));
  };
  const rank = (query: readonly string[], limit: number): Ranked[] => {
    const wanted = [...new Set(query)];
    const whole = wanted.reduce((sum, term) => sum + weightOf(term), 0);
    const scores = new Map<number, { score: number; found: number }>();
    for (const term of wanted) {
      const posting = postingByTerm.get(term);
      if (posting === undefined) continue;
      const weight = weightOf(term);
      for (const [position, index] of posting.indexes.entries()) {
        const count = posting.counts[position] ?? 0;
        const length = texts[index]?.length ?? 0;
        const gain =
          (weight * count * (saturation + 1)) /
          (count + saturation * (1 - lengthWeight + (lengthWeight * length) / meanLength));
        const so = scores.get(index) ?? { score: 0, found: 0 };
        scores.set(index, { score: so.score + gain, found: so.found + weight });
      }
    }
    return [...scores]
      .map(([index, { score, found }]) => ({ index, score, coverage: found / whole }))
      .toSorted((left, right) => right.score - left.score || left.index - right.index)
      .slice(0, limit);
  };
  return { rank };
}

function countTerms(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}
