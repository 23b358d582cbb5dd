import type { Ledger } from "../ledger.ts";
import { findFile } from "../sqlite/ledger-file.ts";
import { openSqliteLedger, type SqliteLedgerOptions } from "../sqlite/sqlite-ledger.ts";
import { openEntry, openPersonalLedger } from "./personal-ledger.ts";
import { openSubjectKeys } from "./subject-keys.ts";

/** A ledger in a SQLite file, with the keys of its subjects beside it. @throws what `openSqliteLedger` throws */
export async function openPersonalSqliteLedger(path: string, options: SqliteLedgerOptions): Promise<Ledger> {
  const { onEntry } = options;
  const keys = openSubjectKeys(() => findFile(path)); // known once the ledger is open
  const stored = await openSqliteLedger(path, {
    ...options,
    ...(onEntry === undefined ? {} : { onEntry: (entry) => onEntry(openEntry(entry, keys)) }),
  });
  return openPersonalLedger(stored, keys);
}
