import { TuttiError } from "../base/errors.ts";
import type { Capability } from "../contracts/capability.ts";

/** What was used already, as long as it could be shown again. */
export interface CapabilityUses {
  /** @throws TuttiError CAPABILITY_USED, also when there is no room to remember it */
  take(capability: Pick<Capability, "id" | "expiresAt">, now: number): void;
}

/** More than a server sees in the minute that a capability lives. */
const usesMaxDefault = 100_000;
/** Clocks of two machines may differ: it is remembered longer than it counts. */
const rememberedMs = 10_000;

/** Remembers uses in this process. Several servers of one audience need one between them. */
export function openCapabilityUses(usesMax = usesMaxDefault): CapabilityUses {
  const endById = new Map<string, number>();
  return {
    take({ id, expiresAt }, now) {
      if (endById.size >= usesMax) for (const [known, end] of endById) if (end < now) endById.delete(known);
      const isFull = endById.size >= usesMax;
      if (endById.has(id) || isFull) {
        const why = isFull ? "there is no room to remember that it was used" : "it was used already";
        throw new TuttiError("CAPABILITY_USED", `the capability does not count: ${why}`, {
          hint: "Each call of a tool has one of its own.",
        });
      }
      endById.set(id, expiresAt + rememberedMs);
    },
  };
}
