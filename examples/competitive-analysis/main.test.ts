import { readFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { keysDone, openExample, type PlayedExample } from "../../test/examples/play-example.ts";
import { verifies } from "../../test/verifies.ts";
import { checkAnalysis } from "./check.ts";
import { Analysis, Question } from "./shapes.ts";

let example: PlayedExample;

beforeEach(async () => {
  example = await openExample("competitive-analysis", "library");
});

afterEach(() => example.close());

test(
  "a plan is made again when a search is empty; every version is shown with its reason, and nothing is looked for twice",
  verifies("X7", "C5"),
  async () => {
    const played = await example.play();
    expect(played.code).toBe(0);
    expect(played.out).toContain("Plan, version 1: the first plan");
    expect(played.out).toMatch(/Plan, version 3: empty-result: dustline-pro-\w+:/);
    expect(played.out).toContain("12 tasks, 9 as before, new: dustline-pro-battery");
    expect(played.out).toContain("62 (best)");
    expect(await example.play()).toMatchObject({ code: 0, out: played.out });
  },
);

test(
  "a product that nobody knows under any name is left out; that is not what was expected",
  verifies("X7"),
  async () => {
    await example.edit("question.json", (text) => text.replace(`, "Sweepwell 300"`, ""));
    const played = await example.play();
    expect(played.code).toBe(1);
    expect(played.out).toContain("Dustline Pro    –               –               –");
    expect(played.out).toContain("48 (best)");
    expect(played.out).toContain(`got {"best":{"battery":"Aero 10"`);
  },
);

test("killed in the middle of its searches, it looks for nothing again", verifies("X7", "D2"), async () => {
  const killed = await example.play([], /✔ .*library\.search/);
  expect(killed.code).toBeNull();
  const before = keysDone((await example.readRuns())[0]?.entries ?? []);
  const played = await example.play();
  expect(played).toMatchObject({ code: 0, out: expect.stringContaining("✓ nothing was looked for twice") });
  const done = keysDone((await example.readRuns())[0]?.entries ?? []);
  expect(done.slice(0, before.length)).toEqual(before);
  expect(new Set(done).size).toBe(done.length);
});

test(
  "a figure that no quote has, a false best, and a search that was made twice are found",
  verifies("X7"),
  async () => {
    await example.play();
    const folder = path.join(example.folder, "library");
    const question = Question.parse(JSON.parse(await readFile(path.join(folder, "question.json"), "utf8")));
    const failed = await example.look(async (run, tutti) => {
      const said = Object.entries(Analysis.parse(await run.result()));
      const analysis = Object.fromEntries(
        said.map(([aspect, comparison]) => [
          aspect,
          {
            ...comparison,
            best: "Aero 10",
            cells: comparison.cells.map((cell) => ({ ...cell, value: 7 + cell.value })),
          },
        ]),
      );
      const entries = await run.entries();
      const twice = [...entries, ...entries];
      const checks = await checkAnalysis({ folder, question, analysis, versions: [], entries: twice, tutti });
      return checks.filter(({ problems }) => problems.length > 0).length;
    });
    expect(failed).toBe(5);
  },
);
