import fc from "fast-check";
import { expect, test } from "vitest";

import { createTextSearch, wordLengthMin, type TextMatch } from "./text-search.ts";

function findAll(words: readonly string[], text: string, matchesMax?: number): TextMatch<string>[] {
  const search = createTextSearch<string>();
  for (const word of words) search.add(word, `meaning of ${word}`);
  return search.find(text, matchesMax);
}

/** One word after the other, and one place after the other. */
function findNaively(words: readonly string[], text: string): TextMatch<string>[] {
  return [...new Set(words)].flatMap((word) => {
    const starts = Array.from(text, () => 0).length === 0 ? [] : [...text.split("").keys()];
    return starts
      .filter((start) => text.startsWith(word, start))
      .map((start) => ({ start, end: start + word.length, meaning: `meaning of ${word}` }));
  });
}

const inOrder = (matches: readonly TextMatch<string>[]): TextMatch<string>[] =>
  matches.toSorted((left, right) => left.start - right.start || left.end - right.end);

const word = (letters: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .string({ unit: letters, minLength: wordLengthMin, maxLength: wordLengthMin + 4 })
    .filter(({ length }) => length >= wordLengthMin);

test.each([
  ["few letters", fc.constantFrom("a", "b")],
  ["letters of all kinds", fc.constantFrom("a", "ä", "\u{1F511}", "\0", "\uFFFF")],
  ["any letters", fc.string({ minLength: 1, maxLength: 1, unit: "binary" })],
])("many words are found in one pass, exactly where a search for each alone finds them: %s", (_name, letters) => {
  fc.assert(
    fc.property(
      fc.array(word(letters), { maxLength: 6 }),
      fc.array(fc.nat(6)),
      fc.string({ unit: letters }),
      (words, order, gap) => {
        // Words, parts of words and other letters, one after the other.
        const text = order.map((at) => words[at] ?? gap.slice(0, at) + (words[0] ?? "").slice(at)).join("");
        const found = findAll(words, text);
        expect(inOrder(found)).toEqual(inOrder(findNaively(words, text)));
        expect(found.map(({ start }) => start)).toEqual(found.map(({ start }) => start).toSorted((a, b) => a - b));
      },
    ),
    { numRuns: 1_000 },
  );
});

test("words that begin alike, lie in each other and overlap are all found", () => {
  const words = ["abcdefgh", "abcdefghij", "cdefghij"];
  expect(findAll(words, "abcdefghij").map(({ start, end }) => [start, end])).toEqual([
    [0, 8],
    [0, 10],
    [2, 10],
  ]);
});

test("it stops at the number of places that is asked for, and finds nothing among no words or in too short a text", () => {
  expect(findAll(["aaaaaaaa"], "a".repeat(20), 2)).toHaveLength(2);
  expect(findAll([], "aaaaaaaaaaaa")).toEqual([]);
  expect(findAll(["aaaaaaaa"], "aaaaaaa")).toEqual([]);
});
