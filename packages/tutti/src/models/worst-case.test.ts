import { createOpenAI } from "@ai-sdk/openai";
import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import type { Model, ModelRequest } from "../contracts/model.ts";
import { fromAiSdk } from "./ai-sdk/ai-sdk-model.ts";
import { cached } from "./cached.ts";
import { failover } from "./failover.ts";
import { withPrice } from "./pricing/with-price.ts";
import { route } from "./route.ts";

const request: ModelRequest = {
  messages: [{ role: "user", text: "x".repeat(3_000) }],
  tools: [],
  answer: { name: "answer", schema: {} },
};
const plain: Model = { provider: "plain", id: "p", generate: () => Promise.reject(new Error("nobody asks it here")) };
const dear = withPrice(plain, { input: 1_000, output: 2_000, outputTokensMax: 10 });
const cheap = withPrice(plain, { input: 1, output: 1, outputTokensMax: 5_000 });

test(
  "a model of the AI SDK knows its worst case: every character of the request, and its longest answer",
  verifies("G11"),
  () => {
    const openai = createOpenAI({ apiKey: "none" });
    const worst = fromAiSdk(openai("gpt-own"), { maxOutputTokens: 100, price: { input: 10, output: 20 } }).worstCase?.(
      request,
    );
    expect(worst?.tokens).toBeGreaterThan(1_100);
    expect(worst?.tokens).toBeLessThan(1_200);
    expect(worst?.costUsd).toBeCloseTo((((worst?.tokens ?? 0) - 100) * 10 + 100 * 20) / 1e6, 6);
    expect(fromAiSdk(openai("gpt-own")).worstCase?.(request).costUsd).toBeUndefined();
  },
);

test("what goes into a cache is counted at its dearer rate", verifies("G11"), () => {
  const written = withPrice(plain, { input: 1, output: 1, cacheWrite: 5, cachedInput: 0.1, outputTokensMax: 0 });
  const { tokens = 0, costUsd = 0 } = written.worstCase?.(request) ?? {};
  expect(costUsd).toBeCloseTo((tokens * 5) / 1e6, 9);
});

test(
  "models that may all be asked cost what they cost together; of those that are chosen from, the dearest counts",
  verifies("G11"),
  () => {
    const [one, two] = [dear.worstCase?.(request), cheap.worstCase?.(request)];
    const sum = {
      tokens: (one?.tokens ?? 0) + (two?.tokens ?? 0),
      calls: 2,
      costUsd: (one?.costUsd ?? 0) + (two?.costUsd ?? 0),
    };
    expect(failover([dear, cheap]).worstCase?.(request)).toEqual(sum);
    const routed = route({ models: { dear, cheap }, by: () => "dear" }).worstCase?.(request);
    expect(routed).toEqual({ tokens: two?.tokens, calls: 1, costUsd: one?.costUsd });
    expect(cached(dear).worstCase?.(request)).toEqual({ ...one, calls: 1 });
    expect(failover([dear, plain]).worstCase?.(request).costUsd).toBeUndefined();
  },
);
