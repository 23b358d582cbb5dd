import { expect, test } from "vitest";

import { anything, linesOf, openStage, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { Flow, Run } from "../contracts/run.ts";
import { takeTurns } from "../testing/manual-clock.ts";
import { tool } from "../tools/tool.ts";

/** Runs a flow up to its wait for "go", opens it again, and gives what both lives saw. */
async function twice(work: (run: Run) => Promise<unknown>): Promise<readonly unknown[]> {
  const stage = openStage();
  const lives: unknown[] = [];
  const flow: Flow = plainFlow("named", async (run) => {
    lives.push(await work(run));
    return run.wait("go");
  });
  for (let life = 0; life < 2; life++) {
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null, { id: "r" });
    await takeTurns(300);
    expect((await run.state()).kind).toBe("waiting");
  }
  return lives;
}

const oddNames = [
  "a/b",
  "a#2",
  "a",
  "a",
  "a%2Fb",
  "",
  "-",
  "ü/é",
  "tab\there",
  "#",
  "/",
  "a b",
  "../up",
  "undo",
  "\u{1F600}",
];

test(
  "steps of any names are told apart, in the order in which they were asked for, also on replay",
  verifies("D2", "O1"),
  async () => {
    const lives = await twice((run) =>
      Promise.all(oddNames.map((name, index) => run.step(name, () => `${index}: ${name}`))),
    );
    const expected = oddNames.map((name, index) => `${index}: ${name}`);
    expect(lives).toEqual([expected, expected]);
  },
);

test("a slash and a hash in a name are written as in a URL, so that paths stay paths", verifies("O1"), async () => {
  const stage = openStage();
  const flow = plainFlow("named", async (run) => {
    await run.step("a/b", () => 1);
    await run.step("a#2", () => 1);
    await run.step("a", () => 1);
    await run.step("a", () => 1);
    await run.scope("x/y", (scope) => scope.step("z", () => 1));
    await run.scope("x", (scope) => scope.scope("y", (inner) => inner.step("z", () => 1)));
    await run.step("", () => 1);
  });
  const tutti = await stage.open([flow]);
  await tutti.run(flow, null);
  expect(linesOf(stage.entries).slice(1, -1)).toEqual([
    "step-done /a%2Fb",
    "step-done /a%232",
    "step-done /a",
    "step-done /a#2",
    "step-done /x%2Fy/z",
    "scope-closed /x%2Fy",
    "step-done /x/y/z",
    "scope-closed /x/y",
    "scope-closed /x",
    "step-done /%",
  ]);
});

test("scopes and calls of odd names replay as they were", verifies("D2", "O1"), async () => {
  const echo = tool({
    name: "echo",
    does: "Says it again.",
    input: anything,
    output: anything,
    effect: "read",
    run: (input) => input,
  });
  const lives = await twice((run) =>
    Promise.all(oddNames.map((name) => run.scope(name, (scope) => scope.call(echo, name, { name })))),
  );
  expect(lives).toEqual([oddNames, oddNames]);
});

test.for([
  ["a/b", "a%2Fb"],
  ["", "-"],
  ["a", "a#2"],
  ["a", "A"],
])("branches named %j and %j are told apart, also on replay", verifies("C2", "D2"), async ([left = "", right = ""]) => {
  const lives = await twice((run) =>
    run.all({
      [left]: (branch) => branch.step("work", () => "left"),
      [right]: (branch) => branch.step("work", () => "right"),
    }),
  );
  const expected = { [left]: "left", [right]: "right" };
  expect(lives).toEqual([expected, expected]);
});

test("a branch that is named like something every object has is a branch", verifies("C2"), async () => {
  const names = ["constructor", "toString", "then2", "hasOwnProperty"];
  const lives = await twice((run) =>
    run.all(Object.fromEntries(names.map((name) => [name, (branch: Run) => branch.step("work", () => name)]))),
  );
  const expected = Object.fromEntries(names.map((name) => [name, name]));
  expect(lives).toEqual([expected, expected]);
});
