import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { CellOptions } from "./assignment.ts";
import type { Contestant } from "./contestants.ts";
import { makeFolder, removeFolder } from "./folder.ts";
import { spawnCell, type Spawned } from "./spawn-cell.ts";

/** One contestant's turn at one cell. */
export interface Turn {
  readonly cell: string;
  readonly entrant: Contestant;
  readonly options: CellOptions;
  readonly limitMs: number;
}

export type Measure = (turn: Turn) => Promise<Spawned>;

/** Gives the turn a folder of its own, and takes away what is left in it. */
export async function inFolder(turn: Turn, measure: (folder: string) => Promise<Spawned>): Promise<Spawned> {
  const folder = makeFolder(`${turn.entrant.name}-${turn.cell}`);
  try {
    return await measure(folder);
  } finally {
    await stopServers(turn.entrant, folder);
    removeFolder(folder);
  }
}

/** The usual cell: one process measures and says so. */
export function measureOnce(turn: Turn): Promise<Spawned> {
  const { entrant, cell, options, limitMs } = turn;
  const name = cell.replace(/-(\d+|long|fresh)$/, "");
  return inFolder(
    turn,
    (folder) => spawnCell({ contestant: entrant.name, cell: name, folder, options }, { limitMs }).ended,
  );
}

/** A peer's server outlives the process that is killed in a trial. */
async function stopServers({ file }: Contestant, folder: string): Promise<void> {
  if (!existsSync(join(folder, "restate.pid"))) return;
  const adapter: { readonly stopServer?: (folder: string) => void } = await import(
    pathToFileURL(join(import.meta.dirname, file)).href
  );
  adapter.stopServer?.(folder);
}
