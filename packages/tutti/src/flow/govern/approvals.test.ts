import { expect, test } from "vitest";
import { z } from "zod";

import { findOpen, toAskingPolicy, toPolicy, vote } from "../../../../../test/approvals/approval-fixture.ts";
import {
  bodiesOf,
  decisionsOf,
  errorOf,
  linesOf,
  openStage,
  plainFlow,
} from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool, type MailDefinition } from "../../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { Flow } from "../../contracts/run.ts";
import type { TuttiOptions } from "../../engine/tutti.ts";
import { tool } from "../../tools/tool.ts";

const receipt = { receipt: "receipt of anna" };

function openMail(options: Partial<TuttiOptions> = {}, change: Partial<MailDefinition> = {}) {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office, change);
  const flow = plainFlow("f", (run) => run.call(mail, { to: "anna" }));
  const open = (more: Partial<TuttiOptions> = {}, flows: readonly Flow[] = [flow]) =>
    stage.open(flows, { policy: toAskingPolicy(), ...options, ...more });
  return { stage, office, mail, flow, open };
}

test(
  "a call that needs a yes waits, is made once, and the entry that begins it uses the yes up",
  verifies("G3", "G4"),
  async () => {
    const { stage, office, flow, open } = openMail();
    const tutti = await open();
    const handle = await tutti.start(flow, null, { id: "r" });
    expect(await handle.settled()).toMatchObject({
      kind: "asking",
      approvals: [{ state: "open", step: "/mail.send" }],
    });
    expect(office.sent).toEqual([]);
    expect(await vote(tutti, "ann")).toMatchObject({ state: "granted", decidedBy: "ann" });
    expect(await handle.result()).toEqual(receipt);
    expect(office.sent).toEqual(["anna"]);
    expect(linesOf(await handle.entries())).toEqual([
      "run-started",
      "policy-decided /mail.send",
      "approval-requested /mail.send",
      "approval-voted /mail.send",
      "approval-decided /mail.send",
      "effect-intended /mail.send",
      "effect-settled /mail.send",
      "run-done",
    ]);
    const [used] = await tutti.approvals.list({ run: handle.id });
    expect(bodiesOf(stage.entries, "effect-intended")).toMatchObject([{ approval: used?.id }]);
    expect(await tutti.approvals.list({ run: handle.id })).toMatchObject([{ state: "used" }]);
  },
);

test("without a policy nothing of it is written", async () => {
  const { flow, stage, office } = openMail();
  const tutti = await stage.open([flow]);
  await tutti.run(flow, null);
  expect(office.sent).toEqual(["anna"]);
  expect(linesOf(stage.entries)).toEqual([
    "run-started",
    "effect-intended /mail.send",
    "effect-settled /mail.send",
    "run-done",
  ]);
});

test("what is denied does not happen, and neither does what the policy fails to decide", verifies("G3"), async () => {
  const { stage, office, flow, open } = openMail();
  const denied = await open({ policy: toPolicy(() => ({ kind: "deny", rules: ["no"], why: "no mail today" })) });
  const error = await errorOf(denied.run(flow, null, { id: "denied" }));
  expect(error).toMatchObject({ code: "POLICY_DENIED", disposition: "tell-model", effect: "none" });
  expect(error.message).toContain("no mail today");
  const broken = await open({
    policy: toPolicy(() => {
      throw new Error("a rule is broken");
    }),
  });
  expect(await errorOf(broken.run(flow, null, { id: "broken" }))).toMatchObject({ code: "POLICY_DENIED" });
  expect(office.sent).toEqual([]);
  expect(decisionsOf(stage.entries).map(({ verdict }) => verdict)).toMatchObject([
    { kind: "deny", rules: ["no"] },
    { kind: "deny", errors: ["a rule is broken"] },
  ]);
});

test("an allowed effect says so in its intent; an allowed read leaves no trace", verifies("G3"), async () => {
  const look = tool({
    name: "look",
    does: "Looks.",
    input: z.null(),
    output: z.number(),
    effect: "read",
    run: () => 7,
  });
  const { stage, mail } = openMail();
  const flow = plainFlow("g", async (run) => [await run.call(look, null), await run.call(mail, { to: "anna" })]);
  const tutti = await stage.open([flow], { policy: toPolicy(() => ({ kind: "allow", rules: ["all"] })) });
  await tutti.run(flow, null);
  expect(linesOf(stage.entries)).toEqual([
    "run-started",
    "step-done /look",
    "effect-intended /mail.send",
    "effect-settled /mail.send",
    "run-done",
  ]);
  expect(decisionsOf(stage.entries)).toMatchObject([
    {
      policy: { name: "house", version: "1" },
      request: {
        action: "call-tool",
        resource: { name: "mail.send", effect: "once" },
        context: { input: { to: "anna" } },
      },
    },
  ]);
});

test("an effect that is shared has no intent to stand in, so what allowed it is an entry", verifies("G3"), async () => {
  const { stage, mail } = openMail();
  const flow = plainFlow("g", async (run) => {
    await run.call(mail, { to: "anna" });
    return run.call(mail, { to: "anna" }, { name: "again" });
  });
  const tutti = await stage.open([flow], { policy: toPolicy(() => ({ kind: "allow", rules: ["all"] })) });
  await tutti.run(flow, null);
  expect(linesOf(stage.entries).slice(1, -1)).toEqual([
    "effect-intended /mail.send",
    "effect-settled /mail.send",
    "policy-decided /again",
    "effect-shared /again",
  ]);
  expect(decisionsOf(stage.entries)).toHaveLength(2);
});

test("a large input is there for the rules, and stands in the ledger once", verifies("G3"), async () => {
  const { stage, mail } = openMail();
  const to = "anna".repeat(10_000);
  const flow = plainFlow("g", async (run) => run.call(mail, { to }));
  const seen: unknown[] = [];
  const tutti = await stage.open([flow], {
    policy: toPolicy(({ context }) => {
      seen.push(context.input, { ...context }.input);
      return { kind: "allow", rules: ["all"] };
    }),
  });
  await tutti.run(flow, null);
  expect(seen).toEqual([{ to }, { to }]);
  const [decision] = decisionsOf(stage.entries);
  expect(decision?.request.context.input).toBeUndefined();
  expect(await stage.ledger.readBlob(decision?.inputRef?.hash ?? "")).toBe(JSON.stringify({ to }));
  expect(stage.entries.map(({ body }) => body).join("")).not.toContain(to);
});

test("a no comes back with the person's reason, and the call is not made", verifies("G4"), async () => {
  const { office, flow, open } = openMail();
  const tutti = await open();
  const handle = await tutti.start(flow, null);
  await handle.settled();
  await vote(tutti, "ann", { verdict: "reject", reason: "ask her first" });
  const error = await errorOf(handle.result());
  expect(error).toMatchObject({ code: "APPROVAL_REJECTED", disposition: "tell-model" });
  expect(error.message).toContain("ask her first");
  expect(office.sent).toEqual([]);
});

test("nobody's answer in time is a no", verifies("G4", "G7"), async () => {
  const { stage, office, flow, open } = openMail({ approvals: { "*": [{ deadlineMs: 60_000 }] } });
  const tutti = await open();
  const handle = await tutti.start(flow, null);
  expect(await handle.settled()).toMatchObject({ kind: "asking", untilMs: stage.clock.now() + 60_000 });
  const { id, package: saw } = await findOpen(tutti);
  await stage.clock.advance(60_000);
  expect(await errorOf(handle.result())).toMatchObject({ code: "APPROVAL_EXPIRED" });
  expect(office.sent).toEqual([]);
  expect(await errorOf(tutti.approvals.decide(id, { by: "ann", saw, verdict: "approve" }))).toMatchObject({
    code: "APPROVAL_DECIDED",
  });
});

test(
  "a restart while it waits changes nothing, and a vote that nobody was there to hear is heard later",
  verifies("G4", "D9"),
  async () => {
    const { stage, office, flow, open } = openMail();
    const first = await open();
    const handle = await first.start(flow, null, { id: "r" });
    await handle.settled();
    await first.close();
    const empty = await stage.open([], { policy: toAskingPolicy(), recover: false });
    expect(await vote(empty, "ann")).toMatchObject({ state: "granted" });
    await empty.close();
    expect(office.sent).toEqual([]);
    const third = await open();
    expect(await (await third.open("r")).result()).toEqual(receipt);
    expect(office.sent).toEqual(["anna"]);
    expect(bodiesOf(stage.entries, "approval-requested")).toHaveLength(1);
  },
);

test("a run that waits for people is let go from memory and goes on with their vote", verifies("D9"), async () => {
  const { stage, office, flow, open } = openMail();
  const tutti = await open();
  const handle = await tutti.start(flow, null, { id: "r" });
  await handle.settled();
  await stage.clock.advance(1_000);
  expect(await tutti.ledger.findRun(handle.id)).toMatchObject({ status: "waiting" });
  await vote(tutti, "ann");
  expect(await handle.result()).toEqual(receipt);
  expect(office.sent).toEqual(["anna"]);
});

test("the input that a person changed is what happens, and replay knows it", verifies("G4"), async () => {
  const { stage, office, mail, open } = openMail();
  const flow = plainFlow("f", async (run) => {
    const got = await run.call(mail, { to: "anna" });
    await run.wait("go");
    return got;
  });
  const tutti = await open({}, [flow]);
  const handle = await tutti.start(flow, null, { id: "r" });
  await handle.settled();
  expect(await errorOf(vote(tutti, "ann", { verdict: "edit", input: { to: 7 } }))).toMatchObject({
    code: "INPUT_INVALID",
  });
  const edited = await vote(tutti, "ann", { verdict: "edit", input: { to: "bert" } });
  expect(edited).toMatchObject({ state: "granted", decidedBy: "ann" });
  expect((await tutti.approvals.show(edited.id)).package.action?.input).toBe('{"to":"bert"}');
  await handle.settled();
  expect(office.sent).toEqual(["bert"]);
  await tutti.close();
  const again = await open({}, [flow]);
  const reopened = await again.open("r");
  await reopened.signal("go", null);
  expect(await reopened.result()).toEqual({ receipt: "receipt of bert" });
  expect(office.sent).toEqual(["bert"]);
  expect(bodiesOf(stage.entries, "approval-voted")).toMatchObject([{ verdict: "edit", by: "ann" }]);
});

test("a person's change is decided by the policy too", verifies("G3", "G4"), async () => {
  const { office, flow, open } = openMail();
  const ask = toAskingPolicy();
  const policy = toPolicy((request) =>
    JSON.stringify(request.context.input ?? null).includes("press")
      ? { kind: "deny", rules: ["press"], why: "not to the press" }
      : ask.decide(request),
  );
  const tutti = await open({ policy });
  const handle = await tutti.start(flow, null);
  await handle.settled();
  expect(await errorOf(vote(tutti, "ann", { verdict: "edit", input: { to: "press" } }))).toMatchObject({
    code: "POLICY_DENIED",
  });
  expect(office.sent).toEqual([]);
});

test("a vote on something else than what is asked now does not count", verifies("G4"), async () => {
  const { office, flow, open } = openMail({ policy: toAskingPolicy({ count: 2 }) });
  const tutti = await open();
  const handle = await tutti.start(flow, null);
  await handle.settled();
  const before = await findOpen(tutti);
  await vote(tutti, "ann", { verdict: "edit", input: { to: "bert" } });
  const late = { by: "cleo", saw: before.package, verdict: "approve" } as const;
  expect(await errorOf(tutti.approvals.decide(before.id, late))).toMatchObject({ code: "APPROVAL_STALE" });
  expect(await errorOf(tutti.approvals.decide(before.id, { ...late, saw: "" }))).toMatchObject({
    code: "APPROVAL_STALE",
  });
  expect(await vote(tutti, "cleo")).toMatchObject({ state: "granted" });
  await handle.result();
  expect(office.sent).toEqual(["bert"]);
});

test("of two votes at once one counts, and the other is told", verifies("G4"), async () => {
  const { office, flow, open } = openMail();
  const tutti = await open();
  const handle = await tutti.start(flow, null);
  await handle.settled();
  const outcomes = await Promise.allSettled([
    vote(tutti, "ann"),
    vote(tutti, "bert", { verdict: "reject", reason: "no" }),
  ]);
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(outcomes).toContainEqual({
    status: "rejected",
    reason: expect.objectContaining({ code: "APPROVAL_DECIDED" }) as unknown,
  });
  await handle.result();
  expect(office.sent).toEqual(["anna"]);
});

test("ten thousand votes at once are one decision", verifies("G4"), async () => {
  const { office, flow, open } = openMail();
  const tutti = await open();
  const handle = await tutti.start(flow, null);
  await handle.settled();
  const { id, package: saw } = await findOpen(tutti);
  const votes = Array.from({ length: 10_000 }, (_, index) =>
    tutti.approvals.decide(id, { by: `person ${index}`, saw, verdict: "approve" }),
  );
  const outcomes = await Promise.allSettled(votes);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  await handle.result();
  expect(office.sent).toEqual(["anna"]);
});
