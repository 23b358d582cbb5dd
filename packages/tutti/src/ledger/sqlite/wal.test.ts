import { readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { useLedgerFolder } from "../../../../../test/ledger/ledger-folder.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { openWalSync, usualLimits, type WalSync } from "./wal.ts";

const here = useLedgerFolder();
let files = 0;

function openOnFile(now: () => number): WalSync {
  const file = join(here.folder, `sync-${files++}`);
  writeFileSync(`${file}-wal`, "pages");
  return openWalSync(file, usualLimits, now);
}

/** True when the sync called back before it returned, so on the event loop. */
async function isMadeHere(sync: WalSync, waiting: number): Promise<boolean> {
  let isDone = false;
  let isHere = false;
  await new Promise<void>((resolve, reject) => {
    sync.sync((error) => {
      isDone = true;
      if (error === undefined || error === null) resolve();
      else reject(error);
    }, waiting);
    isHere = isDone;
  });
  return isHere;
}

test("on a quick disk a lone row is synced on the spot, and several on another thread", async () => {
  const sync = openOnFile(() => 0);
  expect(await isMadeHere(sync, 1)).toBe(true);
  expect(await isMadeHere(sync, 2)).toBe(false);
  expect(await isMadeHere(sync, 0)).toBe(false);
  expect(await isMadeHere(sync, 1)).toBe(true);
  await sync.close();
});

test("a slow sync keeps the next ones off the event loop", async () => {
  let time = 0;
  let step = 10;
  const sync = openOnFile(() => (time += step));
  expect(await isMadeHere(sync, 1)).toBe(true); // nobody knew
  step = 0;
  const next: boolean[] = [];
  for (let at = 0; at < 66; at++) next.push(await isMadeHere(sync, 1));
  expect(next.indexOf(true)).toBe(64);
  await sync.close();
});

test("a sync that fails says so, wherever it is made", verifies("D1"), async () => {
  const file = join(here.folder, "no-file");
  symlinkSync("/dev/null", `${file}-wal`); // a device can't be synced
  const sync = openWalSync(file, usualLimits, () => 0);
  for (const waiting of [1, 2]) await expect(isMadeHere(sync, waiting)).rejects.toThrow("EINVAL");
  await sync.close();
});

test("the file grows in large pieces, and no further than it may; what stands in it stays", async () => {
  const file = join(here.folder, "growing");
  const wal = `${file}-wal`;
  const frameBytes = 4_120;
  const pieceBytes = 256 * 1024;
  writeFileSync(wal, "");
  const sync = openWalSync(file, { idlePages: 1, forcedPages: 100 });
  sync.grow();
  expect(statSync(wal).size).toBe(0); // its header comes first
  writeFileSync(wal, "frames");
  const lengths = new Set<number>();
  for (let used = frameBytes; used <= 200 * frameBytes; used += frameBytes) {
    if (statSync(wal).size < used) truncateSync(wal, used);
    sync.grow();
    lengths.add(statSync(wal).size);
  }
  await sync.close();
  const [first, second, third] = lengths;
  expect([first, second, third]).toEqual([frameBytes + pieceBytes, 65 * frameBytes + pieceBytes, 129 * frameBytes]);
  expect(readFileSync(wal, "utf8").startsWith("frames\0")).toBe(true);
});
