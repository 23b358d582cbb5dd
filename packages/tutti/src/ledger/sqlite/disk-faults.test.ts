import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import {
  codeOf,
  createSettableClock,
  keysOf,
  scanAll,
  startAndClaim,
  startLogs,
  toStep,
} from "../../../../../test/ledger/ledger-fixture.ts";
import { useLedgerFolder } from "../../../../../test/ledger/ledger-folder.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toRunId } from "../../contracts/ids.ts";
import { verifyLedger } from "../verify.ts";

const here = useLedgerFolder();

/** A file system of its own, of so many kilobytes; `undefined` where this user may not mount one. */
function mountSmall(path: string, kilobytes: number): string | undefined {
  const isRoot = process.getuid?.() === 0;
  const { status } = isRoot
    ? spawnSync("mount", ["-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs", path])
    : { status: 1 };
  if (status !== 0) return undefined;
  here.onCleanUp(() => spawnSync("umount", [path]));
  return path;
}

const cannotMount =
  "only root can mount the small file system; the conformance suite proves the same with an injected failure";

test("a read-only folder is refused for writing and can be read", async (context) => {
  const place = join(here.folder, "read-only");
  await mkdir(place);
  const isMounted = mountSmall(place, 4_096) !== undefined;
  if (process.getuid?.() === 0 && !isMounted)
    context.skip("root may write everywhere, and could not mount a read-only folder");
  const ledger = await here.open(join(place, "old.db"));
  await startAndClaim(ledger, "run");
  await ledger.close();
  if (isMounted) spawnSync("mount", ["-o", "remount,ro", place]);
  else await chmod(place, 0o555);
  expect(await here.refusal(join(place, "new.db"))).toBe("LEDGER_UNWRITABLE");
  expect(await here.refusal(join(place, "old.db"))).toBe("LEDGER_UNWRITABLE");
  const reader = await here.open(join(place, "old.db"), { readOnly: true });
  expect((await verifyLedger(reader)).kind).toBe("intact");
  await reader.close();
  if (!isMounted) await chmod(place, 0o755);
});

test(
  "a full disk stops the ledger; what was acknowledged is there when there is space again",
  verifies("D1"),
  async (context) => {
    const place = join(here.folder, "small");
    await mkdir(place);
    if (mountSmall(place, 1_024) === undefined) context.skip(cannotMount);
    const path = join(place, "ledger.db");
    const ballast = join(place, "ballast");
    await writeFile(ballast, "x".repeat(200_000));
    const ledger = await here.open(path);
    const { log } = await startAndClaim(ledger, "run");
    let acknowledged = 0;
    const failure = await codeOf(
      (async () => {
        for (;;) {
          await log.append({ ...toStep(`s${acknowledged}`), body: JSON.stringify({ out: "x".repeat(4_000) }) });
          acknowledged += 1;
        }
      })(),
    );
    expect(failure).toBe("LEDGER_STOPPED");
    expect(await codeOf(log.append(toStep("later")))).toBe("LEDGER_STOPPED");
    expect((await keysOf(ledger, toRunId("run"))).length).toBe(acknowledged);
    await ledger.close();
    await rm(ballast);
    const again = await here.open(path);
    expect((await keysOf(again, toRunId("run"))).length).toBe(acknowledged);
    expect((await verifyLedger(again)).kind).toBe("intact");
    expect(acknowledged).toBeGreaterThan(20);
  },
);

test("room that is left on a disk is not taken for what may come later", verifies("D1"), async (context) => {
  const place = join(here.folder, "small");
  await mkdir(place);
  if (mountSmall(place, 1_024) === undefined) context.skip(cannotMount);
  const path = join(place, "ledger.db");
  await writeFile(join(place, "ballast"), "x".repeat(650_000));
  const ledger = await here.open(path);
  const { log } = await startAndClaim(ledger, "run");
  for (let at = 0; at < 8; at++)
    await log.append({ ...toStep(`s${at}`), body: JSON.stringify({ out: "x".repeat(4_000) }) });
  await ledger.close(); // moves the pages into the main file, which becomes longer
  const again = await here.open(path);
  expect((await keysOf(again, toRunId("run"))).length).toBe(8);
});

test("a disk that fills up while pages are moved at idle stops the ledger too", verifies("D1"), async (context) => {
  const place = join(here.folder, "small");
  await mkdir(place);
  if (mountSmall(place, 2_048) === undefined) context.skip(cannotMount);
  const wakes: (() => void)[] = [];
  const clock = { ...createSettableClock(), after: (_: number, wake: () => void) => (wakes.push(wake), () => {}) };
  const path = join(place, "ledger.db");
  const ledger = await here.open(path, { clock, walLimits: { idlePages: 20, forcedPages: 10_000 } });
  const { log } = await startAndClaim(ledger, "run");
  for (let index = 0; index < 60; index++)
    await log.append({ ...toStep(`s${index}`), body: JSON.stringify({ out: "x".repeat(4_000) }) });
  const ballast = join(place, "ballast");
  spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=4k"]); // until nothing fits any more
  expect(wakes.length).toBe(1);
  for (let round = 0; round < 3; round++) for (const wake of wakes.splice(0)) wake();
  await rm(ballast);
  expect(await codeOf(log.append(toStep("later")))).toBe("LEDGER_STOPPED"); // what failed once is not trusted again
  await ledger.close();
  const again = await here.open(path);
  expect((await keysOf(again, toRunId("run"))).length).toBe(60);
  expect((await verifyLedger(again)).kind).toBe("intact");
});

test(
  "a failed sync keeps the -wal file as it is, and nothing is moved out of it on closing",
  verifies("D1"),
  async () => {
    let isFailing = false;
    const ledger = await here.open(here.file, {
      fault(point) {
        if (isFailing && point === "sync") throw new Error("EIO");
      },
    });
    const { log } = await startAndClaim(ledger, "run");
    await log.append(toStep("kept"));
    isFailing = true;
    expect(await codeOf(log.append(toStep("unsure")))).toBe("LEDGER_STOPPED");
    const before = [statSync(here.file).size, statSync(`${here.file}-wal`).size];
    await ledger.close();
    expect([statSync(here.file).size, statSync(`${here.file}-wal`).size]).toEqual(before);
    const again = await here.open();
    expect((await keysOf(again, toRunId("run"))).slice(0, 1)).toEqual(["/kept"]);
  },
);

test("a clock that was set back between two processes does not date entries back", async () => {
  const first = await here.open(here.file, { clock: createSettableClock(9_000) });
  const { log } = await startAndClaim(first, "run");
  await log.append(toStep("a"));
  await first.close();
  const second = await here.open(here.file, { clock: createSettableClock(2_000) });
  await (await second.claim(toRunId("run"))).log.append(toStep("b"));
  expect((await scanAll(second)).map((entry) => entry.at)).toEqual([9_000, 9_000, 9_000]);
  expect((await verifyLedger(second)).kind).toBe("intact");
});

test("many appends that are under way when the disk fails are all answered", verifies("D1"), async () => {
  let isFailing = false;
  const ledger = await here.open(here.file, {
    fault() {
      if (isFailing) throw new Error("EIO");
    },
  });
  const logs = await startLogs(ledger, 50);
  isFailing = true;
  const answers = await Promise.all(
    logs.flatMap((log) => [codeOf(log.append(toStep("a"))), codeOf(log.durable()), codeOf(ledger.flush())]),
  );
  expect(new Set(answers)).toEqual(new Set(["LEDGER_STOPPED"]));
});
