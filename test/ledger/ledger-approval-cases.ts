import { expect, test } from "vitest";

import type { ApprovalRecord, ApprovalVote } from "../../packages/tutti/src/contracts/approval.ts";
import { bodyOf } from "../../packages/tutti/src/contracts/entry.ts";
import { toApprovalId, toStepKey } from "../../packages/tutti/src/contracts/ids.ts";
import type { ApprovalChange, NewEntry, RunLog } from "../../packages/tutti/src/ledger/ledger.ts";
import { verifies } from "../verifies.ts";
import {
  createSettableClock,
  openForTest,
  startLogs,
  toIntent,
  toStep,
  type LedgerUnderTest,
} from "./ledger-fixture.ts";

const id = toApprovalId("a1");
const step = toStepKey("/pay");
const binding = { input: "1" };
const shown = "f".repeat(64);

function toRequest({ run }: RunLog, change: Partial<ApprovalRecord> = {}): NewEntry {
  const asked = {
    ...({ kind: "action", about: "pay", round: 1, binding, package: shown, peopleKnown: false } as const),
    needs: [{ count: 1, distinctFromInitiator: false }],
    stages: [{ deadlineMs: 1_000, onTimeout: "deny" } as const],
  };
  const dueAt = 1_700_000_001_000;
  const approval = {
    ...asked,
    id,
    run,
    step,
    state: "open",
    stage: 0,
    dueAt,
    votes: [],
    delegations: [],
    ...change,
  } as const;
  const body = JSON.stringify({ approval: approval.id, dueAt, ...asked });
  return { kind: "approval-requested", key: step, body, approval: { kind: "request", approval } };
}

function toVote(vote: Partial<ApprovalVote> = {}): NewEntry {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parts of one vote
  const said = { by: "ann", roles: [], saw: shown, verdict: "approve", ...vote } as ApprovalVote;
  const { by, saw, verdict } = said;
  const body = JSON.stringify({ approval: id, by, saw, verdict });
  return { kind: "approval-voted", key: step, body, approval: { kind: "vote", id, vote: said } };
}

function toUse(change: Partial<ApprovalChange & { readonly kind: "use" }> = {}): NewEntry {
  const approval = { kind: "use", id, step, binding, ...change } as const;
  return { ...toIntent("/pay", "pay:1"), approval };
}

async function openAsked(under: LedgerUnderTest) {
  const clock = createSettableClock();
  const ledger = await openForTest(under, { clock });
  const [log, other] = await startLogs(ledger, 2);
  if (log === undefined || other === undefined) throw new Error("two logs were started");
  await log.append(toRequest(log));
  return { clock, ledger, log, other };
}

/** Two runs that each ask for something, and what says yes to both together. */
async function openGroup(under: LedgerUnderTest) {
  const { ledger, log, other } = await openAsked(under);
  const second = toApprovalId("a2");
  await other.append(toRequest(other, { id: second }));
  const group = { size: 2 };
  const vote = toVote();
  if (vote.approval?.kind !== "vote") throw new Error("a vote was made");
  const votes = [
    { ...vote, group },
    { ...vote, group, approval: { ...vote.approval, id: second } },
  ] as const;
  const states = async () => (await ledger.listApprovals({})).map(({ state }) => state);
  return { ledger, log, other, votes, states };
}

function describeGroups(under: LedgerUnderTest): void {
  test("votes of a group are stored together, or none of them is", verifies("G4"), async () => {
    const { ledger, log, other, votes, states } = await openGroup(under);
    const [first, second] = votes;
    const stale = { ...second, approval: { ...second.approval, vote: { ...second.approval.vote, saw: "" } } };
    const group = { size: 2 };
    const refused = [log.append({ ...first, group }), other.append({ ...stale, group })];
    expect(await Promise.all(refused)).toMatchObject([{ kind: "incomplete" }, { kind: "unapproved", reason: "stale" }]);
    expect(await states()).toEqual(["open", "open"]);
    expect(await ledger.read(log.run)).toHaveLength(2);
    expect(await Promise.all([log.append(first), other.append(second)])).toMatchObject([
      { kind: "recorded", approval: { state: "granted" } },
      { kind: "recorded", approval: { state: "granted" } },
    ]);
    expect(await states()).toEqual(["granted", "granted"]);
  });

  test("of a group nothing is stored when one of its runs has another driver, or one is missing", async () => {
    const { ledger, log, other, votes, states } = await openGroup(under);
    const { log: newer } = await ledger.claim(other.run);
    const fenced = await Promise.allSettled([log.append(votes[0]), other.append(votes[1])]);
    expect(fenced).toMatchObject([{ value: { kind: "incomplete" } }, { reason: { code: "LEDGER_FENCED" } }]);
    expect(await newer.append({ ...votes[1], group: { size: 2 } })).toEqual({ kind: "incomplete" });
    expect(await states()).toEqual(["open", "open"]);
  });

  test("a group is not cut in two where a batch would be too long", async () => {
    const { log, other, votes, states } = await openGroup(under);
    const written = [log.append(votes[0])];
    for (let note = 0; note < 2_100; note++) written.push(log.append(toStep(`s${note}`)));
    written.push(other.append(votes[1]));
    await Promise.all(written);
    expect(await states()).toEqual(["granted", "granted"]);
  });
}

/** An approval is decided once, and used once. */
export function describeApprovals(under: LedgerUnderTest): void {
  describeGroups(under);
  describeVotes(under);
  describeEnds(under);
}

function describeVotes(under: LedgerUnderTest): void {
  test("of two votes in one batch the first decides, and the other leaves nothing", verifies("G4"), async () => {
    const { ledger, log } = await openAsked(under);
    const votes = [toVote(), toVote({ by: "bert", verdict: "reject", reason: "no" })];
    const [first, second] = await Promise.all(votes.map((vote) => log.append(vote)));
    expect(first).toMatchObject({ kind: "recorded", approval: { state: "granted", decidedBy: "ann" } });
    expect(second).toMatchObject({ kind: "unapproved", reason: "decided", approval: { state: "granted" } });
    const entries = await ledger.read(log.run);
    expect(entries.map(({ kind }) => kind)).toEqual([
      "run-started",
      "approval-requested",
      "approval-voted",
      "approval-decided",
    ]);
    const [last] = entries.slice(-1);
    expect(last && bodyOf(last, "approval-decided")).toMatchObject({ approval: id, state: "granted", by: "ann" });
  });

  test("a yes is used by one entry, of its own run and step, for what it was given for", verifies("G4"), async () => {
    const { ledger, log, other } = await openAsked(under);
    expect(await log.append(toUse())).toMatchObject({ kind: "unapproved", reason: "decided" });
    await log.append(toVote());
    expect(await log.append(toUse({ binding: { input: "2" } }))).toMatchObject({
      kind: "unapproved",
      reason: "changed",
    });
    expect(await log.append(toUse({ step: toStepKey("/else") }))).toMatchObject({
      kind: "unapproved",
      reason: "forbidden",
    });
    expect(await other.append(toUse())).toMatchObject({ kind: "unapproved", reason: "unknown" });
    expect(await ledger.listEffects({})).toEqual([]);
    expect(await log.append(toUse())).toMatchObject({ kind: "recorded", approval: { state: "used" } });
    expect(await log.append(toVote())).toMatchObject({ kind: "unapproved", reason: "decided" });
    expect(await ledger.findApproval(id)).toMatchObject({ state: "used" });
  });

  test("a vote that is late, on something else, or by nobody known, leaves nothing", verifies("G4"), async () => {
    const { clock, ledger, log } = await openAsked(under);
    expect(await log.append(toVote({ saw: "0".repeat(64) }))).toMatchObject({ kind: "unapproved", reason: "stale" });
    clock.set(1_700_000_001_000);
    expect(await log.append(toVote())).toMatchObject({ kind: "unapproved", reason: "decided" });
    expect(await ledger.read(log.run)).toHaveLength(2);
  });
}

function describeEnds(under: LedgerUnderTest): void {
  test("the time of a stage is over when it is over", verifies("G7"), async () => {
    const { clock, log } = await openAsked(under);
    const body = JSON.stringify({ approval: id, stage: 0, next: "deny" });
    const overdue: NewEntry = { kind: "approval-overdue", key: step, body, approval: { kind: "timeout", id } };
    expect(await log.append(overdue)).toMatchObject({ kind: "unapproved", reason: "early" });
    clock.set(1_700_000_001_000);
    expect(await log.append(overdue)).toMatchObject({ kind: "recorded", approval: { state: "expired" } });
  });

  test("a run that ends takes back what it asks, in front of its last entry", async () => {
    const { ledger, log } = await openAsked(under);
    await log.append({ kind: "run-done", key: "", body: "{}", status: "done" });
    expect((await ledger.read(log.run)).slice(-2).map(({ kind }) => kind)).toEqual(["approval-decided", "run-done"]);
    expect(await ledger.findApproval(id)).toMatchObject({ state: "withdrawn" });
  });

  test("an approval that its step takes back is what it was, but for its state and why", async () => {
    const { ledger, log } = await openAsked(under);
    const asked = await ledger.findApproval(id);
    const end = { kind: "end", id, state: "superseded", why: "its input has changed" } as const;
    const body = JSON.stringify({ approval: id, state: end.state, why: end.why });
    const appended = await log.append({ kind: "approval-decided", key: step, body, approval: end });
    expect(appended).toMatchObject({ kind: "recorded", approval: { state: "superseded" } });
    expect(await ledger.findApproval(id)).toEqual({
      ...asked,
      state: "superseded",
      why: end.why,
      lsn: expect.any(Number),
    });
  });

  test("approvals are found by run, step and state, the oldest first", async () => {
    const { ledger, log, other } = await openAsked(under);
    const later = toApprovalId("a0");
    await other.append(toRequest(other, { id: later, run: other.run }));
    await log.append(toVote());
    const idsOf = async (filter: Parameters<typeof ledger.listApprovals>[0]): Promise<readonly string[]> =>
      (await ledger.listApprovals(filter)).map((approval) => approval.id);
    expect(await idsOf({})).toEqual([id, later]);
    expect(await idsOf({ limit: 1 })).toEqual([id]);
    expect(await idsOf({ states: ["open"] })).toEqual([later]);
    expect(await idsOf({ states: ["open", "granted"] })).toEqual([id, later]);
    expect(await idsOf({ states: ["used"] })).toEqual([]);
    expect(await idsOf({ run: other.run, step })).toEqual([later]);
    expect(await ledger.findApproval(toApprovalId("nobody"))).toBeUndefined();
  });
}
