import { TuttiError } from "../base/errors.ts";
import { refuseSecrets } from "../base/refuse-secrets.ts";
import { bodyOf, type EntryKind, type LedgerEntry } from "../contracts/entry.ts";
import type { EffectKey, RunId } from "../contracts/ids.ts";
import { isOver, type EffectRecord, type RunRecord } from "../contracts/run-record.ts";
import type { PersonsVerdict } from "../flow/driver.ts";
import { readHistory } from "../flow/history.ts";
import {
  receiveSignal,
  requestCancel,
  settleDoubt,
  toCancelEntry,
  toPersonsNote,
  toRunOver,
  toSignalEntry,
  toVerdictEntry,
  type IncomingSignal,
} from "../flow/steering.ts";
import { toBody } from "../flow/stored-value.ts";
import type { NewEntry } from "../ledger/ledger.ts";
import type { ActiveRuns, Engine, Rest } from "./engine-parts.ts";
import { isJournalFlow } from "./journal.ts";

/** @throws TuttiError RUN_UNKNOWN, RUN_OVER */
export async function findOpen(engine: Engine, run: RunId): Promise<RunRecord> {
  const record = await findRun(engine, run);
  refuseJournal(record);
  if (isOver(record.status)) throw toRunOver(run);
  return record;
}

function refuseJournal({ id, flow }: RunRecord): void {
  if (!isJournalFlow(flow)) return;
  throw new TuttiError("INPUT_INVALID", `${id} is not a run of a flow`, {
    hint: "Topics, subscriptions and schedules are steered by tutti.events and tutti.schedules.",
    facts: { run: id },
  });
}

/** @throws TuttiError RUN_UNKNOWN */
export async function findRun(engine: Engine, run: RunId): Promise<RunRecord> {
  const record = await engine.ledger.findRun(run);
  if (record !== undefined) return record;
  throw new TuttiError("RUN_UNKNOWN", `no run ${run} in this ledger`, {
    hint: "`tutti runs` lists them.",
    facts: { run },
  });
}

/** Writes to a run that nobody drives: it is paused or parked, waits for a slot, or its flow's code is not here. The next driver finds the entry. */
export async function writeTo(engine: Engine, run: RunId, entries: readonly NewEntry[]): Promise<void> {
  const { log, record } = await engine.ledger.claim(run);
  if (isOver(record.status)) throw toRunOver(run);
  await Promise.all(entries.map((entry) => log.append(entry)));
}

interface SignalRequest {
  readonly run: RunId;
  readonly signal: IncomingSignal;
}

/** Delivers a signal, whatever the run is doing. Resolves when it is durable. */
export function signalRun(engine: Engine, runs: ActiveRuns, request: SignalRequest): Promise<void> {
  const driver = runs.find(request.run)?.driver;
  return driver === undefined || driver.stopped
    ? signalElsewhere(engine, runs, request)
    : receiveSignal(driver, request.signal);
}

async function signalElsewhere(engine: Engine, runs: ActiveRuns, request: SignalRequest): Promise<void> {
  do {
    const active = runs.find(request.run) ?? (await runs.drive(request.run));
    if (active !== undefined && !active.driver.stopped) {
      await receiveSignal(active.driver, request.signal);
      return;
    }
  } while (!(await runs.aside(request.run, () => writeSignal(engine, request))));
}

/** Writes the signal to a run that nobody drives. */
async function writeSignal(engine: Engine, request: SignalRequest): Promise<void> {
  const found = await findRun(engine, request.run);
  refuseJournal(found);
  const isSeen = (entry: LedgerEntry): boolean =>
    entry.kind === "signal-received" && bodyOf(entry, entry.kind).id === request.signal.id;
  // A sender that died before it could note the delivery sends again; the receiver may have ended over it.
  if ((await engine.ledger.read(request.run)).some(isSeen)) return;
  if (isOver(found.status)) throw toRunOver(request.run);
  const { log, entries, record } = await engine.ledger.claim(request.run);
  if (entries.some(isSeen)) return;
  if (isOver(record.status)) throw toRunOver(request.run);
  const wakes = record.status === "waiting" ? ({ status: "running" } as const) : {};
  await log.append({ ...toSignalEntry(request.signal), ...wakes });
}

interface CancelRequest {
  readonly run: RunId;
  readonly by: string;
  readonly reason: string;
}

/** Cancels a run and, through it, its children. Resolves when the wish is durable; the run ends as soon as its code has left. */
export async function cancelRun(engine: Engine, runs: ActiveRuns, request: CancelRequest): Promise<void> {
  do {
    const active = runs.find(request.run) ?? (await runs.drive(request.run));
    if (active !== undefined && !active.driver.stopped) {
      await requestCancel(active.driver, request);
      return;
    }
  } while (!(await runs.aside(request.run, () => cancelAside(engine, runs, request))));
}

/** Cancels a run that nobody drives. */
async function cancelAside(engine: Engine, runs: ActiveRuns, request: CancelRequest): Promise<void> {
  const { run, by, reason } = request;
  const record = await findOpen(engine, run);
  const wish = toCancelEntry({ by, reason });
  // A parked run's code can't be trusted to leave, and a paused one's would first have to go on: both end here, with nothing undone.
  // One that has not begun, because it waits for a slot, has nothing to leave.
  const isStopped = record.status === "parked" || record.status === "paused";
  const waitsForSlot = engine.protection?.slots?.waitsFor(run) !== undefined;
  const ends = isStopped || (waitsForSlot && !(await hasBegun(engine, run)));
  if (!ends) {
    await writeTo(engine, run, [wish]);
    return;
  }
  const end: NewEntry = {
    kind: "run-cancelled",
    key: "",
    body: toBody({ reason }),
    status: "cancelled",
    ...(record.parent === undefined ? {} : { wakes: record.parent }),
  };
  await writeTo(engine, run, [wish, end]);
  runs.release(run);
  runs.tellEnd(record, { kind: "cancelled", reason });
  const { openChildren } = readHistory(await engine.ledger.read(run));
  for (const [child, onParentEnd] of openChildren) {
    if (onParentEnd === "cancel")
      await cancelChild(engine, runs, { run: child, by: "its parent", reason: `${run} was cancelled` });
  }
}

/** Anything was written but its start and what others sent it. */
async function hasBegun(engine: Engine, run: RunId): Promise<boolean> {
  const entries = await engine.ledger.read(run);
  return entries.some(({ kind }) => !sentKinds.has(kind));
}

const sentKinds: ReadonlySet<EntryKind> = new Set([
  "run-started",
  "signal-received",
  "directive-given",
  "run-paused",
  "run-resumed",
]);

async function cancelChild(engine: Engine, runs: ActiveRuns, request: Parameters<typeof cancelRun>[2]): Promise<void> {
  const record = await engine.ledger.findRun(request.run);
  if (record !== undefined && !isOver(record.status)) await cancelRun(engine, runs, request);
}

export interface Steerer {
  readonly run: RunId;
  readonly by: string;
  readonly reason?: string | undefined;
}

function toSaid({ by, reason }: Steerer): Readonly<Record<string, string>> {
  return { by, ...(reason === undefined ? {} : { reason }) };
}

/** Stops handing results to the flow's code. What is going on comes to its recorded end first. */
export async function pauseRun(engine: Engine, runs: ActiveRuns, request: Steerer): Promise<void> {
  const record = await findOpen(engine, request.run);
  if (record.status === "paused") return;
  const entry: NewEntry = { kind: "run-paused", key: "", body: toBody(toSaid(request)), status: "paused" };
  const pauseAside = async (): Promise<void> => {
    await writeTo(engine, request.run, [entry]);
    runs.release(request.run);
  };
  for (;;) {
    const active = runs.find(request.run);
    if (active !== undefined && !active.driver.stopped) {
      const { driver } = active;
      await driver.accept(entry, () => {});
      await new Promise<void>((resolve) => driver.halt(resolve));
      await driver.log.durable();
      // Another pause may have let it go, and a resume have taken it up again.
      if (runs.find(request.run) === active) runs.release(request.run);
      break;
    }
    if (await runs.aside(request.run, pauseAside)) break;
  }
  runs.tell(request.run, { kind: "waiting" });
  // A cancel that came while the driver was being halted goes before: without anybody to drive it, the run would never end.
  if ((await findRun(engine, request.run)).status === "running") await runs.drive(request.run);
}

/** Goes on after a pause, and tries again what is parked. */
export async function resumeRun(engine: Engine, runs: ActiveRuns, request: Steerer): Promise<void> {
  const record = await findOpen(engine, request.run);
  if (record.status === "paused" || record.status === "parked") {
    const active = runs.find(request.run);
    // A pause that is still taking hold comes to its end first: what is at work must not be at work twice.
    if (active?.driver.stopped === false) await new Promise<void>((resolve) => active.driver.halt(resolve));
    if (active !== undefined) runs.release(request.run);
    await runs.aside(request.run, async () => {
      const { status } = await findOpen(engine, request.run);
      if (status !== "paused" && status !== "parked") return; // somebody else was quicker
      await writeTo(engine, request.run, [
        { kind: "run-resumed", key: "", body: toBody(toSaid(request)), status: "running" },
      ]);
    });
  }
  const active = await runs.drive(request.run);
  if (active === undefined && engine.findFlow(record.flow, record.version) === undefined) throw toFlowUnknown(record);
}

export function toFlowUnknown(record: RunRecord): TuttiError {
  return new TuttiError(
    "FLOW_UNKNOWN",
    `run ${record.id} needs the flow ${record.flow} version ${record.version}, which this process was not given`,
    {
      hint: "Pass it to openTutti({ flows: [...] }), or name its file on the command line.",
      facts: { run: record.id, flow: record.flow, version: record.version },
    },
  );
}

/** Records what a person found out about an effect that was in doubt; its run goes on. */
export async function settleEffect(
  engine: Engine,
  runs: ActiveRuns,
  request: { readonly effect: EffectKey; readonly verdict: PersonsVerdict },
): Promise<void> {
  refuseSecrets(toPersonsNote(request.verdict), "the note of the verdict");
  const effect = await findInDoubt(engine, request.effect);
  const write = async (): Promise<void> => {
    const { log, record } = await engine.ledger.claim(effect.run);
    if (isOver(record.status)) throw toRunOver(effect.run);
    // A driver that was just set going asks the tool's check by itself, and may have had the answer first. Now nobody else can write.
    await findInDoubt(engine, effect.key);
    await log.append(toVerdictEntry(effect, request.verdict));
  };
  const writeAside = async (): Promise<boolean> => {
    try {
      return await runs.aside(effect.run, write);
    } catch (error) {
      await runs.drive(effect.run); // refused, but the run has lost its driver
      throw error;
    }
  };
  for (;;) {
    const driver = (runs.find(effect.run) ?? (await runs.drive(effect.run)))?.driver;
    if (driver === undefined || driver.stopped) {
      if (await writeAside()) break;
    } else if (settleDoubt(driver, effect.key, request.verdict)) {
      await driver.log.durable();
      return;
    } else if (driver.delivery.idle && driver.busy === 0) {
      await findInDoubt(engine, effect.key);
      // At rest, and nobody there waits for it: it belongs to a branch whose code does not run any more, and is taken up at the end.
      runs.release(effect.run);
      if (await writeAside()) break;
    } else await nextRest(runs, effect.run);
  }
  runs.effectChanged(effect.key);
  await runs.drive(effect.run);
}

/** @throws TuttiError EFFECT_UNKNOWN */
async function findInDoubt(engine: Engine, key: EffectKey): Promise<EffectRecord> {
  const effect = await engine.ledger.findEffect(key);
  if (effect?.state === "in-doubt") return effect;
  throw new TuttiError(
    "EFFECT_UNKNOWN",
    effect === undefined ? `no effect ${key} in this ledger` : `effect ${key} is ${effect.state}, not in doubt`,
    { hint: "`tutti runs --status in-doubt` lists what waits for a person.", facts: { effect: key } },
  );
}

/** Resolves when the run comes to rest, or leaves. */
export function nextRest(runs: ActiveRuns, run: RunId): Promise<Rest> {
  return new Promise((resolve) => {
    const forget = runs.onRest(run, (rest) => {
      forget();
      resolve(rest);
    });
  });
}
