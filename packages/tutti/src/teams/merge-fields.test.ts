import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { play } from "../../../../test/agents/agent-fixture.ts";
import { modelOf } from "../../../../test/teams/team-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import type { FieldRule } from "../contracts/agreement.ts";
import { toStepKey } from "../contracts/ids.ts";
import type { Agent } from "../contracts/run.ts";
import { mergeFields, type Merged } from "./merge-fields.ts";
import { agreeing, team } from "./team.ts";
import { weighBallots } from "./weigh-votes.ts";

const longest: FieldRule = (values) =>
  values.map(({ value }) => String(value)).toSorted((a, b) => b.length - a.length)[0];

const modelOfThree = (last: number): ReturnType<typeof modelOf> =>
  modelOf({
    ada: { answer: { answer: "x", from: 1, to: 4 } },
    ben: { answer: { answer: "x", from: 2, to: 4 } },
    cyd: { answer: { answer: "x", from: last, to: 9 } },
  });

function merge(answers: readonly unknown[], rules: Readonly<Record<string, FieldRule>> = {}): Merged {
  const ballots = answers.map((answer, index) => ({
    voter: `v${index}`,
    step: toStepKey(`/v${index}`),
    answer,
    family: `v${index}`,
    declared: 1,
  }));
  return mergeFields(weighBallots(ballots), rules);
}

test("each field goes by its own rule, and the least sure one says how sure the whole is", verifies("C13"), () => {
  const answers = [
    { city: "Bern", people: 100, sources: ["a", "b"] },
    { city: "Bern", people: 140, sources: ["b"] },
    { city: "Basel", people: 120, sources: ["c", "b"] },
  ];
  expect(merge(answers, { people: "median", sources: "union" })).toEqual({
    kind: "settled",
    value: { city: "Bern", people: 120, sources: ["b", "a", "c"] },
    confidence: 2 / 5,
  });
  expect(merge(answers.map(({ city }) => ({ city })))).toMatchObject({ confidence: 3 / 5 });
  expect(
    merge(
      answers.map(({ city }) => ({ city })),
      { city: longest },
    ),
  ).toMatchObject({ value: { city: "Basel" } });
});

test("a field without a majority is named, and a field that most leave out is left out", () => {
  expect(
    merge([
      { a: 1, b: 1 },
      { a: 1, b: 2 },
    ]),
  ).toEqual({ kind: "split", why: "no value has more than half for b" });
  expect(merge([{ a: 1 }, { a: 1 }, { a: 1, b: 2 }])).toMatchObject({ value: { a: 1 } });
});

test("what is no object, no number or no list where one is needed does not merge", () => {
  expect(merge(["text", { a: 1 }])).toEqual({ kind: "split", why: "v0 did not answer with an object" });
  expect(merge([{ a: "1" }, { a: 2 }], { a: "median" })).toMatchObject({ kind: "split" });
  expect(merge([{ a: "1" }, { a: [2] }], { a: "union" })).toMatchObject({ kind: "split" });
});

test("names that objects inherit are fields like others", () => {
  expect(merge([{ constructor: 1 }, { constructor: 1 }])).toMatchObject({ value: { constructor: 1 } });
});

test("a merge does not depend on the order of the answers", verifies("C13"), () => {
  const answer = fc.record({
    vote: fc.constantFrom(1, 2),
    median: fc.integer({ min: 0, max: 9 }),
    union: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
  });
  const rules = { median: "median", union: "union" } as const;
  fc.assert(
    fc.property(
      fc
        .array(answer, { minLength: 1, maxLength: 7 })
        .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
      ([list, shuffled]) => {
        const [left, right] = [merge(list, rules), merge(shuffled, rules)];
        expect(right).toEqual(left);
      },
    ),
  );
});

test("a merged answer has to fit what its voters answer with", verifies("C13"), async () => {
  const Place = z
    .object({ answer: z.string(), from: z.number(), to: z.number() })
    .refine(({ from, to }) => from <= to, "it ends before it begins");
  const voters: readonly Agent<{ question: string }, z.infer<typeof Place>>[] = ["ada", "ben", "cyd"].map((name) =>
    agent({
      name,
      does: "Answers.",
      model: "fast",
      input: z.object({ question: z.string() }),
      output: Place,
      instructions: "",
    }),
  );
  const panel = team({
    name: "panel",
    does: "Answers together.",
    input: z.object({ question: z.string() }),
    output: Place,
    members: voters,
    how: agreeing(voters, {
      by: {
        kind: "merge",
        fields: { from: (values) => values.reduce((max, { value }) => Math.max(max, Number(value)), 0) },
      },
    }),
  });
  const good = await play(modelOfThree(3), panel);
  expect(good.outcome).toMatchObject({ output: { answer: "x", from: 3, to: 4 }, usage: { modelCalls: 3 } });
  const bad = await play(modelOfThree(9), panel);
  expect(bad.outcome).toMatchObject({
    code: "OUTPUT_INVALID",
    message: expect.stringContaining("it ends before it begins"),
  });
});
