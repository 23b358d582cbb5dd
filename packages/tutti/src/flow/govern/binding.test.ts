import { expect, test } from "vitest";
import { z } from "zod";

import { findOpen, toAskingPolicy, toPolicy, vote } from "../../../../../test/approvals/approval-fixture.ts";
import { bodiesOf, errorOf, openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { Run } from "../../contracts/run.ts";
import { document } from "../document.ts";
import { roundsMax } from "./obtain-approval.ts";

function openOffice() {
  const stage = openStage();
  const office = openPostOffice();
  return { stage, office, mail: toMailTool(office) };
}

/** A run asks, its process ends, and somebody says yes while nobody drives it. */
async function startAndVote({ stage }: ReturnType<typeof openOffice>, body: (run: Run) => Promise<unknown>) {
  const flow = plainFlow("f", body);
  const first = await stage.open([flow], { policy: toAskingPolicy() });
  const handle = await first.start(flow, null, { id: "r" });
  await handle.settled();
  await first.close();
  const closed = await stage.open([], { policy: toAskingPolicy(), recover: false });
  const approval = await vote(closed, "ann");
  await closed.close();
  return approval;
}

test("a yes for other arguments is worth nothing: people are asked anew", verifies("G4"), async () => {
  const world = openOffice();
  const { stage, office, mail } = world;
  await startAndVote(world, (run) => run.call(mail, { to: "anna" }));
  const changed = plainFlow("f", (run) => run.call(mail, { to: "everybody" }));
  const tutti = await stage.open([changed], { policy: toAskingPolicy() });
  const handle = await tutti.open("r");
  expect(await handle.settled()).toMatchObject({ kind: "asking", approvals: [{ round: 2 }] });
  expect(office.sent).toEqual([]);
  const [old] = await tutti.approvals.list({ states: ["superseded"] });
  expect(old?.why).toContain("input");
  await vote(tutti, "ann");
  await handle.result();
  expect(office.sent).toEqual(["everybody"]);
});

test("a yes whose step is gone after a redeploy lets nothing else happen", verifies("G4"), async () => {
  const world = openOffice();
  const { stage, office, mail } = world;
  await startAndVote(world, (run) => run.call(mail, { to: "anna" }, { name: "notify" }));
  const renamed = plainFlow("f", (run) => run.call(mail, { to: "anna" }, { name: "inform" }));
  const tutti = await stage.open([renamed], { policy: toAskingPolicy() });
  const handle = await tutti.open("r");
  expect(await handle.settled()).toMatchObject({ kind: "asking", approvals: [{ step: "/inform" }] });
  expect(office.sent).toEqual([]);
  await vote(tutti, "ann", { verdict: "reject", reason: "no" });
  expect(await errorOf(handle.result())).toMatchObject({ code: "APPROVAL_REJECTED" });
  expect(await tutti.approvals.list({ states: ["granted", "open"] })).toEqual([]);
  expect(await tutti.approvals.list({ states: ["withdrawn"] })).toMatchObject([{ step: "/notify" }]);
});

test("a no stays a no when an earlier step was removed in between", verifies("G4"), async () => {
  const { stage, office, mail } = openOffice();
  const pay = async (run: Run): Promise<unknown> => {
    const { approved } = await run.approve("pay?", { name: "pay" });
    return approved ? run.call(mail, { to: "bank" }) : "not paid";
  };
  const before = plainFlow("f", async (run) => {
    await run.step("draft", () => "a draft");
    return pay(run);
  });
  const first = await stage.open([before]);
  await (await first.start(before, null, { id: "r" })).settled();
  await first.close();
  const closed = await stage.open([], { recover: false });
  await vote(closed, "ann", { verdict: "reject", reason: "too much" });
  await closed.close();
  const shorter = await stage.open([plainFlow("f", pay)]);
  // The record of the step that is gone is not handed to anything else: the run is parked, and nothing is paid.
  expect(await errorOf((await shorter.open("r")).result())).toMatchObject({ code: "FLOW_DIVERGED" });
  await shorter.close();
  const same = await stage.open([before]);
  const handle = await same.open("r");
  await handle.resume();
  expect(await handle.result()).toBe("not paid");
  expect(office.sent).toEqual([]);
});

function ask(run: Run, name: string): Promise<unknown> {
  return run.approve(`${name}?`, { name });
}

test("a question that is put in front of others gets no other question's answer", verifies("G4"), async () => {
  const { stage } = openOffice();
  const before = plainFlow("f", (run) => Promise.all([ask(run, "legal"), ask(run, "security")]));
  const first = await stage.open([before]);
  await (await first.start(before, null, { id: "r" })).settled();
  await vote(first, "ann", { verdict: "reject", reason: "not safe" });
  await first.close();
  const after = plainFlow("f", (run) => Promise.all([ask(run, "payment"), ask(run, "legal"), ask(run, "security")]));
  const next = await stage.open([after]);
  const handle = await next.open("r");
  await handle.settled();
  for (const approval of await next.approvals.list()) {
    const saw = approval.package;
    await next.approvals.decide(approval.id, { by: "bert", saw, verdict: "reject", reason: `no to ${approval.about}` });
  }
  expect(await handle.result()).toMatchObject([
    { approved: false, by: "bert", reason: "no to payment?" },
    { approved: false, by: "bert", reason: "no to legal?" },
    { approved: false, by: "ann", reason: "not safe" },
  ]);
});

test("what parallel calls are told is told to each its own", verifies("G4"), async () => {
  const { stage, office, mail } = openOffice();
  const flow = plainFlow("f", (run) =>
    Promise.allSettled(["anna", "bert", "cleo"].map((to) => run.call(mail, { to }, { name: to }))),
  );
  const tutti = await stage.open([flow], { policy: toAskingPolicy() });
  const handle = await tutti.start(flow, null);
  await handle.settled();
  const open = await tutti.approvals.list();
  expect(open.map(({ step }) => step)).toEqual(["/anna", "/bert", "/cleo"]);
  for (const { id, package: saw, step } of open.toReversed()) {
    const said =
      step === "/bert" ? ({ verdict: "reject", reason: "not bert" } as const) : ({ verdict: "approve" } as const);
    await tutti.approvals.decide(id, { by: "ann", saw, ...said });
  }
  expect(await handle.result()).toMatchObject([
    { status: "fulfilled" },
    { status: "rejected" },
    { status: "fulfilled" },
  ]);
  expect(office.sent.toSorted()).toEqual(["anna", "cleo"]);
});

test("what stands before a question is not done again when it is answered", verifies("D2", "G4"), async () => {
  const { stage, office, mail } = openOffice();
  let sideEffects = 0;
  const flow = plainFlow("f", async (run) => {
    await run.step("before", () => void sideEffects++);
    await run.approve("go?");
    return run.call(mail, { to: "anna" });
  });
  const tutti = await stage.open([flow]);
  const handle = await tutti.start(flow, null);
  await handle.settled();
  await stage.clock.advance(1_000);
  await vote(tutti, "ann");
  await handle.result();
  expect([sideEffects, office.sent]).toEqual([1, ["anna"]]);
});

test("a yes under rules that have changed since is worth nothing", verifies("G3", "G4"), async () => {
  const world = openOffice();
  const { stage, office, mail } = world;
  const body = (run: Run): Promise<unknown> => run.call(mail, { to: "anna" });
  await startAndVote(world, body);
  const flow = plainFlow("f", body);
  const stricter = await stage.open([flow], { policy: toAskingPolicy({}, { version: "2" }) });
  const handle = await stricter.open("r");
  expect(await handle.settled()).toMatchObject({ kind: "asking", approvals: [{ round: 2 }] });
  await stricter.close();
  const closed = await stage.open([flow], {
    policy: toPolicy(() => ({ kind: "deny", rules: ["no"], why: "never" }), "3"),
  });
  expect(await errorOf((await closed.open("r")).result())).toMatchObject({ code: "POLICY_DENIED" });
  expect(office.sent).toEqual([]);
});

const prices = document({ name: "price", value: z.number() });

test("a yes on documents that have changed since lets nothing happen", verifies("G4", "S2"), async () => {
  const { stage, office, mail } = openOffice();
  const set = plainFlow("set", (run) => run.document(prices, "ticket").write(200));
  const flow = plainFlow("f", async (run) => {
    await run.document(prices, "ticket").read();
    return run.call(mail, { to: "anna" });
  });
  const tutti = await stage.open([flow, set], { policy: toAskingPolicy() });
  const handle = await tutti.start(flow, null);
  await handle.settled();
  await tutti.run(set, null);
  await vote(tutti, "ann");
  expect(await errorOf(handle.result())).toMatchObject({ code: "DOCUMENT_CONFLICT" });
  expect(office.sent).toEqual([]);
  expect(await tutti.approvals.list({ states: ["superseded"] })).toHaveLength(1);
});

test("what changes again and again is asked a few times, then refused", verifies("G4"), async () => {
  const { stage, mail } = openOffice();
  const flow = plainFlow("f", (run) => run.call(mail, { to: "anna" }));
  for (let version = 1; version <= roundsMax; version++) {
    const tutti = await stage.open([flow], { policy: toAskingPolicy({}, { version: `${version}` }) });
    const handle = version === 1 ? await tutti.start(flow, null, { id: "r" }) : await tutti.open("r");
    expect(await handle.settled()).toMatchObject({ kind: "asking", approvals: [{ round: version }] });
    await tutti.close();
  }
  const last = await stage.open([flow], { policy: toAskingPolicy({}, { version: "last" }) });
  expect(await errorOf((await last.open("r")).result())).toMatchObject({ code: "APPROVAL_STALE" });
});

test("a step that was cancelled while it waited withdraws what it asked", async () => {
  const { stage, office, mail } = openOffice();
  const flow = plainFlow("f", (run) =>
    run.race({ call: (inner) => inner.call(mail, { to: "anna" }), time: (inner) => inner.sleep(1_000) }),
  );
  const tutti = await stage.open([flow], { policy: toAskingPolicy() });
  const handle = await tutti.start(flow, null);
  await handle.settled();
  const { id, package: saw } = await findOpen(tutti);
  await stage.clock.advance(1_000);
  await handle.result();
  expect(await errorOf(tutti.approvals.decide(id, { by: "ann", saw, verdict: "approve" }))).toMatchObject({
    code: "APPROVAL_DECIDED",
  });
  expect(bodiesOf(stage.entries, "approval-decided")).toMatchObject([{ state: "withdrawn" }]);
  expect(office.sent).toEqual([]);
});
