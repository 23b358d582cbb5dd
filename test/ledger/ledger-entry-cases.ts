import { expect, test } from "vitest";

import { assert } from "../../packages/tutti/src/base/assert.ts";
import { sha256 } from "../../packages/tutti/src/base/hash.ts";
import type { LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import { toRunId, type RunId } from "../../packages/tutti/src/contracts/ids.ts";
import { toGenesis, toSeal } from "../../packages/tutti/src/ledger/seal.ts";
import { verifyLedger } from "../../packages/tutti/src/ledger/verify.ts";
import { verifies } from "../verifies.ts";
import {
  codeOf,
  createSettableClock,
  keysOf,
  openForTest,
  scanAll,
  startAndClaim,
  startLogs,
  toNewRun,
  toStep,
  toStepWithBlob,
  type LedgerUnderTest,
} from "./ledger-fixture.ts";

/** Order, numbers, chain, fence, blobs and reading. */
export function describeEntries(under: LedgerUnderTest): void {
  describeOrder(under);
  describeOnce(under);
  describeFence(under);
  describeScale(under);
  describeReading(under);
}

function describeOrder(under: LedgerUnderTest): void {
  test("entries keep their log's order; seq and lsn count from 1 without gaps", async () => {
    const ledger = await openForTest(under);
    const logs = await startLogs(ledger, 3);
    const appends = Array.from({ length: 20 }, (_, index) =>
      logs.map((log) => log.append(toStep(`step-${index}`))),
    ).flat();
    const appended = await Promise.all(appends);
    for (const log of logs) {
      const entries = await ledger.read(log.run);
      expect(entries.map((entry) => entry.seq)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
      expect(await keysOf(ledger, log.run)).toEqual(Array.from({ length: 20 }, (_, index) => `/step-${index}`));
    }
    const all = await scanAll(ledger);
    expect(all.map((entry) => entry.lsn)).toEqual(Array.from({ length: 63 }, (_, index) => index + 1));
    expect(appended).toEqual(
      all.filter((entry) => entry.seq > 1).map(({ seq, lsn }) => ({ kind: "recorded", seq, lsn })),
    );
  });

  test("every entry is chained to its run's previous one", verifies("G12"), async () => {
    const ledger = await openForTest(under);
    const [left, right] = await startLogs(ledger, 2);
    await Promise.all([left?.append(toStep("a")), right?.append(toStep("b")), left?.append(toStep("c\nd\u0000é"))]);
    const previousByRun = new Map<RunId, string>();
    for (const entry of await scanAll(ledger)) {
      const previous = previousByRun.get(entry.run) ?? toGenesis(entry.run);
      expect(entry.hash).toBe(toSeal(previous, entry, sha256(entry.body)));
      previousByRun.set(entry.run, entry.hash);
    }
    expect(await verifyLedger(ledger)).toEqual({ kind: "intact", entries: 5, runs: 2 });
  });

  test("time in the ledger never goes back, even if the clock does", async () => {
    const clock = createSettableClock(5_000);
    const ledger = await openForTest(under, { clock });
    const { log } = await startAndClaim(ledger, "run");
    clock.set(9_000.75);
    await log.append(toStep("a"));
    clock.set(3_000);
    await log.append(toStep("b"));
    clock.set(9_500);
    await log.append(toStep("c"));
    expect((await scanAll(ledger)).map((entry) => entry.at)).toEqual([5_000, 9_000, 9_000, 9_500]);
  });

  test("a listener sees every stored entry once, in order, and nothing that was refused", async () => {
    const seen: LedgerEntry[] = [];
    const ledger = await openForTest(under, { onEntry: (entry) => seen.push(entry) });
    const stale = await startAndClaim(ledger, "run");
    const { log } = await ledger.claim(toRunId("run"));
    await Promise.allSettled([log.append(toStep("a")), stale.log.append(toStep("b")), log.append(toStep("c"))]);
    expect(seen).toEqual(await scanAll(ledger));
    expect(seen.map((entry) => entry.key)).toEqual(["", "/a", "/c"]);
  });
}

function describeOnce(under: LedgerUnderTest): void {
  test("an entry under a once key is stored once, in one batch and later, whichever run it is written to", async () => {
    const ledger = await openForTest(under);
    const [left, right] = await startLogs(ledger, 2);
    const append = async (log = left) => (await log?.append({ ...toStep("a"), onceKey: "@k" }))?.kind;
    expect(await Promise.all([append(), append()])).toEqual(["recorded", "repeated"]);
    expect(await append(right)).toBe("repeated");
    expect((await scanAll(ledger)).filter((entry) => entry.kind === "step-done")).toHaveLength(1);
  });

  test("a run is read from a position, as many entries as are asked for", async () => {
    const ledger = await openForTest(under);
    const [log] = await startLogs(ledger, 1);
    for (const name of ["a", "b", "c"]) await log?.append(toStep(name));
    const run = log?.run ?? toRunId("");
    expect((await ledger.read(run, 2, 2)).map(({ seq }) => seq)).toEqual([2, 3]);
    expect((await ledger.read(run, 4, 2)).map(({ seq }) => seq)).toEqual([4]);
    expect((await ledger.read(run, 2)).map(({ seq }) => seq)).toEqual([2, 3, 4]);
  });
}

function describeFence(under: LedgerUnderTest): void {
  test("a driver whose run was claimed by another can't write any more", verifies("D1"), async () => {
    const ledger = await openForTest(under);
    const stale = await startAndClaim(ledger, "run");
    await stale.log.append(toStep("a"));
    const fresh = await ledger.claim(toRunId("run"));
    expect([stale.log.epoch, fresh.log.epoch, fresh.record.epoch]).toEqual([1, 2, 2]);
    expect(await codeOf(stale.log.append(toStep("late")))).toBe("LEDGER_FENCED");
    expect(await codeOf(stale.log.durable())).toBe("LEDGER_FENCED");
    stale.log.mark("parked");
    await fresh.log.append(toStep("b"));
    expect(await keysOf(ledger, toRunId("run"))).toEqual(["/a", "/b"]);
    expect((await ledger.findRun(toRunId("run")))?.status).toBe("running");
    expect((await ledger.findRun(toRunId("run")))?.epoch).toBe(2);
  });

  test("of one batch the stale run's entries are dropped with all they bring, the other runs' are stored", async () => {
    const ledger = await openForTest(under);
    const stale = await startAndClaim(ledger, "old");
    const other = await startAndClaim(ledger, "other");
    const fresh = await ledger.claim(toRunId("old"));
    const blobbed = toStepWithBlob("late", "a large value");
    const results = await Promise.all([
      codeOf(stale.log.append({ ...blobbed, status: "done", starts: toNewRun("child") })),
      codeOf(other.log.append(toStep("a"))),
      codeOf(stale.log.append(toStep("late"))),
      codeOf(fresh.log.append(toStep("b"))),
    ]);
    expect(results.map((result) => typeof result)).toEqual(["string", "object", "string", "object"]);
    expect(await keysOf(ledger, toRunId("old"))).toEqual(["/b"]);
    expect(await keysOf(ledger, toRunId("other"))).toEqual(["/a"]);
    expect(await ledger.readBlob(blobbed.blobs[0].hash)).toBeUndefined();
    expect(await ledger.findRun(toRunId("child"))).toBeUndefined();
    expect((await verifyLedger(ledger)).kind).toBe("intact");
  });

  test("a claim returns what the earlier driver had asked for, waited for or not", async () => {
    const ledger = await openForTest(under);
    const earlier = await startAndClaim(ledger, "run");
    const pending = earlier.log.append(toStep("a"));
    const claim = await ledger.claim(toRunId("run"));
    expect(claim.entries.map((entry) => entry.key)).toEqual(["", "/a"]);
    expect(await pending).toEqual({ kind: "recorded", seq: 2, lsn: 2 });
    expect(await claim.log.append(toStep("b"))).toEqual({ kind: "recorded", seq: 3, lsn: 3 });
  });

  test("a run can be claimed while its start is still on its way, and an unknown one can't", async () => {
    const ledger = await openForTest(under);
    const started = ledger.start(toNewRun("run"));
    const claim = await ledger.claim(toRunId("run"));
    expect(claim.entries.map((entry) => entry.kind)).toEqual(["run-started"]);
    const outcome = await started;
    assert(outcome.kind === "started", "nobody else has this id");
    expect(await codeOf(outcome.claim.log.append(toStep("a")))).toBe("LEDGER_FENCED");
    expect(await claim.log.append(toStep("b"))).toEqual({ kind: "recorded", seq: 2, lsn: 2 });
    expect(await codeOf(ledger.claim(toRunId("nobody")))).toBe("RUN_UNKNOWN");
  });
}

function describeScale(under: LedgerUnderTest): void {
  test("more entries than one batch takes are all stored, in order", async () => {
    const ledger = await openForTest(under);
    const { log } = await startAndClaim(ledger, "run");
    const appends = Array.from({ length: 5_000 }, (_, index) => log.append(toStep(`${index}`)));
    const claim = await ledger.claim(toRunId("run"));
    expect(claim.entries.length).toBe(5_001);
    expect((await Promise.all(appends)).map((appended) => "seq" in appended && appended.seq)).toEqual(
      Array.from({ length: 5_000 }, (_, index) => index + 2),
    );
  });

  test("a log goes on, and a stale one stays refused, after thousands of other runs were written", async () => {
    const ledger = await openForTest(under);
    const stale = await startAndClaim(ledger, "run");
    const { log } = await ledger.claim(toRunId("run"));
    await log.append(toStep("a"));
    await Promise.all(Array.from({ length: 21_000 }, (_, index) => ledger.start(toNewRun(`other-${index}`))));
    const answers = [
      codeOf(log.append(toStep("b"))),
      codeOf(stale.log.append(toStep("c"))),
      codeOf(log.append(toStep("d"))),
    ];
    expect(await Promise.all(answers)).toEqual([
      { resolved: { kind: "recorded", seq: 3, lsn: 21_003 } },
      "LEDGER_FENCED",
      { resolved: { kind: "recorded", seq: 4, lsn: 21_004 } },
    ]);
    const newest = await ledger.claim(log.run);
    expect(newest.log.epoch).toBe(3);
    expect(await codeOf(log.append(toStep("e")))).toBe("LEDGER_FENCED");
    expect(await newest.log.append(toStep("f"))).toEqual({ kind: "recorded", seq: 5, lsn: 21_005 });
    expect(await verifyLedger(ledger)).toEqual({ kind: "intact", entries: 21_005, runs: 21_001 });
  });
}

function describeReading(under: LedgerUnderTest): void {
  test(
    "entries are read by run from a place on, and scanned after a place up to a limit",
    verifies("D10"),
    async () => {
      const ledger = await openForTest(under);
      const logs = await startLogs(ledger, 2);
      for (const log of logs) for (const name of ["a", "b", "c"]) await log.append(toStep(name));
      expect((await ledger.read(toRunId("run-1"), 3)).map((entry) => entry.key)).toEqual(["/b", "/c"]);
      expect((await ledger.scan(2, 3)).map((entry) => entry.lsn)).toEqual([3, 4, 5]);
      expect(await ledger.scan(8, 3)).toEqual([]);
      expect(await ledger.scan(0, 0)).toEqual([]);
      expect(await ledger.read(toRunId("nobody"))).toEqual([]);
    },
  );

  test("reading goes on while entries are written, and sees a whole and growing past", verifies("D10"), async () => {
    const ledger = await openForTest(under);
    const logs = await startLogs(ledger, 4);
    const writing = Promise.all(
      logs.map(async (log) => {
        for (let index = 0; index < 25; index++) await log.append(toStep(`s${index}`));
      }),
    );
    let seen = 0;
    while (seen < 104) {
      const entries = await scanAll(ledger);
      expect(entries.length).toBeGreaterThanOrEqual(seen);
      expect(entries.at(-1)?.lsn).toBe(entries.length);
      seen = entries.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
    expect(await verifyLedger(ledger)).toEqual({ kind: "intact", entries: 104, runs: 4 });
  });

  test(
    "large values are stored once by their hash, with the first entry that refers to them",
    verifies("D14"),
    async () => {
      const ledger = await openForTest(under);
      const [left, right] = await startLogs(ledger, 2);
      const entry = toStepWithBlob("a", "x".repeat(100_000));
      await Promise.all([left?.append(entry), right?.append(entry), right?.append(entry)]);
      expect(await ledger.readBlob(entry.blobs[0].hash)).toBe("x".repeat(100_000));
      expect(await ledger.readBlob("0".repeat(64))).toBeUndefined();
      expect(await ledger.readBlob("no hash")).toBeUndefined();
      expect((await verifyLedger(ledger)).kind).toBe("intact");
    },
  );

  test("a value that no store could keep is refused alone", async () => {
    const ledger = await openForTest(under);
    const { log } = await startAndClaim(ledger, "run");
    const huge = codeOf(log.append({ ...toStep("huge"), body: JSON.stringify({ out: "x".repeat(17 * 1024 * 1024) }) }));
    const misnamed = codeOf(log.append({ ...toStep("misnamed"), blobs: [{ hash: "ab", content: "" }] }));
    const good = codeOf(log.append(toStep("good")));
    expect(await Promise.all([huge, misnamed, good])).toEqual([
      "VALUE_NOT_STORABLE",
      "BUG",
      { resolved: { kind: "recorded", seq: 2, lsn: 2 } },
    ]);
  });
}
