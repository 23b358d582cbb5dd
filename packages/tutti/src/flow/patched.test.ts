import { expect, test } from "vitest";

import { restoreLedger } from "../../../../test/crash/restore.ts";
import { errorOf, linesOf, openStage, plainFlow, type Stage } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { Run } from "../contracts/run.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { openManualClock } from "../testing/manual-clock.ts";

type Body = (run: Run) => Promise<unknown>;

/** The code before and after a change in its middle. */
const before: Body = async (run) => [await run.step("old", () => "old"), await run.wait("go")];
const after: Body = async (run) => {
  const middle = run.patched("change") ? await run.step("new", () => "new") : await run.step("old", () => "old");
  return [middle, await run.wait("go"), run.patched("change")];
};

/** A change behind the wait. */
const changedLater: Body = async (run) => {
  const first = [await run.step("old", () => "old"), await run.wait("go")];
  return [...first, run.patched("later"), await run.step("more", () => "more")];
};

const sleeping: Body = async (run) => run.sleep(1_000);
const changedSleep: Body = async (run) => {
  if (run.patched("change")) await run.wait("never");
  await run.sleep(1_000);
  return "slept";
};

/** Takes the run up with this code, as after a crash; sends the signal, if one is given, and returns how the run then stands. */
async function goOn(stage: Stage, body: Body, payload?: string): Promise<unknown> {
  const flow = plainFlow("changing", body);
  const tutti = await stage.open([flow]);
  const run = await tutti.start(flow, null, { id: "r" });
  if (payload !== undefined) {
    await run.signal("go", payload);
    return run.result();
  }
  const { kind } = await run.settled();
  await stage.ledger.flush();
  return kind;
}

test("a run that got past the place takes the old path to its end, over every restart", verifies("D13"), async () => {
  const stage = openStage();
  expect(await goOn(stage, before)).toBe("waiting");
  expect(await goOn(stage, after)).toBe("waiting");
  expect(await goOn(stage, after, "went")).toEqual(["old", "went", false]);
  expect(linesOf(stage.entries)).toContain("value-drawn /patched:change");
});

test("a new run takes the new path, over every restart, and the answer is recorded once", verifies("D13"), async () => {
  const stage = openStage();
  expect(await goOn(stage, after)).toBe("waiting");
  expect(await goOn(stage, after)).toBe("waiting");
  expect(await goOn(stage, after, "went")).toEqual(["new", "went", true]);
  expect(linesOf(stage.entries).filter((line) => line.startsWith("value-drawn"))).toHaveLength(1);
});

test("an old run takes the new path of what it had not come to yet", verifies("D13"), async () => {
  const stage = openStage();
  expect(await goOn(stage, before)).toBe("waiting");
  expect(await goOn(stage, changedLater, "went")).toEqual(["old", "went", true, "more"]);
});

test("an old run that has begun something without an outcome is no new run", verifies("D13"), async () => {
  const stage = openStage();
  expect(await goOn(stage, sleeping)).toBe("waiting");
  const flow = plainFlow("changing", changedSleep);
  const run = await (await stage.open([flow])).open("r");
  await stage.clock.advance(1_000);
  expect(await run.result()).toBe("slept");
});

/** Takes up what a crash after these entries left behind, with the changed code. */
async function recover(entries: readonly LedgerEntry[]): Promise<unknown> {
  const clock = openManualClock();
  const ledger = await restoreLedger(entries, { clock, onEntry: () => {} });
  const flow = plainFlow("changing", after);
  const tutti = await openTutti({ flows: [flow], ledger, clock });
  const run = await tutti.start(flow, null, { id: "r" });
  if (!entries.some(({ kind }) => kind === "signal-received")) await run.signal("go", "went");
  return run.result();
}

test(
  "wherever the process dies, one path is taken to its end, and a recorded answer stands",
  verifies("D13", "D1"),
  async () => {
    const old = ["old", "went", false];
    const changed = ["new", "went", true];
    for (const first of [before, after]) {
      const stage = openStage();
      await goOn(stage, first);
      await goOn(stage, after, "went");
      const asked = stage.entries.findIndex(({ kind }) => kind === "value-drawn");
      expect(asked).toBeGreaterThan(0);
      for (let died = 1; died < stage.entries.length; died++) {
        const entries = stage.entries.slice(0, died);
        // Until the answer is recorded, or the old step is, nothing is decided.
        const isOld = entries.some(({ key }) => key === "/old");
        const ends = isOld ? [old] : died > asked ? [changed] : [old, changed];
        expect(ends).toContainEqual(await recover(entries));
      }
    }
  },
);

test(
  "an id that can't name a patch, and an await before it that is not durable, are refused",
  verifies("K4"),
  async () => {
    const flow = plainFlow("changing", async (run) => run.patched("a b"));
    const refused = await errorOf((await openStage().open([flow])).run(flow, null));
    expect(refused).toMatchObject({ code: "INPUT_INVALID", hint: expect.stringContaining("letter") });
  },
);
