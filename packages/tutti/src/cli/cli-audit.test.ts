import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

import { afterEach, beforeEach, expect, test } from "vitest";

import { readBytes } from "../../../../test/canary.ts";
import { cliFlows, openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";

const greeting = path.join(cliFlows, "greeting.ts");
const verifier = path.resolve(import.meta.dirname, "../../../../tools/verify-evidence.mjs");
const anchored = ["--anchor", "outside.txt"];

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

test(
  "a ledger is signed, kept outside, exported and verified elsewhere; a change is found and leaves with 1",
  verifies("G12", "G13", "X6"),
  async () => {
    await cli.run(["run", greeting, "--id", "r1", "--quiet"]);
    const signed = await cli.run(["audit", "checkpoint", ...anchored]);
    expect(signed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^4 new entries; key [0-9a-f]{16}\ntutti\.log/u),
    });
    expect(signed.stderr).toBe("");
    const exported = await cli.run(["audit", "export", "r1", ...anchored]);
    expect(exported).toMatchObject({ code: 0, stdout: "r1.evidence\n" });
    const again = await cli.run(["audit", "export", "r1", "--to", "r1.evidence"]);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("Name a file that does not exist yet") });
    const checked = spawnSync(process.execPath, [verifier, "r1.evidence"], { cwd: cli.folder, encoding: "utf8" });
    expect(checked).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("The run of greeting (version 1) is done"),
    });
    const whole = await cli.run(["audit", "verify", "--strict", ...anchored]);
    expect(whole).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^\.tutti\/ledger\.db is what was signed: 4 entries of 1 run, 1 log\nnewest checkpoint: 4 entries, the last of .* UTC, \d:\d\d ago; 0 entries after it\n$/u,
      ),
      stderr: "",
    });
    const database = new DatabaseSync(path.join(cli.folder, ".tutti/ledger.db"));
    database.exec("delete from entry where lsn = 4");
    database.close();
    const found = await cli.run(["audit", "verify", "--json", ...anchored]);
    expect(found.code).toBe(1);
    expect(found.stdout).toContain('"kind":"past"');
  },
);

test("without an anchor it is said what that means, and what is unsigned since when", verifies("G12"), async () => {
  await cli.run(["run", greeting, "--id", "r1", "--quiet"]);
  expect((await cli.run(["audit", "verify"])).stdout).toContain("nothing was ever signed");
  expect((await cli.run(["audit", "checkpoint"])).stderr).toContain(
    "Without an anchor (--anchor) this tells only of people",
  );
  await cli.run(["run", greeting, "--id", "r2", "--quiet"]);
  const verified = await cli.run(["audit", "verify"]);
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining("ago; 4 entries after it") });
  const told = JSON.parse((await cli.run(["audit", "verify", "--json"])).stdout) as unknown;
  expect(told).toMatchObject({
    entries: 8,
    logs: [{ size: 8, signed: 4 }],
    newest: { lsn: 4, at: expect.any(Number), ageMs: expect.any(Number) },
    unsigned: 4,
  });
  expect(verified.stderr).toContain("Without an anchor");
  const strict = await cli.run(["audit", "verify", "--strict"]);
  expect(strict).toMatchObject({ code: 1, stdout: expect.stringContaining("nobody signed") });
  const rotated = await cli.run(["audit", "rotate-key"]);
  expect(rotated).toMatchObject({ code: 0, stdout: expect.stringMatching(/^key [0-9a-f]{16} \(number 2\)/u) });
  const wrong = await cli.run(["audit", "sign"]);
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no audit sign") });
});

test("a subject's data is erased from the command line; show and why say so", async () => {
  const input = '{"name":"anna.bloom"}';
  await cli.run(["run", greeting, "--input", input, "--id", "r1", "--subject", "customer-17", "--quiet"]);
  expect((await cli.run(["show", "r1"])).stdout).toContain("hello anna.bloom");
  expect(Object.values(readBytes(path.join(cli.folder, ".tutti"))).join("")).not.toContain("anna.bloom");
  expect(await cli.run(["erase", "customer-17"])).toMatchObject({ code: 0 });
  for (const command of ["show", "why"]) {
    const { code, stdout } = await cli.run([command, "r1"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("(erased)")]);
    expect(stdout).not.toContain("anna.bloom");
  }
  expect(await cli.run(["verify"])).toMatchObject({ code: 0 });
  expect(await cli.run(["erase", "customer-17"])).toMatchObject({ code: 2 });
  expect(readFileSync(path.join(cli.folder, ".tutti/ledger.db-subjects"), "latin1")).not.toContain("customer-17");
});
