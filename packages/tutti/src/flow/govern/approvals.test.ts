import { expect, test } from "vitest";

import { bodiesOf, errorOf, linesOf, openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { Policy, PolicyRequest, PolicyVerdict } from "../../contracts/policy.ts";

function toPolicy(decide: (request: PolicyRequest) => PolicyVerdict, version = "1"): Policy {
  return { name: "house", version, decide };
}

const needsOne: PolicyVerdict = {
  kind: "needs",
  rules: ["mail"],
  why: "mail leaves the house",
  approvals: [{ count: 1, distinctFromInitiator: false }],
};

test("a call that needs a yes waits for it, is made once, and the entry that begins it uses the yes up", verifies("G3", "G4"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office);
  const flow = plainFlow("f", (run) => run.call(mail, { to: "anna" }));
  const tutti = await stage.open([flow], { policy: toPolicy(() => needsOne) });
  const handle = await tutti.start(flow, null, { id: "r" });
  const state = await handle.settled();
  expect(state).toMatchObject({ kind: "asking", approvals: [{ state: "open", step: "/mail.send" }] });
  expect(office.sent).toEqual([]);
  const [approval] = await tutti.approvals.list();
  if (approval === undefined) throw new Error("nothing waits");
  const decided = await tutti.approvals.decide(approval.id, { by: "ann", saw: approval.package, verdict: "approve" });
  expect(decided.state).toBe("granted");
  expect(await handle.result()).toEqual({ receipt: "receipt of anna" });
  expect(office.sent).toEqual(["anna"]);
  expect(linesOf(await handle.entries())).toEqual([
    "run-started",
    "policy-decided /mail.send",
    "approval-requested /mail.send",
    "approval-voted /mail.send",
    "approval-decided /mail.send",
    "policy-decided /mail.send",
    "effect-intended /mail.send",
    "effect-settled /mail.send",
    "run-done",
  ]);
  expect(bodiesOf(stage.entries, "effect-intended")).toMatchObject([{ approval: approval.id }]);
  expect(await tutti.ledger.findApproval(approval.id)).toMatchObject({ state: "used" });
  expect((await tutti.approvals.show(approval.id)).package).toMatchObject({ kind: "action", action: { tool: "mail.send" } });
});

test("what the policy denies does not happen", verifies("G3"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office);
  const flow = plainFlow("f", (run) => run.call(mail, { to: "anna" }));
  const tutti = await stage.open([flow], { policy: toPolicy(() => ({ kind: "deny", rules: ["no"], why: "no mail" })) });
  expect(await errorOf(tutti.run(flow, null))).toMatchObject({ code: "POLICY_DENIED", disposition: "tell-model" });
  expect(office.sent).toEqual([]);
});
