import type { LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import { live } from "../crash/point.ts";
import type { CrashCase, Program } from "../crash/program.ts";

const step = (name: string, ticks: number): Program => ({
  kind: "step",
  name,
  ticks,
  effect: "local",
  failures: 0,
  fatal: false,
});
const mail: Program = {
  kind: "effect",
  name: "mail",
  class: "once",
  check: true,
  undo: false,
  ticks: 3,
  fault: "none",
};

/** Three branches: the first to settle wins, and the others are cancelled wherever they are. */
const toRace = (ticks: number): CrashCase => ({
  program: {
    kind: "sequence",
    parts: [
      {
        kind: "race",
        parts: [step("winner", ticks), { kind: "sequence", parts: [step("first", 0), step("second", 0)] }, mail],
      },
      step("after", 1),
    ],
  },
  onFailure: "keep",
  cancelAfter: undefined,
  alwaysEvict: false,
  seed: ticks,
});
const ticksMax = 4;
const lives = 6;

/**
 * Whatever entry the process dies after: a step that the recorded part already cancelled is not started any more, and an effect that lost is
 * followed to its outcome. Returns where that was not so.
 */
export async function findLosingBranchWrongs(): Promise<{
  readonly points: number;
  readonly wrongs: readonly string[];
}> {
  const wrongs: string[] = [];
  let points = 0;
  for (let seed = 0; seed < ticksMax * lives; seed++) {
    const race = toRace(seed % ticksMax);
    const original = await live(race, { entries: [], events: [], seed });
    for (let cut = 1; cut < original.entries.length; cut++) {
      const past = original.entries.slice(0, cut);
      const events = original.life.world.events.filter((event) => event.afterLsn < cut);
      const next = await live(race, { entries: past, events, seed: seed + cut });
      points++;
      const isWon = past.some((entry) => entry.kind === "step-done" && entry.key.endsWith("/winner"));
      if (isWon && next.life.executed.some((key) => key.includes("/race/b1/")))
        wrongs.push(`crash after entry ${cut}: a branch that had lost went on`);
      for (const key of findOpen(next.entries)) wrongs.push(`crash after entry ${cut}: ${key} has no outcome`);
    }
  }
  return { points, wrongs };
}

function findOpen(entries: readonly LedgerEntry[]): readonly string[] {
  const open = new Set<string>();
  for (const { kind, key } of entries) {
    if (kind === "effect-intended") open.add(key);
    if (kind === "effect-settled" || kind === "effect-failed") open.delete(key);
  }
  return [...open];
}
