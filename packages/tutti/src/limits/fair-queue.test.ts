import fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import { toRunId } from "../contracts/ids.ts";
import { type Priority, priorities } from "../contracts/run-record.ts";
import { FairQueue } from "./fair-queue.ts";
import type { Standing } from "./standing.ts";

interface Waiter {
  readonly number: number;
  readonly standing: Standing;
}

const runs = 200;

function toWaiter(number: number, change: Partial<Standing> = {}): Waiter {
  const standing: Standing = {
    run: toRunId(`r${number}`),
    priority: "normal",
    hasBegun: true,
    tenant: "acme",
    tenantShare: 1,
    flow: "brief",
    flowShare: 1,
    ...change,
  };
  return { number, standing };
}

const standings = fc.record({
  priority: fc.constantFrom<Priority>(...priorities),
  hasBegun: fc.boolean(),
  tenant: fc.constantFrom("a", "b", "c", ""),
  flow: fc.constantFrom("f", "g"),
});
type Move = { readonly kind: "come"; readonly who: Partial<Standing> } | { readonly kind: "serve" } | LeaveMove;
interface LeaveMove {
  readonly kind: "leave";
  readonly at: number;
}
const moves: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: standings.map((who) => ({ kind: "come", who }) as const) },
    { weight: 3, arbitrary: fc.constant({ kind: "serve" } as const) },
    { weight: 1, arbitrary: fc.nat().map((at) => ({ kind: "leave", at }) as const) },
  ),
  { maxLength: 120 },
);

/** Does the moves, then serves what is left; tells of each service what waited then, in the order in which it came. */
function play(
  script: readonly Move[],
  onService: (served: Waiter, waited: readonly Waiter[]) => void,
): { readonly came: Waiter[]; readonly served: Waiter[]; readonly left: Waiter[] } {
  const queue = new FairQueue<Waiter>();
  const [came, served, left]: [Waiter[], Waiter[], Waiter[]] = [[], [], []];
  const serve = (): void => {
    const waited = [...queue.values()];
    const next = queue.next();
    const taken = queue.take();
    expect(taken).toBe(next);
    if (taken === undefined) return;
    served.push(taken);
    onService(taken, waited);
  };
  for (const move of script) {
    if (move.kind === "come") {
      const waiter = toWaiter(came.length, move.who);
      came.push(waiter);
      queue.add(waiter);
    } else if (move.kind === "leave") {
      const waiter = [...queue.values()][move.at % Math.max(1, queue.size)];
      if (waiter !== undefined) left.push(waiter);
      if (waiter !== undefined) queue.remove(waiter);
    } else serve();
  }
  while (queue.size > 0) serve();
  expect(queue.next()).toBeUndefined();
  return { came, served, left };
}

function toLane({ standing }: Waiter): string {
  return [standing.priority, standing.hasBegun, standing.tenant, standing.flow].join("|");
}

test("everybody who comes is served once, or leaves; equals are served in the order in which they came", () => {
  fc.assert(
    fc.property(moves, (script) => {
      const overtaken = new Set<string>();
      const { came, served, left } = play(script, (taken, waited) => {
        const first = waited.find((waiter) => toLane(waiter) === toLane(taken));
        if (first !== taken) overtaken.add(toLane(taken));
      });
      expect([...overtaken]).toEqual([]);
      const numbers = [...served, ...left].map(({ number }) => number).toSorted((one, other) => one - other);
      expect(numbers).toEqual(came.map(({ number }) => number));
    }),
    { numRuns: runs },
  );
});

test(
  "nobody starves: whoever finds n others waiting is served within 10 (n + 1) services, whatever comes later",
  verifies("C17"),
  () => {
    fc.assert(
      fc.property(moves, fc.array(standings, { minLength: 1, maxLength: 5 }), (script, later) => {
        const queue = new FairQueue<Waiter>();
        const dueBy = new Map<Waiter, number>();
        let [services, count] = [0, 0];
        const come = (who: Partial<Standing>): void => {
          const waiter = toWaiter(count++, who);
          dueBy.set(waiter, services + 10 * (queue.size + 1));
          queue.add(waiter);
        };
        const serve = (): void => {
          const taken = queue.take();
          if (taken === undefined) return;
          services += 1;
          expect(services).toBeLessThanOrEqual(dueBy.get(taken) ?? 0);
          dueBy.delete(taken);
        };
        for (const move of script) {
          if (move.kind === "come") come(move.who);
          else serve();
        }
        // Then as many come as are served, for ever: those who waited before them go all the same.
        const early = [...queue.values()];
        for (let turn = 0; turn <= 10 * early.length; turn++) {
          come(later[turn % later.length] ?? {});
          serve();
        }
        expect(early.filter((waiter) => queue.has(waiter))).toEqual([]);
      }),
      { numRuns: runs },
    );
  },
);

test(
  "a higher priority goes first, but for one service in ten at most, which is that of whoever has waited the longest",
  verifies("C17"),
  () => {
    fc.assert(
      fc.property(moves, (script) => {
        let inARow = 10;
        play(script, (taken, waited) => {
          const highest = Math.max(...waited.map(({ standing }) => priorities.indexOf(standing.priority)));
          if (priorities.indexOf(taken.standing.priority) === highest) {
            inARow += taken === waited[0] ? 0 : 1;
            return;
          }
          expect(taken).toBe(waited[0]);
          expect(inARow).toBeGreaterThanOrEqual(9);
          inARow = 0;
        });
      }),
      { numRuns: runs },
    );
  },
);

const shares = fc.integer({ min: 1, max: 8 });

/** Everybody has enough waiting all the time; how often each was served after every service. */
function serveBacklog(
  names: readonly string[],
  services: number,
  toChange: (name: string) => Partial<Standing>,
): readonly ReadonlyMap<string, number>[] {
  const queue = new FairQueue<Waiter & { readonly name: string }>();
  let count = 0;
  const come = (name: string): void => queue.add({ ...toWaiter(count++, toChange(name)), name });
  for (const name of names) for (let more = 0; more < 3; more++) come(name);
  const served = new Map(names.map((name) => [name, 0]));
  return Array.from({ length: services }, () => {
    const taken = queue.take();
    if (taken !== undefined) {
      served.set(taken.name, (served.get(taken.name) ?? 0) + 1);
      come(taken.name);
    }
    return new Map(served);
  });
}

test.for(["tenant", "flow"] as const)(
  "of two that always have something waiting, each %s gets its share: never more than one turn of each apart",
  verifies("C17"),
  (kind) => {
    fc.assert(
      fc.property(shares, shares, (first, second) => {
        const share = new Map([
          ["one", first],
          ["two", second],
        ]);
        const history = serveBacklog(["one", "two"], 100, (name) => ({
          [kind]: name,
          [`${kind}Share`]: share.get(name) ?? 1,
        }));
        const apart = history.map((served) =>
          Math.abs((served.get("one") ?? 0) / first - (served.get("two") ?? 0) / second),
        );
        expect(Math.max(...apart)).toBeLessThanOrEqual(1 / first + 1 / second + 1e-9);
      }),
      { numRuns: runs },
    );
  },
);

test("of several, with a tenth or more each, none is ever more than two turns of each apart", verifies("C17"), () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 4 }), (weights) => {
      const names = weights.map((_, index) => `t${index}`);
      const shareOf = (name: string): number => weights[names.indexOf(name)] ?? 1;
      const history = serveBacklog(names, 120, (tenant) => ({ tenant, tenantShare: shareOf(tenant) }));
      const turns = (served: ReadonlyMap<string, number>, name: string): number =>
        (served.get(name) ?? 0) / shareOf(name);
      const tooFar = history.flatMap((served) =>
        names.flatMap((one) =>
          names.filter(
            (other) =>
              Math.abs(turns(served, one) - turns(served, other)) > 2 / shareOf(one) + 2 / shareOf(other) + 1e-9,
          ),
        ),
      );
      expect(tooFar).toEqual([]);
    }),
    { numRuns: runs },
  );
});

test(
  "who comes to a flood is served after at most one turn of each other tenant, and one more in nine",
  verifies("C17"),
  () => {
    const cases = fc.record({
      others: fc.integer({ min: 1, max: 12 }),
      flood: fc.integer({ min: 1, max: 60 }),
      before: fc.nat(40),
    });
    fc.assert(
      fc.property(cases, ({ others, flood, before }) => {
        const queue = new FairQueue<Waiter>();
        for (let count = 0; count < flood; count++)
          for (let other = 0; other < others; other++) queue.add(toWaiter(count, { tenant: `t${other}` }));
        for (let service = 0; service < before; service++) queue.take();
        const late = toWaiter(-1, { tenant: "late" });
        queue.add(late);
        let services = 0;
        while (queue.has(late)) {
          queue.take();
          services += 1;
          queue.add(toWaiter(services, { tenant: `newer${services}` })); // whoever comes later does not matter
        }
        expect(services).toBeLessThanOrEqual(others + 1 + Math.ceil((others + 1) / 9));
      }),
      { numRuns: runs },
    );
  },
);

test("who comes one at a time gets no more than its share for it", verifies("C17"), () => {
  const queue = new FairQueue<Waiter>();
  for (let count = 0; count < 20; count++) queue.add(toWaiter(count, { tenant: "backlog" }));
  let served = 0;
  queue.add(toWaiter(-1, { tenant: "single" }));
  for (let service = 0; service < 20; service++) {
    if (queue.take()?.standing.tenant !== "single") continue;
    served += 1;
    queue.add(toWaiter(-1, { tenant: "single" })); // its next, as soon as the last was served
  }
  expect(served).toBe(10);
});

test("who comes late does not make up for the time before", verifies("C17"), () => {
  const queue = new FairQueue<Waiter>();
  for (let count = 0; count < 60; count++) queue.add(toWaiter(count, { tenant: "early" }));
  for (let service = 0; service < 20; service++) queue.take();
  for (let count = 0; count < 60; count++) queue.add(toWaiter(count, { tenant: "late" }));
  const served = Array.from({ length: 20 }, () => queue.take()?.standing.tenant);
  expect(served.filter((tenant) => tenant === "late")).toHaveLength(10);
});
