import { expect, test } from "vitest";

import { assert } from "../../packages/tutti/src/base/assert.ts";
import { toRunId } from "../../packages/tutti/src/contracts/ids.ts";
import type { Ledger, RunFilter } from "../../packages/tutti/src/ledger/ledger.ts";
import { verifyLedger } from "../../packages/tutti/src/ledger/verify.ts";
import { verifies } from "../verifies.ts";
import {
  codeOf,
  createSettableClock,
  keysOf,
  openForTest,
  startAndClaim,
  startLogs,
  toNewRun,
  toStep,
  toStepWithBlob,
  watchDisk,
  type LedgerUnderTest,
} from "./ledger-fixture.ts";

/** How runs come to be, what is known of them, and how they are found. */
export function describeRuns(under: LedgerUnderTest): void {
  describeStarting(under);
  describeClaimingTogether(under);
  describeForking(under);
  describeChildren(under);
  describeListing(under);
}

function describeStarting(under: LedgerUnderTest): void {
  test("a run is started once: its id finds it again, in the same batch and later", verifies("D15"), async () => {
    const clock = createSettableClock(1_000);
    const ledger = await openForTest(under, { clock });
    const starts = [ledger.start(toNewRun("run")), ledger.start(toNewRun("run", { flow: "other" }))];
    expect(await Promise.all(starts)).toEqual([
      expect.objectContaining({ kind: "started", run: "run" }),
      { kind: "exists", run: "run" },
    ]);
    expect(await ledger.start(toNewRun("run"))).toEqual({ kind: "exists", run: "run" });
    expect(await ledger.findRun(toRunId("run"))).toEqual({
      id: "run",
      flow: "brief",
      version: "1",
      status: "running",
      epoch: 1,
      startedAt: 1_000,
      endedAt: undefined,
      wakeAt: undefined,
      parent: undefined,
      startKey: undefined,
    });
    expect((await ledger.read(toRunId("run"))).length).toBe(1);
    expect(await ledger.findRun(toRunId("nobody"))).toBeUndefined();
  });

  test("who starts a run holds it, unless somebody claimed it since", verifies("D1"), async () => {
    const disk = watchDisk();
    const ledger = await openForTest(under, { fault: disk.fault });
    const outcome = await ledger.start(toNewRun("run"));
    assert(outcome.kind === "started", "nobody else has this id");
    const { record, entries, log } = outcome.claim;
    expect(record).toEqual(await ledger.findRun(toRunId("run")));
    expect([record.epoch, log.epoch, log.run]).toEqual([1, 1, "run"]);
    expect(entries).toEqual(await ledger.read(toRunId("run")));
    expect(await log.append(toStep("a"))).toEqual({ kind: "recorded", seq: 2, lsn: 2 });
    expect(disk.commits()).toBe(2); // the start is the claim
    const later = await ledger.claim(toRunId("run"));
    expect(await codeOf(log.append(toStep("b")))).toBe("LEDGER_FENCED");
    expect(await later.log.append(toStep("c"))).toEqual({ kind: "recorded", seq: 3, lsn: 3 });
  });

  test("starts with one key are one run, for ever or within a window", verifies("D15"), async () => {
    const clock = createSettableClock(1_000);
    const ledger = await openForTest(under, { clock });
    const keyed = (id: string, windowMs?: number): ReturnType<Ledger["start"]> =>
      ledger.start(toNewRun(id, { startKey: "order-7", ...(windowMs === undefined ? {} : { windowMs }) }));
    const [first, second] = await Promise.all([keyed("a", 500), keyed("b", 500)]);
    expect([first, second]).toEqual([
      expect.objectContaining({ kind: "started", run: "a" }),
      { kind: "exists", run: "a" },
    ]);
    clock.set(1_499);
    expect(await keyed("c", 500)).toEqual({ kind: "exists", run: "a" });
    clock.set(1_500);
    expect(await keyed("d", 500)).toMatchObject({ kind: "started", run: "d" });
    clock.set(900_000);
    expect(await keyed("e")).toEqual({ kind: "exists", run: "d" });
    expect(await keyed("f", 1)).toMatchObject({ kind: "started", run: "f" });
    expect((await ledger.findRun(toRunId("f")))?.startKey).toBe("order-7");
    expect((await ledger.listRuns({})).map((run) => run.id)).toEqual(["f", "d", "a"]);
  });
}

function describeClaimingTogether(under: LedgerUnderTest): void {
  test(
    "of runs that are claimed together each has all that was written of it; who is not wanted keeps its driver",
    verifies("D1"),
    async () => {
      const ledger = await openForTest(under);
      const [one, two, three] = await startLogs(ledger, 3);
      assert(one !== undefined && two !== undefined && three !== undefined, "three were started");
      await Promise.all([one, two, three].map((log) => log.append(toStep("a"))));
      void one.append(toStep("b")); // waits to be written while the run is claimed
      const runs = [three.run, toRunId("nobody"), one.run, two.run];
      const outcomes = await ledger.claimTogether(runs, ({ id }) => id !== two.run);
      expect(outcomes.map(({ kind }) => kind)).toEqual(["claimed", "unknown", "claimed", "passed"]);
      for (const outcome of outcomes) {
        if (outcome.kind !== "claimed") continue;
        const { record, entries, log } = outcome.claim;
        expect(entries).toEqual(await ledger.read(record.id));
        expect(entries.map((entry) => entry.key)).toEqual(record.id === one.run ? ["", "/a", "/b"] : ["", "/a"]);
        expect(await log.append(toStep("on"))).toMatchObject({ kind: "recorded", seq: entries.length + 1 });
      }
      expect(await codeOf(one.append(toStep("c")))).toBe("LEDGER_FENCED");
      expect(await codeOf(three.append(toStep("c")))).toBe("LEDGER_FENCED");
      expect(await two.append(toStep("c"))).toMatchObject({ kind: "recorded", seq: 3 });
      expect(await ledger.claimTogether([], () => true)).toEqual([]);
      expect((await verifyLedger(ledger)).kind).toBe("intact");
    },
  );
}

function describeForking(under: LedgerUnderTest): void {
  test("a forked run begins with its copied past", verifies("D12"), async () => {
    const ledger = await openForTest(under);
    const blobbed = toStepWithBlob("b", "large");
    const outcome = await ledger.start(toNewRun("fork", { copied: [toStep("a", { status: "done" }), blobbed] }));
    assert(outcome.kind === "started", "nobody else has this id");
    const { entries, log, record } = outcome.claim;
    expect(entries.map(({ seq, key }) => [seq, key])).toEqual([
      [1, ""],
      [2, "/a"],
      [3, "/b"],
    ]);
    expect(record.status).toBe("running");
    expect(await log.append(toStep("c"))).toEqual({ kind: "recorded", seq: 4, lsn: 4 });
    expect((await verifyLedger(ledger)).kind).toBe("intact");
  });
}

function describeChildren(under: LedgerUnderTest): void {
  test("a child starts in the same transaction as its parent's entry", verifies("D17"), async () => {
    const ledger = await openForTest(under);
    const { log } = await startAndClaim(ledger, "parent");
    const body = '{"child":"child","flow":"brief","version":"1"}';
    const starts = toNewRun("child", { parent: toRunId("parent") });
    const appended = await log.append({ kind: "child-started", key: "/child", body, starts });
    expect(appended).toEqual({ kind: "recorded", seq: 2, lsn: 2 });
    const child = await ledger.claim(toRunId("child"));
    expect(child.entries.map(({ lsn, seq, kind }) => [lsn, seq, kind])).toEqual([[3, 1, "run-started"]]);
    expect(child.record.parent).toBe("parent");
    // Starting it again records the parent's entry and leaves the child alone.
    await log.append({ kind: "child-started", key: "/child#2", body, starts });
    expect(await keysOf(ledger, toRunId("parent"))).toEqual(["/child", "/child#2"]);
    expect((await ledger.read(toRunId("child"))).length).toBe(1);
    expect((await ledger.listRuns({ parent: toRunId("parent") })).map((run) => run.id)).toEqual(["child"]);
  });

  test("if the commit fails, neither the entry nor the child exists", verifies("D17"), async () => {
    let isFailing = false;
    const ledger = await openForTest(under, {
      fault() {
        if (isFailing) throw new Error("no");
      },
    });
    const { log } = await startAndClaim(ledger, "parent");
    isFailing = true;
    const body = '{"child":"child","flow":"brief","version":"1"}';
    const entry = { kind: "child-started", key: "/child", body, starts: toNewRun("child") } as const;
    expect(await codeOf(log.append(entry))).toBe("LEDGER_STOPPED");
    expect(await ledger.findRun(toRunId("child"))).toBeUndefined();
    expect(await keysOf(ledger, toRunId("parent"))).toEqual([]);
  });
}

function describeListing(under: LedgerUnderTest): void {
  test("runs are listed newest first, by status, flow, parent and due time", verifies("D10"), async () => {
    const ledger = await openForTest(under);
    for (const id of ["a", "b", "c", "d", "e"]) {
      await ledger.start(
        toNewRun(id, { flow: id < "c" ? "brief" : "other", ...(id === "e" ? { parent: toRunId("a") } : {}) }),
      );
    }
    const log = async (id: string): Promise<void> =>
      (await ledger.claim(toRunId(id))).log.mark("waiting", id === "b" ? 200 : 100);
    await log("b");
    await log("c");
    const done = await ledger.claim(toRunId("d"));
    await done.log.append({ kind: "run-done", key: "", body: "{}", status: "done" });
    const list = async (filter: RunFilter): Promise<string> =>
      (await ledger.listRuns(filter)).map((run) => run.id).join("");
    expect(await list({})).toBe("edcba");
    expect(await list({ limit: 2 })).toBe("ed");
    expect(await list({ statuses: ["running"] })).toBe("ea");
    expect(await list({ statuses: ["running", "waiting", "done"] })).toBe("edcba");
    expect(await list({ statuses: ["waiting"], flow: "other" })).toBe("c");
    expect(await list({ statuses: [] })).toBe("");
    expect(await list({ parent: toRunId("a") })).toBe("e");
    expect(await list({ dueBy: 99 })).toBe("");
    expect(await list({ dueBy: 100 })).toBe("c");
    expect(await list({ dueBy: 200, statuses: ["waiting"] })).toBe("cb");
  });

  test("a mark changes a run's state without an entry, in order with its entries", verifies("D9"), async () => {
    const clock = createSettableClock(1_000);
    const ledger = await openForTest(under, { clock });
    const { log } = await startAndClaim(ledger, "run");
    const state = async (): Promise<unknown> => {
      await ledger.flush();
      const run = await ledger.findRun(toRunId("run"));
      return [run?.status, run?.wakeAt, run?.endedAt];
    };
    log.mark("waiting", 5_000);
    expect(await state()).toEqual(["waiting", 5_000, undefined]);
    log.mark("running");
    expect(await state()).toEqual(["running", undefined, undefined]);
    void log.append({ ...toStep("a"), status: "waiting", wakeAt: 7_000 });
    log.mark("paused");
    void log.append({ ...toStep("b"), status: "in-doubt" });
    expect(await state()).toEqual(["in-doubt", undefined, undefined]);
    clock.set(2_000);
    void log.append({ kind: "run-done", key: "", body: "{}", status: "done" });
    expect(await state()).toEqual(["done", undefined, 2_000]);
    expect((await ledger.read(toRunId("run"))).length).toBe(4);
  });
}
