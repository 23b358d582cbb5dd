import fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import { must } from "../base/assert.ts";
import { toRunId, type RunId } from "../contracts/ids.ts";
import { type Priority, priorities } from "../contracts/run-record.ts";
import type { LimitTable } from "./limit.ts";
import { openRunSlots, type RunSlots } from "./run-slots.ts";
import { toStanding } from "./standing.ts";

interface Who {
  readonly tenant: string | undefined;
  readonly flow: string;
  readonly priority?: Priority;
}

const limits: LimitTable = {
  "tenant/*": { runs: 2 },
  "tenant/large": { runs: 5, share: 3 },
  "flow/brief": { runs: 3 },
};

/** What a run should hold, and what was declared for it. */
function toWay({ tenant, flow }: Who): readonly (readonly [limit: string, max: number])[] {
  return [
    ...(tenant === undefined ? [] : ([[`tenant/${tenant}`, tenant === "large" ? 5 : 2]] as const)),
    ...(flow === "brief" ? ([["flow/brief", 3]] as const) : []),
  ];
}

/** Keeps its own account of who is driven, and compares. */
class Book {
  readonly slots: RunSlots = must(openRunSlots(limits), "runs are limited");
  readonly waiting = new Map<RunId, Who>();
  readonly driven = new Map<RunId, Who>();
  private count = 0;

  come(who: Who): void {
    const run = toRunId(`r${this.count++}`);
    this.waiting.set(run, who);
    if (this.slots.enter(toStanding(limits, { run, ...who, hasBegun: false }), () => this.begin(run))) this.begin(run);
  }

  leave(run: RunId): void {
    this.waiting.delete(run);
    this.driven.delete(run);
    this.slots.leave(run);
    this.slots.leave(run); // again, as when a run ends that was let go already
  }

  /** What is not as it should be. */
  findProblems(): readonly string[] {
    const use = new Map(this.slots.usage().map((each) => [each.limit, each]));
    const inUse = (limit: string): number => use.get(limit)?.inUse ?? 0;
    const waiting = [...use.values()].flatMap((each) => each.waiting).reduce((sum, { count }) => sum + count, 0);
    return [
      ...[...use.values()].filter((each) => each.inUse > (each.slots ?? 0)).map(({ limit }) => `too many in ${limit}`),
      ...[...countBy(this.driven)]
        .filter(([limit, driven]) => inUse(limit) < driven)
        .map(([limit]) => `lost in ${limit}`),
      ...[...this.driven.keys()].filter((run) => this.slots.waitsFor(run) !== undefined).map((run) => `${run} waits`),
      ...[...this.waiting].flatMap(([run, who]) => {
        const limit = this.slots.waitsFor(run) ?? "nothing";
        const max = toWay(who).find(([name]) => name === limit)?.[1];
        return inUse(limit) === max ? [] : [`${run} waits for ${limit}, which is free`];
      }),
      ...(waiting === this.waiting.size ? [] : [`${waiting} wait`]),
    ];
  }

  private begin(run: RunId): void {
    this.driven.set(run, must(this.waiting.get(run), `${run} begins once, and only while it waits`));
    this.waiting.delete(run);
  }
}

function countBy(runs: ReadonlyMap<RunId, Who>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const who of runs.values()) for (const [limit] of toWay(who)) counts.set(limit, (counts.get(limit) ?? 0) + 1);
  return counts;
}

const comings = fc.record({
  tenant: fc.constantFrom("small", "large", undefined),
  flow: fc.constantFrom("brief", "other"),
  priority: fc.constantFrom(...priorities),
});
const moves = fc.array(
  fc.oneof(
    comings.map((who) => ({ kind: "come", who }) as const),
    fc.nat().map((at) => ({ kind: "end", at }) as const),
    fc.nat().map((at) => ({ kind: "give-up", at }) as const),
  ),
  { maxLength: 100 },
);

test(
  "never more runs are driven than there are slots, nobody waits for a free one, and no way out leaks one",
  verifies("C17"),
  () => {
    fc.assert(
      fc.property(moves, (script) => {
        const book = new Book();
        for (const move of script) {
          if (move.kind === "come") book.come(move.who);
          else {
            const among = [...(move.kind === "end" ? book.driven : book.waiting).keys()];
            const run = among[move.at % Math.max(1, among.length)];
            if (run !== undefined) book.leave(run);
          }
          expect(book.findProblems()).toEqual([]);
        }
        for (let run = [...book.driven.keys()][0]; run !== undefined; run = [...book.driven.keys()][0]) book.leave(run);
        // Everybody had a turn, and nothing is left.
        expect(book.waiting.size).toBe(0);
        expect(book.slots.usage()).toEqual([]);
      }),
      { numRuns: 300 },
    );
  },
);

test("a run that holds its slots or waits keeps what it has, however often it comes", () => {
  const slots = must(openRunSlots({ "flow/brief": { runs: 1 } }), "runs are limited");
  const begun: string[] = [];
  const enter = (name: string): boolean =>
    slots.enter(toStanding({}, { run: toRunId(name), flow: "brief", hasBegun: false }), () => begun.push(name));
  expect([enter("one"), enter("one"), enter("two"), enter("two")]).toEqual([true, true, false, false]);
  slots.leave(toRunId("one"));
  expect(begun).toEqual(["two"]);
  expect(enter("two")).toBe(true);
  expect(slots.usage()).toEqual([{ limit: "flow/brief", of: "runs", slots: 1, inUse: 1, waiting: [] }]);
});

test("what has begun goes on before what has not, and where no runs are limited nobody is asked", () => {
  expect(openRunSlots({ "flow/brief": { concurrentMax: 1 } })).toBeUndefined();
  const slots = must(openRunSlots({ "tenant/acme": { runs: 1 } }), "runs are limited");
  const begun: string[] = [];
  for (const [name, hasBegun] of [
    ["one", false],
    ["two", false],
    ["three", true],
  ] as const) {
    const who = { run: toRunId(name), tenant: "acme", flow: "brief", hasBegun };
    if (slots.enter(toStanding({}, who), () => begun.push(name))) begun.push(name);
  }
  slots.leave(toRunId("one"));
  slots.leave(toRunId("three"));
  expect(begun).toEqual(["one", "three", "two"]);
});
