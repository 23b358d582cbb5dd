import fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { findPrice } from "./find-price.ts";
import { toCostUsd } from "./price.ts";
import { prices, pricesSource } from "./prices.ts";

const price = { input: 2, cachedInput: 0.5, cacheWrite: 2.5, output: 10 };

test("a call costs each of its tokens once, at the rate of its part", verifies("M4"), () => {
  const used = { inputTokens: 1_000_000, cachedInputTokens: 400_000, cacheWriteTokens: 100_000, outputTokens: 200_000 };
  expect(toCostUsd(used, price)).toBe(0.5 * 2 + 0.4 * 0.5 + 0.1 * 2.5 + 0.2 * 10);
  expect(toCostUsd(used, { input: 2, output: 10 })).toBe(1 * 2 + 0.2 * 10);
  expect(toCostUsd({ inputTokens: 0, outputTokens: 0 }, price)).toBe(0);
});

test("beyond the length that a provider names, the other rates hold for the whole call", verifies("M4"), () => {
  const long = { ...price, long: { overInputTokens: 200_000, input: 4, output: 15 } };
  expect(toCostUsd({ inputTokens: 200_000, outputTokens: 0 }, long)).toBe(0.4);
  expect(toCostUsd({ inputTokens: 200_001, outputTokens: 1_000_000 }, long)).toBe(15.800004);
});

test("no cache can make a call dearer than its dearest rate, or cheaper than its cheapest", verifies("M4"), () => {
  const tokens = fc.integer({ min: 0, max: 10_000_000 });
  fc.assert(
    fc.property(tokens, tokens, tokens, (plain, cached, written) => {
      const inputTokens = plain + cached + written;
      const cost = toCostUsd(
        { inputTokens, outputTokens: 0, cachedInputTokens: cached, cacheWriteTokens: written },
        price,
      );
      expect(cost).toBeGreaterThanOrEqual((inputTokens * 0.5) / 1e6 - 1e-9);
      expect(cost).toBeLessThanOrEqual((inputTokens * 2.5) / 1e6 + 1e-9);
    }),
  );
});

test("a snapshot of a model costs what the model costs, and what is not listed has no price", verifies("M4"), () => {
  expect(findPrice("openai", ["gpt-5-mini-2025-08-07"])).toBe(prices["openai/gpt-5-mini"]);
  expect(findPrice("anthropic", ["claude-haiku-4-5-20251001"])).toBe(prices["anthropic/claude-haiku-4-5"]);
  expect(findPrice("openai", ["gpt-4o-2024-05-13"])).toMatchObject({ input: 5 });
  expect(findPrice("openai", ["unknown-to-us", "gpt-5"])).toBe(prices["openai/gpt-5"]);
  for (const id of ["gpt-5-mini-turbo", "gpt-99", "", "constructor", "__proto__"])
    expect(findPrice("openai", [id])).toBeUndefined();
  expect(findPrice("azure", ["gpt-5"])).toBeUndefined();
});

test("the list says where it is from and when, and every price of it makes sense", verifies("M4"), () => {
  expect(pricesSource).toMatchObject({ asOf: expect.stringMatching(/^\d{4}-\d{2}/), from: expect.stringMatching(/./) });
  for (const [name, { input, output, cachedInput = input, cacheWrite = input, long }] of Object.entries(prices)) {
    expect(name).toMatch(/^(?:openai|anthropic|google)\/[\w.-]+$/);
    expect([name, input > 0, output >= input, cachedInput <= input, cacheWrite >= input]).toEqual([
      name,
      true,
      true,
      true,
      true,
    ]);
    expect([name, (long?.input ?? Infinity) > input, (long?.output ?? Infinity) > output]).toEqual([name, true, true]);
  }
});
