import { setImmediate as nextTurn } from "node:timers/promises";

import { describeThrown, isTuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import { findBreak, toChainStart, type ChainEnd } from "./chain.ts";
import { storedOf, type Ledger } from "./ledger.ts";

/** Whether a ledger is what was once written, and if not, its first bad entry. */
export type Verification =
  | { readonly kind: "intact"; readonly entries: number; readonly runs: number }
  | { readonly kind: "broken"; readonly lsn: number; readonly run: string; readonly seq: number; readonly why: string };

const pageEntries = 1_000;

/**
 * Follows every run's chain through the whole ledger, and every reference to a blob.
 * What it can't see: that the newest entries of all are missing, or that everything was written anew. Both need an anchor
 * outside: a hash that was kept elsewhere.
 */
export async function verifyLedger(given: Ledger): Promise<Verification> {
  const ledger = storedOf(given);
  const endsByRun = new Map<RunId, ChainEnd>();
  const checkedBlobs = new Set<string>();
  let last = { lsn: 0, at: 0 };
  for (;;) {
    const page = await readPage(ledger, last.lsn);
    if (!Array.isArray(page)) return page;
    if (page.length === 0) return { kind: "intact", entries: last.lsn, runs: endsByRun.size };
    for (const entry of page) {
      const why =
        findGap(last, entry) ??
        findBreak(endsByRun.get(entry.run) ?? toChainStart(entry.run), entry) ??
        findMalformed(entry) ??
        (await findBlobLoss(ledger, entry, checkedBlobs));
      if (why !== undefined) return { kind: "broken", lsn: entry.lsn, run: entry.run, seq: entry.seq, why };
      endsByRun.set(entry.run, { seq: entry.seq, hash: entry.hash });
      last = entry;
    }
    await nextTurn(); // an engine that is checked goes on meanwhile
  }
}

type Broken = Extract<Verification, { readonly kind: "broken" }>;

/** The next entries; where they can't be read, as many as can, and then the verdict on the one that can't. */
async function readPage(ledger: Ledger, afterLsn: number): Promise<LedgerEntry[] | Broken> {
  for (const limit of [pageEntries, 1]) {
    try {
      return [...(await ledger.scan(afterLsn, limit))];
    } catch (error) {
      if (!isTuttiError(error) || error.code !== "LEDGER_CORRUPT") throw error;
      const lsn = error.facts["lsn"];
      if (limit === 1)
        return {
          kind: "broken",
          lsn: typeof lsn === "number" ? lsn : afterLsn + 1,
          run: "",
          seq: 0,
          why: error.message,
        };
    }
  }
  return [];
}

function findGap(last: { readonly lsn: number; readonly at: number }, entry: LedgerEntry): string | undefined {
  if (entry.lsn !== last.lsn + 1) return `the entries from ${last.lsn + 1} to ${entry.lsn - 1} are missing before it`;
  return entry.at < last.at ? "it is dated before the entry in front of it" : undefined;
}

function findMalformed(entry: LedgerEntry): string | undefined {
  try {
    bodyOf(entry, entry.kind);
    return undefined;
  } catch (error) {
    if (isTuttiError(error) && error.code === "LEDGER_CORRUPT") return describeThrown(error.cause ?? error);
    throw error;
  }
}

async function findBlobLoss(ledger: Ledger, entry: LedgerEntry, checked: Set<string>): Promise<string | undefined> {
  if (!entry.body.includes('"hash"')) return undefined;
  for (const hash of findBlobHashes(JSON.parse(entry.body))) {
    if (checked.has(hash)) continue;
    const content = await ledger.readBlob(hash);
    if (content === undefined) return `the value ${hash} that it refers to is missing`;
    if (sha256(content) !== hash) return `the value ${hash} that it refers to was changed`;
    checked.add(hash);
  }
  return undefined;
}

/** A reference is an object with a `hash` of 64 hexadecimal digits and a number of `bytes`, at any depth of a body. */
export function findBlobHashes(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  const nested = Object.values(value).flatMap(findBlobHashes);
  if (!("hash" in value) || !("bytes" in value)) return nested;
  const { hash, bytes } = value;
  return typeof hash === "string" && typeof bytes === "number" && /^[0-9a-f]{64}$/.test(hash)
    ? [hash, ...nested]
    : nested;
}
