import { array, assert, constantFrom, property, string } from "fast-check";
import { expect, test } from "vitest";

import { toSentences, toStem, toTerms, toTextIndex, toWords } from "./text-rank.ts";

test("words of any script are found; scripts without spaces are read in pairs of characters", () => {
  expect(toWords("Größe, naïve café — v2")).toEqual(["größe", "naïve", "café", "v2"]);
  expect(toTerms("東京都")).toEqual(["東京", "京都"]);
  expect(toTerms("Привет, мир!")).toEqual(["привет", "мир"]);
});

test("the forms of an English word meet in one term", () => {
  for (const family of [
    ["retry", "retries", "retried"],
    ["stop", "stops", "stopped", "stopping"],
    ["compile", "compiles", "compiled", "compiling"],
    ["limit", "limits", "limited", "limiting"],
    ["class", "classes"],
  ]) {
    expect([...new Set(family.map(toStem))]).toHaveLength(1);
  }
});

test("words that say nothing are left out, and what stays carries the question", () => {
  expect(toTerms("How does the engine recover after a crash?")).toEqual(["engin", "recover", "crash"]);
  expect(toTerms("Wie wird das gemacht?")).toEqual(["gemacht"]);
});

test("a sentence ends at its full stop, not at an abbreviation, an initial or a version number", () => {
  const text =
    "It stores entries, e.g. steps, in version 1.2.3 of J. Doe's file. Does it work? Yes!\n\nA heading\n\nThe last one";
  expect(toSentences(text).map((sentence) => sentence.text)).toEqual([
    "It stores entries, e.g. steps, in version 1.2.3 of J. Doe's file.",
    "Does it work?",
    "Yes!",
    "A heading",
    "The last one",
  ]);
});

test("sentences of a script with its own full stop are told apart", () => {
  expect(toSentences("今日は晴れです。明日は雨です。").map((sentence) => sentence.text)).toEqual([
    "今日は晴れです。",
    "明日は雨です。",
  ]);
});

test("a sentence is always exactly what stands in the text, whatever the text is", () => {
  assert(
    property(string({ unit: "binary", maxLength: 400 }), (text) => {
      let last = 0;
      for (const sentence of toSentences(text)) {
        expect(text.slice(sentence.start, sentence.end)).toBe(sentence.text);
        expect(sentence.start).toBeGreaterThanOrEqual(last);
        last = sentence.end;
      }
    }),
  );
});

test("no letter or digit of a text is lost between its sentences", () => {
  assert(
    property(
      array(constantFrom("word", "Word", ". ", "? ", "\n\n", "\n", "e.g. ", " 1.5 ", "… "), { maxLength: 60 }),
      (parts) => {
        const text = parts.join(" ");
        const sentences = toSentences(text).map((sentence) => sentence.text);
        expect(withoutSpace(sentences.join(""))).toBe(withoutSpace(text));
      },
    ),
  );
});

const texts = [
  "the ledger keeps every entry",
  "an entry of the ledger is chained to the entry before",
  "tools call models",
  "",
].map(toTerms);

test("the text that holds more of the rarer words of the query comes first", () => {
  const ranked = toTextIndex(texts).rank(toTerms("chained ledger entries"), 10);
  expect(ranked.map((found) => found.index)).toEqual([1, 0]);
  expect(ranked[0]?.coverage).toBe(1);
});

test("a text covers a query by what is rare in it, not by what every text has", () => {
  const index = toTextIndex(["javascript package speed", "javascript package", "javascript package test"].map(toTerms));
  const coverageByText = new Map(
    index.rank(toTerms("speed of javascript packages"), 10).map((found) => [found.index, found.coverage]),
  );
  expect(coverageByText.get(0)).toBe(1);
  expect(coverageByText.get(1)).toBeLessThan(0.5);
});

test("what no text has still counts against those that have the rest", () => {
  const index = toTextIndex(["javascript package", "python package"].map(toTerms));
  expect(index.rank(toTerms("weather in javascript"), 1)[0]?.coverage).toBeLessThan(0.5);
});

test("a query without a match finds nothing, and so does an empty index", () => {
  expect(toTextIndex(texts).rank(toTerms("weather"), 10)).toEqual([]);
  expect(toTextIndex([]).rank(["ledger"], 10)).toEqual([]);
});

test("ranking is the same every time, equal texts in their order", () => {
  const index = toTextIndex([["a1"], ["a1"], ["a1"]]);
  expect(index.rank(["a1"], 2).map((found) => found.index)).toEqual([0, 1]);
});

function withoutSpace(text: string): string {
  return text.replaceAll(/\s/g, "");
}
