import { isTuttiError } from "../base/errors.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import { storedOf, type Ledger } from "../ledger/ledger.ts";
import { verifyLedger } from "../ledger/verify.ts";
import { readAuditRecord } from "./audit-file.ts";
import { parseLogNote, toLogName, toOrigin, type ParsedNote } from "./checkpoint.ts";
import { Frontier, toLeaf } from "./merkle.ts";
import { isSignedBy } from "./signed-note.ts";
import { tenantOf } from "./take-checkpoint.ts";

export interface AuditVerification {
  readonly entries: number;
  readonly runs: number;
  readonly logs: readonly VerifiedLog[];
  /** Entries after the newest signed checkpoint of their log: whoever can write to the file could have added them. */
  readonly unsigned: number;
  /** The newest that is signed; nothing if nothing ever was. Once it grows old beside entries that are unsigned, no checkpoints are taken any more. */
  readonly newest: SignedEntry | undefined;
  readonly findings: readonly AuditFinding[];
}

export interface SignedEntry {
  readonly lsn: number;
  /** When it was written, in milliseconds since 1970: its checkpoint is younger. */
  readonly at: number;
}

export interface VerifiedLog {
  readonly tenant: string;
  readonly size: number;
  /** How much of it is signed. */
  readonly signed: number;
}

/** `chain`: an entry, blob or its order. `past`: not what a checkpoint says it was. `signature`: nobody who may sign did. */
export interface AuditFinding {
  readonly kind: "chain" | "past" | "signature";
  readonly text: string;
}

/** Where notes were kept. The ones outside come first: they say whom to trust. */
export interface NoteSource {
  readonly name: string;
  readonly notes: readonly ParsedNote[];
  /** How many more were changed, so that they can't be read. */
  readonly damaged?: number;
}

const findingsMax = 100;

/** The notes that stand beside the ledger. */
export function readOwnNotes(folder: string): NoteSource {
  const { keys, sequenced } = readAuditRecord(folder);
  const raws = [...keys, ...sequenced.flatMap(({ logs }) => logs.map(({ checkpoint }) => checkpoint))];
  const notes = raws.flatMap((raw) => parseLogNote(raw) ?? []);
  return { name: folder, notes, damaged: raws.length - notes.length };
}

/** Checks the chain of every run, rebuilds the log of every tenant, and compares both with everything that was signed, here and outside. */
export async function verifyAudit(
  ledger: Ledger,
  own: NoteSource,
  outside: readonly NoteSource[],
): Promise<AuditVerification> {
  const findings: AuditFinding[] = [];
  if (own.damaged !== undefined && own.damaged > 0)
    findings.push({ kind: "signature", text: `${own.damaged} notes in ${own.name} were changed by hand` });
  const log = findLog(own, outside);
  for (const source of outside) findings.push(...findStrange(log, source));
  const trusted = trustKeys(log, [...outside, own], findings);
  const expected = sortCheckpoints(log, { trusted, sources: [...outside, own] }, findings);
  const chain = await verifyLedger(ledger);
  if (chain.kind === "broken") {
    findings.push({ kind: "chain", text: `entry ${chain.lsn} (run ${chain.run}, ${chain.seq}): ${chain.why}` });
  }
  const rebuilt = await rebuildLogs(
    storedOf(ledger),
    (origin, grown) => checkAt(expected, origin, { ...grown, findings }),
    log,
  );
  for (const rest of expected.values()) {
    const [first] = rest.waiting;
    if (first !== undefined)
      findings.push({
        kind: "past",
        text: `${first.source} knows ${first.size} entries of ${first.origin}; the ledger has fewer`,
      });
  }
  const logs = [...rebuilt.sizes].map(([tenant, size]) => {
    const signed = expected.get(toOrigin(log, tenant))?.signed ?? 0;
    return { tenant, size, signed: Math.min(size, signed) };
  });
  const unsigned = logs.reduce((sum, { size, signed }) => sum + size - signed, 0);
  const { entries, runs } = rebuilt;
  return { entries, runs, logs, unsigned, newest: findNewest(expected), findings: findings.slice(0, findingsMax) };
}

/** Whose logs: said by what stands beside the ledger, or else by what is kept outside. "" if nothing was ever signed. */
function findLog(own: NoteSource, outside: readonly NoteSource[]): string {
  const [first] = [own, ...outside].flatMap(({ notes }) => notes);
  return first === undefined ? "" : toLogName(first.origin);
}

/** An anchor keeps one ledger: otherwise another ledger could be put in place of this one, and be kept there too. */
function findStrange(log: string, { name, notes }: NoteSource): readonly AuditFinding[] {
  const logs = new Set(notes.map(({ origin }) => toLogName(origin)));
  const texts = [
    ...(log === "" || logs.has(log) ? [] : [`${name} keeps nothing of ${log}, which stands beside this ledger`]),
    ...[...logs].filter((other) => other !== log).map((other) => `${name} keeps ${other}, which is another ledger's`),
  ];
  return texts.map((text) => ({ kind: "past", text }));
}

/** The first key is the one that was kept outside, or else the one beside the ledger; each further one is signed by the one before. */
function trustKeys(log: string, sources: readonly NoteSource[], findings: AuditFinding[]): readonly string[] {
  const keys = sources
    .flatMap(({ name, notes }) => notes.map((note) => ({ note, name })))
    .flatMap(({ note, name }) => (note.kind === "key" && toLogName(note.origin) === log ? [{ ...note, name }] : []))
    .toSorted((left, right) => left.generation - right.generation); // stable: outside first
  const trusted: string[] = [];
  for (const key of keys) {
    const known = trusted[key.generation - 1];
    const before = trusted[key.generation - 2] ?? key.publicKey;
    const isNext = key.generation === trusted.length + 1;
    const isSigned = isSignedBy(key.note, key.origin, key.publicKey) && isSignedBy(key.note, key.origin, before);
    if (isSigned && (known === key.publicKey || isNext)) trusted[key.generation - 1] = key.publicKey;
    else
      findings.push({
        kind: "signature",
        text: `key ${key.generation} in ${key.name} is not the one that signs this log`,
      });
  }
  return trusted;
}

interface Expected {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly source: string;
}

interface Awaited {
  /** Smallest first. */
  readonly waiting: Expected[];
  signed: number;
  /** The last entry that is signed, once the ledger was read up to there. */
  last?: SignedEntry;
}

function findNewest(expected: ReadonlyMap<string, Awaited>): SignedEntry | undefined {
  return [...expected.values()]
    .flatMap(({ last }) => last ?? [])
    .toSorted((left, right) => left.lsn - right.lsn)
    .at(-1);
}

function sortCheckpoints(
  log: string,
  { trusted, sources }: { readonly trusted: readonly string[]; readonly sources: readonly NoteSource[] },
  findings: AuditFinding[],
): ReadonlyMap<string, Awaited> {
  const awaited = new Map<string, Awaited>();
  for (const { name, notes } of sources) {
    for (const note of notes) {
      if (toLogName(note.origin) !== log || note.kind === "key") continue;
      const { origin, size, root } = note;
      if (!trusted.some((key) => isSignedBy(note.note, origin, key))) {
        findings.push({
          kind: "signature",
          text: `the checkpoint of ${size} entries of ${origin} in ${name} is not signed by a key of this log`,
        });
        continue;
      }
      const list = awaited.get(origin) ?? { waiting: [], signed: 0 };
      awaited.set(origin, list);
      list.waiting.push({ origin, size, root, source: name });
      list.signed = Math.max(list.signed, size);
    }
  }
  for (const { waiting } of awaited.values()) waiting.sort((left, right) => left.size - right.size);
  return awaited;
}

/** A log with its newest entry. */
interface Grown {
  readonly frontier: Frontier;
  readonly entry: LedgerEntry;
}

function checkAt(
  expected: ReadonlyMap<string, Awaited>,
  origin: string,
  { frontier, entry, findings }: Grown & { readonly findings: AuditFinding[] },
): void {
  const awaited = expected.get(origin);
  if (awaited?.signed === frontier.size) awaited.last = { lsn: entry.lsn, at: entry.at };
  const waiting = awaited?.waiting;
  if (waiting?.[0]?.size !== frontier.size) return;
  const root = frontier.root();
  for (let next = waiting.at(0); next?.size === frontier.size; next = waiting.at(0)) {
    waiting.shift();
    if (next.root !== root) {
      const text = `the first ${next.size} entries of ${origin} are not those that ${next.source} knows`;
      findings.push({ kind: "past", text });
    }
  }
}

interface Rebuilt {
  readonly entries: number;
  readonly runs: number;
  readonly sizes: ReadonlyMap<string, number>;
}

const pageEntries = 1_000;

/** Adds every entry to the log of its tenant and shows each log after each. Stops where the ledger can't be read: that was found already. */
async function rebuildLogs(
  ledger: Ledger,
  onGrown: (origin: string, grown: Grown) => void,
  log: string,
): Promise<Rebuilt> {
  const tenants = new Map<RunId, string>();
  const frontiers = new Map<string, Frontier>();
  let last = 0;
  let entries = 0;
  for (;;) {
    const page = await readPage(ledger, last);
    for (const entry of page) {
      const tenant = tenants.get(entry.run) ?? unlessCorrupt(() => tenantOf(entry), "");
      tenants.set(entry.run, tenant);
      const frontier = frontiers.get(tenant) ?? new Frontier();
      frontiers.set(tenant, frontier);
      frontier.add(toLeaf(entry.hash));
      onGrown(toOrigin(log, tenant), { frontier, entry });
      last = entry.lsn;
      entries += 1;
    }
    if (page.length === 0) break;
  }
  const sizes = new Map([...frontiers].map(([tenant, { size }]) => [tenant, size]));
  return { entries, runs: tenants.size, sizes };
}

async function readPage(ledger: Ledger, afterLsn: number): Promise<readonly LedgerEntry[]> {
  try {
    return await ledger.scan(afterLsn, pageEntries);
  } catch (error) {
    return unlessCorrupt(() => {
      throw error;
    }, []);
  }
}

/** What is corrupt is in the findings already. */
function unlessCorrupt<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch (error) {
    if (isTuttiError(error) && error.code === "LEDGER_CORRUPT") return otherwise;
    throw error;
  }
}
