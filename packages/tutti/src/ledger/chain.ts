import { sha256 } from "../base/hash.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import { toGenesis, toSeal } from "./seal.ts";

/** How far one run's chain was followed. */
export interface ChainEnd {
  readonly seq: number;
  readonly hash: string;
}

export function toChainStart(run: string): ChainEnd {
  return { seq: 0, hash: toGenesis(run) };
}

/** Why the entry can't be the run's next one; `undefined` if it is. */
export function findBreak(end: ChainEnd, entry: LedgerEntry): string | undefined {
  if (entry.seq !== end.seq + 1) return `its place in the run should be ${end.seq + 1}, not ${entry.seq}`;
  const hash = toSeal(end.hash, entry, sha256(entry.body));
  return hash === entry.hash ? undefined : "its content, or an entry before it, is not what was sealed";
}
