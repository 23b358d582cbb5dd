import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { cliFlows, openCliFolder, type CliFolder, type RunningCli } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";
import { systemClock } from "../base/clock.ts";
import { fields, text } from "../base/shape.ts";
import { toRunId } from "../contracts/ids.ts";
import { openSqliteLedger } from "../ledger/sqlite/sqlite-ledger.ts";

const several = path.join(cliFlows, "several.ts");

const entryLine = fields({ kind: text, key: text });

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

/** A run that waits for an answer in a process that stays. */
async function startAsking(id: string): Promise<RunningCli> {
  const asking = cli.start(["run", several, "asking", "--id", id, "--wait"]);
  await asking.until(() => asking.stderr.includes("tutti signal"));
  return asking;
}

/** A run in the middle of many steps. */
async function startSlow(id: string, steps = 60): Promise<RunningCli> {
  const slow = cli.start([
    "run",
    several,
    "slow",
    "--id",
    id,
    "--input",
    JSON.stringify({ steps, pauseMs: 50 }),
    "--durability",
    "process",
  ]);
  await slow.until(() => slow.stderr.includes("/map/8/work"));
  return slow;
}

async function readSteps(id: string): Promise<readonly string[]> {
  const { stdout } = await cli.run(["show", id, "--entries", "--json"]);
  return stdout
    .trim()
    .split("\n")
    .flatMap((line) => {
      const entry = entryLine(JSON.parse(line), "");
      return entry.kind === "step-done" ? [entry.key] : [];
    });
}

test(
  "while an engine runs, other commands signal, pause, resume and cancel its runs",
  verifies("D11", "X6"),
  async () => {
    const first = await startAsking("r1");
    expect(await cli.run(["signal", "r1", "answer", '"yes"'])).toMatchObject({ code: 0, stderr: "" });
    expect(await first.result).toMatchObject({ code: 0, stdout: "answered: yes\n" });

    const second = await startAsking("r2");
    expect(await cli.run(["pause", "r2", "--by", "anna"])).toMatchObject({ code: 0, stdout: "run r2 is paused\n" });
    expect(await second.result).toMatchObject({ code: 4, stderr: expect.stringContaining("paused by anna") });

    const third = cli.start(["resume", "r2", several, "--wait"]);
    await third.until(() => third.stderr.includes("tutti signal"));
    expect(await cli.run(["cancel", "r2", "--reason", "enough"])).toMatchObject({ code: 0 });
    expect(await third.result).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringContaining("✗ RUN_CANCELLED"),
    });
  },
);

test("reading commands work while an engine runs", verifies("D10", "X6"), async () => {
  const asking = await startAsking("r1");
  expect((await cli.run(["runs"])).stdout).toContain("r1");
  expect(await cli.run(["show", "r1"])).toMatchObject({ code: 0, stdout: expect.stringContaining("asking  r1") });
  expect(await cli.run(["why", "r1"])).toMatchObject({ code: 0, stdout: expect.stringContaining("is still open") });
  expect(await cli.run(["verify"])).toMatchObject({ code: 0, stdout: expect.stringContaining("is intact") });
  asking.process.kill("SIGKILL");
});

test("a second engine on the same ledger is refused with the holder's process id", verifies("X6"), async () => {
  const asking = await startAsking("r1");
  const second = await cli.run(["run", several, "asking"]);
  expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining(`process ${asking.process.pid}`) });
  expect(second.stderr).toContain("✗ LEDGER_BUSY");
});

test("a held ledger whose engine does not answer is ENGINE_UNREACHABLE, not silence", verifies("X6"), async () => {
  mkdirSync(path.join(cli.folder, ".tutti"));
  const file = path.join(cli.folder, ".tutti/ledger.db");
  const ledger = await openSqliteLedger(file, { clock: systemClock });
  const { run } = await ledger.start({
    id: toRunId("r1"),
    flow: "asking",
    version: "1",
    body: '{"flow":"asking","version":"1"}',
  });
  writeFileSync(`${file}-control.json`, '{"pid":1,"port":1,"token":"old"}');
  const result = await cli.run(["signal", run, "answer", "1"]);
  await ledger.close();
  expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining("✗ ENGINE_UNREACHABLE") });
  expect(result.stderr).toContain(`process ${process.pid}`);
});

test(
  "Ctrl-C pauses at a safe point with 130, and the resumed run repeats no step",
  verifies("X6", "D2", "D11"),
  async () => {
    const slow = await startSlow("r1", 20);
    slow.process.kill("SIGINT");
    const paused = await slow.result;
    expect(paused).toMatchObject({ code: 130, stdout: "" });
    expect(paused.stderr).toContain("→ tutti resume r1 ");
    const before = await readSteps("r1");
    expect(await cli.run(["resume", "r1", several])).toMatchObject({ code: 0, stdout: "20\n" });
    const after = await readSteps("r1");
    expect(after.slice(0, before.length)).toEqual(before);
    expect(new Set(after).size).toBe(20);
    expect(after.length).toBe(20);
  },
);

test("Ctrl-C twice leaves at once, however long a step takes", verifies("X6"), async () => {
  const slow = cli.start(["run", several, "slow", "--id", "r1", "--input", '{"steps":1,"pauseMs":600000}']);
  await slow.until(() => existsSync(path.join(cli.folder, ".tutti/ledger.db-control.json")));
  slow.process.kill("SIGINT");
  await slow.until(() => slow.stderr.includes("paused by Ctrl-C") || slow.stderr.includes("pausing"));
  slow.process.kill("SIGINT");
  expect(await slow.result).toMatchObject({ code: 130, signal: null });
});

test(
  "a killed process's run goes on where it was, and its stale control file harms nobody",
  verifies("D1", "D2", "X6"),
  async () => {
    const slow = await startSlow("r1", 24);
    await slow.until(() => existsSync(path.join(cli.folder, ".tutti/ledger.db-control.json")));
    slow.process.kill("SIGKILL");
    await slow.result;
    expect(await cli.run(["pause", "r1"])).toMatchObject({ code: 0, stdout: "run r1 is paused\n" });
    expect(await cli.run(["resume", "r1", several])).toMatchObject({ code: 0, stdout: "24\n" });
    const steps = await readSteps("r1");
    expect(new Set(steps).size).toBe(steps.length);
    expect(existsSync(path.join(cli.folder, ".tutti/ledger.db-control.json"))).toBe(false);
  },
);

test("a reader that has seen enough does not stop the run", verifies("X6"), async () => {
  const slow = cli.start(["run", several, "slow", "--id", "r1", "--input", '{"steps":12,"pauseMs":20}', "--json"]);
  await slow.until(() => slow.stdout.includes("run-started"));
  slow.process.stdout?.destroy();
  expect(await slow.result).toMatchObject({ code: 0 });
  expect((await readSteps("r1")).length).toBe(12);
});

test("without an engine a command is recorded and takes effect with the next one", verifies("D11", "X6"), async () => {
  await cli.run(["run", several, "asking", "--id", "r1"]);
  expect(await cli.run(["cancel", "r1", "--json"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"recorded":true'),
  });
  expect(await cli.run(["resume", "r1", several])).toMatchObject({ code: 3 });
  await cli.run(["run", several, "asking", "--id", "r2"]);
  expect(await cli.run(["pause", "r2"])).toMatchObject({ code: 0 });
  const resumed = await cli.run(["resume", "r2"]);
  expect(resumed).toMatchObject({ code: 0, stderr: expect.stringContaining("takes effect when one does") });
});

test("a terminated process leaves its run to be resumed", verifies("D1", "X6"), async () => {
  const slow = await startSlow("r1", 24);
  slow.process.kill("SIGTERM");
  expect(await slow.result).toMatchObject({ code: 143 });
  expect(await cli.run(["resume", "r1", several])).toMatchObject({ code: 0, stdout: "24\n" });
});
