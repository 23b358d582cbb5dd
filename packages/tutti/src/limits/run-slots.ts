import type { RunId } from "../contracts/ids.ts";
import { FairQueue } from "./fair-queue.ts";
import { findLimits, type LimitTable } from "./limit.ts";
import { countWaiting, type SlotUse } from "./slot-use.ts";
import type { Standing } from "./standing.ts";

/** Slots for whole runs, of tenants and of flows: at most so many of their runs are driven at once in this process. */
export interface RunSlots {
  /**
   * True: the run may be driven, and holds its slots until it leaves. False: it waits, and `begin` is called once, when it holds them.
   * A run that waits already, or holds its slots, keeps what it has.
   */
  enter(standing: Standing, begin: () => void): boolean;
  /** Gives up what the run holds, and its place if it waits. */
  leave(run: RunId): void;
  /** The limit whose slot a run waits for. */
  waitsFor(run: RunId): string | undefined;
  usage(): readonly SlotUse[];
}

/** What a run has to hold. */
interface Place {
  readonly limit: string;
  readonly max: number;
}

/** A run on its way: it holds the places before `at`, and waits for that one, if there is one. */
interface Comer {
  readonly standing: Standing;
  readonly way: readonly Place[];
  at: number;
  readonly begin: () => void;
}

/** Of one tenant or flow, as long as somebody is in or waits. */
interface Slots extends Place {
  inUse: number;
  readonly queue: FairQueue<Comer>;
}

/** Nothing where no limit names `runs`. */
export function openRunSlots(table: LimitTable): RunSlots | undefined {
  if (!Object.values(table).some((limits) => limits.runs !== undefined)) return undefined;
  return new OpenRunSlots(table);
}

class OpenRunSlots implements RunSlots {
  private readonly table: LimitTable;
  private readonly slotsByLimit = new Map<string, Slots>();
  private readonly comers = new Map<RunId, Comer>();

  constructor(table: LimitTable) {
    this.table = table;
  }

  enter(standing: Standing, begin: () => void): boolean {
    const known = this.comers.get(standing.run);
    if (known !== undefined) return known.at === known.way.length;
    // The same order for every run, so that no two hold each other up. The tenant first: who waits there holds nothing that others need.
    const way = [...this.find("tenant", standing.tenant), ...this.find("flow", standing.flow)];
    if (way.length === 0) return true;
    const comer: Comer = { standing, way, at: 0, begin };
    this.comers.set(standing.run, comer);
    return this.goOn(comer);
  }

  leave(run: RunId): void {
    const comer = this.comers.get(run);
    if (comer === undefined) return;
    this.comers.delete(run);
    const awaited = comer.way[comer.at];
    if (awaited !== undefined) this.open(awaited).queue.remove(comer);
    for (const place of comer.way.slice(0, comer.at)) this.giveBack(this.open(place));
  }

  waitsFor(run: RunId): string | undefined {
    const comer = this.comers.get(run);
    return comer?.way[comer.at]?.limit;
  }

  usage(): readonly SlotUse[] {
    return Array.from(this.slotsByLimit.values(), ({ limit, max, inUse, queue }) => ({
      limit,
      of: "runs",
      slots: max,
      inUse,
      waiting: countWaiting(Array.from(queue.values(), (comer) => comer.standing)),
    }));
  }

  /** Takes what is free, up to where the run has to wait. True when it holds all. */
  private goOn(comer: Comer): boolean {
    for (let place = comer.way[comer.at]; place !== undefined; place = comer.way[comer.at]) {
      const slots = this.open(place);
      if (slots.inUse >= slots.max) {
        slots.queue.add(comer);
        return false;
      }
      slots.inUse += 1;
      comer.at += 1;
    }
    return true;
  }

  private giveBack(slots: Slots): void {
    slots.inUse -= 1;
    const comer = slots.queue.take();
    if (comer !== undefined) {
      slots.inUse += 1;
      comer.at += 1;
      if (this.goOn(comer)) comer.begin();
    } else if (slots.inUse === 0) this.slotsByLimit.delete(slots.limit);
  }

  private find(kind: "tenant" | "flow", name: string): readonly Place[] {
    const max = name === "" ? undefined : findLimits(this.table, kind, name)?.runs;
    return max === undefined ? [] : [{ limit: `${kind}/${name}`, max }];
  }

  private open(place: Place): Slots {
    const slots = this.slotsByLimit.get(place.limit) ?? { ...place, inUse: 0, queue: new FairQueue() };
    this.slotsByLimit.set(place.limit, slots);
    return slots;
  }
}
