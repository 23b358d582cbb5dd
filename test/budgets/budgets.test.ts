import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import fc from "fast-check";
import { expect, test } from "vitest";

import { openMemoryLedger } from "../../packages/tutti/src/ledger/memory/memory-ledger.ts";
import { createSettableClock } from "../ledger/ledger-fixture.ts";
import { useLedgerFolder } from "../ledger/ledger-folder.ts";
import { verifies } from "../verifies.ts";
import { play, toActs, type Act, type Opened } from "./interleaving.ts";

const files = useLedgerFolder();

function openMemory(): Opened {
  const ledger = openMemoryLedger({ clock: createSettableClock(), durability: "process" });
  return { ledger, reopen: async () => ledger };
}

let count = 0;

async function openFile(): Promise<Opened> {
  const file = path.join(files.folder, `${count++}.db`);
  let ledger = await files.open(file, { durability: "process" });
  const reopen = async () => {
    await ledger.close();
    ledger = await files.open(file, { durability: "process" });
    return ledger;
  };
  return { ledger, reopen };
}

test(
  "in ten thousand interleavings with crashes no limit is exceeded, nothing spent is forgotten, nothing stays reserved",
  verifies("G11"),
  async () => {
    const property = fc.asyncProperty(toActs(false), (acts) => play(openMemory(), acts));
    await expect(fc.assert(property, { numRuns: 10_000 })).resolves.toBeUndefined();
  },
);

test("the same on a file that is opened again in between", verifies("G11"), async () => {
  const property = fc.asyncProperty(toActs(true), async (acts) => {
    const opened = await openFile();
    await play(opened, acts);
  });
  await expect(fc.assert(property, { numRuns: 40 })).resolves.toBeUndefined();
});

const folder = path.join(import.meta.dirname, "regressions");

test.for(readdirSync(folder))("found case %s", verifies("G11"), async (file) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a case that this generator wrote
  const acts = JSON.parse(readFileSync(path.join(folder, file), "utf8")) as readonly Act[];
  await expect(play(openMemory(), acts)).resolves.toBeUndefined();
  await expect(play(await openFile(), acts)).resolves.toBeUndefined();
});
