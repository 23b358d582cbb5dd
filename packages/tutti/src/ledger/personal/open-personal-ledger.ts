import type { Ledger } from "../ledger.ts";
import { findFile } from "../sqlite/ledger-file.ts";
import { openSqliteLedger, type SqliteLedgerOptions } from "../sqlite/sqlite-ledger.ts";
import { openEntry, openPersonalLedger } from "./personal-ledger.ts";
import { openSubjectKeys, type SubjectKeys } from "./subject-keys.ts";

/** A ledger in a SQLite file, with the keys of its subjects beside it. @throws what `openSqliteLedger` throws */
export async function openPersonalSqliteLedger(path: string, options: SqliteLedgerOptions): Promise<Ledger> {
  const { onEntry } = options;
  let keys: SubjectKeys | undefined;
  const stored = await openSqliteLedger(path, {
    ...options,
    ...(onEntry === undefined
      ? {}
      : { onEntry: (entry) => onEntry(keys === undefined ? entry : openEntry(entry, keys)) }),
  });
  keys = openSubjectKeys(findFile(path));
  return openPersonalLedger(stored, keys);
}
