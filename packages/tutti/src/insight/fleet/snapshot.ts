import { readFile, rename, writeFile } from "node:fs/promises";

import { isTuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { FleetState } from "./fleet-state.ts";

/** Raised when anything about the state changes: an older snapshot is then passed over, and the state is built anew. */
const snapshotVersion = 2;

/** Writes the state beside the ledger. It is only a saving: whatever is wrong with it later, the entries say the same. */
export async function saveFleet(file: string, fleet: FleetState): Promise<void> {
  const { runs, tallies, documents, handOffs, ...place } = fleet;
  const lists = { runs: [...runs], tallies: [...tallies], documents: [...documents], handOffs: [...handOffs] };
  const content = JSON.stringify({ ...place, ...lists });
  await writeFile(`${file}.new`, `${snapshotVersion} ${sha256(content)}\n${content}`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** The state that was saved, if it is whole and of this ledger. */
export async function loadFleet(file: string, ledger: Ledger): Promise<FleetState | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  const end = text.indexOf("\n");
  const content = text.slice(end + 1);
  if (text.slice(0, Math.max(0, end)) !== `${snapshotVersion} ${sha256(content)}`) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its version and digest say that this code wrote it
  const saved = JSON.parse(content) as SavedFleet;
  if (!(await isOf(ledger, saved))) return undefined;
  const { lsn, hash, runs, tallies, documents, handOffs } = saved;
  return {
    lsn,
    hash,
    runs: new Map(runs),
    tallies: new Map(tallies),
    documents: new Map(documents),
    handOffs: new Map(handOffs),
  };
}

type Pairs<Some> = Some extends Map<infer Key, infer Value> ? readonly (readonly [Key, Value])[] : never;
type SavedFleet = Pick<FleetState, "lsn" | "hash"> & {
  readonly [Name in "runs" | "tallies" | "documents" | "handOffs"]: Pairs<FleetState[Name]>;
};

async function isOf(ledger: Ledger, { lsn, hash }: SavedFleet): Promise<boolean> {
  if (lsn === 0) return true;
  try {
    const [entry] = await ledger.scan(lsn - 1, 1);
    return entry?.lsn === lsn && entry.hash === hash;
  } catch (error) {
    if (isTuttiError(error) && error.code === "LEDGER_CORRUPT") return false;
    throw error;
  }
}
