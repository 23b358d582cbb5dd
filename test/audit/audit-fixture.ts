import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

import type { Anchor } from "../../packages/tutti/src/audit/anchor-port.ts";
import { parseAnchor, readAnchor } from "../../packages/tutti/src/audit/anchor.ts";
import { toAuditFolder } from "../../packages/tutti/src/audit/audit-file.ts";
import { takeCheckpoint, type Checkpoints } from "../../packages/tutti/src/audit/take-checkpoint.ts";
import { readOwnNotes, verifyAudit, type AuditFinding } from "../../packages/tutti/src/audit/verify-audit.ts";
import { sha256 } from "../../packages/tutti/src/base/hash.ts";
import { toRunId } from "../../packages/tutti/src/contracts/ids.ts";
import type { Ledger } from "../../packages/tutti/src/ledger/ledger.ts";
import { toGenesis, toSeal } from "../../packages/tutti/src/ledger/seal.ts";
import { openSqliteLedger } from "../../packages/tutti/src/ledger/sqlite/sqlite-ledger.ts";
import { createSettableClock } from "../ledger/ledger-fixture.ts";

/** A ledger on disk, a place outside for its anchor, and a person who may look at both. */
export interface AuditFolder {
  readonly folder: string;
  readonly file: string;
  readonly anchor: Anchor;
  write(work: (ledger: Ledger) => Promise<void>): Promise<void>;
  look<Result>(work: (ledger: Ledger) => Promise<Result>): Promise<Result>;
  checkpoint(anchors?: readonly Anchor[]): Promise<Checkpoints>;
  [Symbol.dispose](): void;
}

const { signal } = new AbortController();

export function openAuditFolder(): AuditFolder {
  const folder = mkdtempSync(path.join(tmpdir(), "tutti-audit-"));
  const file = path.join(folder, "data", "ledger.db");
  const anchor = parseAnchor(path.join(folder, "outside", "anchor.txt"), file);
  const clock = createSettableClock();
  const opened: AuditFolder = {
    folder,
    file,
    anchor,
    async write(work) {
      const ledger = await openSqliteLedger(file, { clock, durability: "process" });
      try {
        await work(ledger);
      } finally {
        await ledger.close();
      }
    },
    async look(work) {
      const ledger = await openSqliteLedger(file, { clock, readOnly: true });
      try {
        return await work(ledger);
      } finally {
        await ledger.close();
      }
    },
    checkpoint: (anchors = [anchor]) =>
      opened.look((ledger) => takeCheckpoint({ ledger, folder: toAuditFolder(file), anchors, signal })),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
  return opened;
}

/** What `tutti audit verify` finds with these anchors. */
export async function verifyFolder(
  folder: AuditFolder,
  anchors: readonly Anchor[],
): Promise<{ readonly findings: readonly AuditFinding[]; readonly unsigned: number }> {
  const own = readOwnNotes(toAuditFolder(folder.file));
  const outside = await Promise.all(
    anchors.map(async (anchor) => ({ name: anchor.name, notes: await readAnchor(anchor, signal) })),
  );
  return folder.look((ledger) => verifyAudit(ledger, own, outside));
}

/** Runs of these tenants ("" for none), each with so many steps. */
export async function writeRuns(ledger: Ledger, runs: Readonly<Record<string, string>>, steps = 3): Promise<void> {
  for (const [id, tenant] of Object.entries(runs)) {
    const body = JSON.stringify({ flow: "pay", version: "1", ...(tenant === "" ? {} : { tenant }) });
    const started = await ledger.start({ id: toRunId(id), flow: "pay", version: "1", body });
    if (started.kind === "exists") throw new Error(`${id} exists`);
    for (let step = 1; step <= steps; step++) {
      const large = `large value ${step} of ${id}`;
      await started.claim.log.append({
        kind: "step-done",
        key: `/step-${step}`,
        body:
          step === 2
            ? JSON.stringify({ outRef: { hash: sha256(large), bytes: large.length } })
            : JSON.stringify({ out: { decision: "allow", amount: 100 * step } }),
        ...(step === 2 ? { blobs: [{ hash: sha256(large), content: large }] } : {}),
      });
    }
  }
}

/** An entry as a person with the file in hand sees it. */
export interface RawEntry {
  readonly lsn: number;
  readonly run: string;
  readonly seq: number;
  readonly kind: string;
  readonly key: string;
  readonly at: number;
  readonly version: number;
  readonly body: string;
  readonly hash: string;
}

/** Puts other entries into the file with plain SQL. */
export function replaceEntries(file: string, change: (entries: readonly RawEntry[]) => readonly RawEntry[]): void {
  const database = new DatabaseSync(file);
  try {
    const rows =
      database.prepare(`select entry.lsn, run.name as run, entry.seq, entry.kind, entry.key, entry.at, entry.version,
      entry.body, lower(hex(entry.hash)) as hash from entry join run on run.id = entry.run order by entry.lsn`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the columns of the query
    const changed = change(rows.all() as unknown as readonly RawEntry[]);
    database.exec("delete from entry");
    const insert = database.prepare(`insert into entry(lsn, run, seq, kind, key, at, version, body, hash)
      values (?, (select id from run where name = ?), ?, ?, ?, ?, ?, ?, ?)`);
    for (const { lsn, run, seq, kind, key, at, version, body, hash } of changed)
      insert.run(lsn, run, seq, kind, key, at, version, body, Buffer.from(hash, "hex"));
  } finally {
    database.close();
  }
}

/** Numbers and seals entries anew, as a person who knows how would. */
export function reseal(entries: readonly RawEntry[]): readonly RawEntry[] {
  const ends = new Map<string, { readonly seq: number; readonly hash: string }>();
  return entries.map((entry, index) => {
    const end = ends.get(entry.run) ?? { seq: 0, hash: toGenesis(entry.run) };
    const moved = { ...entry, lsn: index + 1, seq: end.seq + 1 };
    const hash = toSeal(end.hash, moved, sha256(moved.body));
    ends.set(entry.run, { seq: moved.seq, hash });
    return { ...moved, hash };
  });
}
