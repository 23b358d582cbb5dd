import { describeThrown, TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { bodyOf, isEntryKind, type LedgerEntry } from "../../contracts/entry.ts";
import { findBreak, toChainStart, type ChainEnd } from "../../ledger/chain.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { defaultLedger, withReader } from "../ledger-file.ts";
import { say, sayJson } from "../output.ts";
import { toNumberOf } from "../terminal-text.ts";

const pageEntries = 1_000;
const brokenMax = 20;

/** `tutti verify`: follows every run's chain and reads every entry and blob. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = call.optional("ledger") ?? defaultLedger;
  const found = await withReader(path, verifyLedger);
  if (found.broken.length > 0) {
    const [first] = found.broken;
    throw new TuttiError(
      "LEDGER_CORRUPT",
      `${path}: ${first ?? "damaged"}${found.broken.length > 1 ? `; and ${found.broken.length - 1} more` : ""}`,
      {
        hint: "Everything before the place that is named is intact. Restore the ledger from a backup.",
        facts: { entries: found.entries, runs: found.runs, broken: found.broken },
      },
    );
  }
  if (call.flag("json"))
    sayJson({ ledger: path, entries: found.entries, runs: found.runs, blobs: found.blobs, intact: true });
  else
    say(
      `${path} is intact: ${toNumberOf(found.entries, "entry", "entries")} of ${toNumberOf(found.runs, "run")}, ${toNumberOf(found.blobs, "large value")}`,
    );
  return exitCodes.done;
}

interface Verification {
  readonly entries: number;
  readonly runs: number;
  readonly blobs: number;
  /** The first break of each run, in words. */
  readonly broken: readonly string[];
}

async function verifyLedger(ledger: Ledger): Promise<Verification> {
  const ends = new Map<string, ChainEnd>();
  const brokenByRun = new Map<string, string>();
  const blobs = new Set<string>();
  let lsn = 0;
  for (;;) {
    const page = await ledger.scan(lsn, pageEntries);
    for (const entry of page) {
      const gap = entry.lsn === lsn + 1 ? undefined : `entry ${lsn + 1} of the ledger is missing`;
      lsn = entry.lsn;
      const end = ends.get(entry.run) ?? toChainStart(entry.run);
      const wrong = gap ?? findBreak(end, entry) ?? (await findUnreadable(ledger, entry, blobs));
      if (wrong !== undefined && !brokenByRun.has(entry.run) && brokenByRun.size < brokenMax)
        brokenByRun.set(entry.run, `entry ${entry.seq} of run ${entry.run}: ${wrong}`);
      ends.set(entry.run, { seq: entry.seq, hash: entry.hash });
    }
    if (page.length < pageEntries) break;
  }
  for (const { id } of await ledger.listRuns({})) {
    if (!ends.has(id) && brokenByRun.size < brokenMax) brokenByRun.set(id, `run ${id} has no entries`);
  }
  return { entries: lsn, runs: ends.size, blobs: blobs.size, broken: [...brokenByRun.values()] };
}

const referencePattern = /"\w+Ref":\{"hash":"(?<hash>[0-9a-f]{64})"/gu;

/** What can't be read in an entry: its body, or a large value that it refers to. */
async function findUnreadable(ledger: Ledger, entry: LedgerEntry, seen: Set<string>): Promise<string | undefined> {
  if (!isEntryKind(entry.kind)) return `its kind ${String(entry.kind)} is not known`;
  try {
    bodyOf(entry, entry.kind);
  } catch (error) {
    return describeThrown(error);
  }
  for (const { groups } of entry.body.matchAll(referencePattern)) {
    const hash = groups?.["hash"] ?? "";
    if (seen.has(hash)) continue;
    seen.add(hash);
    const content = await ledger.readBlob(hash);
    if (content === undefined) return `the large value ${hash.slice(0, 12)} is missing`;
    if (sha256(content) !== hash) return `the large value ${hash.slice(0, 12)} was changed`;
  }
  return undefined;
}
