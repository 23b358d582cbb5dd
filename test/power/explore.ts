import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import type { Chance } from "../../packages/tutti/src/base/chance.ts";
import type { Durability } from "../../packages/tutti/src/ledger/ledger.ts";
import { checkImage, noteAcknowledgement } from "./check-image.ts";
import { createDisk, type Cut, type Disk } from "./disk.ts";
import { type Operation, traceWriter } from "./trace.ts";

export interface Exploration {
  readonly durability: Durability;
  /** About how many images to build and open. */
  readonly images: number;
  readonly seed: number;
}

export interface Findings {
  readonly images: number;
  readonly acknowledgements: number;
  /** Images that lack something that had been acknowledged. */
  readonly lost: number;
  /** Images that can't be opened, are broken, or disagree with themselves. */
  readonly damaged: number;
  readonly examples: readonly string[];
}

const examplesMax = 5;
const cuts: readonly Cut[] = ["nothing-kept", "all-kept", "by-chance", "by-chance"];

/**
 * Cuts the power at moments spread over everything that a writer did to its disk, and opens what is left.
 * The writer opens, writes and closes its ledger three times, with checkpoints in between.
 */
export async function explorePowerCuts(exploration: Exploration): Promise<Findings> {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-power-"));
  try {
    const written = path.join(folder, "written");
    await mkdir(written);
    const file = path.join(written, "ledger.db");
    const steps = Math.min(200, Math.max(20, Math.round(exploration.images / 60)));
    const operations = traceWriter({ folder, file, durability: exploration.durability, steps, sessions: 3 });
    return await explore(operations, { exploration, file, imageFolder: path.join(folder, "image") });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Place {
  readonly exploration: Exploration;
  readonly file: string;
  readonly imageFolder: string;
}

async function explore(operations: readonly Operation[], { exploration, file, imageFolder }: Place): Promise<Findings> {
  const disk = createDisk(path.dirname(file), file);
  const acknowledged = new Map<string, number>();
  const chance = createChance(exploration.seed);
  const found = { images: 0, acknowledgements: 0, lost: 0, damaged: 0 };
  const examples: string[] = [];
  for (const [index, operation] of operations.entries()) {
    disk.apply(operation);
    if (operation.kind === "acknowledged") {
      found.acknowledgements += 1;
      noteAcknowledgement(acknowledged, operation.line);
    }
    const due = Math.floor(((index + 1) / operations.length) * exploration.images);
    while (found.images < due) {
      const cut = cuts[found.images % cuts.length] ?? "by-chance";
      found.images += 1;
      const target = await writeImage(disk, { cut, chance, file, imageFolder });
      const verdict = await checkImage(target, acknowledged);
      if (verdict.kind === "good") continue;
      found[verdict.kind] += 1;
      const what = verdict.kind === "lost" ? verdict.what : verdict.why;
      if (examples.length < examplesMax)
        examples.push(`after operation ${index} (${operation.kind}), ${cut}: ${verdict.kind}: ${what}`);
    }
  }
  return { ...found, examples };
}

interface Image {
  readonly cut: Cut;
  readonly chance: Chance;
  readonly file: string;
  readonly imageFolder: string;
}

async function writeImage(disk: Disk, { cut, chance, file, imageFolder }: Image): Promise<string> {
  await rm(imageFolder, { recursive: true, force: true });
  await mkdir(imageFolder);
  for (const [name, content] of disk.cutPower(cut, chance))
    await writeFile(path.join(imageFolder, path.basename(name)), content);
  return path.join(imageFolder, path.basename(file));
}

/** Mulberry32: small, and the same everywhere. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
