import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";

import { recordsOf } from "../../../../test/teams/team-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { systemClock } from "../base/clock.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { Run } from "../contracts/run.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { flow, signal } from "./flow.ts";

const go = signal({ name: "go", payload: z.string() });

/** Runs a flow up to a wait, gives it up, and goes on with it in a new engine. */
async function playTwice(body: (run: Run) => Promise<unknown>): Promise<readonly LedgerEntry[]> {
  const main = flow({ name: "main", input: z.null(), output: z.unknown(), run: body });
  const ledger = openMemoryLedger({ clock: systemClock });
  const first = await openTutti({ flows: [main], ledger: { ...ledger, close: () => Promise.resolve() } });
  await (await first.start(main, null, { id: "run" })).settled();
  await first.close();
  const second = await openTutti({ flows: [main], ledger });
  onTestFinished(() => second.close());
  const handle = await second.open("run");
  await handle.signal(go, "now");
  await handle.result();
  return handle.entries();
}

test("what is recorded is written once, however often the code runs, and its path is the same", async () => {
  const keys: string[] = [];
  const entries = await playTwice(async (run) => {
    keys.push(run.record("decision-made", { about: "the way", chosen: "left", why: "it is shorter" }));
    keys.push(run.record("decision-made", { about: "the pace", chosen: "slow", why: "it is late" }));
    await run.wait(go);
  });
  expect(keys).toEqual(["/decision-made", "/decision-made#2", "/decision-made", "/decision-made#2"]);
  expect(recordsOf(entries, "decision-made").map(({ chosen }) => chosen)).toEqual(["left", "slow"]);
});

test("what can't be recorded is refused where it was said, with a hint", verifies("K4"), async () => {
  const main = flow({
    name: "main",
    input: z.boolean(),
    output: z.string(),
    run: async (run, isLong) =>
      run.record("decision-made", {
        about: isLong ? "x".repeat(70_000) : "it",
        chosen: "",
        why: "",
        alternatives: [{ name: "other", why: "", score: isLong ? 1 : Number.NaN }],
      }),
  });
  const tutti = await openTutti({ flows: [main], ledger: openMemoryLedger({ clock: systemClock }) });
  onTestFinished(() => tutti.close());
  for (const isLong of [true, false])
    await expect(tutti.run(main, isLong)).rejects.toMatchObject({ code: "INPUT_INVALID", hint: expect.any(String) });
});
