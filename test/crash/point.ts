import type { LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import type { RunState, Tutti } from "../../packages/tutti/src/engine/tutti.ts";
import { toUndoables } from "../../packages/tutti/src/flow/rollback.ts";
import { pause, toFlows, toSignals, toTools, type Life } from "./interpret.ts";
import type { CrashCase } from "./program.ts";
import { restoreLedger } from "./restore.ts";
import { openChance, openTickClock } from "./tick-clock.ts";
import { openWorld, type WorldEvent } from "./world.ts";

/** What one life of a process left behind. */
export interface LifeResult {
  readonly entries: readonly LedgerEntry[];
  readonly state: RunState | { readonly kind: "hangs"; readonly was: string };
  readonly life: Life;
}

const ticksMax = 4_000;

/** Lives a case from the given past to its end. */
export async function live(
  crashCase: CrashCase,
  past: { readonly entries: readonly LedgerEntry[]; readonly events: readonly WorldEvent[]; readonly seed: number },
): Promise<LifeResult> {
  const clock = openTickClock((past.entries.at(-1)?.at ?? 1_000) + 5);
  const entries: LedgerEntry[] = [];
  const ledger = await restoreLedger(past.entries, { clock, onEntry: (entry) => entries.push(entry) });
  const chance = openChance(past.seed);
  const life: Life = {
    world: openWorld(past.events, () => entries.length),
    executed: [],
    isRecorded: (step) => entries.some((entry) => `${entry.run}${entry.key}` === step),
    heardTooSoon: [],
    seenByRun: new Map(),
    chance,
  };
  const flows = toFlows(life, crashCase);
  const tutti = await openTutti(
    { flows: [flows.main, flows.child], tools: toTools(life, crashCase.program), ledger, clock, chance },
    { evictAfterMs: crashCase.alwaysEvict ? 1 : 10_000, stallMs: 2_000 },
  );
  const handle = await tutti.start(flows.main, null, { id: "run" });
  sendSignals(tutti, crashCase);
  if (crashCase.cancelAfter !== undefined)
    void pause(crashCase.cancelAfter)
      .then(() => handle.cancel("the test cancels"))
      .catch(() => {});
  const state = await untilOver(tutti, life);
  await pause(5);
  clock.stop();
  return { entries, state, life };
}

// Every life sends every signal: twice the same id is one signal.
function sendSignals(tutti: Tutti, crashCase: CrashCase): void {
  for (const { name, id, after } of toSignals(crashCase.program)) {
    void pause(after)
      .then(() => tutti.open("run"))
      .then((handle) => handle.signal(name, name, { id }))
      .catch(() => {});
  }
}

async function untilOver(tutti: Tutti, life: Life): Promise<LifeResult["state"]> {
  let was = "running";
  for (let tick = 0; tick < ticksMax; tick++) {
    for (const effect of await tutti.inDoubt()) {
      const receipt = life.world.receipt(effect.key);
      await tutti
        .settle(
          effect.key,
          receipt === undefined
            ? { kind: "not-done", by: "the test" }
            : { kind: "done", output: receipt, by: "the test" },
        )
        .catch(() => {});
    }
    const runs = await tutti.runs();
    const main = runs.find((run) => run.id === "run");
    was = runs.map((run) => `${run.id} ${run.status}`).join(", ");
    if (main?.status === "parked" || runs.every((run) => ["done", "failed", "cancelled"].includes(run.status)))
      return (await tutti.open("run")).state();
    await pause(1);
  }
  return { kind: "hangs", was };
}

/** Everything that is wrong with how a life went on from its past; empty when all promises were kept. */
export async function findWrongs(original: LifeResult, cut: number, next: LifeResult): Promise<readonly string[]> {
  const wrongs: string[] = [...next.life.world.wrongs];
  const past = original.entries.slice(0, cut);
  if (next.state.kind === "hangs") wrongs.push(`hangs: ${next.state.was}`);
  if (next.state.kind === "parked") wrongs.push(`parked: ${next.state.error.code} ${next.state.error.message}`);
  const recorded = new Set(
    past.filter((entry) => entry.kind === "step-done").map((entry) => `${entry.run}${entry.key}`),
  );
  for (const step of next.life.executed) if (recorded.has(step)) wrongs.push(`${step} was recorded and executed again`);
  wrongs.push(...findHearingWrongs(next));
  wrongs.push(...findOrderWrongs(original, past, next));
  wrongs.push(...findEntryWrongs(next.entries));
  return wrongs;
}

/** A flow hears of nothing that a crash could take back, but for what it read. */
function findHearingWrongs({ life }: LifeResult): readonly string[] {
  return life.heardTooSoon.map((step) => `${step} was heard of before it was recorded`);
}

/** What is replayed is seen in the order in which it was seen first. */
function findOrderWrongs(original: LifeResult, past: readonly LedgerEntry[], next: LifeResult): readonly string[] {
  const mine = past.filter((entry) => entry.run === "run");
  const closed = mine.filter((entry) => entry.kind === "scope-closed").map((entry) => `${entry.key}/`);
  const keys = new Set(
    mine
      .filter((entry) => entry.kind === "step-done" && !closed.some((path) => entry.key.startsWith(path)))
      .map((entry) => entry.key),
  );
  const replayed = (seen: readonly string[]): string =>
    seen.filter((line) => keys.has(line.slice(line.indexOf(" ") + 1).split("=")[0] ?? "")).join("; ");
  const first = replayed(original.life.seenByRun.get("run") ?? []);
  const again = replayed(next.life.seenByRun.get("run") ?? []);
  return first === again || !next.life.seenByRun.has("run") ? [] : [`saw first [${first}], then [${again}]`];
}

/** What must hold of any ledger. */
function findEntryWrongs(entries: readonly LedgerEntry[]): readonly string[] {
  const wrongs: string[] = [];
  const over = new Set<string>();
  const outcomes = new Set<string>();
  for (const entry of entries) {
    if (over.has(entry.run)) wrongs.push(`${entry.kind} after the end of ${entry.run}`);
    if (["run-done", "run-failed", "run-cancelled"].includes(entry.kind)) over.add(entry.run);
    if (
      ![
        "step-done",
        "step-failed",
        "effect-settled",
        "effect-failed",
        "effect-shared",
        "scope-closed",
        "timer-fired",
        "child-settled",
      ].includes(entry.kind)
    )
      continue;
    const place = `${entry.run}${entry.key}`;
    if (outcomes.has(place)) wrongs.push(`${place} has two outcomes`);
    outcomes.add(place);
  }
  return wrongs;
}

/** After a rollback nothing that can be undone stands. */
export function findRollbackWrongs(crashCase: CrashCase, result: LifeResult): readonly string[] {
  if (crashCase.onFailure !== "undo" || (result.state.kind !== "failed" && result.state.kind !== "cancelled"))
    return [];
  return toUndoables(
    result.entries.filter((entry) => entry.run === "run"),
    "",
  ).map((undoable) => `${undoable.intended.effect} was not undone`);
}

/** Runs a case once, then again from a crash at every entry. Returns how many points were tried and what went wrong. */
export async function tryCase(
  crashCase: CrashCase,
): Promise<{ readonly points: number; readonly wrongs: readonly string[] }> {
  const original = await live({ ...crashCase, alwaysEvict: false }, { entries: [], events: [], seed: crashCase.seed });
  const wrongs: string[] = [
    ...original.life.world.wrongs,
    ...findHearingWrongs(original),
    ...findEntryWrongs(original.entries),
    ...findRollbackWrongs(crashCase, original),
  ];
  if (original.state.kind === "hangs" || original.state.kind === "parked")
    wrongs.push(`the first life: ${describe(original)}`);
  let points = 1;
  for (let cut = 1; cut < original.entries.length; cut++) {
    // A child's start and its parent's entry are one transaction.
    if (original.entries[cut - 1]?.kind === "child-started") continue;
    points++;
    const chance = openChance(crashCase.seed + cut);
    const events = original.life.world.events.filter(
      (event) => event.afterLsn < cut || (event.afterLsn === cut && chance() < 0.5),
    );
    const next = await live(crashCase, { entries: original.entries.slice(0, cut), events, seed: crashCase.seed + cut });
    const found = [...(await findWrongs(original, cut, next)), ...findRollbackWrongs(crashCase, next)];
    const isWhole = original.entries.slice(cut).every((entry) => entry.kind === "run-done");
    // A wish to cancel comes from outside: it may find a later life at another place.
    if (isWhole && crashCase.cancelAfter === undefined && describe(next) !== describe(original))
      found.push(`ends otherwise: ${describe(next)} instead of ${describe(original)}`);
    wrongs.push(...found.map((wrong) => `crash after entry ${cut}: ${wrong}`));
  }
  return { points, wrongs };
}

function describe(result: LifeResult): string {
  const { state } = result;
  return state.kind === "done"
    ? `done ${JSON.stringify(state.output)}`
    : state.kind === "failed" || state.kind === "parked"
      ? `${state.kind} ${state.error.code} ${state.error.message}`
      : JSON.stringify(state);
}
