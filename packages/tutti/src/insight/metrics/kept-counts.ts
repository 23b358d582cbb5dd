import { anything, fields, integer, ShapeError, text } from "../../base/shape.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { SpanCounts } from "./count-spans.ts";

/** What was counted up to an entry of the ledger. */
export interface Counted {
  readonly counts: SpanCounts;
  readonly lsn: number;
  readonly hash: string;
}

const name = "metrics";
/** Raised when anything changes about what is counted: what an older version kept is then counted anew. */
const version = 1;
const shape = fields({ version: integer, lsn: integer, hash: text, counts: anything });

/** It is only a saving: whatever is wrong with it later, the entries say the same. */
export function keepCounts(ledger: Ledger, { counts, lsn, hash }: Counted): void {
  ledger.keep(name, JSON.stringify({ version, lsn, hash, counts: counts.save() }));
}

/** What was kept, if it is of this version and of this ledger; otherwise nothing was counted yet. */
export async function readCounts(ledger: Ledger): Promise<Counted> {
  const kept = (await ledger.listKept()).find((each) => each.name === name);
  const known = kept === undefined ? undefined : parse(kept.state);
  if (known !== undefined) {
    const [entry] = await ledger.scan(known.lsn - 1, 1);
    if (entry?.lsn === known.lsn && entry.hash === known.hash) return known;
  }
  return { counts: new SpanCounts(), lsn: 0, hash: "" };
}

function parse(state: string): Counted | undefined {
  try {
    const { lsn, hash, counts: saved, ...found } = shape(JSON.parse(state), name);
    if (found.version !== version) return undefined;
    const counts = new SpanCounts();
    counts.load(saved);
    return { counts, lsn, hash };
  } catch (error) {
    if (error instanceof ShapeError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
