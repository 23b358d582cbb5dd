import { expect, test } from "vitest";

import { toRunId } from "../../packages/tutti/src/contracts/ids.ts";
import { verifies } from "../verifies.ts";
import {
  codeOf,
  keysOf,
  openForTest,
  passTurns,
  scanAll,
  startAndClaim,
  startLogs,
  toNewRun,
  toStep,
  watchDisk,
  type LedgerUnderTest,
} from "./ledger-fixture.ts";

/** What an acknowledgement means, how many share one, and what happens when the disk refuses. */
export function describeDurability(under: LedgerUnderTest): void {
  if (under.durability === "power") {
    describeAcknowledgement(under);
    describeCollecting(under);
  } else describeUnsynced(under);
  describeWaiting(under);
  describeSharing(under);
  describeStopping(under);
}

function describeAcknowledgement(under: LedgerUnderTest): void {
  test("nothing is acknowledged before its sync returned", verifies("D1"), async () => {
    const disk = watchDisk();
    const ledger = await openForTest(under, { fault: disk.fault });
    const { log } = await startAndClaim(ledger, "run");
    const release = disk.hold();
    const acknowledged: string[] = [];
    const note = (name: string) => (): void => void acknowledged.push(name);
    const all = [
      log.append(toStep("a")).then(note("append")),
      ledger.start(toNewRun("second")).then(note("start")),
      ledger.start(toNewRun("run")).then(note("exists")),
      log.durable().then(note("durable")),
      ledger.flush().then(note("flush")),
    ];
    await passTurns();
    expect(await keysOf(ledger, toRunId("run"))).toEqual(["/a"]); // committed, so it can be read
    const later = log.append(toStep("b")).then(note("later"));
    await passTurns();
    expect(acknowledged).toEqual([]);
    expect(await keysOf(ledger, toRunId("run"))).toEqual(["/a"]); // rows collect while the sync runs
    release();
    await Promise.all(all);
    expect(acknowledged.toSorted()).toEqual(["append", "durable", "exists", "flush", "start"]);
    await later;
  });

  test("what a claim committed early is synced before it is acknowledged", async () => {
    const disk = watchDisk();
    const ledger = await openForTest(under, { fault: disk.fault });
    const { log } = await startAndClaim(ledger, "run");
    const syncsBefore = disk.syncs();
    const release = disk.hold();
    const first = log.append(toStep("a"));
    await passTurns();
    let isAcknowledged = false;
    const second = log.append(toStep("b")).then(() => (isAcknowledged = true));
    const claim = await ledger.claim(toRunId("run"));
    expect(claim.entries.map((entry) => entry.key)).toEqual(["", "/a", "/b"]);
    release();
    await first;
    expect(isAcknowledged).toBe(false);
    await second;
    expect(disk.syncs() - syncsBefore).toBe(2);
  });
}

function describeWaiting(under: LedgerUnderTest): void {
  test("durable() waits for this log's entries so far, and for nothing when there are none", async () => {
    const ledger = await openForTest(under);
    const { log } = await startAndClaim(ledger, "run");
    let isDurable = false;
    void log.durable().then(() => (isDurable = true));
    await Promise.resolve();
    expect(isDurable).toBe(true);
    const order: string[] = [];
    void log.append(toStep("a")).then(() => order.push("a"));
    const durable = log.durable().then(() => order.push("durable"));
    void log.append(toStep("b"));
    await durable;
    expect(order).toEqual(["a", "durable"]);
    await log.durable();
    expect(await keysOf(ledger, toRunId("run"))).toEqual(["/a", "/b"]);
  });

  test("flush resolves when all that was asked for is stored, marks included", async () => {
    const ledger = await openForTest(under);
    const { log } = await startAndClaim(ledger, "run");
    void log.append(toStep("a"));
    log.mark("waiting", 7);
    await ledger.flush();
    expect(await keysOf(ledger, toRunId("run"))).toEqual(["/a"]);
    expect(await ledger.findRun(toRunId("run"))).toMatchObject({ status: "waiting", wakeAt: 7, epoch: 1 });
    await ledger.flush();
  });

  test("a closed ledger has kept what was asked for before, and refuses everything after", async () => {
    const disk = watchDisk();
    const ledger = await openForTest(under, { fault: disk.fault });
    const { log } = await startAndClaim(ledger, "run");
    const before = log.append(toStep("a"));
    const closing = ledger.close();
    const refused = [
      log.append(toStep("b")),
      ledger.start(toNewRun("second")),
      ledger.claim(toRunId("run")),
      ledger.flush(),
      ledger.read(toRunId("run")),
      ledger.scan(0, 1),
      ledger.findRun(toRunId("run")),
      ledger.listRuns({}),
    ];
    expect(await Promise.all(refused.map(codeOf))).toEqual(refused.map(() => "LEDGER_CLOSED"));
    expect(await before).toEqual({ kind: "recorded", seq: 2, lsn: 2 });
    log.mark("done"); // must not throw
    await closing;
    await ledger.close();
  });
}

function describeSharing(under: LedgerUnderTest): void {
  test("1,000 runs start in one commit, their first entries share the next, and so do later claims and entries", async () => {
    const disk = watchDisk();
    const ledger = await openForTest(under, { fault: disk.fault });
    const ids = Array.from({ length: 1_000 }, (_, index) => `run-${index}`);
    const starts = await Promise.all(ids.map((id) => ledger.start(toNewRun(id))));
    expect(disk.commits()).toBe(1);
    const logs = starts.flatMap((start) => (start.kind === "started" ? [start.claim.log] : []));
    await Promise.all(logs.map((log) => log.append(toStep("a"))));
    expect(disk.commits()).toBe(2);
    const claims = await Promise.all(ids.map((id) => ledger.claim(toRunId(id))));
    await Promise.all(claims.map(({ log }) => log.append(toStep("b"))));
    expect(disk.commits()).toBe(3);
    expect(disk.syncs()).toBe(under.durability === "power" ? 3 : 0);
    expect((await ledger.findRun(toRunId("run-999")))?.epoch).toBe(2);
    expect((await scanAll(ledger)).length).toBe(3_000);
  });

  test("an idle ledger commits and syncs nothing", async () => {
    const disk = watchDisk();
    const ledger = await openForTest(under, { fault: disk.fault });
    const { log } = await startAndClaim(ledger, "run");
    await log.append(toStep("a"));
    await ledger.flush();
    const before = [disk.commits(), disk.syncs()];
    await ledger.flush();
    await ledger.start(toNewRun("run"));
    await passTurns();
    expect([disk.commits(), disk.syncs()]).toEqual(before);
  });
}

function describeStopping(under: LedgerUnderTest): void {
  const points = under.durability === "power" ? (["commit", "sync"] as const) : (["commit"] as const);
  test.for(points)("after a failed %s nothing more is acknowledged", verifies("D1"), async (failing) => {
    let isFailing = false;
    const cause = new Error("the disk is on fire");
    const ledger = await openForTest(under, {
      fault(point) {
        if (isFailing && point === failing) throw cause;
      },
    });
    const [log, other] = await startLogs(ledger, 2);
    if (log === undefined || other === undefined) throw new Error("two logs were started");
    await log.append(toStep("kept"));
    isFailing = true;
    const doomed = [
      log.append(toStep("a")),
      other.append(toStep("b")),
      log.durable(),
      ledger.flush(),
      ledger.start(toNewRun("late")),
    ];
    expect(await Promise.all(doomed.map(codeOf))).toEqual(doomed.map(() => "LEDGER_STOPPED"));
    isFailing = false;
    const later = [
      log.append(toStep("c")),
      other.durable(),
      ledger.flush(),
      ledger.start(toNewRun("later")),
      ledger.claim(log.run),
    ];
    expect(await Promise.all(later.map(codeOf))).toEqual(later.map(() => "LEDGER_STOPPED"));
    await expect(log.append(toStep("d"))).rejects.toMatchObject({ cause, facts: { point: failing } });
    log.mark("done"); // must not throw
    const keys = (await ledger.read(log.run)).map((entry) => entry.key);
    expect(keys).toEqual(failing === "commit" ? ["", "/kept"] : ["", "/kept", "/a"]);
    await ledger.close();
  });
}

/** Rows that come while a sync is under way. */
function describeCollecting(under: LedgerUnderTest): void {
  test("entries that come during a sync share one commit", async () => {
    const disk = watchDisk();
    const ledger = await openForTest(under, { fault: disk.fault });
    const logs = await startLogs(ledger, 50);
    const commitsBefore = disk.commits();
    const release = disk.hold();
    const first = logs[0]?.append(toStep("a"));
    await passTurns();
    const rest: Promise<unknown>[] = [];
    for (const log of logs) {
      rest.push(log.append(toStep("b")));
      await passTurns(1);
    }
    release();
    await Promise.all([first, ...rest]);
    expect(disk.commits() - commitsBefore).toBe(2);
  });

  test("what came during a sync that fails is rejected with it", async () => {
    const gate = Promise.withResolvers<void>();
    let isHolding = false;
    const ledger = await openForTest(under, {
      fault: (point) => (isHolding && point === "sync" ? gate.promise : undefined),
    });
    const [log, other] = await startLogs(ledger, 2);
    if (log === undefined || other === undefined) throw new Error("two logs were started");
    isHolding = true;
    const answers = [codeOf(log.append(toStep("a")))];
    await passTurns();
    answers.push(codeOf(other.append(toStep("b"))), codeOf(ledger.start(toNewRun("late"))), codeOf(log.durable()));
    await passTurns();
    const claim = codeOf(ledger.claim(other.run)); // commits what waits, while the sync is under way
    answers.push(codeOf(other.append(toStep("c"))), codeOf(ledger.flush()));
    gate.reject(new Error("EIO"));
    expect(await Promise.all(answers)).toEqual(answers.map(() => "LEDGER_STOPPED"));
    expect(await claim).toMatchObject({ resolved: { record: { id: other.run } } });
    expect(await codeOf(ledger.claim(other.run))).toBe("LEDGER_STOPPED");
  });
}

function describeUnsynced(under: LedgerUnderTest): void {
  test("at durability process nothing waits for a sync", async () => {
    const disk = watchDisk();
    const ledger = await openForTest(under, { fault: disk.fault });
    const { log } = await startAndClaim(ledger, "run");
    await log.append(toStep("a"));
    expect(disk.syncs()).toBe(0);
  });
}
