import type { EffectKey } from "../../packages/tutti/src/contracts/ids.ts";

/** What is true outside the process: it survives the crash, and it is the judge of what was done twice. */
export interface World {
  act(key: EffectKey, class_: "idempotent" | "once"): string;
  takeBack(key: EffectKey): void;
  /** What stands: acted and not taken back. */
  receipt(key: EffectKey): string | undefined;
  /** Everything that must never happen. */
  readonly wrongs: readonly string[];
  readonly events: readonly WorldEvent[];
}

export interface WorldEvent {
  readonly key: EffectKey;
  readonly kind: "act" | "take-back";
  readonly class: "idempotent" | "once";
  /** How many entries were committed when it happened. */
  readonly afterLsn: number;
}

export function openWorld(earlier: readonly WorldEvent[], lastLsn: () => number): World {
  const standing = new Set<EffectKey>();
  const events: WorldEvent[] = [];
  const wrongs: string[] = [];
  const apply = (event: WorldEvent): void => {
    events.push(event);
    if (event.kind === "take-back") standing.delete(event.key);
    else {
      if (event.class === "once" && standing.has(event.key)) wrongs.push(`${event.key} was done twice`);
      standing.add(event.key);
    }
  };
  for (const event of earlier) apply(event);
  return {
    act(key, class_) {
      apply({ key, kind: "act", class: class_, afterLsn: lastLsn() });
      return `done ${key}`;
    },
    takeBack(key) {
      apply({ key, kind: "take-back", class: "once", afterLsn: lastLsn() });
    },
    receipt: (key) => (standing.has(key) ? `done ${key}` : undefined),
    wrongs,
    events,
  };
}
