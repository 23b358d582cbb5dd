import { systemClock, type Clock } from "../../base/clock.ts";
import { TuttiError } from "../../base/errors.ts";
import {
  autonomyDefault,
  autonomyMax,
  isActionKind,
  parseAgentVersion,
  toAgentId,
  toCertified,
  type AgentVersion,
  type Certificate,
} from "../../contracts/autonomy.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import type { Policy } from "../../contracts/policy.ts";
import { openAnswerReader, toAnswerCase, type AnswerReader } from "../../insight/oversight/answers.ts";
import { openJudgementReader } from "../../insight/oversight/judgements.ts";
import { toOverride, toOverrideCase } from "../../insight/oversight/overrides.ts";
import { openPrecedentBook, type PrecedentBook } from "../../insight/oversight/precedent-book.ts";
import type { Ledger, NewEntry } from "../../ledger/ledger.ts";
import { refuseExposing } from "../../ledger/refuse-exposing.ts";
import { openJournal, openSharedJournal, toJournalRun, type Journal } from "../journal.ts";
import { applyToCertificates, emptyCertificates, type Certificates } from "./certificates.ts";
import { toOverdueEntries } from "./end-overdue.ts";
import type { AutonomyDesk, AutonomyLine, OversightBook } from "./oversight.ts";
import { toProposal } from "./proposal.ts";
import { decidePromotion, openTrustBook, toEvidence, toLevelLeft, type Trouble, type TrustBook } from "./trust.ts";

const journalName = "all";
const journalRun = toJournalRun("autonomy", journalName);
const batchEntriesMax = 1_000;

export interface Overseen {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly people: readonly { readonly name: string }[] | undefined;
  readonly policy: Policy | undefined;
  readonly onBackgroundError: (error: unknown) => void;
}

interface Book extends Overseen {
  readonly certificates: Certificates;
  readonly trust: TrustBook;
  readonly overrides: PrecedentBook;
  readonly answers: PrecedentBook;
  readonly judge: ReturnType<typeof openJudgementReader>;
  readonly answerReader: AnswerReader;
  /** How far the ledger was read. */
  lsn: number;
  journal: Promise<Journal> | undefined;
  /** One at a time. */
  turn: Promise<void>;
  /** Those that begin after now share one. */
  next: Promise<void> | undefined;
}

/** What was granted is known when it resolves; everything else is read when it is first asked for. */
export async function openOversight(overseen: Overseen): Promise<OversightBook> {
  const book = toBook(overseen);
  await refresh(book);
  const certificatesOf = (agent: AgentVersion): Map<string, Certificate> | undefined =>
    book.certificates.byAgent.get(toAgentId(agent));
  return {
    desk: toDesk(book),
    levelOf: (agent, resource) => toCertified(certificatesOf(agent), resource, book.clock.now()),
    tenantCap: (tenant) => (tenant === undefined ? undefined : book.certificates.capByTenant.get(tenant)),
    isCertified: (agent) => [...(certificatesOf(agent)?.values() ?? [])].some(({ level }) => level > autonomyDefault),
    catchUp: () => catchUp(book),
    async findPrecedents(like, limit) {
      await catchUp(book);
      return (like.question === undefined ? book.overrides : book.answers).findLike(like, limit);
    },
    async decided({ kind }) {
      if (kind === "promotion") await catchUp(book);
      else if (kind === "action") catchUp(book).catch(book.onBackgroundError);
    },
    close: () => book.turn.catch(() => undefined), // whoever waited for it was told
  };
}

/** The same from a ledger that nothing is written to. */
export async function readAutonomy(ledger: Ledger, name?: string): Promise<readonly AutonomyLine[]> {
  const book = toBook({ ledger, clock: systemClock, people: undefined, policy: undefined, onBackgroundError() {} });
  await readAll(book);
  return toLines(book, name);
}

function toBook(overseen: Overseen): Book {
  return {
    ...overseen,
    certificates: emptyCertificates(),
    trust: openTrustBook(),
    overrides: openPrecedentBook(),
    answers: openPrecedentBook(),
    judge: openJudgementReader(),
    answerReader: openAnswerReader(),
    lsn: 0,
    journal: undefined,
    turn: Promise.resolve(),
    next: undefined,
  };
}

/** Takes in what the journal says, whoever wrote it. */
async function refresh({ ledger, certificates }: Book): Promise<void> {
  if ((await ledger.findRun(journalRun)) === undefined) return;
  for (const entry of await ledger.read(journalRun, certificates.seq + 1)) applyToCertificates(certificates, entry);
}

/** One that has not begun yet sees all that is in the ledger now. */
function catchUp(book: Book): Promise<void> {
  if (book.next !== undefined) return book.next;
  const next = book.turn
    .catch(() => undefined)
    .then(() => {
      book.next = undefined;
      return readOn(book);
    });
  book.next = next;
  book.turn = next;
  return next;
}

async function readOn(book: Book): Promise<void> {
  await readAll(book);
  await withdrawLost(book);
  if (book.certificates.proposed.size > 0)
    for (const entry of await toOverdueEntries(book.ledger, journalRun, book.clock.now())) await append(book, entry);
  await propose(book);
}

async function readAll(book: Book): Promise<void> {
  const { ledger } = book;
  await refresh(book);
  for (;;) {
    const entries = await ledger.scan(book.lsn, batchEntriesMax);
    for (const entry of entries) {
      await noteEntry(book, entry);
      book.lsn = entry.lsn;
    }
    if (entries.length < batchEntriesMax) return;
  }
}

async function noteEntry(book: Book, entry: LedgerEntry): Promise<void> {
  if (entry.run === journalRun) noteChange(book, entry);
  const answered = book.answerReader.note(entry);
  const answer = answered === undefined ? undefined : await toAnswerCase(book.ledger, answered);
  if (answer !== undefined) book.answers.add(answer);
  const judgement = book.judge.note(entry);
  if (judgement === undefined) return;
  const override = await toOverride(book.ledger, judgement);
  if (override !== undefined) book.overrides.add(toOverrideCase(override));
  book.trust.note(judgement);
}

/** What was known of it before has had its consequence. */
function noteChange({ trust }: Book, entry: LedgerEntry): void {
  const { kind } = entry;
  if (kind !== "autonomy-granted" && kind !== "autonomy-withdrawn" && kind !== "autonomy-proposed") return;
  const { agent, version, action } = bodyOf(entry, kind);
  trust.restart({ name: agent, version }, action);
}

async function append(book: Book, entry: NewEntry): Promise<void> {
  refuseExposing(entry);
  book.journal ??= openJournal(book.ledger, "autonomy", journalName).then((journal) =>
    openSharedJournal(book.ledger, journal),
  );
  const journal = await book.journal.catch((error: unknown) => {
    book.journal = undefined;
    throw error;
  });
  await journal.append(entry);
  await refresh(book);
}

async function withdrawLost(book: Book): Promise<void> {
  const now = book.clock.now();
  for (const [id, certificates] of book.certificates.byAgent) {
    const agent = parseAgentVersion(id);
    if (agent === undefined) continue;
    for (const certificate of Array.from(certificates.values())) {
      const lost = findLoss(book, agent, { certificate, now });
      if (lost === undefined) continue;
      const { action, level } = certificate;
      const body = {
        agent: agent.name,
        version: agent.version,
        action,
        level: toLevelLeft(level, lost),
        by: "engine",
        reason: lost.reason,
        cause: lost.lsn,
      };
      await append(book, { kind: "autonomy-withdrawn", key: "", body: JSON.stringify(body) });
      book.trust.restart(agent, action);
    }
  }
}

interface Held {
  readonly certificate: Certificate;
  readonly now: number;
}

function findLoss({ trust }: Book, agent: AgentVersion, { certificate, now }: Held): Trouble | undefined {
  const { action, level, until, lsn } = certificate;
  if (level <= autonomyDefault) return undefined;
  if (until !== undefined && until <= now) return { reason: "its certificate has expired", lsn, loses: "all" };
  const known = trust.list().find((each) => each.action === action && toAgentId(each.agent) === toAgentId(agent));
  // What happened before it was granted was known to whoever granted it.
  return known?.trouble !== undefined && known.trouble.lsn > lsn ? known.trouble : undefined;
}

async function propose(book: Book): Promise<void> {
  for (const trust of book.trust.list()) {
    const { agent, action } = trust;
    const isWaiting = [...book.certificates.proposed.values()].some(
      (each) => each.action === action && each.agent === agent.name && each.version === agent.version,
    );
    const present = book.certificates.byAgent.get(toAgentId(agent))?.get(action)?.level ?? autonomyDefault;
    const level = isWaiting ? undefined : decidePromotion(trust, present);
    if (level === undefined) continue;
    const proposal = { agent: agent.name, version: agent.version, action, level, evidence: toEvidence(trust) };
    const asked = {
      run: journalRun,
      now: book.clock.now(),
      after: book.certificates.seq,
      peopleKnown: book.people !== undefined,
      policy: book.policy,
    };
    await append(book, toProposal(proposal, asked));
    book.trust.restart(agent, action);
  }
}

function toDesk(book: Book): AutonomyDesk {
  return {
    async list(name) {
      await catchUp(book);
      return toLines(book, name);
    },
    async grant({ agent, by, until, ...request }) {
      const { name, version } = checkRequest(book, { agent, by, ...request });
      if (until !== undefined && !(Number.isSafeInteger(until) && until > book.clock.now()))
        throw toInvalid("it would have ended already", "Give a time to come.");
      const body = JSON.stringify({ agent: name, version, ...request, by, until });
      await append(book, { kind: "autonomy-granted", key: "", body });
    },
    async withdraw({ agent, by, ...request }) {
      const { name, version } = checkRequest(book, { agent, by, ...request });
      await append(book, {
        kind: "autonomy-withdrawn",
        key: "",
        body: JSON.stringify({ agent: name, version, ...request, by }),
      });
    },
    async cap(request) {
      checkLevel(request.level);
      checkPerson(book, request.by);
      if (request.tenant.trim() === "") throw toInvalid("no tenant has an empty name", "Name the tenant.");
      await append(book, { kind: "autonomy-capped", key: "", body: JSON.stringify(request) });
    },
  };
}

function toLines({ certificates, trust }: Book, name: string | undefined): readonly AutonomyLine[] {
  const { byAgent, proposed } = certificates;
  const known = trust.list();
  const held = [...byAgent].flatMap(([id, actions]) => [...actions.keys()].map((action) => [id, action] as const));
  // What people decide of a tier is decided tool by tool.
  const judged = known
    .filter(({ action }) => action.startsWith("tool/"))
    .map(({ agent, action }) => [toAgentId(agent), action] as const);
  const waits = [...proposed.values()].map(
    (each) => [toAgentId({ name: each.agent, version: each.version }), each.action] as const,
  );
  const names = new Map([...held, ...judged, ...waits].map((each) => [each.join(" "), each]));
  return [...names.values()].flatMap(([id, action]) => {
    const agent = parseAgentVersion(id);
    if (agent === undefined || (name !== undefined && name !== agent.name && name !== id)) return [];
    const certificate = byAgent.get(id)?.get(action);
    const cases = known.find((each) => each.action === action && toAgentId(each.agent) === id);
    const waiting = [...proposed].find(
      ([, each]) => each.action === action && toAgentId({ name: each.agent, version: each.version }) === id,
    );
    return {
      agent: agent.name,
      version: agent.version,
      action,
      level: certificate?.level ?? autonomyDefault,
      until: certificate?.until,
      evidence: cases === undefined ? noEvidence : toEvidence(cases),
      proposal: waiting?.[0],
    };
  });
}

const noEvidence = { decided: 0, agreed: 0, severe: 0, lower: 0, by: [] };

interface Checked {
  readonly agent: string;
  readonly action: string;
  readonly level: number;
  readonly by: string;
}

function checkRequest(book: Book, { agent, action, level, by }: Checked): AgentVersion {
  checkLevel(level);
  checkPerson(book, by);
  if (!isActionKind(action))
    throw toInvalid(`"${action}" is no kind of action`, "Name tool/<name>, tier/<tier> or tier/<tier>/<data class>.");
  const parsed = parseAgentVersion(agent);
  if (parsed !== undefined) return parsed;
  throw toInvalid(`"${agent}" names no version of an agent`, "Write it as name@version.");
}

function checkLevel(level: number): void {
  if (Number.isInteger(level) && level >= 0 && level <= autonomyMax) return;
  throw toInvalid(`the level is ${level}`, `Give a whole number from 0 to ${autonomyMax}.`);
}

function checkPerson({ people }: Book, by: string): void {
  if (people === undefined || people.some(({ name }) => name === by)) return;
  throw toInvalid(`the engine does not know ${by}`, "Name one of its `people`.");
}

function toInvalid(message: string, hint: string): TuttiError {
  return new TuttiError("INPUT_INVALID", message, { hint });
}
