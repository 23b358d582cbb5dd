import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { recordDecisions } from "../../../../test/policy/recorded-decisions.ts";
import { toRequest } from "../../../../test/policy/requests.ts";
import { openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";
import { systemClock } from "../base/clock.ts";
import { openSqliteLedger } from "../ledger/sqlite/sqlite-ledger.ts";
import { defaultPolicy, defaultPolicyText } from "../policy/default-policy.ts";

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

function write(name: string, text: string): string {
  writeFileSync(path.join(cli.folder, name), text);
  return name;
}

test("rules that ask for approvals and let nobody give them are told so", verifies("G3"), async () => {
  const asks = `@id("reads") permit(principal, action, resource is Tutti::Tool);\n@id("pay") @approvals("1") permit(principal, action == Tutti::Action::"call-tool", resource);`;
  const trap = await cli.run(["policy", "check", write("trap.cedar", asks)]);
  expect(trap).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("warning  trap.cedar:2 (pay): it asks for approvals"),
  });
  const yes = `@id("people") permit(principal in Tutti::Role::"finance", action == Tutti::Action::"approve", resource);`;
  const [hint = ""] = /@id\("people-approve"\).*/u.exec(trap.stdout) ?? [];
  for (const rule of [yes, hint]) {
    const sound = await cli.run(["policy", "check", write("sound.cedar", `${asks}\n${rule}`)]);
    expect(sound.stdout).toBe("sound.cedar can be used\n");
  }
  // What lets agents approve, or people only after other approvals, lets nobody.
  for (const rule of [
    `@id("agents") permit(principal is Tutti::Agent, action == Tutti::Action::"approve", resource);`,
    `@id("late") @approvals("1") permit(principal, action == Tutti::Action::"approve", resource);`,
  ])
    expect((await cli.run(["policy", "check", write("none.cedar", `${asks}\n${rule}`)])).stdout).toContain("(pay)");
});

test("`tutti policy check` says of each rule what is wrong, where, and what to do", verifies("G3", "X6"), async () => {
  const good = write("good.cedar", defaultPolicyText);
  expect(await cli.run(["policy", "check", good])).toMatchObject({ code: 0, stdout: "good.cedar can be used\n" });
  const bad = write(
    "bad.cedar",
    `// the house's rules\n@id("cap") forbid(principal, action, resource)\nwhen { context.costCents > 5 };`,
  );
  const told = await cli.run(["policy", "check", bad]);
  expect(told).toMatchObject({ code: 1, stderr: "" });
  expect(told.stdout).toContain("error  bad.cedar:3 (cap): unable to guarantee safety of access to optional attribute");
  expect(told.stdout).toContain("→ try testing for the attribute's presence with `context has costCents && ..`");
  const json = await cli.run(["policy", "check", bad, "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ severity: "error", line: 3, rule: "cap" });
  const missing = await cli.run(["policy", "check", "none.cedar"]);
  expect(missing).toMatchObject({ code: 2, stdout: "" });
  expect(missing.stderr).toContain("SOURCE_UNREADABLE");
});

test("`tutti policy test` compares what the policy says with what the cases want", verifies("G3"), async () => {
  const rules = write("rules.cedar", defaultPolicyText);
  const approvals = [{ count: 1, distinctFromInitiator: false }];
  const cases = [
    { name: "a read is free", request: toRequest({ resource: { effect: "read" } }), verdict: { kind: "allow" } },
    { name: "a mail asks", request: toRequest(), verdict: { kind: "needs", rules: ["effects-ask"], approvals } },
    { name: "nonsense is denied", request: { action: "fly" }, verdict: { kind: "deny" } },
  ];
  const right = write("right.json", JSON.stringify(cases));
  expect(await cli.run(["policy", "test", rules, right])).toMatchObject({
    code: 0,
    stdout: "3 of 3 cases are decided as wanted\n",
  });
  const wrong = write(
    "wrong.json",
    JSON.stringify([
      ...cases,
      { name: "a mail is free", request: toRequest(), verdict: { kind: "allow" } },
      { name: "two approve", request: toRequest(), verdict: { kind: "needs", approvals: [] } },
      { name: "another rule asks", request: toRequest(), verdict: { kind: "needs", rules: ["looking"] } },
    ]),
  );
  const told = await cli.run(["policy", "test", rules, wrong]);
  expect(told.code).toBe(1);
  expect(told.stdout).toContain(
    `✗ a mail is free\n  wanted {"kind":"allow"}\n  got    needs by effects-ask: What changes`,
  );
  expect(told.stdout).toContain("3 of 6 cases are decided as wanted\n");
  const lines = (await cli.run(["policy", "test", rules, wrong, "--json"])).stdout.trimEnd().split("\n");
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { name: "a mail is free", got: { kind: "needs" } },
    { name: "two approve" },
    { name: "another rule asks" },
  ]);
  const unfit = write("unfit.json", `[{ "name": "x", "verdict": { "kind": "maybe" } }]`);
  const refused = await cli.run(["policy", "test", rules, unfit]);
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toContain("cases[0].verdict.kind should be one of allow, deny, needs");
});

test("`tutti policy replay` shows what a changed policy would have decided otherwise", verifies("G3"), async () => {
  mkdirSync(path.join(cli.folder, ".tutti"));
  const ledger = await openSqliteLedger(path.join(cli.folder, ".tutti/ledger.db"), { clock: systemClock });
  await recordDecisions(ledger, defaultPolicy, {
    requests: [toRequest(), toRequest({ resource: { effect: "read" } })],
  });
  await ledger.close();
  const strict = write(
    "strict.cedar",
    `@id("reads") permit(principal, action == Tutti::Action::"call-tool", resource) when { resource.effect == "read" };
@id("no-mail") @says("No mail.") forbid(principal, action, resource == Tutti::Tool::"mail.send") when { resource.effect != "read" };
@id("idle") permit(principal, action == Tutti::Action::"send", resource);`,
  );
  const told = await cli.run(["policy", "replay", strict]);
  expect(told).toMatchObject({ code: 0, stderr: "" });
  expect(told.stdout.replaceAll(/\d{4}-\S+Z/gu, "at some time").split("\n")).toEqual([
    "2 decisions, 1 of them otherwise",
    "       1  needs → deny",
    "at some time  run-1 /step#1  call-tool mail.send",
    expect.stringContaining("  was needs by effects-ask: What changes"),
    "  now deny by no-mail: No mail.",
    "never fired: idle",
    "",
  ]);
  const json = await cli.run(["policy", "replay", strict, "--json", "--limit", "1"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ decisions: 2, same: 1, firings: { reads: 1, idle: 0 } });
});

test("a policy command that can't be understood says how it is called", verifies("X6"), async () => {
  const file = write("rules.cedar", defaultPolicyText);
  for (const args of [
    ["judge", file],
    ["test", file],
  ]) {
    const told = await cli.run(["policy", ...args]);
    expect.soft(told).toMatchObject({ code: 2, stdout: "" });
    expect.soft(told.stderr).toContain("tutti policy <check|test|replay> <file> [cases] [options]");
  }
  const broken = await cli.run(["policy", "replay", write("broken.cedar", "permit(")]);
  expect(broken).toMatchObject({ code: 2, stdout: "" });
  expect(broken.stderr).toContain("POLICY_INVALID");
});
