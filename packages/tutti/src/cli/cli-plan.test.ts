import { writeFileSync } from "node:fs";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { cliFlows, openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";

const planned = path.join(cliFlows, "planned.ts");
const plan = {
  name: "brief",
  goal: "A page about tea",
  tasks: [
    { id: "find", call: "find", input: { text: { $from: "input.topic" } } },
    {
      id: "publish",
      call: "publish",
      when: { value: "find.text", is: "not-empty" },
      input: { text: { $from: "find.text" } },
    },
  ],
  output: { $from: "publish.text" },
};

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

test(
  "a person sees a run's plan and edits it while it runs; what can't be run is refused and said",
  verifies("C5"),
  async () => {
    await cli.run(["run", planned, "planned", "--id", "r1", "--no-wait"]);
    const shown = await cli.run(["plan", "r1"]);
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    expect(shown.stdout.split("\n")).toEqual([
      "plan brief (running): A page about tea",
      "  version 1: it was asked for",
      "  ● find     done      find",
      `  – cocoa    skipped   find  (it does not hold that find.text is contains "cocoa")`,
      "  ◐ ask      running   asking",
      "  ○ publish  waiting   publish",
      "",
    ]);
    writeFileSync(path.join(cli.folder, "new.json"), JSON.stringify(plan));
    const edited = await cli.run(["plan", "r1", "--edit", "@new.json", "--by", "Ada", "--why", "do not ask"]);
    expect(edited).toMatchObject({ code: 0, stdout: expect.stringContaining("plan brief of r1 has the edit") });
    await cli.run(["plan", "r1", "--edit", `{"name": "brief", "tasks": [{"id": "a", "call": "nobody"}]}`]);
    const ended = await cli.run(["resume", "r1", planned]);
    expect(ended).toMatchObject({ code: 0, stdout: "published found tea\n" });
    const [view] = (await cli.run(["plan", "r1", "--json"])).stdout.trim().split("\n");
    expect(JSON.parse(view ?? "")).toMatchObject({
      state: "done",
      versions: [{ version: 1 }, { version: 2, reason: "edited by Ada: do not ask" }],
      tasks: [
        { id: "find", state: "kept" },
        { id: "publish", state: "done" },
      ],
      refused: [expect.stringContaining("nobody")],
    });
    expect(await cli.run(["plan", "r1", "--edit", "{}"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is running"),
    });
    expect(await cli.run(["plan", "r1", "other"])).toMatchObject({ code: 2, stderr: expect.stringContaining("brief") });
  },
);

test(
  "a plan is drawn before it runs: inputs, outputs, decisions, hand-offs, effects and conflicts",
  verifies("X4", "C12"),
  async () => {
    const file = path.join(cli.folder, "plan.json");
    writeFileSync(file, JSON.stringify(plan));
    const mermaid = await cli.run(["draw", file, planned]);
    expect(mermaid).toMatchObject({ code: 0, stderr: "" });
    expect(mermaid.stdout).toBe(`---
title: "A page about tea"
---
flowchart TD
  n0(["input"])
  n1["find<br>find"]
  n2[["publish<br>publish<br>changes things: once"]]
  n3{"find.text is not empty?"}
  n4(["output"])
  n0 -->|"topic"| n1
  n3 -->|"yes"| n2
  n1 -->|"text"| n3
  n1 -.-|"site"| n2
  n2 -->|"text"| n4
`);
    const svg = await cli.run(["draw", file, "--svg"]);
    expect(svg.stdout).toMatch(/^<svg[\s\S]+<\/svg>\n$/u);
    expect(svg.stderr).toContain("Who does the tasks is not known here");
    writeFileSync(file, "{}");
    expect(await cli.run(["draw", file])).toMatchObject({ code: 1, stderr: expect.stringContaining("PLAN_INVALID") });
  },
);

test("what a file declares and what a run did are drawn, and what can't be known is said", verifies("X4"), async () => {
  const declared = await cli.run(["draw", planned]);
  expect(declared.stdout).toContain("find (tool)<br>in: text<br>out: text");
  expect(declared.stdout).toContain("%% planned is code: whom it calls, and when, is known once it has run.");
  await cli.run(["run", planned, "planned", "--id", "r1", "--no-wait"]);
  const drawn = await cli.run(["draw", "--run", "r1"]);
  expect(drawn.stdout).toContain("find<br>/brief/tasks/find/try/find");
  expect(drawn.stdout).toContain("asking (flow)");
  expect(drawn.stdout).toContain("%% Drawn from what one run recorded");
  expect(await cli.run(["draw"])).toMatchObject({ code: 2, stderr: expect.stringContaining("draw what?") });
});
