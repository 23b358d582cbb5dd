import { live } from "../crash/point.ts";
import type { CrashCase, Program } from "../crash/program.ts";
import type { WorldEvent } from "../crash/world.ts";

const names = ["mail", "page", "bill"] as const;
const effects = names.map((name, index): Program => ({
  kind: "effect",
  name,
  class: index === 1 ? "idempotent" : "once",
  check: true,
  undo: true,
  ticks: index,
  fault: "none",
}));
const fatal: Program = { kind: "step", name: "a", ticks: 0, effect: "local", failures: 0, fatal: true };

/** Three effects one after the other, then a failure: the flow takes all of them back. */
const threeEffects: CrashCase = {
  program: { kind: "sequence", parts: [...effects, fatal] },
  onFailure: "undo",
  cancelAfter: undefined,
  alwaysEvict: false,
  seed: 1,
};

/** Whatever entry the process dies after, what was done is taken back newest first. Returns where it was not. */
export async function findUndoOrderWrongs(): Promise<{ readonly points: number; readonly wrongs: readonly string[] }> {
  const original = await live(threeEffects, { entries: [], events: [], seed: 1 });
  const wrongs = describeWrong(original.life.world.events, 0);
  for (let cut = 1; cut < original.entries.length; cut++) {
    const events = original.life.world.events.filter((event) => event.afterLsn < cut);
    const next = await live(threeEffects, { entries: original.entries.slice(0, cut), events, seed: cut });
    wrongs.push(...describeWrong(next.life.world.events, cut));
  }
  return { points: original.entries.length, wrongs };
}

function describeWrong(events: readonly WorldEvent[], cut: number): string[] {
  // What is done or taken back again under its key counts once.
  const keysOf = (kind: WorldEvent["kind"]): string[] => [
    ...new Set(events.filter((event) => event.kind === kind).map((event) => event.key)),
  ];
  const done = keysOf("act");
  const takenBack = keysOf("take-back");
  return done.length === names.length && takenBack.join() === done.toReversed().join()
    ? []
    : [`crash after entry ${cut}: done ${done.join()}; taken back ${takenBack.join()}`];
}
