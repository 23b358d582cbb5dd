import { sha256 } from "../base/hash.ts";

/** What a hash covers. The body enters as its digest, so that a body can be erased without breaking the chain. */
export interface Sealed {
  readonly lsn: number;
  readonly run: string;
  readonly seq: number;
  readonly kind: string;
  readonly key: string;
  readonly at: number;
  readonly version: number;
}

/** The link before a run's first entry. */
export function toGenesis(run: string): string {
  return sha256(`tutti-ledger\n${run}`);
}

/**
 * The hash of an entry, chained to the previous one's: SHA-256 over the previous hash, the entry's fields and its body's digest,
 * each on a line of its own. `key` comes last because a path may hold any character.
 */
export function toSeal(previous: string, entry: Sealed, bodyDigest: string): string {
  return sha256(
    `${previous}\n${bodyDigest}\n${entry.lsn}\n${entry.run}\n${entry.seq}\n${entry.kind}\n${entry.at}\n${entry.version}\n${entry.key}`,
  );
}
