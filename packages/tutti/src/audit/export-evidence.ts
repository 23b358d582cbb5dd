import { must } from "../base/assert.ts";
import { TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import { toPolicyDecisions } from "../contracts/policy-decision.ts";
import { whyOf, type Reason } from "../insight/why.ts";
import { storedOf, type Ledger } from "../ledger/ledger.ts";
import { findBlobHashes } from "../ledger/verify.ts";
import type { Anchor } from "./anchor-port.ts";
import { readAnchor } from "./anchor.ts";
import { readAuditRecord, withAuditLock } from "./audit-file.ts";
import { toOrigin, type ParsedNote } from "./checkpoint.ts";
import { MerkleTree, toLeaf } from "./merkle.ts";
import { toSignedNote } from "./signed-note.ts";
import { openSigningKey } from "./signing-key.ts";
import { takeCheckpoint, tenantOf, toNewest } from "./take-checkpoint.ts";

export interface EvidenceRequest {
  /** May be read beside the engine that writes. */
  readonly ledger: Ledger;
  readonly folder: string;
  readonly run: RunId;
  readonly anchors: readonly Anchor[];
  readonly signal: AbortSignal;
}

/**
 * Everything about a run that a person elsewhere needs to believe it: one line of JSON, and a note that signs that line. Entries, large
 * values, the proof of each entry, the signed state of the log, how the anchors' states lead to it, and an explanation in words.
 * `tools/verify-evidence.mjs` says what is in it, field by field, and checks it without Tutti.
 * @throws TuttiError RUN_UNKNOWN, USAGE for a run that is too large, and what `takeCheckpoint` throws
 */
export async function exportEvidence(request: EvidenceRequest): Promise<string> {
  const { ledger: opened, folder, run, anchors, signal } = request;
  const stored = storedOf(opened); // proofs are about that; what is sealed is told open, as far as its key is there
  await takeCheckpoint(request); // what is not signed yet can't be proved
  const kept = await Promise.all(anchors.map(async (anchor) => ({ anchor, notes: await readAnchor(anchor, signal) })));
  const entries = await stored.read(run);
  const [first] = entries;
  if (first === undefined) throw new TuttiError("RUN_UNKNOWN", `no run ${run} is in the ledger`, { facts: { run } });
  return withAuditLock(folder, async () => {
    const key = openSigningKey(folder);
    const notes = toNewest(readAuditRecord(folder));
    const tenant = tenantOf(first);
    const origin = toOrigin(key.log, tenant);
    const checkpoint = notes.find((note) => note.kind === "checkpoint" && note.origin === origin);
    if (checkpoint?.kind !== "checkpoint") throw new TuttiError("BUG", `nothing of ${origin} is signed`);
    const log = await readLog(stored, { tenant, lastLsn: checkpoint.lsn, signal });
    const proved = entries.filter(({ lsn }) => lsn <= checkpoint.lsn);
    const clear = await opened.read(run, 1, proved.length);
    const evidence = {
      format: "tutti-evidence-1",
      run,
      tenant,
      log: key.log,
      keys: notes.filter(({ kind }) => kind === "key").map(({ raw }) => raw),
      checkpoint: checkpoint.raw,
      entries: proved.map((entry, at) => toProved(entry, { log, size: checkpoint.size, opened: clear[at]?.body })),
      blobs: await readBlobs(stored, proved),
      anchors: kept.map(({ anchor, notes: known }) =>
        toAnchored(anchor.name, known, { log, origin, size: checkpoint.size }),
      ),
      decisions: findDecisions(proved),
      explanation: toLines(whyOf(clear)),
    };
    const content = `${JSON.stringify(evidence)}\n`;
    const name = `${key.log}/evidence`;
    return content + toSignedNote(`${name}\n${sha256(content)}\n`, name, [key]);
  });
}

interface Log {
  readonly tree: MerkleTree;
  readonly indexByLsn: ReadonlyMap<number, number>;
}

const pageEntries = 1_000;

/** One tenant's log, as far as it is signed. */
async function readLog(
  ledger: Ledger,
  { tenant, lastLsn, signal }: { readonly tenant: string; readonly lastLsn: number; readonly signal: AbortSignal },
): Promise<Log> {
  const tree = new MerkleTree();
  const indexByLsn = new Map<number, number>();
  const tenants = new Map<RunId, string>();
  for (let last = 0; last < lastLsn;) {
    signal.throwIfAborted();
    const page = await ledger.scan(last, Math.min(pageEntries, lastLsn - last));
    for (const entry of page) {
      if (entry.seq === 1) tenants.set(entry.run, tenantOf(entry));
      last = entry.lsn;
      if ((tenants.get(entry.run) ?? "") !== tenant) continue;
      indexByLsn.set(entry.lsn, tree.size);
      tree.add(toLeaf(entry.hash));
    }
    if (page.length === 0) break;
  }
  return { tree, indexByLsn };
}

function toProved(
  entry: LedgerEntry,
  { log, size, opened }: { readonly log: Log; readonly size: number; readonly opened: string | undefined },
): Readonly<Record<string, unknown>> {
  const index = must(log.indexByLsn.get(entry.lsn), "what is signed is in its tenant's log");
  return {
    ...entry,
    ...(opened === undefined || opened === entry.body ? {} : { opened }),
    index,
    proof: log.tree.proveInclusion(index, size),
  };
}

const blobLengthMax = 128 * 1024 * 1024;

async function readBlobs(ledger: Ledger, entries: readonly LedgerEntry[]): Promise<Readonly<Record<string, string>>> {
  const blobs: Record<string, string> = {};
  let length = 0;
  for (const hash of new Set(entries.flatMap(({ body }) => findBlobHashes(JSON.parse(body))))) {
    const content = await ledger.readBlob(hash);
    if (content === undefined)
      throw new TuttiError("LEDGER_CORRUPT", `the value ${hash} is missing`, { hint: "Run `tutti verify`." });
    length += content.length;
    if (length > blobLengthMax)
      throw new TuttiError("USAGE", `the large values of the run take more than ${blobLengthMax} characters`, {
        hint: "Hand over a copy of the ledger instead; tools/verify-ledger.mjs checks it.",
      });
    blobs[hash] = content;
  }
  return blobs;
}

/** What an anchor says of the log, and how its newest state leads to ours. */
function toAnchored(
  name: string,
  notes: readonly ParsedNote[],
  { log, origin, size }: { readonly log: Log; readonly origin: string; readonly size: number },
): Readonly<Record<string, unknown>> {
  const known = notes
    .flatMap((note) => (note.kind === "checkpoint" && note.origin === origin && note.size <= size ? [note] : []))
    .toSorted((left, right) => left.size - right.size)
    .at(-1);
  if (known === undefined) return { name };
  return { name, checkpoint: known.raw, consistency: log.tree.proveConsistency(known.size, size) };
}

const decisionKinds = {
  approvals: /^approval-/u,
  directives: /^directive-/u,
  decisions: /^(?:decision-made|votes-counted)$/u,
  people: /^(?:cancel-requested|run-paused|run-resumed|effect-resolved|signal-received)$/u,
} as const satisfies Readonly<Record<string, RegExp>>;

/** Where in the run it was decided by rules, agents and people: places in the run. */
function findDecisions(entries: readonly LedgerEntry[]): Readonly<Record<string, readonly number[]>> {
  const findAll = (isOne: (entry: LedgerEntry) => boolean): readonly number[] =>
    entries.filter(isOne).map(({ seq }) => seq);
  const others = Object.entries(decisionKinds).map(([name, kinds]) => [name, findAll(({ kind }) => kinds.test(kind))]);
  return { policies: findAll((entry) => toPolicyDecisions(entry).length > 0), ...Object.fromEntries(others) };
}

function toLines(reason: Reason, indent = ""): readonly string[] {
  const place = reason.seq === undefined ? "" : ` [${reason.seq}]`;
  return [`${indent}${reason.sentence}${place}`, ...reason.because.flatMap((below) => toLines(below, `${indent}  `))];
}
