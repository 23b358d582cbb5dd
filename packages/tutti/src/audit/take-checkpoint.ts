import { must } from "../base/assert.ts";
import { TuttiError } from "../base/errors.ts";
import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import { findBreak, toChainStart, type ChainEnd } from "../ledger/chain.ts";
import { storedOf, type Ledger } from "../ledger/ledger.ts";
import type { Anchor } from "./anchor-port.ts";
import { readAnchor } from "./anchor.ts";
import { appendAuditLine, readAuditRecord, withAuditLock, type AuditRecord } from "./audit-file.ts";
import { parseLogNote, toCheckpointText, toLogName, toOrigin, type Checkpoint, type ParsedNote } from "./checkpoint.ts";
import { Frontier, toLeaf } from "./merkle.ts";
import { toSignedNote } from "./signed-note.ts";
import { openSigningKey, type SigningKey } from "./signing-key.ts";

export interface CheckpointRequest {
  /** May be read beside the engine that writes. */
  readonly ledger: Ledger;
  readonly folder: string;
  readonly anchors: readonly Anchor[];
  readonly signal: AbortSignal;
  /** For tests: called when everything was read, and nothing was signed. */
  readonly beforeSigning?: () => void;
}

export interface Checkpoints {
  readonly log: string;
  readonly publicKey: string;
  /** Entries that were taken in now. */
  readonly added: number;
  /** The newest of every log. */
  readonly newest: readonly Checkpoint[];
}

/**
 * Takes new entries into the logs of their tenants, signs how far each log reaches, and hands that to the anchors. What is signed is a
 * function of durable entries alone: a crash anywhere, and another look, sign the very same, so a log can't fork by itself.
 * @throws TuttiError LEDGER_CORRUPT if the ledger is not a continuation of what was signed before, ANCHOR_FAILED, LEDGER_BUSY
 */
export function takeCheckpoint(request: CheckpointRequest): Promise<Checkpoints> {
  const { folder, anchors, signal } = request;
  const ledger = storedOf(request.ledger);
  return withAuditLock(folder, async () => {
    const key = openSigningKey(folder);
    const kept = await Promise.all(anchors.map((anchor) => readAnchor(anchor, signal)));
    const state = readState(readAuditRecord(folder), key);
    const added = await takeIn(ledger, state, signal);
    await ledger.flush(); // nobody may sign what a power cut could still take back
    refuseFork(kept.flat(), state, key);
    request.beforeSigning?.();
    if (added > 0) appendAuditLine(folder, toSequenced(state, key));
    const notes = toNewest(readAuditRecord(folder));
    for (const [index, anchor] of anchors.entries()) {
      const known = new Set(kept[index]?.map(({ raw }) => raw));
      for (const { raw } of notes) if (!known.has(raw)) await anchor.publish(raw, signal);
    }
    const newest = notes.flatMap((note) => (note.kind === "checkpoint" ? [note] : []));
    return { log: key.log, publicKey: key.publicKey, added, newest: newest.map(toPlain) };
  });
}

function toPlain({ origin, size, root, lsn }: Checkpoint): Checkpoint {
  return { origin, size, root, lsn };
}

interface GrowingLog {
  readonly frontier: Frontier;
  lsn: number;
  hasGrown: boolean;
}

interface State {
  readonly logs: Map<string, GrowingLog>;
  last: { readonly lsn: number; readonly hash: string } | undefined;
}

/** Every key, and the newest checkpoint of every log: what an anchor has to know. */
export function toNewest({ keys, sequenced }: AuditRecord): readonly ParsedNote[] {
  const newest = new Map<string, string>();
  for (const { logs } of sequenced) for (const { tenant, checkpoint } of logs) newest.set(tenant, checkpoint);
  return [...keys, ...newest.values()].map((raw) => {
    const note = parseLogNote(raw);
    if (note === undefined) throw toCorrupt("a checkpoint beside the ledger is damaged or was changed by hand");
    return note;
  });
}

/** Where the last look ended. What can be put in by hand beside a signature must fit the signature. */
function readState({ sequenced }: AuditRecord, key: SigningKey): State {
  const logs = new Map<string, GrowingLog>();
  for (const line of sequenced) {
    for (const { tenant, peaks, checkpoint } of line.logs) {
      const note = parseLogNote(checkpoint);
      const isOurs = note?.kind === "checkpoint" && note.origin === toOrigin(key.log, tenant);
      const frontier = new Frontier(isOurs ? note.size : 0, peaks);
      if (!isOurs || frontier.root() !== note.root)
        throw toCorrupt("the checkpoints beside the ledger were changed by hand");
      logs.set(tenant, { frontier, lsn: note.lsn, hasGrown: false });
    }
  }
  return { logs, last: sequenced.at(-1)?.last };
}

const pageEntries = 1_000;

async function takeIn(ledger: Ledger, state: State, signal: AbortSignal): Promise<number> {
  await refuseOtherPast(ledger, state);
  const places = new Map<RunId, RunPlace>();
  let added = 0;
  for (;;) {
    signal.throwIfAborted();
    const page = await ledger.scan(state.last?.lsn ?? 0, pageEntries);
    for (const entry of page) {
      const place = await followRun(ledger, places, entry);
      const log = state.logs.get(place.tenant) ?? { frontier: new Frontier(), lsn: 0, hasGrown: false };
      log.frontier.add(toLeaf(entry.hash));
      log.lsn = entry.lsn;
      log.hasGrown = true;
      state.logs.set(place.tenant, log);
      state.last = { lsn: entry.lsn, hash: entry.hash };
      added += 1;
    }
    if (page.length < pageEntries) return added;
  }
}

async function refuseOtherPast(ledger: Ledger, { last }: State): Promise<void> {
  if (last === undefined) return;
  const [entry] = await ledger.scan(last.lsn - 1, 1);
  if (entry?.lsn === last.lsn && entry.hash === last.hash) return;
  throw toCorrupt(
    `entry ${last.lsn}, up to which the ledger was signed, is ${entry === undefined ? "gone" : "another one"}`,
  );
}

interface RunPlace {
  readonly tenant: string;
  end: ChainEnd;
}

const placesMax = 10_000;

/** The log that an entry belongs to. What does not continue its run is not signed. */
async function followRun(ledger: Ledger, places: Map<RunId, RunPlace>, entry: LedgerEntry): Promise<RunPlace> {
  if (places.size >= placesMax) places.clear();
  const place = places.get(entry.run) ?? (await findPlace(ledger, entry));
  const why = findBreak(place.end, entry);
  if (why !== undefined) throw toCorrupt(`entry ${entry.lsn} of run ${entry.run} can't be signed: ${why}`);
  place.end = entry;
  places.set(entry.run, place);
  return place;
}

async function findPlace(ledger: Ledger, entry: LedgerEntry): Promise<RunPlace> {
  const [first] = await ledger.read(entry.run, 1, 1);
  const [before] = entry.seq <= 1 ? [] : await ledger.read(entry.run, entry.seq - 1, 1);
  return { tenant: first === undefined ? "" : tenantOf(first), end: before ?? toChainStart(entry.run) };
}

/** The tenant of a run, from its first entry; "" for none. */
export function tenantOf(first: LedgerEntry): string {
  return first.kind === "run-started" ? (bodyOf(first, "run-started").tenant ?? "") : "";
}

/** A ledger that was restored from a backup may not be signed over what anchors know to have come after. */
function refuseFork(kept: readonly ParsedNote[], { logs }: State, { log }: SigningKey): void {
  const sizes = new Map([...logs].map(([tenant, { frontier }]) => [toOrigin(log, tenant), frontier]));
  for (const note of kept) {
    if (!note.origin.startsWith(`${log}/`))
      throw toCorrupt(`an anchor keeps ${toLogName(note.origin)}, which is another ledger's`);
    if (note.kind !== "checkpoint") continue;
    const frontier = sizes.get(note.origin);
    const isFork =
      frontier === undefined ||
      note.size > frontier.size ||
      (note.size === frontier.size && note.root !== frontier.root());
    if (isFork) throw toCorrupt(`an anchor knows a later or another state of ${note.origin} (${note.size} entries)`);
  }
}

function toSequenced({ logs, last }: State, key: SigningKey): Parameters<typeof appendAuditLine>[1] {
  const grown = [...logs].filter(([, { hasGrown }]) => hasGrown);
  return {
    last: must(last, "entries were taken in"),
    logs: grown.map(([tenant, { frontier, lsn }]) => {
      const origin = toOrigin(key.log, tenant);
      const text = toCheckpointText({ origin, size: frontier.size, root: frontier.root(), lsn });
      return { tenant, peaks: frontier.toPeaks(), checkpoint: toSignedNote(text, origin, [key]) };
    }),
  };
}

function toCorrupt(why: string): TuttiError {
  return new TuttiError("LEDGER_CORRUPT", `nothing was signed: ${why}`, {
    hint: "Run `tutti audit verify` to see what was changed, and restore what is damaged from a backup.",
  });
}
