import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import { toStepKey } from "../contracts/ids.ts";
import { toModelFamily } from "./model-family.ts";
import { findWinner, groupAnswers, sum, toConfidence, weighBallots, type Ballot } from "./weigh-votes.ts";

const ballots = fc
  .array(
    fc.record({
      answer: fc.constantFrom<unknown>("a", "b", "c", { b: 1, a: [2] }),
      family: fc.constantFrom("x", "y", "z"),
      declared: fc.constantFrom(0.1, 0.3, 1, 2, 7),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((list) => list.map((each, index): Ballot => ({ ...each, voter: `v${index}`, step: toStepKey(`/v${index}`) })));

function toBallots(...list: readonly (readonly [answer: unknown, family: string, declared?: number])[]): Ballot[] {
  return list.map(([answer, family, declared = 1], index) => ({
    voter: `v${index}`,
    step: toStepKey(`/v${index}`),
    answer,
    family,
    declared,
  }));
}

const winnerOf = (list: readonly Ballot[], moreThan = 0.5): unknown =>
  findWinner(groupAnswers(weighBallots(list), undefined), moreThan)?.answer;

const same = (left: unknown, right: unknown): boolean => String(left).toLowerCase() === String(right).toLowerCase();

const ten = "a b c d e f g h i j".split(" ");
const sureness = (families: readonly string[]): number => {
  const weighed = weighBallots(toBallots(...families.map((family): [string, string] => ["a", family])));
  const all = sum(weighed.map((ballot) => ballot.weight));
  return toConfidence(all, all);
};

describe("a vote", () => {
  test("does not depend on the order of the voters, to the last digit", verifies("C13"), () => {
    fc.assert(
      fc.property(
        ballots.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        fc.constantFrom(0, 0.3, 0.5, 0.8),
        ([list, shuffled], moreThan) => {
          expect(groupAnswers(weighBallots(shuffled), undefined)).toEqual(groupAnswers(weighBallots(list), undefined));
          expect(winnerOf(shuffled, moreThan)).toEqual(winnerOf(list, moreThan));
        },
      ),
    );
  });

  test("loses nobody: every ballot is in exactly one group, with those of its answer", verifies("C13"), () => {
    fc.assert(
      fc.property(ballots, (list) => {
        const groups = groupAnswers(weighBallots(list), undefined);
        const voters = groups.flatMap((group) => group.ballots.map((ballot) => ballot.voter));
        expect(voters.toSorted()).toEqual(list.map((ballot) => ballot.voter).toSorted());
        for (const group of groups) for (const ballot of group.ballots) expect(ballot.answer).toEqual(group.answer);
      }),
    );
  });

  test("is won by more than the declared share, and never by a tie", () => {
    fc.assert(
      fc.property(ballots, fc.constantFrom(0, 0.3, 0.5, 0.8), (list, moreThan) => {
        const groups = groupAnswers(weighBallots(list), undefined);
        const winner = findWinner(groups, moreThan);
        if (winner === undefined) return;
        const whole = sum(groups.map((group) => group.weight));
        expect(winner.weight).toBeGreaterThan(moreThan * whole);
        for (const other of groups.slice(1)) expect(winner.weight).toBeGreaterThan(other.weight);
      }),
    );
    expect(winnerOf(toBallots(["a", "x"], ["b", "y"]), 0)).toBeUndefined();
    expect(winnerOf(toBallots(["a", "x"], ["a", "y"], ["b", "z"], ["b", "w"]))).toBeUndefined();
    expect(winnerOf(toBallots(["a", "x", 0.1], ["a", "y", 0.2], ["b", "z", 0.3]), 0)).toBeUndefined();
  });

  test("counts answers as the same whatever the order of their names", () => {
    expect(groupAnswers(weighBallots(toBallots([{ a: 1, b: 2 }, "x"], [{ b: 2, a: 1 }, "y"])), undefined)).toHaveLength(
      1,
    );
  });

  test("with a rule of its own for the same, shows the answer as most have it", () => {
    const [group] = groupAnswers(weighBallots(toBallots(["Yes", "x"], ["yes", "y"], ["yes", "z"])), same);
    expect(group?.answer).toBe("yes");
    expect(group?.ballots).toHaveLength(3);
  });
});

describe("voters of one family", () => {
  test("count for less than two independent ones together, however many they are", verifies("C13"), () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), (clones) => {
        const list = toBallots(
          ...Array.from({ length: clones }, (): [string, string] => ["a", "x"]),
          ["b", "y"],
          ["b", "z"],
        );
        expect(winnerOf(list)).toBe("b");
      }),
    );
  });

  test("all alike decide by number among themselves", () => {
    expect(winnerOf(toBallots(["a", "x"], ["b", "x"], ["a", "x"]))).toBe("a");
  });

  test("declared weights count beside each other, and not by their size", () => {
    expect(winnerOf(toBallots(["a", "x", 300], ["b", "y", 100], ["b", "z", 100]))).toBe("a");
    const confidenceOf = (unit: number): number => {
      const weighed = weighBallots(toBallots(["a", "x", unit], ["a", "y", unit]));
      const all = sum(weighed.map((ballot) => ballot.weight));
      return toConfidence(all, all);
    };
    expect(confidenceOf(1)).toBeCloseTo(confidenceOf(1_000), 12);
  });

  test("never make certain: three clones say less than three independent voters, and those less than ten", () => {
    const clones = sureness(["x", "x", "x"]);
    const three = sureness(["x", "y", "z"]);
    expect(clones).toBeLessThan(three);
    expect(three).toBe(0.8);
    expect(three).toBeLessThan(sureness(ten));
    expect(sureness(ten)).toBeLessThan(1);
  });
});

test.each([
  ["anthropic/claude-opus-5", "claude"],
  ["openrouter/anthropic/claude-haiku-5-20260101", "claude"],
  ["bedrock/us.anthropic.claude-sonnet-5-v2:0", "claude"],
  ["openai/gpt-5.2-mini", "gpt"],
  ["google/gemini-3.0-pro", "gemini"],
  ["scripted/script-1", "script"],
  ["local/7b", "7b"],
])("%s is of the family %s", (model, family) => {
  expect(toModelFamily(model)).toBe(family);
});
