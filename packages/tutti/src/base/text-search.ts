/** A place in a text, `[start, end)`, where a word stands. */
export interface TextMatch<Meaning> {
  readonly start: number;
  readonly end: number;
  readonly meaning: Meaning;
}

/** Looks for many words at once, in one pass over a text. Words can be added at any time. */
export interface TextSearch<Meaning> {
  /** The word has at least `wordLengthMin` letters. One that is there already gets this meaning. */
  add(word: string, meaning: Meaning): void;
  /** Every place where a word stands, overlapping ones too, in the order of their beginnings; at most `matchesMax`. */
  find(text: string, matchesMax?: number): TextMatch<Meaning>[];
}

/** By so many letters at its beginning a word is looked for; then it is compared as a whole. */
export const wordLengthMin = 8;

const blockLength = 3;
const stepMax = wordLengthMin - blockLength + 1;
const blockBits = 16;

/**
 * Wu–Manber: a window of eight letters slides over the text, and the three letters at its end say how far it can go on because no word has
 * them there or before. So most letters of a text are never looked at, and adding a word costs nothing but the word.
 */
export function createTextSearch<Meaning>(): TextSearch<Meaning> {
  const wordsByBlock = new Map<number, Map<string, Meaning>>();
  const steps = new Uint8Array(2 ** blockBits).fill(stepMax);
  return {
    add(word, meaning) {
      const block = toBlock(word, wordLengthMin - 1);
      const words = wordsByBlock.get(block) ?? new Map<string, Meaning>();
      wordsByBlock.set(block, words);
      words.set(word, meaning);
      for (let end = blockLength - 1; end < wordLengthMin; end++) {
        const inside = toBlock(word, end);
        steps[inside] = Math.min(steps[inside] ?? 0, wordLengthMin - 1 - end);
      }
    },
    find(text, matchesMax = Number.POSITIVE_INFINITY) {
      const matches: TextMatch<Meaning>[] = [];
      for (let end = wordLengthMin - 1; end < text.length;) {
        const block = toBlock(text, end);
        const step = steps[block] ?? 0;
        end += step;
        if (step > 0) continue;
        end += 1;
        const start = end - wordLengthMin;
        for (const [word, meaning] of wordsByBlock.get(block) ?? []) {
          if (!text.startsWith(word, start)) continue;
          matches.push({ start, end: start + word.length, meaning });
          if (matches.length >= matchesMax) return matches;
        }
      }
      return matches;
    },
  };
}

/** Names the three letters that end at `end`. Different ones may share a name: then a step is shorter than it could be. */
function toBlock(text: string, end: number): number {
  const mixed = (text.charCodeAt(end) * 961 + text.charCodeAt(end - 1) * 31 + text.charCodeAt(end - 2)) | 0;
  return mixed & (2 ** blockBits - 1);
}
