import type { LedgerEntry } from "../contracts/entry.ts";
import { blobHashesOf } from "../flow/stored-value.ts";
import type { Ledger } from "../ledger/ledger.ts";

/** The large values that entries refer to, by hash. */
export async function readBlobs(
  ledger: Pick<Ledger, "readBlob">,
  entries: readonly LedgerEntry[],
): Promise<ReadonlyMap<string, string>> {
  const blobs = new Map<string, string>();
  for (const entry of entries) {
    for (const hash of blobHashesOf(entry.body)) {
      if (blobs.has(hash)) continue;
      const content = await ledger.readBlob(hash);
      if (content !== undefined) blobs.set(hash, content);
    }
  }
  return blobs;
}
