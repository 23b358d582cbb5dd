import { expect, test } from "vitest";

import { findOpen, toAskingPolicy, vote } from "../../../../../test/approvals/approval-fixture.ts";
import {
  bodiesOf,
  errorOf,
  makeLedgerFile,
  openStage,
  plainFlow,
  until,
} from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { openTutti } from "../../engine/open-tutti.ts";

function openOffice() {
  const stage = openStage();
  const office = openPostOffice();
  const flow = plainFlow("f", (run) => run.call(toMailTool(office), { to: "anna" }));
  return { stage, office, flow };
}

test("a vote on a paused run is heard when it goes on", verifies("D11", "G4"), async () => {
  const { stage, office, flow } = openOffice();
  const tutti = await stage.open([flow], { policy: toAskingPolicy() });
  const handle = await tutti.start(flow, null);
  await handle.settled();
  await handle.pause();
  await vote(tutti, "ann");
  expect(await handle.state()).toEqual({ kind: "paused" });
  expect(office.sent).toEqual([]);
  await handle.resume();
  await handle.result();
  expect(office.sent).toEqual(["anna"]);
});

test("a run that is cancelled while it waits takes back what it asked", verifies("D11", "G4"), async () => {
  const { stage, office, flow } = openOffice();
  const tutti = await stage.open([flow], { policy: toAskingPolicy() });
  const handle = await tutti.start(flow, null);
  await handle.settled();
  const { id, package: saw } = await findOpen(tutti);
  await handle.cancel("not needed");
  expect(await errorOf(handle.result())).toMatchObject({ code: "RUN_CANCELLED" });
  const late = tutti.approvals.decide(id, { by: "ann", saw, verdict: "approve" });
  expect(await errorOf(late)).toMatchObject({ code: "APPROVAL_DECIDED" });
  expect(office.sent).toEqual([]);
});

test(
  "a call that is limited, and reserves what it may cost, uses its yes in the same entry",
  verifies("G4", "G11"),
  async () => {
    const { stage, office, flow } = openOffice();
    const limits = { "tool/mail.send": { concurrentMax: 1 } };
    const options = { policy: toAskingPolicy(), limits, budgets: { "run/*": { calls: 5 } } };
    const tutti = await stage.open([flow], options);
    const handle = await tutti.start(flow, null);
    await handle.settled();
    // What waits for people holds no place and no money.
    expect(await tutti.accounts()).toEqual([]);
    const { id } = await vote(tutti, "ann");
    await handle.result();
    expect(office.sent).toEqual(["anna"]);
    expect(bodiesOf(stage.entries, "effect-intended")).toMatchObject([{ approval: id }]);
    expect(await tutti.ledger.findApproval(id)).toMatchObject({ state: "used" });
  },
);

test(
  "a child is no way around a rule that asks for somebody else than who started its parent",
  verifies("G7"),
  async () => {
    const { stage, office, flow } = openOffice();
    const parent = plainFlow("parent", (run) => run.call(flow, null));
    const tutti = await stage.open([parent, flow], { policy: toAskingPolicy({ distinctFromInitiator: true }) });
    const handle = await tutti.start(parent, null, { by: "ann" });
    await until(() => stage.entries.some(({ kind }) => kind === "approval-requested"));
    expect(await errorOf(vote(tutti, "ann"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
    await vote(tutti, "bert");
    await handle.result();
    expect(office.sent).toEqual(["anna"]);
  },
);

test("approvals outlive the process in a file, and are used once there", verifies("D1", "G4"), async () => {
  const ledger = await makeLedgerFile();
  const office = openPostOffice();
  const flow = plainFlow("f", (run) => run.call(toMailTool(office), { to: "anna" }));
  const options = { flows: [flow], ledger, policy: toAskingPolicy(), control: false };
  const first = await openTutti(options);
  await (await first.start(flow, null, { id: "r" })).settled();
  await first.close();
  const second = await openTutti({ ...options, flows: [] });
  await vote(second, "ann");
  await second.close();
  const third = await openTutti(options);
  expect(await (await third.open("r")).result()).toEqual({ receipt: "receipt of anna" });
  expect(await third.approvals.list({ states: ["used"] })).toMatchObject([{ run: "r", decidedBy: "ann" }]);
  await third.close();
  expect(office.sent).toEqual(["anna"]);
});
