import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

import { systemClock } from "../../packages/tutti/src/base/clock.ts";
import { isTuttiError } from "../../packages/tutti/src/base/errors.ts";
import { bodyOf } from "../../packages/tutti/src/contracts/entry.ts";
import type { Ledger } from "../../packages/tutti/src/ledger/ledger.ts";
import { openSqliteLedger } from "../../packages/tutti/src/ledger/sqlite/sqlite-ledger.ts";
import { verifyLedger } from "../../packages/tutti/src/ledger/verify.ts";

/** The last entry of each run that was acknowledged. */
export type Acknowledged = ReadonlyMap<string, number>;

/** What a ledger is after a crash. */
export type Verdict =
  | { readonly kind: "good"; readonly entries: number }
  /** Something that was acknowledged is not there. */
  | { readonly kind: "lost"; readonly what: string }
  | { readonly kind: "damaged"; readonly why: string };

/** Opens the ledger as the next process would, and looks for everything that was acknowledged. */
export async function checkImage(file: string, acknowledged: Acknowledged): Promise<Verdict> {
  if (!existsSync(file) && acknowledged.size > 0) return { kind: "lost", what: "the file" };
  try {
    const ledger = await openSqliteLedger(file, { clock: systemClock, durability: "process" });
    try {
      const verdict = await checkLedger(ledger, acknowledged);
      if (verdict.kind !== "good") return verdict;
      const integrity = checkIntegrity(file);
      return integrity === "ok" ? verdict : { kind: "damaged", why: integrity };
    } finally {
      await ledger.close();
    }
  } catch (error) {
    if (!isTuttiError(error)) throw error;
    return { kind: "damaged", why: `${error.code}: ${error.message}` };
  }
}

async function checkLedger(ledger: Ledger, acknowledged: Acknowledged): Promise<Verdict> {
  const verification = await verifyLedger(ledger);
  if (verification.kind === "broken") return { kind: "damaged", why: `entry ${verification.lsn}: ${verification.why}` };
  const kept = new Map<string, number>();
  for (const entry of await ledger.scan(0, verification.entries)) {
    kept.set(entry.run, entry.seq);
    if (entry.kind !== "effect-settled") continue;
    const { effect } = bodyOf(entry, "effect-settled");
    const record = await ledger.findEffect(effect);
    if (record?.state !== "settled" || record.settledLsn !== entry.lsn) {
      return {
        kind: "damaged",
        why: `effect ${effect} is ${record?.state ?? "missing"}, and entry ${entry.lsn} settled it`,
      };
    }
  }
  for (const [run, seq] of acknowledged) {
    const last = kept.get(run) ?? 0;
    if (last < seq) return { kind: "lost", what: `${run}: entry ${seq} was acknowledged, ${last} is the last` };
  }
  return { kind: "good", entries: verification.entries };
}

function checkIntegrity(file: string): string {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return String(database.prepare("pragma integrity_check").get()?.["integrity_check"]);
  } finally {
    database.close();
  }
}

/** Adds a line that the writer printed: a run and how far it was acknowledged. */
export function noteAcknowledgement(acknowledged: Map<string, number>, line: string): void {
  const [run, seq] = line.split(" ");
  if (run !== undefined && seq !== undefined) acknowledged.set(run, Math.max(Number(seq), acknowledged.get(run) ?? 0));
}
