import type { LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import type { Schema } from "../../packages/tutti/src/contracts/schema.ts";
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import { pause } from "../crash/interpret.ts";
import { restoreLedger } from "../crash/restore.ts";
import { openTickClock } from "../crash/tick-clock.ts";

const anything: Schema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };

/** Waits for a signal inside a scope, and then, in vain, for another of the same name. */
const asking = flow({
  name: "asking",
  input: anything,
  output: anything,
  async run(run) {
    const first = await run.scope("ask", async (inner) => inner.wait("go"));
    await run.sleep(4);
    const second = await run.wait("go", { timeoutMs: 3 });
    return { first, second: second ?? "none" };
  },
});
const wanted = JSON.stringify({ first: "signal", second: "none" });
const ticksMax = 400;

/** Whatever entry the process dies after, and however soon a run at rest is let go, a signal that is sent twice is consumed once. Returns where it was not. */
export async function findSignalWrongs(): Promise<{ readonly points: number; readonly wrongs: readonly string[] }> {
  const wrongs: string[] = [];
  let points = 0;
  for (const evictAfterMs of [1, 10_000]) {
    const original = await live([], evictAfterMs);
    for (let cut = 0; cut < original.entries.length; cut++) {
      const { output } = cut === 0 ? original : await live(original.entries.slice(0, cut), evictAfterMs);
      points++;
      if (output !== wanted) wrongs.push(`crash after entry ${cut}, let go after ${evictAfterMs} ms: ${output}`);
    }
  }
  return { points, wrongs };
}

async function live(
  past: readonly LedgerEntry[],
  evictAfterMs: number,
): Promise<{ readonly entries: readonly LedgerEntry[]; readonly output: string }> {
  const clock = openTickClock((past.at(-1)?.at ?? 1_000) + 5);
  const entries: LedgerEntry[] = [];
  const ledger = await restoreLedger(past, { clock, onEntry: (entry) => entries.push(entry) });
  const tutti = await openTutti({ flows: [asking], ledger, clock }, { evictAfterMs });
  const handle = await tutti.start(asking, null, { id: "run" });
  await pause(6); // the run is at rest
  for (let time = 0; time < 2; time++) await handle.signal("go", "signal", { id: "go" }).catch(() => {}); // it may have ended
  for (let tick = 0; tick < ticksMax; tick++) {
    const state = await handle.state();
    if (state.kind !== "running" && state.kind !== "waiting") {
      clock.stop();
      return { entries, output: state.kind === "done" ? JSON.stringify(state.output) : state.kind };
    }
    await pause(1);
  }
  clock.stop();
  return { entries, output: "hangs" };
}
