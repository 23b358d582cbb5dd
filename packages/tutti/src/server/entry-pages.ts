import type { EntryLine, EntryPage } from "../contracts/api/ledger.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import { toldBytesMax } from "./told-value.ts";

interface EntrySource {
  /** Entries after a place, in their order. */
  read(after: number, limit: number): Promise<readonly LedgerEntry[]>;
  placeOf(entry: LedgerEntry): number;
  fits(entry: LedgerEntry): boolean;
}

interface EntryQuery {
  readonly after?: number | undefined;
  readonly kind?: string | undefined;
  readonly key?: string | undefined;
  readonly limit?: number | undefined;
}

const limitDefault = 200;
/** How many entries one request looks at, however few of them fit. */
const lookedAtMax = 20_000;
const chunkEntries = 1_000;
/** Of a page together, so that many large entries are no large answer. */
const pageBytesMax = 2 * 1024 * 1024;

export function toKindFilter({ kind, key }: EntryQuery): (entry: LedgerEntry) => boolean {
  const kinds = kind === undefined ? undefined : new Set(kind.split(","));
  return (entry) => (kinds === undefined || kinds.has(entry.kind)) && (key === undefined || entry.key.startsWith(key));
}

/** A page of entries, and where to go on. */
export async function toEntryPage(
  source: EntrySource,
  { after = 0, limit = limitDefault }: EntryQuery,
): Promise<EntryPage> {
  const entries: EntryLine[] = [];
  let place = after;
  let bytes = 0;
  for (let looked = 0; looked < lookedAtMax;) {
    const wanted = Math.min(chunkEntries, lookedAtMax - looked);
    const chunk = await source.read(place, wanted);
    for (const entry of chunk) {
      if (entries.length >= limit || bytes >= pageBytesMax) return { entries, next: place };
      place = source.placeOf(entry);
      if (!source.fits(entry)) continue;
      const line = toEntryLine(entry);
      bytes += line.body === undefined ? 0 : line.bytes;
      entries.push(line);
    }
    if (chunk.length < wanted) return { entries };
    looked += chunk.length;
  }
  return { entries, next: place };
}

function toEntryLine({ lsn, run, seq, kind, key, at, hash, body }: LedgerEntry): EntryLine {
  const bytes = Buffer.byteLength(body);
  const about = { lsn, run, seq, kind, key, at, hash, bytes };
  return bytes > toldBytesMax ? about : { ...about, body: JSON.parse(body) };
}
