import type { ApprovalRecord, ApprovalStage, ApprovalVote, CountedVote, Unapproved } from "../contracts/approval.ts";
import type { NeededApprovals } from "../contracts/policy.ts";

/** A decision is not a crowd: so many votes and hand-overs one approval takes. */
const votesMax = 100;

/** An approval after something has happened to it. */
export interface Moved {
  readonly kind: "moved";
  readonly approval: ApprovalRecord;
}

/** What a vote does to an approval at this moment. Pure: who wins of two follows from their order. */
export function decideVote(approval: ApprovalRecord, vote: ApprovalVote, now: number): Moved | Unapproved {
  const refusal = findRefusal(approval, vote, now);
  if (refusal !== undefined) return refusal;
  const seat = findSeat(approval, vote);
  if (typeof seat === "string") return refuse(approval, "forbidden", seat);
  switch (vote.verdict) {
    case "reject":
      return end(approval, { state: "rejected", decidedBy: vote.by, why: vote.reason });
    case "delegate":
      return delegate(approval, vote, seat);
    case "abstain":
      return moved({ ...approval, votes: [...approval.votes, toCounted(approval, seat, "abstain")] });
    case "approve":
      return approve(approval, seat, now);
    case "answer":
      return approve({ ...approval, answer: vote.answer }, seat, now);
    case "edit": {
      // Who said yes before said it to something else.
      const { binding, package: shown, about, needs, answer } = vote;
      return approve({ ...approval, binding, package: shown, about, needs, answer, votes: [] }, seat, now);
    }
  }
}

/** The time of a stage is over. */
export function decideTimeout(approval: ApprovalRecord, now: number): Moved | Unapproved {
  if (approval.state !== "open") return refuse(approval, "decided", toDecided(approval));
  const stage = stageOf(approval);
  if (now < approval.dueAt) return refuse(approval, "early", "its time is not over");
  const next = approval.stages[approval.stage + 1];
  if (stage.onTimeout === "proceed")
    return end(approval, { state: "granted", why: "nobody decided in time, and it may then go on" });
  if (stage.onTimeout === "escalate" && next !== undefined)
    return moved({ ...approval, stage: approval.stage + 1, dueAt: now + next.deadlineMs });
  return end(approval, { state: "expired", why: "nobody decided in time" });
}

export function decideEnd(
  approval: ApprovalRecord,
  to: { readonly state: "superseded" | "withdrawn"; readonly why: string },
): Moved | Unapproved {
  if (approval.state !== "open" && approval.state !== "granted")
    return refuse(approval, "decided", toDecided(approval));
  return end(approval, { state: to.state, why: to.why }); // `to` may be a whole change
}

/** A yes is used once, by the step that asked, for exactly what it was given for. */
export function decideUse(
  approval: ApprovalRecord,
  use: Pick<ApprovalRecord, "run" | "step" | "binding">,
): Moved | Unapproved {
  const isOwn = approval.run === use.run && approval.step === use.step;
  if (!isOwn) return refuse(approval, "forbidden", `it belongs to ${approval.step} of run ${approval.run}`);
  const changed = findChanged(approval.binding, use.binding);
  if (changed.length > 0) return refuse(approval, "changed", `changed since: ${changed.join(", ")}`);
  // A second attempt of the same call goes on under the yes that its first one used.
  if (approval.state === "used") return moved(approval);
  if (approval.state !== "granted") return refuse(approval, "decided", toDecided(approval));
  return moved({ ...approval, state: "used" });
}

/** The names of the parts that differ. */
export function findChanged(before: ApprovalRecord["binding"], now: ApprovalRecord["binding"]): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => before[name] !== now[name]);
}

export function refuse(approval: ApprovalRecord | undefined, reason: Unapproved["reason"], why: string): Unapproved {
  return { kind: "unapproved", reason, why, approval };
}

function moved(approval: ApprovalRecord): Moved {
  return { kind: "moved", approval };
}

function end(
  approval: ApprovalRecord,
  to: Pick<ApprovalRecord, "state"> & { readonly decidedBy?: string; readonly why?: string },
): Moved {
  return moved({ ...approval, ...to });
}

function findRefusal(approval: ApprovalRecord, vote: ApprovalVote, now: number): Unapproved | undefined {
  if (approval.state !== "open") return refuse(approval, "decided", toDecided(approval));
  if (now >= approval.dueAt) return refuse(approval, "decided", "the time to decide is over");
  if (vote.saw !== approval.package) return refuse(approval, "stale", "it is not what this person was shown");
  if (approval.peopleKnown && vote.roles === undefined)
    return refuse(approval, "forbidden", `who ${vote.by} is can't be told here`);
  if (
    (vote.verdict === "answer") !== (approval.kind === "question" || approval.kind === "review") &&
    ["answer", "approve", "edit"].includes(vote.verdict)
  )
    return refuse(approval, "forbidden", `a ${approval.kind} is not decided by ${vote.verdict}`);
  if (vote.verdict === "edit" && approval.kind !== "action")
    return refuse(approval, "forbidden", "only the input of a call can be edited");
  if (approval.votes.length + approval.delegations.length >= votesMax)
    return refuse(approval, "decided", `it has had ${votesMax} votes`);
  return undefined;
}

export function toDecided({ state, decidedBy, why }: ApprovalRecord): string {
  const who = decidedBy === undefined ? "" : ` by ${decidedBy}`;
  return `it is ${state}${who}${why === undefined ? "" : `: ${why}`}`;
}

/** In whose place somebody decides: their own, or that of whoever handed it to them. */
interface Seat {
  readonly by: string;
  readonly owner: string;
  readonly roles: readonly string[];
}

function findSeat(approval: ApprovalRecord, vote: ApprovalVote): Seat | string {
  const { by, roles = [] } = vote;
  const here = approval.delegations.filter((delegation) => delegation.stage === approval.stage);
  if (here.some((delegation) => delegation.from === by)) return `${by} has handed the decision on`;
  const seats = [
    { owner: by, roles },
    ...here.filter(({ to }) => to === by).map(({ from, roles: own }) => ({ owner: from, roles: own })),
  ];
  const voted = approval.votes.filter((counted) => counted.stage === approval.stage);
  if (voted.some((counted) => counted.by === by || counted.seatOf === by)) return `${by} has decided already`;
  const seat = seats.find(({ owner, roles: own }) => mayDecide(approval, { by, owner, roles: own }));
  if (seat !== undefined) return { by, ...seat };
  return by === approval.initiator && isDistinct(approval)
    ? `${by} started the run, and somebody else has to decide`
    : `this is not for ${by} to decide`;
}

function isDistinct(approval: ApprovalRecord): boolean {
  const { need } = stageOf(approval);
  return [...approval.needs, ...(need === undefined ? [] : [need])].some((asked) => asked.distinctFromInitiator);
}

function mayDecide(approval: ApprovalRecord, seat: Seat): boolean {
  const { need, persons, except = [] } = stageOf(approval);
  if (except.includes(seat.by) || except.includes(seat.owner)) return false;
  if (persons !== undefined && !persons.includes(seat.owner)) return false;
  if (need !== undefined && fits(approval, need, seat)) return true;
  // Beside a ladder's own people, those whose role the policy names are needed too.
  const hasOwn = need !== undefined || persons !== undefined;
  const asked = hasOwn ? approval.needs.filter(({ role }) => role !== undefined) : approval.needs;
  if (asked.some((each) => fits(approval, each, seat))) return true;
  return need === undefined && (persons !== undefined || approval.needs.length === 0) && mayStand(approval, seat);
}

/** Nobody decides alone what a rule wants somebody else to decide. */
function mayStand(approval: ApprovalRecord, { by, owner }: Seat): boolean {
  const { initiator } = approval;
  return !isDistinct(approval) || initiator === undefined || (by !== initiator && owner !== initiator);
}

function fits({ initiator }: ApprovalRecord, need: NeededApprovals, { by, owner, roles }: Seat): boolean {
  if (need.role !== undefined && !roles.includes(need.role)) return false;
  return !need.distinctFromInitiator || initiator === undefined || (by !== initiator && owner !== initiator);
}

function toCounted(approval: ApprovalRecord, seat: Seat, verdict: CountedVote["verdict"]): CountedVote {
  const { by, owner, roles } = seat;
  return { by, roles, stage: approval.stage, verdict, ...(owner === by ? {} : { seatOf: owner }) };
}

function delegate(
  approval: ApprovalRecord,
  vote: ApprovalVote & { readonly verdict: "delegate" },
  seat: Seat,
): Moved | Unapproved {
  const { delegates } = stageOf(approval);
  if (seat.owner !== seat.by)
    return refuse(approval, "forbidden", `${seat.by} decides for ${seat.owner}, and can't hand that on`);
  if (vote.to === vote.by) return refuse(approval, "forbidden", "a decision is handed to somebody else");
  if (delegates !== undefined && !delegates.includes(vote.to))
    return refuse(approval, "forbidden", `it may be handed to ${delegates.join(", ") || "nobody"}`);
  const handed = { from: seat.by, roles: seat.roles, to: vote.to, stage: approval.stage };
  return moved({ ...approval, delegations: [...approval.delegations, handed] });
}

function approve(before: ApprovalRecord, seat: Seat, now: number): Moved {
  const approval = { ...before, votes: [...before.votes, toCounted(before, seat, "approve")] };
  const stage = stageOf(approval);
  const yes = yesOf(approval);
  const own = stage.need ?? (stage.persons !== undefined || approval.needs.length === 0 ? anybody : undefined);
  const isStageMet =
    own === undefined ||
    isMet(
      approval,
      own,
      yes.filter((vote) => vote.stage === approval.stage),
    );
  // What the policy asks for must be there in the end, whoever was asked on the way.
  const needsMet = approval.needs.every((need) => isMet(approval, need, yes));
  if (!isStageMet || (own === undefined && !needsMet)) return moved(approval);
  const next = approval.stages[approval.stage + 1];
  // Those after a stage that escalates only stand in for it.
  if (needsMet && (next === undefined || stage.onTimeout === "escalate"))
    return end(approval, { state: "granted", decidedBy: yes.map(({ by }) => by).join(", ") });
  if (next === undefined) return moved(approval);
  return moved({ ...approval, stage: approval.stage + 1, dueAt: now + next.deadlineMs });
}

const anybody: NeededApprovals = { count: 1, distinctFromInitiator: false };

function yesOf({ votes }: ApprovalRecord): readonly CountedVote[] {
  return votes.filter((vote) => vote.verdict === "approve");
}

/** By so many different people, of whom nobody has decided for themselves and for another. */
function isMet(approval: ApprovalRecord, need: NeededApprovals, votes: readonly CountedVote[]): boolean {
  const fitting = votes.filter(({ by, roles, seatOf }) => fits(approval, need, { by, owner: seatOf ?? by, roles }));
  return new Set(fitting.map(({ by }) => by)).size >= need.count;
}

function stageOf(approval: ApprovalRecord): ApprovalStage {
  const stage = approval.stages[approval.stage];
  return stage ?? { deadlineMs: 0, onTimeout: "deny" };
}
