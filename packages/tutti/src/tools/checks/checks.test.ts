import fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import type { Verdict } from "../../contracts/terms.ts";
import { addsUp, type Sum } from "./adds-up.ts";
import { agreesWith } from "./agrees-with.ts";
import { claimsAreProved, toNumbers, type Claimed } from "./claims-are-proved.ts";
import { quotesAreIn, type Quoted } from "./quotes-are-in.ts";

const sources: Readonly<Record<string, string>> = { paper: "Tea was\nfirst drunk in China.", note: "It is green." };
const quotes = quotesAreIn<null, readonly Quoted[]>({
  quotes: (output) => output,
  textOf: (source) => sources[source],
});

test("a quote that its source does not say, and a source that does not exist, are found", verifies("G2"), async () => {
  expect(await quotes.check([{ quote: "Tea was first drunk", source: "paper" }], null)).toBe(true);
  expect(await quotes.check([], null)).toBe(true);
  expect(await quotes.check([{ quote: "Tea is first drunk", source: "paper" }], null)).toBe(
    '"paper" does not say "Tea is first drunk"',
  );
  expect(await quotes.check([{ quote: "It is green.", source: "paper" }], null)).toContain("does not say");
  expect(await quotes.check([{ quote: "It is green.", source: "letter" }], null)).toBe('there is no source "letter"');
  expect(await quotes.check([{ quote: " ", source: "paper" }], null)).toContain("does not say");
});

test("the first three faults are told, the rest is counted, and what an agent wrote is cut short", async () => {
  const wrong = Array.from({ length: 5 }, (_, index) => ({ quote: `${index}${"x".repeat(500)}`, source: "paper" }));
  const verdict = await quotes.check(wrong, null);
  expect(verdict).toMatch(/^"paper" does not say "0x+…"; .*; .*; and 2 more$/u);
  expect(String(verdict).length).toBeLessThan(600);
});

const sums = addsUp<null, readonly Sum[]>({ sums: (output) => output });

test("a total that is not the sum of its parts is found, with both numbers", verifies("G2"), () => {
  expect(sums.check([{ what: "the net total", parts: [0.1, 0.2], total: 0.3 }], null)).toBe(true);
  expect(sums.check([{ what: "the net total", parts: [10, 20], total: 31 }], null)).toBe(
    '"the net total" is 31, and its parts come to 30',
  );
  expect(sums.check([{ what: "cents", parts: [10.01, 20], total: 30 }], null)).not.toBe(true);
  for (const total of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(sums.check([{ what: "nothing", parts: [1], total }], null)).not.toBe(true);
});

test("sums of whole cents are exact in both directions, whatever they are", verifies("G2"), () => {
  const cents = fc.integer({ min: -1_000_000_000, max: 1_000_000_000 });
  fc.assert(
    fc.property(fc.array(cents, { maxLength: 200 }), fc.integer({ min: -100, max: 100 }), (parts, off) => {
      const total = parts.reduce((left, right) => left + right, 0) + off;
      const verdict = sums.check([{ what: "it", parts: parts.map((part) => part / 100), total: total / 100 }], null);
      expect(verdict === true).toBe(off === 0);
    }),
  );
});

const claims = claimsAreProved<null, readonly Claimed[]>({ claims: (output) => output });

test("a claim without evidence, and a number that no evidence says, are found", verifies("G2"), () => {
  const evidence = ["In 2025 the market grew by 12.50 % to 1,200 tons."];
  const fits: readonly Claimed[] = [
    { claim: "It grew.", evidence },
    { claim: "It grew by 12.5 % in 2025.", evidence },
    { claim: "It came to 1200 tons.", evidence },
  ];
  expect(claims.check(fits, null)).toBe(true);
  expect(claims.check([{ claim: "It grew.", evidence: [" "] }], null)).toBe('"It grew." has 0 of 1 pieces of evidence');
  expect(claims.check([{ claim: "It grew by 21.5 % in 2026.", evidence }], null)).toBe(
    'no evidence of "It grew by 21.5 % in 2026." says 21.5, 2026',
  );
});

test.each([
  ["1,200", ["1200"]],
  ["1.200,50", ["1200.5"]],
  ["1,200.50", ["1200.5"]],
  ["1’000’000 of 2", ["1000000", "2"]],
  ["In 2020 500 came.", ["2020", "500"]],
  ["0.5, 0,5 and .5", ["0.5", "0.5", "5"]],
  ["version 3.14159.", ["3.14159"]],
  ["none", []],
])("the numbers of %j are %j", (text, numbers) => {
  expect(toNumbers(text)).toEqual(numbers);
});

function check(stated: Readonly<Record<string, unknown>>): Verdict | Promise<Verdict> {
  const known = { "price of A": 12, owner: { id: 1, name: "x" } };
  return agreesWith({ stated: (output: typeof stated) => output, known: () => known }).check(stated, null);
}

test("what contradicts what is known is found; what nobody knows may be said", verifies("G2"), () => {
  expect(check({ "price of A": 12, "price of B": 3, owner: { name: "x", id: 1 } })).toBe(true);
  expect(check({ "price of A": 14 })).toBe('"price of A" is "14" here, and "12" is known');
  expect(check({ toString: "own" })).toBe(true);
});
