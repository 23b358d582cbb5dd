import { expect, test } from "vitest";

import { makeGate, openStage, plainFlow, until } from "../../../../../test/engine/engine-fixture.ts";
import { toRunId } from "../../contracts/ids.ts";
import type { AlertBook } from "./alert-book.ts";
import { findCauses, followLedger, type Sightings } from "./find-causes.ts";

function openBook(lsn: number): AlertBook {
  return { lsn, causes: {}, pending: [], ends: {}, overdue: {} };
}

test("a run of an earlier process is read once, and looking at a run does not count as a sign of it", async () => {
  const stage = openStage();
  const gate = makeGate();
  const flow = plainFlow("busy", (run) => run.step("work", () => gate.opened));
  const tutti = await stage.open([flow]);
  const [one, two] = [toRunId("one"), toRunId("two")];
  for (const id of [one, two]) await tutti.start(flow, null, { id });
  await until(() => stage.entries.length === 2);
  const reads: string[] = [];
  const ledger: typeof stage.ledger = {
    ...stage.ledger,
    read(...asked) {
      reads.push(asked[0]);
      return stage.ledger.read(...asked);
    },
  };
  const sightings: Sightings = { lastAt: new Map() };
  const book = openBook(2); // all of it was looked at by an earlier process
  const thresholds = { stuckRun: { afterMs: 60_000 } };
  const look = async (): ReturnType<typeof findCauses> => {
    await followLedger(ledger, { book, sightings, thresholds });
    return findCauses(ledger, { book, sightings, thresholds, now: stage.clock.now() });
  };
  expect(await look()).toEqual([]);
  await (await tutti.open("two")).signal("hello", null);
  await look();
  await stage.clock.advance(60_000);
  expect(await look()).toMatchObject([{ run: "two" }, { run: "one" }]);
  expect(reads).toEqual([two, one]);
  expect([...sightings.lastAt.keys()]).toEqual([one, two]); // who wrote last is forgotten last
});
