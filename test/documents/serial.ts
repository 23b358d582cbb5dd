import { bodyOf, type LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";

/** What one entry says it has read and written: a transaction, or an effect that relied on what was read. */
interface Transaction {
  readonly name: string;
  readonly lsn: number;
  readonly reads: Readonly<Record<string, number>>;
  readonly writes: readonly Write[];
  /** The value of each document as its code saw it, if its code says so. */
  readonly attempt: number;
  readonly entry: LedgerEntry;
}

interface Write {
  readonly document: string;
  readonly version: number;
  readonly value?: unknown;
  readonly mergedFrom?: number;
}

/**
 * Everything in a history that no serial execution could have left behind, decided from the entries alone:
 * updates that overwrite each other, cycles of who read before whom, work on what was stale, and readings that are not true.
 */
export function findAnomalies(entries: readonly LedgerEntry[]): readonly string[] {
  const transactions = entries.flatMap(toTransaction);
  return [
    ...findLostUpdates(transactions),
    ...findStaleWork(transactions),
    ...findCycles(transactions),
    ...findFalseReadings(entries, transactions),
  ];
}

function toTransaction(entry: LedgerEntry): readonly Transaction[] {
  const name = `${entry.run}${entry.key}`;
  if (entry.kind === "document-committed") {
    const { reads, writes, attempt = 1 } = bodyOf(entry, entry.kind);
    return [{ name, lsn: entry.lsn, reads, writes, attempt, entry }];
  }
  if (entry.kind !== "effect-intended") return [];
  const { reads } = bodyOf(entry, entry.kind);
  return reads === undefined ? [] : [{ name, lsn: entry.lsn, reads, writes: [], attempt: 1, entry }];
}

/** Every version has one writer, who stood on the version before it. */
function findLostUpdates(transactions: readonly Transaction[]): readonly string[] {
  const wrongs: string[] = [];
  const writers = new Map<string, string>();
  for (const { name, reads, writes } of transactions) {
    for (const { document, version } of writes) {
      const place = `${document}@${version}`;
      const earlier = writers.get(place);
      if (earlier !== undefined) wrongs.push(`lost update: ${earlier} and ${name} both wrote ${place}`);
      writers.set(place, name);
      if (reads[document] !== version - 1) wrongs.push(`lost update: ${name} wrote ${place} on ${reads[document]}`);
      if (version > 1 && !writers.has(`${document}@${version - 1}`)) wrongs.push(`${place} has none before it`);
    }
  }
  return wrongs;
}

/** At the moment at which an entry is written, all that it relies on is the newest. */
function findStaleWork(transactions: readonly Transaction[]): readonly string[] {
  const wrongs: string[] = [];
  const newest = new Map<string, number>();
  for (const { name, reads, writes } of transactions) {
    for (const [document, seen] of Object.entries(reads)) {
      const now = newest.get(document) ?? 0;
      if (seen !== now) wrongs.push(`stale: ${name} relied on ${document}@${seen} while ${now} was the newest`);
    }
    for (const { document, version } of writes) newest.set(document, version);
  }
  return wrongs;
}

/** The graph of who must come before whom: a history is serialisable if and only if it has no cycle. */
function findCycles(transactions: readonly Transaction[]): readonly string[] {
  const writers = new Map<string, number[]>();
  for (const [index, { writes }] of transactions.entries()) {
    for (const { document, version } of writes) {
      const place = `${document}@${version}`;
      writers.set(place, [...(writers.get(place) ?? []), index]);
    }
  }
  const after = transactions.map((): Set<number> => new Set());
  const order = (first: number, second: number): void => {
    if (first !== second) after[first]?.add(second);
  };
  for (const [index, { reads, writes }] of transactions.entries()) {
    for (const [document, version] of Object.entries(reads)) {
      for (const writer of writers.get(`${document}@${version}`) ?? []) order(writer, index);
      for (const writer of writers.get(`${document}@${version + 1}`) ?? []) order(index, writer);
    }
    for (const { document, version } of writes)
      for (const writer of writers.get(`${document}@${version - 1}`) ?? []) order(writer, index);
  }
  const cycle = findCycle(after);
  return cycle === undefined
    ? []
    : [`not serialisable: ${cycle.map((index) => transactions[index]?.name).join(" < ")}`];
}

function findCycle(after: readonly ReadonlySet<number>[]): readonly number[] | undefined {
  const state: ("open" | "done" | undefined)[] = [];
  for (let start = 0; start < after.length; start++) {
    const path = [start];
    const todo = [[...(after[start] ?? [])]];
    if (state[start] === "done") continue;
    state[start] = "open";
    while (path.length > 0) {
      const next = todo.at(-1)?.pop();
      if (next === undefined) {
        state[path.pop() ?? 0] = "done";
        todo.pop();
      } else if (state[next] === "open") return [...path.slice(path.indexOf(next)), next];
      else if (state[next] === undefined) {
        state[next] = "open";
        path.push(next);
        todo.push([...(after[next] ?? [])]);
      }
    }
  }
  return undefined;
}

/** What a try says it has read is what its readings hand over, and they hand over what was written in that version. */
function findFalseReadings(entries: readonly LedgerEntry[], transactions: readonly Transaction[]): readonly string[] {
  const wrongs: string[] = [];
  const values = new Map<string, string>();
  for (const { writes } of transactions)
    for (const { document, version, value } of writes) values.set(`${document}@${version}`, JSON.stringify(value));
  const readings = entries.flatMap((entry) =>
    entry.kind === "document-read" ? [{ entry, ...bodyOf(entry, entry.kind) }] : [],
  );
  for (const { entry, document, version, value } of readings) {
    const written = values.get(`${document}@${version}`);
    if (version > 0 && written !== JSON.stringify(value))
      wrongs.push(`${entry.run}${entry.key} read ${JSON.stringify(value)} in ${document}@${version}, not ${written}`);
  }
  for (const { name, reads, writes, attempt, entry } of transactions) {
    if (entry.kind !== "document-committed") continue;
    const inside = readings.filter(
      (reading) => reading.entry.run === entry.run && reading.entry.key.startsWith(`${entry.key}/${attempt}/`),
    );
    for (const { document, version, peeked } of inside) {
      const mergedFrom = writes.find((write) => write.document === document)?.mergedFrom;
      if (peeked !== true && version !== (mergedFrom ?? reads[document]))
        wrongs.push(`${name} read ${document}@${version} and says it read ${reads[document]}`);
    }
  }
  return wrongs;
}
