import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../test/verifies.ts";
import { systemClock } from "../base/clock.ts";
import { isTuttiError } from "../base/errors.ts";
import { bodyOf } from "../contracts/entry.ts";
import { toRunId } from "../contracts/ids.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { openSqliteLedger } from "../ledger/sqlite/sqlite-ledger.ts";
import { openManualClock, type ManualClock } from "../testing/manual-clock.ts";
import { openBoard, type Board, type Lease } from "./board.ts";

type NumberBoard = Board<number, number>;

async function toFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-board-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const stores: readonly [string, (clock: ManualClock) => Promise<Ledger>][] = [
  ["memory", (clock) => Promise.resolve(openMemoryLedger({ clock }))],
  [
    "sqlite",
    async (clock) => openSqliteLedger(path.join(await toFolder(), "ledger.db"), { clock, durability: "process" }),
  ],
];

const toBoard = (ledger: Ledger, clock: ManualClock): Promise<NumberBoard> =>
  openBoard({ ledger, name: "sums", task: z.number(), output: z.number(), leaseMs: 1_000, clock });

/** How often each task was done, as the ledger has it. */
async function countDone(ledger: Ledger): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  for (let lsn = 0; ;) {
    const entries = await ledger.scan(lsn, 10_000);
    for (const entry of entries) if (entry.kind === "run-done") times.set(entry.run, (times.get(entry.run) ?? 0) + 1);
    const last = entries.at(-1);
    if (last === undefined) return times;
    lsn = last.lsn;
  }
}

async function only(leases: Promise<readonly Lease<number, number>[]>): Promise<Lease<number, number>> {
  const [lease, ...more] = await leases;
  if (lease === undefined || more.length > 0) throw new Error("one lease was expected");
  return lease;
}

describe.for(stores)("on %s", ([, open]) => {
  test("a task goes to the best bid, is done once, and its claim says why", verifies("C8"), async () => {
    const clock = openManualClock();
    const ledger = await open(clock);
    const board = await toBoard(ledger, clock);
    board.join({ name: "poet", does: "composes poems" });
    board.join({ name: "dear", does: "adds numbers", costUsd: 2 });
    board.join({ name: "cheap", does: "adds numbers", costUsd: 1 });
    await board.announce("t1", { does: "add two numbers", task: 4 });
    await board.announce("t1", { does: "add two numbers", task: 4 });
    expect(board.left).toBe(1);
    const lease = await only(board.assign());
    expect(lease).toMatchObject({ id: "t1", task: 4, by: "cheap", until: clock.now() + 1_000 });
    expect(await board.assign()).toEqual([]);
    await lease.complete(8);
    expect(board.left).toBe(0);
    await expect(lease.complete(8)).rejects.toMatchObject({ code: "RUN_OVER" });
    const entries = await ledger.read(toRunId("board:sums:t1"));
    expect(entries.map((entry) => entry.kind)).toEqual(["run-started", "task-claimed", "run-done"]);
    const [, claimed] = entries;
    expect(claimed === undefined ? undefined : bodyOf(claimed, "task-claimed").others).toEqual([
      { name: "dear", why: expect.stringContaining("2 USD") },
      { name: "poet", why: "does nothing of the kind" },
    ]);
    await ledger.close();
  });

  test("who is dead loses the lease when it ends, and who is only late is refused", verifies("C8"), async () => {
    const clock = openManualClock();
    const ledger = await open(clock);
    const board = await toBoard(ledger, clock);
    board.join({ name: "ada", does: "adds numbers" });
    await board.announce("t1", { does: "add numbers", task: 1 });
    const late = await only(board.assign());
    board.leave("ada");
    board.join({ name: "ben", does: "adds numbers" });
    expect(await board.assign()).toEqual([]);
    expect(board.dueAt).toBe(late.until);
    await clock.advance(1_000);
    const second = await only(board.assign());
    expect(second.by).toBe("ben");
    expect(second.fence).toBeGreaterThan(late.fence);
    await expect(late.complete(0)).rejects.toMatchObject({ code: "LEDGER_FENCED" });
    await expect(late.renew()).rejects.toMatchObject({ code: "RUN_OVER" });
    await second.complete(2);
    expect([...(await countDone(ledger)).values()]).toEqual([1]);
    await ledger.close();
  });
});

describe.for(stores)("over time, on %s", ([, open]) => {
  test("a lease that is renewed goes on, one that is given back is free at once", verifies("C8"), async () => {
    const clock = openManualClock();
    const ledger = await open(clock);
    const board = await toBoard(ledger, clock);
    board.join({ name: "ada", does: "adds numbers" });
    await board.announce("t1", { does: "add numbers", task: 1 });
    const lease = await only(board.assign());
    await clock.advance(900);
    expect(await lease.renew()).toBe(clock.now() + 1_000);
    await clock.advance(900);
    expect(await board.assign()).toEqual([]);
    await lease.release("too hard");
    const again = await only(board.assign());
    expect(again.fence).toBeGreaterThan(lease.fence);
    await again.complete(2);
    await ledger.close();
  });

  test("who let a later task lapse is free for an earlier one", async () => {
    const clock = openManualClock();
    const ledger = await open(clock);
    const board = await toBoard(ledger, clock);
    board.join({ name: "ada", does: "adds numbers", capacity: 2 });
    for (const id of ["t1", "t2"]) await board.announce(id, { does: "add numbers", task: 1 });
    const [first] = await board.assign();
    await first?.release("not now");
    board.join({ name: "ada", does: "adds numbers", capacity: 1 });
    expect(await board.assign()).toEqual([]);
    await clock.advance(1_000);
    expect((await only(board.assign())).id).toBe("t1");
    await ledger.close();
  });

  test(
    "another process finds what was open and leased, and takes it up when the leases are over",
    verifies("C8"),
    async () => {
      const clock = openManualClock();
      const ledger = await open(clock);
      const first = await toBoard(ledger, clock);
      first.join({ name: "ada", does: "adds numbers" });
      for (const id of ["t1", "t2", "t3"]) await first.announce(id, { does: "add numbers", task: 1 });
      await (await only(first.assign())).complete(2);
      await first.assign();
      first.close();
      const second = await toBoard(ledger, clock);
      expect(second.left).toBe(2);
      second.join({ name: "ben", does: "adds numbers", capacity: 9 });
      expect((await second.assign()).map((lease) => lease.id)).toEqual(["t3"]);
      await clock.advance(1_000);
      expect((await second.assign()).map((lease) => lease.id)).toEqual(["t2", "t3"]);
      await ledger.close();
    },
  );
});

test("10,000 tasks, 20 claimants that die and come late: each task is done exactly once", verifies("C8"), async () => {
  const clock = openManualClock();
  const ledger = openMemoryLedger({ clock });
  const board = await toBoard(ledger, clock);
  const tasks = 10_000;
  await Promise.all(
    Array.from({ length: tasks }, (_, task) => board.announce(`t${task}`, { does: "add numbers", task })),
  );
  for (let index = 0; index < 20; index++) board.join({ name: `adder-${index}`, does: "adds numbers", capacity: 50 });
  let seed = 20_261_127;
  const chance = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const zombies: Lease<number, number>[] = [];
  let [done, refused, rounds] = [0, 0, 0];
  const finish = async (lease: Lease<number, number>): Promise<void> => {
    try {
      await lease.complete(lease.task);
      done += 1;
    } catch (error) {
      if (!isTuttiError(error) || error.code !== "LEDGER_FENCED") throw error;
      refused += 1;
    }
  };
  while (board.left > 0) {
    expect((rounds += 1)).toBeLessThan(1_000);
    const working: Lease<number, number>[] = [];
    for (const lease of await board.assign()) (chance() < 0.1 ? zombies : working).push(lease);
    // Some of the dead were only slow: they come back at any time, also after others have taken over.
    const back = zombies.splice(0, Math.floor(chance() * zombies.length));
    await Promise.all([...working, ...back].map(finish));
    await clock.advance(400);
  }
  const times = await countDone(ledger);
  expect(times.size).toBe(tasks);
  expect(new Set(times.values())).toEqual(new Set([1]));
  expect(done).toBe(tasks);
  expect(refused).toBeGreaterThan(50);
  await ledger.close();
});

const claimant = fileURLToPath(new URL("../../../../test/teams/claimant.ts", import.meta.url));

test(
  "claimants that are killed with their process leave nothing undone and nothing done twice",
  verifies("C8"),
  async () => {
    const folder = await toFolder();
    const [file, log] = [path.join(folder, "ledger.db"), path.join(folder, "done.log")];
    const tasks = 150;
    const live = async (killAfter: number | undefined): Promise<unknown> => {
      const child = spawn(process.execPath, ["--conditions=tutti-source", claimant, file, log, String(tasks)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = once(child, "close");
      child.stdout.once("data", () => {
        if (killAfter !== undefined) setTimeout(() => child.kill("SIGKILL"), killAfter);
      });
      const [code, signal]: unknown[] = await exited;
      return signal ?? code;
    };
    for (const killAfter of [3, 11, 24]) expect(await live(killAfter)).toBe("SIGKILL");
    expect(await live(undefined)).toBe(0);
    const ledger = await openSqliteLedger(file, { clock: systemClock, durability: "process" });
    const times = await countDone(ledger);
    expect(times.size).toBe(tasks);
    expect(new Set(times.values())).toEqual(new Set([1]));
    // A completion that was acknowledged is one that counts, and none was acknowledged twice.
    const acknowledged = (await readFile(log, "utf8")).split("\n").slice(0, -1);
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
    await ledger.close();
  },
);

test("a board that can't work is refused with a hint", verifies("K4"), async () => {
  const clock = openManualClock();
  const ledger = openMemoryLedger({ clock });
  const board = await toBoard(ledger, clock);
  const refused = { code: "INPUT_INVALID", hint: expect.any(String) };
  await expect(toBoard(ledger, clock)).rejects.toMatchObject(refused);
  const rest = { ledger, task: z.number(), output: z.number(), clock };
  await expect(openBoard({ ...rest, name: "two words" })).rejects.toMatchObject(refused);
  await expect(openBoard({ ...rest, name: "other", leaseMs: 0 })).rejects.toMatchObject(refused);
  await expect(board.announce("a/b", { does: "x", task: 1 })).rejects.toMatchObject(refused);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as plain JavaScript might
  await expect(board.announce("t1", { does: "x", task: "one" as unknown as number })).rejects.toMatchObject({
    code: "INPUT_INVALID",
  });
  await ledger.close();
});
