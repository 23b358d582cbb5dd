import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import type { ModelHints, ModelRequest } from "../contracts/model.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { route } from "./route.ts";

function toRequest(hints?: ModelHints): ModelRequest {
  return {
    messages: [{ role: "user", text: "?" }],
    tools: [],
    answer: { name: "answer", schema: {} },
    ...(hints === undefined ? {} : { hints }),
  };
}

const answering = (name: string) => ({ ...scriptedModel(() => ({ text: name })), id: name });

const model = route({
  models: { small: answering("small"), large: answering("large") },
  by: ({ hints = {} }) => {
    if (hints.budgetUsd !== undefined && hints.budgetUsd < 0.01) return "small";
    if (hints.difficulty === "hard" || (hints.confidence ?? 1) < 0.5) return "large";
    return hints.task === "write" ? "large" : "small";
  },
});

test(
  "a request goes where its task, difficulty, budget and confidence send it, and the reply says who it was",
  verifies("M2"),
  async () => {
    const cases: readonly (readonly [ModelHints | undefined, string])[] = [
      [undefined, "small"],
      [{ task: "write" }, "large"],
      [{ task: "classify" }, "small"],
      [{ difficulty: "hard" }, "large"],
      [{ confidence: 0.3 }, "large"],
      [{ difficulty: "hard", budgetUsd: 0.001 }, "small"],
    ];
    for (const [hints, name] of cases) {
      const reply = await model.generate(toRequest(hints), new AbortController().signal);
      expect(reply).toMatchObject({ text: name, provider: "scripted", modelId: name, usage: { modelCalls: 1 } });
    }
  },
);

test("a route to nowhere is an error that says what there is", verifies("M2", "K4"), async () => {
  for (const name of ["huge", "constructor"]) {
    // As plain JavaScript may do it.
    const lost = Reflect.apply(route, undefined, [{ models: { small: answering("small") }, by: () => name }]);
    await expect(lost.generate(toRequest(), new AbortController().signal)).rejects.toMatchObject({
      code: "MODEL_UNKNOWN",
      hint: "It has: small.",
    });
  }
  const options = { models: {}, by: () => "small" };
  expect(() => Reflect.apply(route, undefined, [options])).toThrow(
    expect.objectContaining({ code: "DEFINITION_INVALID" }),
  );
});
