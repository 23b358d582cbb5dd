import type { LedgerEntry } from "../contracts/entry.ts";
import { blobHashesOf } from "../flow/stored-value.ts";
import type { Ledger } from "../ledger/ledger.ts";

export const noBlobs: ReadonlyMap<string, string> = new Map();

/** Whether the entries hold all values themselves. */
export function isSelfContained(entries: readonly LedgerEntry[]): boolean {
  return entries.every(({ body }) => blobHashesOf(body).length === 0);
}

/** The large values that entries refer to, by hash. */
export async function readBlobs(
  ledger: Pick<Ledger, "readBlob">,
  entries: readonly LedgerEntry[],
): Promise<ReadonlyMap<string, string>> {
  let blobs: Map<string, string> | undefined;
  for (const entry of entries) {
    for (const hash of blobHashesOf(entry.body)) {
      if (blobs?.has(hash) === true) continue;
      const content = await ledger.readBlob(hash);
      if (content !== undefined) (blobs ??= new Map()).set(hash, content);
    }
  }
  return blobs ?? noBlobs;
}
