import { must } from "../base/assert.ts";
import { describeThrown, isTuttiError, TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { toCanonicalJson, toJsonText } from "../base/json.ts";
import type { ApprovalPackage } from "../contracts/approval-package.ts";
import type { ApprovalRecord, ApprovalVote, Unapproved } from "../contracts/approval.ts";
import { toApprovalId, type RunId } from "../contracts/ids.ts";
import { reviewShape } from "../contracts/review.ts";
import type { Asking } from "../flow/govern/asking.ts";
import { canLeadToYes, permitVote, type Permit } from "../flow/govern/permit-vote.ts";
import { decideVote, toDecided } from "../ledger/approval-votes.ts";
import { storedOf, type Appended, type Blob, type EntryGroup, type NewEntry } from "../ledger/ledger.ts";
import { toErasedError } from "../ledger/personal/personal-ledger.ts";
import type { ActiveRuns, Engine } from "./engine-parts.ts";
import { votesAtOnceMax, type Approvals, type PersonsVote } from "./inbox.ts";
import { isJournalFlow } from "./journal.ts";
import { nextRest } from "./steer-run.ts";

const listMax = 1_000;
const sawDigitsMin = 6;
/** A driver that lost the run to another is looked for so often. */
const triesMax = 5;

export function openApprovals(engine: Engine, runs: ActiveRuns): Approvals {
  const { ledger } = engine;
  const inTurn = openTurns();
  const prepare = async (id: string, said: PersonsVote): Promise<Ready> => {
    const approval = await findApproval(engine, id);
    const voter = toVoter(engine, approval, said);
    const permit = canLeadToYes(said.verdict) ? permitVote(engine.policy, approval, voter) : undefined;
    if (permit?.kind === "refused") {
      // One of an older ledger is asked anew by its run.
      if (permit.reason === "stale") void runs.drive(approval.run).catch(engine.onBackgroundError);
      throw toVoteError(approval.id, permit);
    }
    const isRead = said.verdict === "edit" || said.verdict === "answer";
    const asking = isRead ? await findAsking(engine, runs, approval) : undefined;
    return toReady(approval, said, { voter, asking, decided: permit?.decided });
  };
  const record = async (ready: readonly Ready[]): Promise<readonly ApprovalRecord[]> => {
    const recorded = await inTurn(() => writeVotes(engine, runs, ready));
    for (const { id } of recorded) engine.approvalChanged(id);
    for (const approval of recorded) await engine.oversight.decided(approval);
    // They may have been let go while the votes were written, and would not know of them.
    for (const run of new Set(recorded.map((approval) => approval.run)))
      void runs.drive(run).catch(engine.onBackgroundError);
    return recorded;
  };
  return {
    list: (filter = { states: ["open"] }) => ledger.listApprovals({ limit: listMax, ...filter }),
    async show(id) {
      const approval = await findApproval(engine, id);
      const stored = await storedOf(ledger).readBlob(approval.package);
      if (stored === undefined || sha256(stored) !== approval.package) {
        throw new TuttiError("LEDGER_CORRUPT", `the package of ${id} is missing or damaged`, {
          hint: "Run `tutti verify`.",
        });
      }
      const shown: unknown = JSON.parse((await ledger.readBlob(approval.package)) ?? "null");
      if (typeof shown !== "object" || shown === null) throw toErasedError(approval.run);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the engine under this very hash
      return { approval, package: shown as ApprovalPackage };
    },
    mayDecide(approval, by) {
      const { people, clock, policy } = engine;
      const roles = people?.find(({ name }) => name === by)?.roles;
      if (people !== undefined && roles === undefined) return false;
      // Whoever may abstain has a say; whether that may be a yes is for the policy.
      const vote: ApprovalVote = { by, roles, saw: approval.package, verdict: "abstain" };
      return (
        decideVote(approval, vote, clock.now()).kind === "moved" &&
        permitVote(policy, approval, vote).kind === "permitted"
      );
    },
    async decide(id, said) {
      const [recorded] = await record([await prepare(id, said)]);
      return must(recorded, "one vote makes one approval");
    },
    async decideAll(votesById) {
      if (votesById.size > votesAtOnceMax) throw toTooMany(votesById.size);
      const ready: Ready[] = [];
      for (const [id, said] of votesById) ready.push(await prepare(id, said));
      return record(ready);
    },
  };
}

function toTooMany(votes: number): TuttiError {
  return new TuttiError("INPUT_INVALID", `${votes} votes can't be recorded at once`, {
    hint: `Decide at most ${votesAtOnceMax} together.`,
  });
}

/** A vote that was looked at and can be written. */
interface Ready {
  readonly approval: ApprovalRecord;
  readonly entry: NewEntry;
}

type InTurn = <Value>(work: () => Promise<Value>) => Promise<Value>;

/** Votes are written one batch after the other: those on runs that nobody drives here claim them, and would fence each other. */
function openTurns(): InTurn {
  let turn: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = turn.then(work, work);
    turn = next.catch(() => undefined); // whoever voted is told
    return next;
  };
}

async function findApproval({ ledger }: Engine, id: string): Promise<ApprovalRecord> {
  const approval = await ledger.findApproval(toApprovalId(id));
  if (approval !== undefined) return approval;
  throw new TuttiError("APPROVAL_UNKNOWN", `no approval ${id} in this ledger`, {
    hint: "`tutti inbox` lists what waits for people.",
    facts: { approval: id },
  });
}

type Voter = Pick<ApprovalVote, "by" | "roles" | "saw">;

/** Who votes, as the engine knows them, and on what. The ledger looks at both again when the vote is written. */
function toVoter({ people }: Engine, approval: ApprovalRecord, said: PersonsVote): Voter {
  const { by } = said;
  const { id, package: shown } = approval;
  const person = people?.find(({ name }) => name === by);
  if (approval.state !== "open") throw toVoteError(id, { reason: "decided", why: toDecided(approval) });
  if (said.saw.length < sawDigitsMin || !shown.startsWith(said.saw))
    throw toVoteError(id, { reason: "stale", why: `it is not what ${by} was shown` });
  if (people === undefined) return { by, roles: undefined, saw: shown };
  if (person === undefined) throw toVoteError(id, { reason: "forbidden", why: `the engine does not know ${by}` });
  if (said.verdict === "delegate" && !people.some(({ name }) => name === said.to))
    throw toVoteError(id, { reason: "forbidden", why: `the engine does not know ${said.to}` });
  return { by, roles: person.roles, saw: shown };
}

/** What the code behind it can say of an input or an answer. Nothing if that code is not here. */
async function findAsking(engine: Engine, runs: ActiveRuns, { id, run }: ApprovalRecord): Promise<Asking | undefined> {
  for (;;) {
    const driver = (runs.find(run) ?? (await runs.drive(run)))?.driver;
    if (driver === undefined || driver.stopped) return undefined;
    const votable = driver.votables.get(id);
    if (votable !== undefined) return votable.asking;
    if (driver.delivery.idle && driver.busy === 0) return undefined;
    await nextRest(runs, run);
  }
}

interface Voted {
  readonly voter: Voter;
  readonly asking: Asking | undefined;
  /** What the policy said of a vote that can lead to a yes. */
  readonly decided: (Permit & { readonly kind: "permitted" })["decided"];
}

async function toReady(approval: ApprovalRecord, said: PersonsVote, voted: Voted): Promise<Ready> {
  const { vote, told, blobs } = await toVote(approval, said, voted);
  const { id, step } = approval;
  const { by, saw, roles, verdict } = vote;
  const note = said.verdict === "reject" ? said.reason : said.note;
  const { decided } = voted;
  const body = JSON.stringify({ approval: id, by, saw, verdict, roles, note, code: said.code, ...told, decided });
  const entry: NewEntry = { kind: "approval-voted", key: step, body, blobs, approval: { kind: "vote", id, vote } };
  return { approval, entry };
}

interface Made {
  readonly vote: ApprovalVote;
  /** What the entry says besides. */
  readonly told: Readonly<Record<string, unknown>>;
  readonly blobs: readonly Blob[];
}

async function toVote(approval: ApprovalRecord, said: PersonsVote, { asking, voter }: Voted): Promise<Made> {
  const none = { told: {}, blobs: [] };
  switch (said.verdict) {
    case "approve":
    case "abstain":
      return { vote: { ...voter, verdict: said.verdict }, ...none };
    case "reject":
      return { vote: { ...voter, verdict: "reject", reason: said.reason }, ...none };
    case "delegate":
      return { vote: { ...voter, verdict: "delegate", to: said.to }, told: { to: said.to }, blobs: [] };
    case "answer": {
      // Where the flow's code is not here it looks at the answer when it goes on.
      if (approval.kind === "review") parseReview(said.answer);
      await asking?.parseAnswer?.(said.answer);
      const given = toGiven(said.answer);
      return {
        vote: { ...voter, verdict: "answer", answer: given.hash },
        told: { answer: given.hash },
        blobs: [given],
      };
    }
    case "edit": {
      const edited = await toEdited(approval, said.input, asking);
      const { answer, binding, package: shown, about } = edited.vote;
      const told = { answer, binding, package: shown, about };
      return { vote: { ...voter, verdict: "edit", ...edited.vote }, told, blobs: edited.blobs };
    }
  }
}

function parseReview(answer: unknown): void {
  try {
    reviewShape(answer, "the review");
  } catch (error) {
    throw new TuttiError("INPUT_INVALID", describeThrown(error), {
      hint: 'Answer {"isDefective": false, "defects": []}, or name the defects: tutti review.',
      cause: error,
    });
  }
}

type EditVote = Omit<ApprovalVote & { readonly verdict: "edit" }, "by" | "roles" | "saw" | "verdict">;

async function toEdited(
  approval: ApprovalRecord,
  input: unknown,
  asking: Asking | undefined,
): Promise<{ readonly vote: EditVote; readonly blobs: readonly Blob[] }> {
  if (asking === undefined) {
    throw new TuttiError(
      "RUN_WAITS",
      `only the flow's own code can say whether ${approval.id} may have another input`,
      { hint: `Run it where the flow is: tutti resume ${approval.run} <file>.` },
    );
  }
  if (asking.edit === undefined)
    throw toVoteError(approval.id, { reason: "forbidden", why: "its input can't be changed" });
  const edited = await asking.edit(input);
  const content = toCanonicalJson(await edited.toPackage(approval));
  const given = toGiven(input);
  const { about, binding, needs } = edited;
  const shown: Blob = { hash: sha256(content), content };
  return { vote: { about, binding, needs, package: shown.hash, answer: given.hash }, blobs: [given, shown] };
}

function toGiven(value: unknown): Blob {
  const content = toJsonText(value, "what was given") ?? "null";
  return { hash: sha256(content), content };
}

/** Through the drivers of their runs where there are any; otherwise the next ones find the votes. All are written, or none. */
async function writeVotes(
  engine: Engine,
  runs: ActiveRuns,
  ready: readonly Ready[],
): Promise<readonly ApprovalRecord[]> {
  for (let tries = 1; ; tries++) {
    const writers = await findWriters(engine, runs, ready);
    const group: EntryGroup = { size: ready.length };
    try {
      // All in this turn, so that they are one transaction.
      const appended = await Promise.all(
        ready.map(({ approval, entry }) => must(writers.get(approval.run), "looked for")({ ...entry, group })),
      );
      return toRecorded(ready, appended);
    } catch (error) {
      if (!isTuttiError(error) || error.code !== "LEDGER_FENCED" || tries >= triesMax) throw error;
    }
  }
}

/** @throws what the first that was refused met */
function toRecorded(ready: readonly Ready[], appended: readonly Appended[]): readonly ApprovalRecord[] {
  ready.forEach(({ approval }, index) => {
    const outcome = appended[index];
    if (outcome?.kind === "unapproved") throw toVoteError(approval.id, outcome);
  });
  return appended.map((outcome, index) => {
    if (outcome.kind === "recorded" && outcome.approval !== undefined) return outcome.approval;
    throw new TuttiError("BUG", `the vote on ${ready[index]?.approval.id} was ${outcome.kind}`);
  });
}

type Append = (entry: NewEntry) => Promise<Appended>;

/** For every run, who may write to it now. */
async function findWriters(
  engine: Engine,
  runs: ActiveRuns,
  ready: readonly Ready[],
): Promise<ReadonlyMap<RunId, Append>> {
  const writers = new Map<RunId, Append>();
  for (const { approval } of ready) {
    const { run } = approval;
    if (writers.has(run)) continue;
    const driver = (runs.find(run) ?? (await runs.drive(run)))?.driver;
    if (driver !== undefined && !driver.stopped) {
      writers.set(run, (entry) => driver.log.append(entry));
      continue;
    }
    const { log, record } = await engine.ledger.claim(run);
    // A journal goes on with nothing.
    const isWoken = record.status === "waiting" && !isJournalFlow(record.flow);
    writers.set(run, (entry) => log.append(isWoken ? { ...entry, status: "running" } : entry));
  }
  return writers;
}

const voteCodes = {
  unknown: "APPROVAL_UNKNOWN",
  decided: "APPROVAL_DECIDED",
  stale: "APPROVAL_STALE",
  forbidden: "APPROVAL_FORBIDDEN",
  changed: "APPROVAL_STALE",
  early: "APPROVAL_DECIDED",
} as const;

function toVoteError(
  id: string,
  { reason, why, hint, rules }: Pick<Unapproved, "reason" | "why"> & { hint?: string; rules?: readonly string[] },
): TuttiError {
  const usual =
    reason === "stale" ? `Look at it again: tutti inbox ${id}.` : "`tutti inbox` lists what waits for people.";
  return new TuttiError(voteCodes[reason], `this vote on ${id} does not count: ${why}`, {
    hint: hint ?? usual,
    facts: { approval: id, ...(rules === undefined ? {} : { rules }) },
  });
}
