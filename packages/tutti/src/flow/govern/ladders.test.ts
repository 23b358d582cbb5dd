import { expect, test } from "vitest";

import { findOpen, toAskingPolicy, vote } from "../../../../../test/approvals/approval-fixture.ts";
import { errorOf, openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool, type MailDefinition } from "../../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { Person } from "../../contracts/approval.ts";
import type { TuttiOptions } from "../../engine/tutti.ts";

const people: readonly Person[] = [
  { name: "ann", roles: ["lead"] },
  { name: "bert", roles: ["lead"] },
  { name: "cleo", roles: ["director", "lead"] },
  { name: "dora", roles: [] },
];

async function openAsking(
  { knowsPeople = true, ...options }: Partial<TuttiOptions> & { readonly knowsPeople?: boolean },
  change: Partial<MailDefinition> = {},
  by = "ann",
) {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office, change);
  const flow = plainFlow("f", (run) => run.call(mail, { to: "anna" }));
  const tutti = await stage.open([flow], { policy: toAskingPolicy(), ...(knowsPeople ? { people } : {}), ...options });
  const handle = await tutti.start(flow, null, { by });
  await handle.settled();
  return { stage, office, tutti, handle };
}

test("who started a run can't say yes to it where a rule asks for somebody else", verifies("G7"), async () => {
  const { office, tutti, handle } = await openAsking({ policy: toAskingPolicy({ distinctFromInitiator: true }) });
  expect(await errorOf(vote(tutti, "ann"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
  // Nor through somebody whose place they take.
  await vote(tutti, "bert", { verdict: "delegate", to: "ann" });
  expect(await errorOf(vote(tutti, "ann"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
  expect(office.sent).toEqual([]);
  await vote(tutti, "cleo");
  await handle.result();
  expect(office.sent).toEqual(["anna"]);
});

test("several must be several: one person's two votes are one", verifies("G7"), async () => {
  const { office, tutti, handle } = await openAsking({ policy: toAskingPolicy({ count: 2, role: "lead" }) });
  expect(await vote(tutti, "ann")).toMatchObject({ state: "open" });
  expect(await errorOf(vote(tutti, "ann"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
  expect(await errorOf(vote(tutti, "dora"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
  expect(office.sent).toEqual([]);
  expect(await vote(tutti, "cleo")).toMatchObject({ state: "granted", decidedBy: "ann, cleo" });
  await handle.result();
  expect(office.sent).toEqual(["anna"]);
});

test(
  "only people whom the engine knows decide, also where another process takes their vote",
  verifies("G7"),
  async () => {
    const { stage, office, tutti } = await openAsking({});
    expect(await errorOf(vote(tutti, "eve"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
    await tutti.close();
    const blind = await stage.open([], { recover: false });
    expect(await errorOf(vote(blind, "ann"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
    expect(office.sent).toEqual([]);
  },
);

test("what nobody can ever decide is refused at once, and does not wait", verifies("G7"), async () => {
  const { handle } = await openAsking({ policy: toAskingPolicy({ role: "pope" }) });
  expect(await errorOf(handle.result())).toMatchObject({ code: "APPROVERS_MISSING" });
  const unknown = await openAsking({ policy: toAskingPolicy({ role: "lead" }), knowsPeople: false });
  expect(await errorOf(unknown.handle.result())).toMatchObject({ code: "APPROVERS_MISSING" });
});

test("stages decide one after the other", verifies("G7"), async () => {
  const { office, tutti, handle } = await openAsking({
    approvals: { "tool/mail.send": [{ role: "lead" }, { role: "director" }] },
  });
  expect(await vote(tutti, "ann")).toMatchObject({ state: "open", stage: 1 });
  expect(await vote(tutti, "cleo")).toMatchObject({ state: "granted" });
  await handle.result();
  expect(office.sent).toEqual(["anna"]);
});

test(
  "a stage that does not decide in time hands over to the next, which decides in its place",
  verifies("G7"),
  async () => {
    const { stage, office, tutti, handle } = await openAsking({
      policy: toAskingPolicy({}, {}),
      approvals: {
        "rule/ask": [
          { persons: ["ann"], deadlineMs: 1_000, onTimeout: "escalate" },
          { persons: ["cleo"], deadlineMs: 5_000 },
        ],
      },
    });
    expect(await errorOf(vote(tutti, "cleo"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
    await stage.clock.advance(1_000);
    expect(await findOpen(tutti)).toMatchObject({ stage: 1, dueAt: stage.clock.now() + 5_000 });
    expect(await errorOf(vote(tutti, "ann"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
    await vote(tutti, "cleo");
    await handle.result();
    expect(office.sent).toEqual(["anna"]);
  },
);

test("a ladder that goes to its end without anybody is a no, over restarts", verifies("G7", "D9"), async () => {
  const ladder = [{ deadlineMs: 1_000, onTimeout: "escalate" }, { deadlineMs: 1_000 }] as const;
  const { stage, office, tutti, handle } = await openAsking({ approvals: { "*": ladder } });
  await stage.clock.advance(500);
  await tutti.close();
  await stage.clock.advance(1_000);
  const mail = toMailTool(office);
  const flow = plainFlow("f", (run) => run.call(mail, { to: "anna" }));
  const next = await stage.open([flow], { policy: toAskingPolicy(), people, approvals: { "*": ladder } });
  const reopened = await next.open(handle.id);
  await stage.clock.advance(100);
  expect(await findOpen(next)).toMatchObject({ stage: 1 });
  await stage.clock.advance(1_000);
  expect(await errorOf(reopened.result())).toMatchObject({ code: "APPROVAL_EXPIRED" });
  expect(office.sent).toEqual([]);
});

test("only what can be taken back goes on when nobody decides in time", verifies("G7"), async () => {
  const approvals = { "*": [{ deadlineMs: 1_000, onTimeout: "proceed" }] } as const;
  const undoable = await openAsking({ approvals }, { undo: () => {} });
  await undoable.stage.clock.advance(1_000);
  await undoable.handle.result();
  expect(undoable.office.sent).toEqual(["anna"]);
  const final = await openAsking({ approvals });
  await final.stage.clock.advance(1_000);
  expect(await errorOf(final.handle.result())).toMatchObject({ code: "APPROVAL_EXPIRED" });
  expect(final.office.sent).toEqual([]);
});

test("who is given a decision has the limits of who gave it", verifies("G7"), async () => {
  const { office, tutti, handle } = await openAsking({
    approvals: { "*": [{ role: "director", delegates: ["dora", "bert"] }] },
  });
  expect(await errorOf(vote(tutti, "dora"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
  expect(await errorOf(vote(tutti, "cleo", { verdict: "delegate", to: "ann" }))).toMatchObject({
    code: "APPROVAL_FORBIDDEN",
  });
  await vote(tutti, "cleo", { verdict: "delegate", to: "dora" });
  expect(await errorOf(vote(tutti, "cleo"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
  expect(await errorOf(vote(tutti, "dora", { verdict: "delegate", to: "bert" }))).toMatchObject({
    code: "APPROVAL_FORBIDDEN",
  });
  expect(await vote(tutti, "dora")).toMatchObject({ state: "granted", votes: [{ by: "dora", seatOf: "cleo" }] });
  await handle.result();
  expect(office.sent).toEqual(["anna"]);
});

test("who abstains has had their say", verifies("G7"), async () => {
  const { office, tutti } = await openAsking({});
  expect(await vote(tutti, "ann", { verdict: "abstain" })).toMatchObject({ state: "open" });
  expect(await errorOf(vote(tutti, "ann"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
  expect(office.sent).toEqual([]);
});

test("ladders and people that can't work are refused before anything is opened", async () => {
  const stage = openStage();
  const wrong: readonly Partial<TuttiOptions>[] = [
    { people: [people[0], people[0]].flatMap((person) => person ?? []) },
    { approvals: { mail: [] } },
    { approvals: { "*": [{ count: 0 }] } },
    { approvals: { "*": [{ deadlineMs: -1 }] } },
    { people, approvals: { "*": [{ persons: ["eve"] }] } },
  ];
  for (const options of wrong)
    expect(await errorOf(stage.open([], options))).toMatchObject({ code: "DEFINITION_INVALID" });
});
