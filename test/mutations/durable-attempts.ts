import { TuttiError } from "../../packages/tutti/src/base/errors.ts";
import type { LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import type { EffectKey } from "../../packages/tutti/src/contracts/ids.ts";
import type { Schema } from "../../packages/tutti/src/contracts/schema.ts";
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";
import { pause } from "../crash/interpret.ts";
import { restoreLedger } from "../crash/restore.ts";
import { openTickClock } from "../crash/tick-clock.ts";
import { openWorld, type WorldEvent } from "../crash/world.ts";

const anything: Schema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
const attemptsMax = 3;
const retry = { attemptsMax, delayMs: 4 } as const;
const ticksMax = 400;

interface Life {
  readonly entries: readonly LedgerEntry[];
  readonly events: readonly WorldEvent[];
  readonly attempts: number;
  readonly wrongs: readonly string[];
}

/**
 * Whatever entry the process dies after: a step has no more attempts than it was given, a timer is set once, and an effect that succeeds at
 * its second attempt is done once. Returns where that was not so.
 */
export async function findAttemptWrongs(): Promise<{ readonly points: number; readonly wrongs: readonly string[] }> {
  const original = await live([], []);
  const wrongs = [...describeWrongs(original, [])];
  for (let cut = 1; cut < original.entries.length; cut++) {
    const past = original.entries.slice(0, cut);
    const events = original.events.filter((event) => event.afterLsn <= cut);
    wrongs.push(...describeWrongs(await live(past, events), past).map((wrong) => `crash after entry ${cut}: ${wrong}`));
  }
  return { points: original.entries.length, wrongs };
}

function describeWrongs(life: Life, past: readonly LedgerEntry[]): readonly string[] {
  const left = attemptsMax - count(past, "attempt-failed", "/never") - count(past, "step-failed", "/never");
  const wrongs = [...life.wrongs];
  if (life.attempts > left) wrongs.push(`${life.attempts} attempts, and ${left} were left`);
  if (count(life.entries, "timer-set", "/sleep") !== 1) wrongs.push("the timer was not set once");
  if (life.entries.at(-1)?.kind !== "run-done") wrongs.push(`the last entry is ${life.entries.at(-1)?.kind}`);
  return wrongs;
}

function count(entries: readonly LedgerEntry[], kind: LedgerEntry["kind"], key: string): number {
  return entries.filter((entry) => entry.kind === kind && entry.key === key).length;
}

async function live(past: readonly LedgerEntry[], earlier: readonly WorldEvent[]): Promise<Life> {
  const clock = openTickClock((past.at(-1)?.at ?? 1_000) + 5);
  const entries: LedgerEntry[] = [];
  const ledger = await restoreLedger(past, { clock, onEntry: (entry) => entries.push(entry) });
  const world = openWorld(earlier, () => entries.length);
  let attempts = 0;
  const letter = tool({
    name: "letter",
    does: "acts outside, at its second attempt",
    input: anything,
    output: anything,
    effect: "once",
    retry,
    run(_, { attempt, idempotencyKey }) {
      if (attempt === 1) throw new TuttiError("TOOL_UNAVAILABLE", "try again");
      return world.act(idempotencyKey, "once");
    },
    check: (_, host: { readonly idempotencyKey: EffectKey }) => world.receipt(host.idempotencyKey),
  });
  const fail = (): never => {
    attempts++;
    throw new TuttiError("TOOL_UNAVAILABLE", "never");
  };
  const trying = flow({
    name: "trying",
    input: anything,
    output: anything,
    async run(run) {
      const failed = await run.step("never", fail, { retry }).catch(() => "failed");
      await run.sleep(6);
      return [failed, await run.call(letter, null)];
    },
  });
  const tutti = await openTutti({ flows: [trying], ledger, clock, chance: () => 0.5 });
  const handle = await tutti.start(trying, null, { id: "run" });
  for (let tick = 0; tick < ticksMax; tick++) {
    const { kind } = await handle.state();
    if (kind !== "running" && kind !== "waiting") break;
    await pause(1);
  }
  clock.stop();
  return { entries, events: world.events, attempts, wrongs: world.wrongs };
}
