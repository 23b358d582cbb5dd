import { isTuttiError, TuttiError } from "../base/errors.ts";
import type { Amount } from "../contracts/budget.ts";
import { budgetUnits } from "../contracts/budget.ts";
import {
  directivePrefix,
  findDirectiveProblem,
  type Directed,
  type Directive,
  type GivenDirective,
} from "../contracts/directive.ts";
import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import { toDocumentId, toRunId, type RunId } from "../contracts/ids.ts";
import { isOver } from "../contracts/run-record.ts";
import { parseWith } from "../contracts/schema.ts";
import { toStopReason } from "../flow/directives.ts";
import type { Driver } from "../flow/driver.ts";
import { giveDirective, refuseTooMany, toDirectiveEntry, type Giving } from "../flow/give-directive.ts";
import { receiveSignal, toSignalEntry, type IncomingSignal } from "../flow/steering.ts";
import type { Claim, Ledger } from "../ledger/ledger.ts";
import { toEditSignal } from "../teams/plan/edits.ts";
import type { ActiveRuns, Engine } from "./engine-parts.ts";
import { cancelRun, findOpen, findRun, nextRest, pauseRun, resumeRun, writeTo } from "./steer-run.ts";

export interface DirectRequest {
  readonly run: RunId;
  readonly directive: Directive;
  readonly by: string;
  readonly reason?: string | undefined;
}

/** Gives a run, and everything below it, a person's directive. Resolves when it is durable. */
export async function directRun(engine: Engine, runs: ActiveRuns, request: DirectRequest): Promise<Directed> {
  const { run, directive, by, reason } = request;
  const problem = by.trim() === "" ? "nobody gives it" : findDirectiveProblem(directive);
  if (problem !== undefined)
    throw new TuttiError("INPUT_INVALID", `a directive can't be given: ${problem}`, { facts: { run } });
  await findOpen(engine, run);
  if (directive.kind === "pause" || directive.kind === "resume") {
    await (directive.kind === "pause" ? pauseRun : resumeRun)(engine, runs, { run, by, reason });
    return { version: 0, stopped: 0, isWaiting: runs.find(run) === undefined };
  }
  const directed = await giveOrLeave(engine, runs, request);
  if (directive.kind === "budget") await stopIfSpent(engine, runs, request);
  if (directive.kind !== "stop" || !directed.isWaiting) return directed;
  // Nobody is there to take it in, and it shall end all the same.
  await cancelRun(engine, runs, { run, by, reason: toStopReason(toGiven(request, directed.version)) }).catch(onlyOver);
  const { status } = await findRun(engine, run);
  return { ...directed, isWaiting: !isOver(status) };
}

function onlyOver(error: unknown): void {
  if (!isTuttiError(error) || error.code !== "RUN_OVER") throw error;
}

async function giveOrLeave(engine: Engine, runs: ActiveRuns, request: DirectRequest): Promise<Directed> {
  const { run } = request;
  for (;;) {
    const active = runs.find(run) ?? (await runs.drive(run));
    const driver = active?.driver.stopped === false ? active.driver : undefined;
    // What was said before to runs above it comes first, so that the newest is the last.
    if (driver !== undefined) await catchUpDriven(engine, driver);
    await checkHandBack(engine, runs, { request, driver });
    if (driver !== undefined && !driver.stopped) return give(engine, runs, { request, driver });
    let left: Directed | undefined;
    await runs.aside(run, async () => {
      left = await leave(engine, runs, request);
    });
    if (left !== undefined) return left;
  }
}

interface Driven {
  readonly request: DirectRequest;
  readonly driver: Driver;
}

async function give(engine: Engine, runs: ActiveRuns, { request, driver }: Driven): Promise<Directed> {
  const { run, directive } = request;
  refuseTooMany(run, driver.directive.written, toGivenKind(directive));
  const given = toGiven(request, driver.directive.versionOf(run) + 1);
  const own = giveDirective(driver, { given, output: toOutput(directive) });
  engine.directiveVersions.set(run, given.version);
  // In the same turn of the event loop, so that nobody below can write anything in between.
  const below = handDown(runs, { run, given });
  const signal = toSignal(request, given.version);
  await Promise.all([
    own.accepted,
    ...below.map(({ accepted }) => accepted),
    ...(signal === undefined ? [] : [receiveSignal(driver, signal)]),
  ]);
  const stopped = [own, ...below].reduce((sum, each) => sum + each.stopped, 0);
  return { version: given.version, stopped, isWaiting: false };
}

/** For a run that nobody drives: it is paused or parked, or its flow's code is not here. Its next driver finds the entry. */
async function leave(engine: Engine, runs: ActiveRuns, request: DirectRequest): Promise<Directed> {
  const { run, directive } = request;
  const record = await findOpen(engine, run);
  const entries = await engine.ledger.read(run);
  const earlier = entries.filter((entry) => entry.kind === "directive-given");
  refuseTooMany(run, earlier.length, toGivenKind(directive));
  const version = earlier.reduce((newest, entry) => Math.max(newest, ownVersionOf(entry)), 0) + 1;
  const given = toGiven(request, version);
  const signal = toSignal(request, version);
  const wakes = record.status === "waiting" ? ({ status: "running" } as const) : {};
  const missed = await findMissedBy(engine, entries);
  await writeTo(engine, run, [
    ...missed.map((giving) => toDirectiveEntry(run, giving)),
    { ...toDirectiveEntry(run, { given, output: toOutput(directive) }), ...wakes },
    ...(signal === undefined ? [] : [toSignalEntry(signal)]),
  ]);
  engine.directiveVersions.set(run, version);
  const below = handDown(runs, { run, given });
  await Promise.all(below.map(({ accepted }) => accepted));
  return { version, stopped: below.reduce((sum, each) => sum + each.stopped, 0), isWaiting: true };
}

function ownVersionOf(entry: LedgerEntry): number {
  const { version, from } = bodyOf(entry, "directive-given");
  return from === undefined ? version : 0;
}

interface Handing {
  readonly run: RunId;
  readonly given: GivenDirective;
}

/** Hands it to every run below that is being driven. Those at rest find it when they are driven next. */
function handDown(runs: ActiveRuns, { run, given }: Handing): readonly ReturnType<typeof giveDirective>[] {
  return runs.below(run).flatMap(({ driver }) => {
    // What it has missed before is on its way already, and brings this one too.
    if (driver.stopped || driver.directive.versionOf(run) !== given.version - 1) return [];
    return [giveDirective(driver, { given: { ...given, from: run } })];
  });
}

type GivenKind = GivenDirective["kind"];

function toGivenKind({ kind }: Directive): GivenKind {
  if (kind === "pause" || kind === "resume") throw new TuttiError("BUG", `${kind} has no version`);
  return kind;
}

function toGiven({ directive, by, reason }: DirectRequest, version: number): GivenDirective {
  const why = reason === undefined ? {} : { reason };
  const given = { version, kind: toGivenKind(directive), by, ...why };
  switch (directive.kind) {
    case "goal":
    case "constraint":
    case "context":
      return { ...given, text: directive.text };
    case "budget":
      return { ...given, budget: directive.budget };
    case "autonomy":
      return { ...given, level: directive.level };
    case "plan-edit":
      return { ...given, plan: directive.plan };
    case "take-over":
    case "hand-back":
      return { ...given, ...(directive.agent === undefined ? {} : { agent: directive.agent }) };
    default:
      return given;
  }
}

function toOutput(directive: Directive): unknown {
  return directive.kind === "hand-back" ? directive.output : undefined;
}

/** A plan takes its edits as a signal, and checks them. */
function toSignal({ run, directive, by, reason }: DirectRequest, version: number): IncomingSignal | undefined {
  if (directive.kind !== "plan-edit") return undefined;
  const payload = { plan: directive.edit, by, ...(reason === undefined ? {} : { why: reason }) };
  return { name: toEditSignal(directive.plan), payload, id: `directive:${run}:${version}` };
}

interface HandBack {
  readonly request: DirectRequest;
  readonly driver: Driver | undefined;
}

/** A person's result is checked before it is taken, so it can only be handed to a run that is driven here. */
async function checkHandBack(engine: Engine, runs: ActiveRuns, { request, driver }: HandBack): Promise<void> {
  const { run, directive } = request;
  if (directive.kind !== "hand-back" || directive.output === undefined) return;
  const { flow, version } = await findOpen(engine, run);
  const found = engine.findFlow(flow, version);
  if (driver === undefined || found === undefined) {
    throw new TuttiError("FLOW_UNKNOWN", `the result for run ${run} can't be checked: nobody drives it`, {
      hint: "Resume the run with its flow's file, and hand the result in then.",
      facts: { run },
    });
  }
  if (directive.agent === undefined) {
    await parseWith(found.output, directive.output, { code: "INPUT_INVALID", what: `the result for run ${run}` });
    return;
  }
  if (!driver.delivery.idle || driver.busy > 0) await nextRest(runs, run);
  await driver.directive.checkHandBack(directive.agent, directive.output);
}

/** A budget below what is spent leaves nothing to go on with. */
async function stopIfSpent(engine: Engine, runs: ActiveRuns, request: DirectRequest): Promise<void> {
  const { run, directive } = request;
  if (directive.kind !== "budget") return;
  const account = (await engine.ledger.listAccounts({ under: `run/${run}` })).find(
    (each) => each.account === `run/${run}`,
  );
  const unit = findSpent(account?.spent ?? {}, directive.budget);
  if (unit === undefined) return;
  const reason = `more than the new budget is spent: ${unit}`;
  await directRun(engine, runs, { ...request, directive: { kind: "stop" }, reason });
}

function findSpent(spent: Amount, budget: Amount): string | undefined {
  return budgetUnits.find((unit) => (spent[unit] ?? 0) > (budget[unit] ?? Number.POSITIVE_INFINITY));
}

/** The newest version of every run's directives. */
export async function readDirectiveVersions(ledger: Ledger): Promise<Map<RunId, number>> {
  const records = await ledger.listDocuments({ under: toDocumentId(directivePrefix) });
  return new Map(records.map(({ document, version }) => [toRunId(document.slice(directivePrefix.length)), version]));
}

/** What runs above this one were told and it was not, in the order in which it was said. */
async function findMissed(
  engine: Engine,
  ancestors: Catching["ancestors"],
  versionOf: Catching["versionOf"],
): Promise<readonly Giving[]> {
  const missed: { readonly lsn: number; readonly giving: Giving }[] = [];
  for (const { run } of ancestors) {
    if ((engine.directiveVersions.get(run) ?? 0) <= versionOf(run)) continue;
    for (const entry of await engine.ledger.read(run)) {
      if (entry.kind !== "directive-given") continue;
      const { payload: _output, payloadRef: _reference, ...given } = bodyOf(entry, entry.kind);
      if (given.from === undefined && given.version > versionOf(run))
        missed.push({ lsn: entry.lsn, giving: { given: { ...given, from: run } } });
    }
  }
  return missed.toSorted((left, right) => left.lsn - right.lsn).map(({ giving }) => giving);
}

/** What a run's ledger does not hold yet of what runs above it were told. */
async function findMissedBy(engine: Engine, entries: readonly LedgerEntry[]): Promise<readonly Giving[]> {
  const { ancestors, seen } = readSeen(entries);
  return ancestors.length === 0 ? [] : findMissed(engine, ancestors, (run) => seen.get(run) ?? 0);
}

interface Seen {
  readonly ancestors: Catching["ancestors"];
  /** The newest version by whose directives they are; its own stand under no name. */
  readonly seen: Map<RunId | undefined, number>;
}

function readSeen(entries: readonly LedgerEntry[]): Seen {
  const [first] = entries;
  const { ancestors = [] } = first?.kind === "run-started" ? bodyOf(first, first.kind) : {};
  const seen: Seen["seen"] = new Map();
  if (ancestors.length === 0) return { ancestors, seen };
  for (const entry of entries) {
    if (entry.kind !== "directive-given") continue;
    const { from, version } = bodyOf(entry, entry.kind);
    seen.set(from, version);
  }
  return { ancestors, seen };
}

/** Writes down what a run has missed, before it is driven. */
export async function catchUp(engine: Engine, { entries, log, record }: Claim): Promise<readonly LedgerEntry[]> {
  if (engine.directiveVersions.size === 0) return entries;
  const { ancestors, seen } = readSeen(entries);
  let hasMissed = false;
  await untilCaughtUp(engine, {
    ancestors,
    versionOf: (run) => seen.get(run) ?? 0,
    async hand(giving) {
      hasMissed = true;
      seen.set(giving.given.from, giving.given.version);
      await log.append(toDirectiveEntry(record.id, giving));
    },
  });
  return hasMissed ? engine.ledger.read(record.id) : entries;
}

/** The same for a run that has just been taken up: something may have been said in that very moment. */
export function catchUpDriven(engine: Engine, driver: Driver): Promise<void> {
  return untilCaughtUp(engine, {
    ancestors: driver.ancestors,
    versionOf: (run) => (driver.stopped ? Number.POSITIVE_INFINITY : driver.directive.versionOf(run)),
    hand: (giving) => giveDirective(driver, giving).accepted,
  });
}

interface Catching {
  readonly ancestors: readonly { readonly run: RunId }[];
  readonly versionOf: (run: RunId) => number;
  readonly hand: (giving: Giving) => Promise<void>;
}

/** People may go on saying things while it is read what they have said. */
async function untilCaughtUp(engine: Engine, { ancestors, versionOf, hand }: Catching): Promise<void> {
  const { directiveVersions, ledger } = engine;
  const isBehind = ({ run }: { readonly run: RunId }): boolean => (directiveVersions.get(run) ?? 0) > versionOf(run);
  while (directiveVersions.size > 0 && ancestors.some(isBehind)) {
    await ledger.flush();
    const missed = await findMissed(engine, ancestors, versionOf);
    if (missed.length === 0) return; // its ledger has refused it
    for (const giving of missed) {
      const { from, version } = giving.given;
      if (from !== undefined && versionOf(from) < version) await hand(giving);
    }
  }
}
