import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { cliFlows, openCliFolder, type CliFolder, type RunningCli } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";

const several = path.join(cliFlows, "several.ts");

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

async function startAsking(id: string): Promise<RunningCli> {
  const asking = cli.start(["run", several, "asking", "--id", id, "--wait"]);
  await asking.until(() => asking.stderr.includes("tutti signal"));
  return asking;
}

test(
  "steer reaches a run in another process and one at rest; show says what people want",
  verifies("G5", "D11", "X6"),
  async () => {
    const asking = await startAsking("r1");
    expect(
      await cli.run(["steer", "r1", "--goal", "Pears", "--by", "anna", "--reason", "the client called"]),
    ).toMatchObject({ code: 0, stdout: "run r1 has the directive goal (version 1)\n", stderr: "" });
    const json = await cli.run(["steer", "r1", "--constraint", "Be brief", "--by", "anna", "--json"]);
    expect(JSON.parse(json.stdout)).toEqual({ run: "r1", recorded: true, driven: true, version: 2, stopped: 0 });
    expect((await cli.run(["show", "r1"])).stdout).toContain(
      "What people want:\n  anna set the goal: Pears (the client called)\n  anna set a constraint: Be brief\n",
    );
    asking.process.kill("SIGKILL");
    await asking.result;
    const rested = await cli.run(["steer", "r1", "--context", "It rains", "--by", "anna"]);
    expect(rested).toMatchObject({ code: 0, stdout: "run r1 has the directive context (version 3)\n" });
    expect(rested.stderr).toContain("tutti resume r1 <file>");
    const again = cli.start(["resume", "r1", several, "--wait"]);
    await again.until(() => again.stderr.includes("tutti signal"));
    expect(await cli.run(["steer", "r1", "--stop", "--by", "anna", "--reason", "enough"])).toMatchObject({ code: 0 });
    expect(await again.result).toMatchObject({ code: 3, stderr: expect.stringContaining("stopped by anna: enough") });
  },
);

test("freeze, freezes and unfreeze work with an engine and without one", verifies("G14", "X6"), async () => {
  await cli.run(["run", several, "failing", "--id", "first", "--quiet"]);
  expect(await cli.run(["freeze", "flow", "failing", "--by", "bob", "--reason", "wrong prices"])).toMatchObject({
    code: 0,
    stdout: "flow failing is frozen from now on: nothing is begun, what is going on comes to its recorded end\n",
  });
  expect((await cli.run(["freezes"])).stdout).toMatch(/^\S+Z {2}flow failing was frozen by bob: wrong prices\n$/u);
  const frozen = await cli.run(["run", several, "failing", "--id", "second", "--no-wait"]);
  expect(frozen).toMatchObject({
    code: 4,
    stderr: expect.stringContaining("flow failing was frozen by bob: wrong prices"),
  });
  expect((await cli.run(["show", "second"])).stdout).toContain("was frozen by bob");
  const resumed = cli.start(["resume", "second", several, "--wait"]);
  await resumed.until(() => resumed.stderr.includes("tutti unfreeze"));
  expect(await cli.run(["unfreeze", "flow", "failing"])).toMatchObject({ code: 0 });
  expect(await resumed.result).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no paper") });
  expect(await cli.run(["freezes"])).toMatchObject({ code: 0, stdout: "", stderr: "Nothing is frozen.\n" });
});

test("what is not clear is refused", verifies("X6"), async () => {
  const wrong: readonly (readonly [args: readonly string[], said: string])[] = [
    [["steer", "r1"], "no directive was given"],
    [["steer", "r1", "--goal", "a", "--stop"], "2 directives were given"],
    [["steer", "r1", "--edit", "{}"], "--edit needs the name of a plan"],
    [["freeze", "moon"], '"moon" can\'t be frozen'],
    [["freeze", "agent"], "which agent?"],
    [["freeze", "all", "x"], "all has no name"],
  ];
  for (const [args, said] of wrong)
    expect(await cli.run(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(said) });
});
