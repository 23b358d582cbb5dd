import { array, assert, asyncProperty, constantFrom, integer, record } from "fast-check";
import { expect, test } from "vitest";

import { toDocumentId, type DocumentId } from "../../packages/tutti/src/contracts/ids.ts";
import type { DocumentChange, Ledger, NewEntry, RunLog } from "../../packages/tutti/src/ledger/ledger.ts";
import { verifies } from "../verifies.ts";
import {
  createSettableClock,
  keysOf,
  openForTest,
  startLogs,
  toIntent,
  toStepWithBlob,
  type LedgerUnderTest,
} from "./ledger-fixture.ts";

const apples = toDocumentId("stock/apples");
const pears = toDocumentId("stock/pears");
const letters = toDocumentId("mail/letters");

/** Versions of documents: whoever relies on one that is not the newest leaves nothing. */
export function describeDocuments(under: LedgerUnderTest): void {
  describeVersions(under);
  describeLeases(under);
  describeSerial(under);
}

const recorded = expect.objectContaining({ kind: "recorded" });

function readsOf(reads: Readonly<Record<string, number>>): ReadonlyMap<DocumentId, number> {
  return new Map(Object.entries(reads).map(([document, version]) => [toDocumentId(document), version]));
}

interface Commit {
  readonly reads: Readonly<Record<string, number>>;
  readonly writes: readonly DocumentId[];
  readonly holder?: string;
}

function toCommit(key: string, { reads, writes, holder = key }: Commit): NewEntry {
  const list = writes.map((document) => ({ document, version: (reads[document] ?? 0) + 1, value: key }));
  const change: DocumentChange = { kind: "commit", reads: readsOf(reads), writes, holder };
  return { kind: "document-committed", key, body: JSON.stringify({ reads, writes: list }), document: change };
}

function toLease(key: string, holder: string, untilMs: number): NewEntry {
  const documents = [apples, pears];
  const body = JSON.stringify({ documents, untilMs });
  return { kind: "document-leased", key, body, document: { kind: "lease", documents, holder, untilMs } };
}

function toRelease(key: string, holder: string): NewEntry {
  const body = JSON.stringify({ stale: [], next: "rerun" });
  return { kind: "document-conflicted", key, body, document: { kind: "release", holder } };
}

async function openPair(ledger: Ledger): Promise<readonly [RunLog, RunLog]> {
  const [left, right] = await startLogs(ledger, 2);
  if (left === undefined || right === undefined) throw new Error("two logs were started");
  return [left, right];
}

function describeVersions(under: LedgerUnderTest): void {
  describeStaleness(under);

  test(
    "several documents get their next versions in one entry, and old versions stay",
    verifies("S1", "S3"),
    async () => {
      const ledger = await openForTest(under);
      const [left] = await openPair(ledger);
      await left.append(toCommit("/one", { reads: { [apples]: 0, [pears]: 0 }, writes: [apples, pears] }));
      const second = await left.append(toCommit("/two", { reads: { [apples]: 1, [pears]: 1 }, writes: [pears] }));
      const lsn = second.kind === "recorded" ? second.lsn : 0;
      expect(await ledger.findDocument(apples)).toEqual({ document: apples, version: 1, lsn: lsn - 1 });
      expect(await ledger.findDocument(pears)).toEqual({ document: pears, version: 2, lsn });
      expect(await ledger.findDocument(pears, 1)).toEqual({ document: pears, version: 1, lsn: lsn - 1 });
      expect(await ledger.findDocument(pears, 3)).toBeUndefined();
      await left.append(toCommit("/three", { reads: { [letters]: 0 }, writes: [letters] }));
      const list = async (filter: Parameters<Ledger["listDocuments"]>[0]): Promise<readonly string[]> =>
        (await ledger.listDocuments(filter)).map(({ document, version }) => `${document} ${version}`);
      expect(await list({})).toEqual(["mail/letters 1", "stock/apples 1", "stock/pears 2"]);
      expect(await list({ under: "stock/" })).toEqual(["stock/apples 1", "stock/pears 2"]);
      expect(await list({ limit: 1 })).toEqual(["mail/letters 1"]);
      expect((await ledger.listVersions(pears, 10)).map(({ version }) => version)).toEqual([2, 1]);
      expect((await ledger.listVersions(pears, 1)).map(({ version }) => version)).toEqual([2]);
    },
  );
}

function describeStaleness(under: LedgerUnderTest): void {
  test("of two commits on one version the second is stale, and leaves nothing", verifies("S1", "S2"), async () => {
    const ledger = await openForTest(under);
    const [left, right] = await openPair(ledger);
    const blobbed = toStepWithBlob("x", "never stored");
    const late: NewEntry = {
      ...toCommit("/late", { reads: { [apples]: 0, [pears]: 0 }, writes: [pears] }),
      blobs: blobbed.blobs,
      status: "done",
    };
    const results = await Promise.all([
      left.append(toCommit("/first", { reads: { [apples]: 0 }, writes: [apples] })),
      right.append(late),
    ]);
    expect(results).toEqual([recorded, { kind: "stale", documents: [{ document: apples, seen: 0, newest: 1 }] }]);
    expect(await keysOf(ledger, right.run)).toEqual([]);
    expect(await ledger.readBlob(blobbed.blobs[0].hash)).toBeUndefined();
    expect((await ledger.findRun(right.run))?.status).toBe("running");
    expect(await ledger.findDocument(pears)).toBeUndefined();
  });

  test(
    "an intent that relies on an old version is not written, and its key stays free",
    verifies("S2", "D4"),
    async () => {
      const ledger = await openForTest(under);
      const [left, right] = await openPair(ledger);
      await left.append(toCommit("/one", { reads: { [apples]: 0 }, writes: [apples] }));
      const relying = (version: number): NewEntry => ({
        ...toIntent("/publish"),
        document: { kind: "rely", reads: readsOf({ [apples]: version }) },
      });
      expect(await right.append(relying(0))).toEqual({
        kind: "stale",
        documents: [{ document: apples, seen: 0, newest: 1 }],
      });
      expect(await left.append(toIntent("/publish"))).toEqual(recorded);
      expect(await right.append(relying(0))).toMatchObject({ kind: "taken" }); // whoever owns it, it will not be done again
    },
  );

  test("what one batch has written the next entry of it is measured by", verifies("S2"), async () => {
    const ledger = await openForTest(under);
    const [left, right] = await openPair(ledger);
    const commits = Array.from({ length: 10 }, (_, version) =>
      (version % 2 === 0 ? left : right).append(
        toCommit(`/${version}`, { reads: { [apples]: version }, writes: [apples] }),
      ),
    );
    expect((await Promise.all(commits)).map(({ kind }) => kind)).toEqual(Array.from({ length: 10 }, () => "recorded"));
    expect((await ledger.findDocument(apples))?.version).toBe(10);
  });
}

function describeLeases(under: LedgerUnderTest): void {
  test("while a lease lasts nobody else writes its documents, and its holder does", verifies("S2"), async () => {
    const clock = createSettableClock(1_000);
    const ledger = await openForTest(under, { clock });
    const [left, right] = await openPair(ledger);
    expect(await left.append(toLease("/t/2/lease", "/t", 5_000))).toEqual(recorded);
    const leased = { kind: "leased", document: apples, untilMs: 5_000 };
    const write = toCommit("/w", { reads: { [apples]: 0 }, writes: [apples] });
    expect(await right.append(write)).toEqual(leased);
    expect(await right.append(toLease("/u/2/lease", "/u", 6_000))).toEqual(leased);
    expect(await right.append(toCommit("/r", { reads: { [apples]: 0 }, writes: [] }))).toEqual(recorded);
    expect(await left.append(toCommit("/t", { reads: { [apples]: 0 }, writes: [apples] }))).toEqual(recorded);
    // The commit has given it back.
    expect(await right.append(toLease("/u/2/lease", "/u", 6_000))).toEqual(recorded);
    expect(await left.append(toCommit("/t2", { reads: { [pears]: 0 }, writes: [pears] }))).toMatchObject({
      document: pears,
    });
    expect(await right.append(toRelease("/u/2", "/u"))).toEqual(recorded);
    expect(await left.append(toCommit("/t2", { reads: { [pears]: 0 }, writes: [pears] }))).toEqual(recorded);
  });

  test("who holds a lease that is over is fenced off by the next holder", verifies("S2"), async () => {
    const clock = createSettableClock(1_000);
    const ledger = await openForTest(under, { clock });
    const [left, right] = await openPair(ledger);
    await left.append(toLease("/t/2/lease", "/t", 5_000));
    clock.set(5_000);
    expect(await right.append(toLease("/u/2/lease", "/u", 9_000))).toEqual(recorded);
    const late = toCommit("/t", { reads: { [apples]: 0 }, writes: [apples] });
    expect(await left.append(late)).toEqual({ kind: "leased", document: apples, untilMs: 9_000 });
    expect(await right.append(toCommit("/u", { reads: { [apples]: 0 }, writes: [apples] }))).toEqual(recorded);
    expect(await left.append(late)).toMatchObject({ kind: "stale" });
  });
}

const documents = [apples, pears, letters];
const commitOf = record({
  by: integer({ min: 0, max: 1 }),
  /** How many versions behind the newest each reading is. */
  behind: array(integer({ min: 0, max: 2 }), { minLength: 3, maxLength: 3 }),
  writes: array(constantFrom(...documents), { maxLength: 3 }),
});

function describeSerial(under: LedgerUnderTest): void {
  test("a commit is stored exactly if all that it read is the newest", verifies("S1", "S2", "S3"), async () => {
    await assert(
      asyncProperty(array(commitOf, { maxLength: 30 }), async (commits) => {
        const ledger = await under.open({ clock: createSettableClock() });
        try {
          const pair = await openPair(ledger);
          const newest = new Map<DocumentId, number>();
          for (const [index, { by, behind, writes }] of commits.entries()) {
            const reads = Object.fromEntries(
              documents.map((document, at) => [document, Math.max(0, (newest.get(document) ?? 0) - (behind[at] ?? 0))]),
            );
            const distinct = [...new Set(writes)];
            const isFresh = documents.every((document) => reads[document] === (newest.get(document) ?? 0));
            const result = await pair[by === 0 ? 0 : 1].append(toCommit(`/${index}`, { reads, writes: distinct }));
            expect(result.kind).toBe(isFresh ? "recorded" : "stale");
            if (isFresh) for (const document of distinct) newest.set(document, (newest.get(document) ?? 0) + 1);
          }
          for (const document of documents)
            expect((await ledger.findDocument(document))?.version).toBe(newest.get(document));
        } finally {
          await ledger.close();
        }
      }),
      { numRuns: 15 },
    );
  });
}
