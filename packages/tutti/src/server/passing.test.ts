import { assert, constantFrom, integer, oneof, property, record, array, string } from "fast-check";
import { expect, test } from "vitest";

import type { Progress } from "../contracts/api/ledger.ts";
import { toRunId, toStepKey } from "../contracts/ids.ts";
import type { PassingActivity } from "../engine/tutti.ts";
import { openPassing, type Passing } from "./passing.ts";

/** Collects for a reader of the run `own`, and says whatever a test lets happen. */
function openSaying(): {
  readonly passing: Passing;
  readonly say: (activity: PassingActivity) => void;
  readonly ends: () => number;
} {
  const watchers = new Set<(activity: PassingActivity) => void>();
  const watch = (watcher: (activity: PassingActivity) => void) => {
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  };
  const passing = openPassing({ watch }, (run) => run === "own");
  return { passing, say: (activity) => watchers.forEach((watcher) => watcher(activity)), ends: () => watchers.size };
}

const own = { run: toRunId("own"), at: 1 };
const toDelta = (step: string, text: string, attempt = 1): PassingActivity => ({
  ...own,
  kind: "delta",
  agent: "writer",
  step: toStepKey(step),
  attempt,
  text,
});

const textOf = (pieces: readonly Progress[], step: string): string =>
  pieces.flatMap((piece) => (piece.step === step ? [piece.text ?? ""] : [])).join("");

const moment = oneof(
  record({
    step: constantFrom("/a", "/b", "/c"),
    text: string({ minLength: 1, maxLength: 900 }),
    times: integer({ min: 1, max: 60 }),
  }),
  constantFrom("take" as const),
);

test("what every step says comes in order and whole, unless it is marked as cut; and what is kept has an end", () => {
  assert(
    property(array(moment, { maxLength: 40 }), (moments) => {
      const { passing, say } = openSaying();
      const said = new Map<string, string>();
      const taken: Progress[] = [];
      const take = (): void => {
        const pieces = passing.take();
        expect(pieces.length).toBeLessThanOrEqual(256);
        expect(pieces.reduce((sum, piece) => sum + (piece.text?.length ?? 0), 0)).toBeLessThanOrEqual(65_536);
        for (const piece of pieces) expect(piece.text?.length).toBeLessThanOrEqual(4_096);
        taken.push(...pieces);
      };
      for (const each of moments) {
        if (each === "take") take();
        else
          for (let time = 0; time < each.times; time++) {
            say(toDelta(each.step, each.text));
            said.set(each.step, (said.get(each.step) ?? "") + each.text);
          }
      }
      take();
      expect(passing.isThere()).toBe(false);
      for (const [step, whole] of said) {
        const pieces = taken.filter((piece) => piece.step === step);
        const upToCut = pieces.findIndex((piece) => piece.isCut === true);
        expect(whole.startsWith(textOf(upToCut < 0 ? pieces : pieces.slice(0, upToCut), step))).toBe(true);
        // Each part is somewhere in what was said: nothing is made up, and nothing is put together over a gap.
        for (const piece of pieces) expect(whole).toContain(piece.text);
      }
    }),
  );
});

test("a slow reader gets the beginning, and is told where something is missing", () => {
  const { passing, say } = openSaying();
  for (let time = 0; time < 1_000; time++) say(toDelta("/a", "x".repeat(100)));
  const [first] = passing.take();
  expect([first?.text?.length, first?.isCut]).toEqual([4_000, undefined]);
  say(toDelta("/a", "more"));
  say(toDelta("/a", "!"));
  expect(passing.take()).toEqual([{ ...toDelta("/a", "more!"), isCut: true }]);
});

test("another attempt, another step and another tool are told apart; other runs are not collected, and nothing after the end", () => {
  const { passing, say, ends } = openSaying();
  const started: PassingActivity = { ...own, kind: "step-started", step: toStepKey("/a"), attempt: 2 };
  const input: PassingActivity = {
    ...own,
    kind: "delta",
    agent: "writer",
    step: toStepKey("/a"),
    attempt: 1,
    text: "{",
    tool: "look",
  };
  say(toDelta("/a", "one "));
  say(toDelta("/b", "else"));
  say(toDelta("/a", "two"));
  say(input);
  say(started);
  say(toDelta("/a", "three", 2));
  say({ ...started, run: toRunId("other") });
  expect(passing.take()).toEqual([
    toDelta("/a", "one two"),
    toDelta("/b", "else"),
    input,
    started,
    toDelta("/a", "three", 2),
  ]);
  passing.close();
  say(started);
  expect([passing.isThere(), ends()]).toEqual([false, 0]);
});
