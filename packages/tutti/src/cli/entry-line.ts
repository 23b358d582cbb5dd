import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";

/** The version of the lines below. It is raised when a reader of older lines would misread newer ones. */
const entryLineVersion = 1;

/** One entry as one line of JSON, with its body as an object: what `--json` prints and what the event stream sends. */
export function toEntryLine(entry: LedgerEntry): string {
  const { lsn, run, seq, kind, key, at, hash } = entry;
  return JSON.stringify({ v: entryLineVersion, lsn, run, seq, kind, key, at, body: bodyOf(entry, kind), hash });
}
