import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { openDyingLedger, type Death } from "../../../../../test/engine/dying-ledger.ts";
import { bodiesOf, openStage, type Stage } from "../../../../../test/engine/engine-fixture.ts";
import { Order, orders, settle } from "../../../../../test/engine/event-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import { flow } from "../../flow/flow.ts";
import { verifyLedger } from "../../ledger/verify.ts";
import { takeTurns } from "../../testing/manual-clock.ts";
import { subscription } from "./subscription.ts";

const ship = flow({
  name: "ship",
  input: Order,
  output: z.null(),
  async run(run, { number }) {
    await run.step("ship", () => number);
    return null;
  },
});

const sum = flow({
  name: "sum",
  input: z.array(z.number()),
  output: z.null(),
  run: async (run) => run.step("sum", () => null),
});

const on = [
  subscription({ name: "ship", topic: orders, flow: ship, input: (order) => order }),
  subscription({
    name: "sum",
    topic: orders,
    flow: sum,
    collect: { quietMs: 1_000 },
    input: (payloads) => payloads.map(({ amount }) => amount),
  }),
];

interface Delivery {
  readonly id: string;
  readonly number: string;
}

/** One life of a process: it publishes, and perhaps dies. What was not acknowledged is delivered again by the next. */
async function live(
  stage: Stage,
  deliveries: readonly Delivery[],
  death: Death | undefined,
): Promise<readonly Delivery[]> {
  const ledger = openDyingLedger(stage.ledger, death ?? { atWrite: Number.POSITIVE_INFINITY, isStored: true });
  const left = new Set(deliveries);
  const opening = stage.open([], { on, ledger }).then(async (tutti) => {
    for (const delivery of deliveries)
      void tutti
        .publish(orders, { number: delivery.number, amount: 1 }, { id: delivery.id })
        .then(() => left.delete(delivery));
    return tutti;
  });
  if (death === undefined) {
    const tutti = await opening;
    await settle(stage, tutti);
    await stage.clock.advance(2_000);
    await settle(stage, tutti);
    await tutti.close();
  } else {
    await takeTurns(150);
    await stage.clock.advance(2_000);
    await takeTurns(50);
    ledger.kill();
  }
  return Array.from(left);
}

/** Every event acted on once by each subscription, in order per key, and every run at its end. */
async function checkAll(stage: Stage, delivered: readonly Delivery[]): Promise<void> {
  const published = stage.entries.filter((entry) => entry.kind === "event-published");
  const ids = published.map((entry) => bodyOf(entry, "event-published").id);
  expect(ids.toSorted()).toEqual([...new Set(delivered.map(({ id }) => id))].toSorted());
  const positions = published.map(({ seq }) => seq);
  for (const name of ["ship", "sum"]) {
    const acted = bodiesOf(
      stage.entries.filter(({ run }) => run === `subscription:${name}`),
      "event-acted",
    );
    expect(acted.flatMap(({ events }) => events).toSorted((left, right) => left - right)).toEqual(positions);
    const runs = await stage.ledger.listRuns({ flow: name });
    expect(runs.map(({ id }) => id).toSorted()).toEqual(acted.map(({ run }) => run).toSorted());
    expect(runs.every(({ status }) => status === "done")).toBe(true);
  }
  checkOrder(stage.entries, published);
  expect(await verifyLedger(stage.ledger)).toMatchObject({ kind: "intact" });
}

/** Of one key the work of each event was recorded before that of the next began. */
function checkOrder(entries: readonly LedgerEntry[], published: readonly LedgerEntry[]): void {
  const acted = bodiesOf(
    entries.filter(({ run }) => run === "subscription:ship"),
    "event-acted",
  );
  const lsnOf = (run: string, kind: string): number =>
    entries.find((entry) => entry.run === run && entry.kind === kind)?.lsn ?? Number.NaN;
  for (const key of new Set(acted.map(({ eventKey }) => eventKey))) {
    const ofKey = published.filter((entry) => bodyOf(entry, "event-published").eventKey === key).map(({ seq }) => seq);
    const runs = ofKey.map((seq) => acted.find(({ events }) => events.includes(seq))?.run ?? "");
    runs.slice(1).forEach((run, at) => {
      expect(lsnOf(run, "run-started")).toBeGreaterThan(lsnOf(runs[at] ?? "", "run-done"));
    });
  }
}

test(
  "a crash at every write, stored or not: each event is acted on once by each subscription, in order per key",
  verifies("C9", "D1", "D15"),
  async ({ annotate }) => {
    const deliveries = ["a", "b", "a", "a"].map((number, at) => ({ id: `d${at}`, number }));
    let crashes = 0;
    for (const isStored of [false, true]) {
      for (let atWrite = 1; ; atWrite++) {
        const stage = openStage();
        const death = { atWrite, isStored };
        const left = await live(stage, deliveries, death);
        await live(stage, left, undefined);
        await checkAll(stage, deliveries);
        if (stage.entries.length < atWrite) break;
        crashes += 1;
      }
    }
    await annotate(`${crashes} crashes`);
    expect(crashes).toBeGreaterThan(40);
  },
);

const session = fc.record({
  deliveries: fc.array(
    fc.record({ id: fc.constantFrom("1", "2", "3", "4", "5", "6"), number: fc.constantFrom("a", "b") }),
    { maxLength: 5 },
  ),
  death: fc.record({ atWrite: fc.integer({ min: 1, max: 40 }), isStored: fc.boolean() }),
});

test(
  "any deliveries, repeated ones too, over any number of deaths: each event is acted on once, in order per key",
  verifies("C9", "D15"),
  async () => {
    const property = fc.asyncProperty(fc.array(session, { minLength: 1, maxLength: 4 }), async (sessions) => {
      const stage = openStage();
      const delivered: Delivery[] = [];
      let left: readonly Delivery[] = [];
      for (const { deliveries, death } of sessions) {
        delivered.push(...deliveries);
        left = await live(stage, [...left, ...deliveries], death);
      }
      await live(stage, left, undefined);
      await checkAll(stage, delivered);
    });
    await expect(fc.assert(property, { numRuns: 60 })).resolves.toBeUndefined();
  },
);
