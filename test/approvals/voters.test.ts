import { DatabaseSync } from "node:sqlite";

import { expect, test } from "vitest";

import { toRunId, toStepKey } from "../../packages/tutti/src/contracts/ids.ts";
import { toPolicyDecisions } from "../../packages/tutti/src/contracts/policy-decision.ts";
import type { Policy } from "../../packages/tutti/src/contracts/policy.ts";
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import type { Tutti } from "../../packages/tutti/src/engine/tutti.ts";
import { replayPolicy } from "../../packages/tutti/src/insight/replay-policy.ts";
import { whyOf } from "../../packages/tutti/src/insight/why.ts";
import { defaultPolicy, defaultPolicyText } from "../../packages/tutti/src/policy/default-policy.ts";
import { policy } from "../../packages/tutti/src/policy/policy.ts";
import { bodiesOf, errorOf, makeLedgerFile, openStage, plainFlow } from "../engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../engine/world-fixture.ts";
import { verifies } from "../verifies.ts";
import { findOpen, toAskingPolicy, vote } from "./approval-fixture.ts";

const people = [
  { name: "sam", roles: ["sales"] },
  { name: "fay", roles: ["finance"] },
];

/** The default rules, and that only finance says yes to mails. */
const guarded = await policy({
  name: "guarded",
  cedar: `${defaultPolicyText}
@id("mails-by-finance") @says("Only finance says yes to mails.")
forbid(principal is Tutti::Person, action == Tutti::Action::"approve", resource)
when { resource.name like "tool/mail.*" }
unless { principal in Tutti::Role::"finance" };`,
});

async function openAsking(rules: Policy) {
  const stage = openStage();
  const office = openPostOffice();
  const flow = plainFlow("f", (run) => run.call(toMailTool(office), { to: "anna" }));
  const tutti = await stage.open([flow], { policy: rules, people });
  const handle = await tutti.start(flow, null, { id: "r", by: "sam" });
  await handle.settled();
  return { stage, office, tutti, handle };
}

test("a rule says who may approve what, and the vote that it lets through says so", verifies("G3", "G4"), async () => {
  const { stage, office, tutti, handle } = await openAsking(guarded);
  const waiting = await findOpen(tutti);
  expect([tutti.approvals.mayDecide(waiting, "sam"), tutti.approvals.mayDecide(waiting, "fay")]).toEqual([false, true]);
  const refused = await errorOf(vote(tutti, "sam"));
  expect(refused).toMatchObject({ code: "APPROVAL_FORBIDDEN", facts: { rules: ["mails-by-finance"] } });
  expect(refused.message).toContain("Only finance says yes to mails.");
  await vote(tutti, "fay");
  await handle.result();
  expect(office.sent).toEqual(["anna"]);
  const told = whyOf(stage.entries, toStepKey("/mail.send")).because.map(({ sentence }) => sentence);
  expect(told).toContainEqual(
    expect.stringMatching(/^fay: approve\. The policy guarded \(version \w{12}\) allowed it by people-approve\.$/u),
  );
});

test("a stricter policy is replayed over votes as over calls", verifies("G3"), async () => {
  const { stage, tutti, handle } = await openAsking(defaultPolicy);
  await vote(tutti, "sam");
  await handle.result();
  await tutti.ledger.flush();
  expect(await replayPolicy(stage.ledger, defaultPolicy)).toMatchObject({ decisions: 3, same: 3 });
  const found = await replayPolicy(stage.ledger, guarded);
  expect(found).toMatchObject({
    decisions: 3, // what was asked about, the vote, and the call
    same: 2,
    changes: { "allow → deny": 1 },
    firings: { "mails-by-finance": 1 },
    differences: [
      {
        run: "r",
        step: "/mail.send",
        request: {
          principal: { kind: "person", person: "sam", roles: ["sales"] },
          action: "approve",
          resource: { name: "tool/mail.send" },
          context: { run: "r", flow: "f", initiator: "sam" },
        },
        now: { kind: "deny", why: "Only finance says yes to mails." },
      },
    ],
  });
});

/** What a ledger of an earlier version holds of what it has asked. */
function forgetMatters(file: string): void {
  const database = new DatabaseSync(file);
  database.exec("update approval set record = json_remove(record, '$.matter')");
  database.close();
}

async function openFile(file: string, rules: Policy | undefined, office = openPostOffice()): Promise<Tutti> {
  const flow = plainFlow("f", (run) => run.call(toMailTool(office), { to: "anna" }));
  const tutti = await openTutti({
    flows: [flow],
    ledger: file,
    control: false,
    people,
    ...(rules && { policy: rules }),
  });
  if ((await tutti.ledger.findRun(toRunId("r"))) === undefined)
    await (await tutti.start(flow, null, { id: "r" })).settled();
  return tutti;
}

test("what an older ledger asks is asked anew, under a name that rules can match", verifies("G3", "D9"), async () => {
  const file = await makeLedgerFile();
  await (await openFile(file, toAskingPolicy())).close();
  forgetMatters(file);
  const office = openPostOffice();
  const tutti = await openFile(file, toAskingPolicy(), office);
  const old = await findOpen(tutti);
  expect([old.matter, tutti.approvals.mayDecide(old, "fay")]).toEqual([undefined, false]);
  expect(await errorOf(vote(tutti, "fay"))).toMatchObject({ code: "APPROVAL_STALE" });
  const handle = await tutti.open("r");
  await handle.settled();
  expect(await findOpen(tutti)).toMatchObject({ round: 2, matter: { names: ["tool/mail.send"], policy: "house@1" } });
  await vote(tutti, "fay");
  await handle.result();
  expect(office.sent).toEqual(["anna"]);
  await tutti.close();
});

test(
  "an entry of a vote holds a decision for each thing that the yes is for, and none without a policy",
  verifies("G3"),
  async () => {
    const { stage, tutti } = await openAsking(guarded);
    await vote(tutti, "fay");
    const votes = stage.entries.filter(({ kind }) => kind === "approval-voted");
    expect(votes.flatMap(toPolicyDecisions)).toMatchObject([
      {
        request: {
          action: "approve",
          resource: { kind: "approval", name: "tool/mail.send" },
          context: { approvals: [] },
        },
        verdict: { kind: "allow", rules: ["people-approve"] },
        policy: { name: "guarded", version: guarded.version },
      },
    ]);
    const free = openStage();
    const question = plainFlow("q", (run) => run.approve("Go?"));
    const without = await free.open([question]);
    await (await without.start(question, null)).settled();
    await vote(without, "anybody", { verdict: "approve", note: '"decided":{' });
    expect(free.entries.flatMap(toPolicyDecisions)).toEqual([]);
    expect(bodiesOf(free.entries, "approval-requested")).toMatchObject([
      { matter: { names: ["decision/approve"], flow: "q" } },
    ]);
    await without.close();
  },
);
