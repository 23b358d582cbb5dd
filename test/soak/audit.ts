import { systemClock } from "../../packages/tutti/src/base/clock.ts";
import { bodyOf, type LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import { toEffectKey, toRunId } from "../../packages/tutti/src/contracts/ids.ts";
import { isOver } from "../../packages/tutti/src/contracts/run-record.ts";
import type { Ledger } from "../../packages/tutti/src/ledger/ledger.ts";
import { openSqliteLedger } from "../../packages/tutti/src/ledger/sqlite/sqlite-ledger.ts";
import { verifyLedger } from "../../packages/tutti/src/ledger/verify.ts";
import { plannedFailure } from "./flows.ts";
import type { RecorderClient, RecorderEvent } from "./recorder-client.ts";

/**
 * `duplicate`: an effect that must be done once was done again, or a finished step was run again. `lost`: something acknowledged is gone,
 * or the ledger says done and the world does not. `undisclosed`: the world has it, and the ledger does not say so. `stuck`: a run did not
 * come to its end, or to a wrong one.
 */
export type FindingKind = "duplicate" | "lost" | "undisclosed" | "stuck";

export interface Finding {
  readonly kind: FindingKind;
  readonly what: string;
}

export const tallied = [
  "entries",
  "runs",
  "acts",
  "settledByCheck",
  "settledByPerson",
  "inDoubt",
  "undone",
  "shared",
  "children",
  "cancelled",
] as const;

/** What happened, so that a test can tell that the soak was not empty. */
export type Tally = Record<(typeof tallied)[number], number>;

/** Compares what the worker said, what the ledger holds and what the recorder did, life by life. */
export interface Audit {
  readonly findings: readonly Finding[];
  readonly tally: Readonly<Tally>;
  /** After each life: the recorder is quiet and nobody drives. */
  afterLife(lines: readonly string[]): Promise<void>;
  /** After the last life: everything has to be over. */
  atEnd(): Promise<void>;
}

const pageEntries = 5_000;

interface AuditState {
  readonly findings: Finding[];
  readonly tally: Tally;
  /** Steps of which the ledger has the result, as `run step`. */
  readonly finished: Set<string>;
  readonly results: Map<string, string>;
  lsn: number;
  events: number;
}

export function openAudit(file: string, recorder: RecorderClient): Audit {
  const state: AuditState = {
    findings: [],
    tally: {
      entries: 0,
      runs: 0,
      acts: 0,
      settledByCheck: 0,
      settledByPerson: 0,
      inDoubt: 0,
      undone: 0,
      shared: 0,
      children: 0,
      cancelled: 0,
    },
    finished: new Set(),
    results: new Map(),
    lsn: 0,
    events: 0,
  };
  const reading = async (look: (ledger: Ledger) => Promise<void>): Promise<void> => {
    const ledger = await openSqliteLedger(file, { clock: systemClock, readOnly: true });
    try {
      await look(ledger);
    } finally {
      await ledger.close();
    }
  };
  return {
    findings: state.findings,
    tally: state.tally,
    afterLife: (lines) =>
      reading(async (ledger) => {
        const entries = await readNew(state, ledger);
        checkSaid(state, lines, entries);
        for (const line of lines)
          if (line.startsWith("started ")) await checkStarted(state, ledger, line.slice("started ".length));
        for (const entry of entries) count(state, entry);
        await checkEvents(state, ledger, await recorder.events(state.events));
      }),
    atEnd: () =>
      reading(async (ledger) => {
        const chain = await verifyLedger(ledger);
        if (chain.kind === "broken") find(state, "lost", `entry ${chain.lsn} breaks the chain: ${chain.why}`);
        await checkRuns(state, ledger);
        await checkEffects(state, ledger, (await recorder.events(state.events)).standing);
      }),
  };
}

function find(state: AuditState, kind: FindingKind, what: string): void {
  state.findings.push({ kind, what });
}

async function readNew(state: AuditState, ledger: Ledger): Promise<readonly LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  for (;;) {
    const page = await ledger.scan(state.lsn + entries.length, pageEntries);
    entries.push(...page);
    if (page.length < pageEntries) break;
  }
  state.lsn += entries.length;
  return entries;
}

/** What the worker said before it was killed: entries that it saw are there unchanged, and no finished step was run again. */
function checkSaid(state: AuditState, lines: readonly string[], entries: readonly LedgerEntry[]): void {
  const hashes = new Map(entries.map((entry) => [String(entry.lsn), entry.hash]));
  for (const line of lines) {
    const [word = "", first = "", second = "", kind = "", run = "", key = ""] = line.split(" ");
    switch (word) {
      case "entry":
        if (hashes.get(first) !== second)
          find(state, "lost", `entry ${first} (${kind} ${run} ${key}) was acknowledged`);
        if (kind === "step-done") state.finished.add(`${run} ${key}`);
        break;
      case "ran":
        if (state.finished.has(`${first} ${second}`))
          find(state, "duplicate", `step ${second} of ${first} was finished and ran again`);
        break;
      case "result":
        state.results.set(first, line.slice(`result ${first} `.length));
        break;
      case "trouble":
        find(state, "stuck", line);
        break;
      default:
        break;
    }
  }
}

async function checkStarted(state: AuditState, ledger: Ledger, id: string): Promise<void> {
  if ((await ledger.findRun(toRunId(id))) === undefined) find(state, "lost", `run ${id} was acknowledged`);
}

function count(state: AuditState, entry: LedgerEntry): void {
  const { tally } = state;
  tally.entries++;
  switch (entry.kind) {
    case "step-done":
      state.finished.add(`${entry.run} ${entry.key}`);
      break;
    case "run-started":
      tally.runs++;
      break;
    case "effect-settled": {
      const { by } = bodyOf(entry, entry.kind);
      if (by === "check") tally.settledByCheck++;
      if (by === "person") tally.settledByPerson++;
      break;
    }
    case "effect-in-doubt":
      tally.inDoubt++;
      break;
    case "effect-undone":
      tally.undone++;
      break;
    case "effect-shared":
      tally.shared++;
      break;
    case "child-settled":
      tally.children++;
      break;
    case "run-cancelled":
      tally.cancelled++;
      break;
    default:
      break;
  }
}

interface WorldView {
  readonly events: readonly RecorderEvent[];
  readonly standing: ReadonlySet<string>;
}

/** What the world has seen since the last look: nothing twice, and nothing that the ledger does not know of. */
async function checkEvents(state: AuditState, ledger: Ledger, world: WorldView): Promise<void> {
  state.events += world.events.length;
  for (const { kind, key, isDuplicate } of world.events) {
    if (kind === "act") state.tally.acts++;
    if (isDuplicate) find(state, "duplicate", `${key} was done twice`);
    if (kind !== "act" || !world.standing.has(key)) continue;
    const effect = await ledger.findEffect(toEffectKey(key));
    if (effect === undefined || !["intended", "settled", "in-doubt"].includes(effect.state))
      find(state, "undisclosed", `${key} was done, and is ${effect?.state ?? "unknown"} in the ledger`);
  }
}

async function checkRuns(state: AuditState, ledger: Ledger): Promise<void> {
  for (const run of await ledger.listRuns({ limit: Number.MAX_SAFE_INTEGER })) {
    if (!isOver(run.status)) {
      find(state, "stuck", `run ${run.id} is ${run.status}`);
      continue;
    }
    const plan = run.id.split("-").at(2) ?? "";
    const entries = await ledger.read(run.id);
    const last = entries.at(-1);
    const wanted = run.parent === undefined ? plan : "any";
    const error = last?.kind === "run-failed" ? bodyOf(last, last.kind).error : undefined;
    if ((wanted === "done" || wanted === "failed") && run.status !== wanted)
      find(state, "stuck", `run ${run.id} is ${run.status}: ${error?.code} ${error?.message}`);
    if (error !== undefined && error.message !== plannedFailure && error.code !== "RUN_CANCELLED")
      find(state, "stuck", `run ${run.id} failed: ${error.code} ${error.message}`);
    const result = state.results.get(run.id);
    if (result !== undefined && (last?.kind !== "run-done" || JSON.stringify(bodyOf(last, last.kind).out) !== result))
      find(state, "lost", `the result of ${run.id} was handed out, and the ledger has another`);
  }
}

async function checkEffects(state: AuditState, ledger: Ledger, standing: ReadonlySet<string>): Promise<void> {
  const known = new Set<string>();
  for (const { key, state: is, run } of await ledger.listEffects({})) {
    known.add(key);
    const stands = standing.has(key);
    if (is === "settled" && !stands) find(state, "lost", `${key} of ${run} is settled, and was not done`);
    if (is !== "settled" && stands) find(state, "undisclosed", `${key} of ${run} stands, and is ${is} in the ledger`);
    if (is === "intended" || is === "in-doubt") find(state, "stuck", `${key} of ${run} is still ${is}`);
  }
  for (const key of standing)
    if (!known.has(key)) find(state, "undisclosed", `${key} stands, and the ledger does not know it`);
}
