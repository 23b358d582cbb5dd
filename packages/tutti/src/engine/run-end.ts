import { fromStoredError, TuttiError } from "../base/errors.ts";
import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import type { RunId } from "../contracts/ids.ts";
import { isOver } from "../contracts/run-record.ts";
import type { ChildOutcome, RunEnd } from "../flow/driver.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { toErasedError } from "../ledger/personal/personal-ledger.ts";
import { isSealed } from "../ledger/personal/sealed-body.ts";

/** How a run ended, from its last entry; `undefined` while it is open. @throws TuttiError DATA_ERASED */
export async function readEnd(ledger: Ledger, entries: readonly LedgerEntry[]): Promise<RunEnd | undefined> {
  const last = entries.at(-1);
  if (last !== undefined && isSealed(last.body)) throw toErasedError(last.run);
  switch (last?.kind) {
    case "run-done": {
      const body = bodyOf(last, last.kind);
      return { kind: "done", output: await readOutput(ledger, body), labels: body.labels };
    }
    case "run-failed": {
      const { error, labels } = bodyOf(last, last.kind);
      return { kind: "failed", error: fromStoredError(error), labels };
    }
    case "run-cancelled": {
      const { reason, labels } = bodyOf(last, last.kind);
      return { kind: "cancelled", reason, labels };
    }
    default:
      return undefined;
  }
}

/** The error that a parked run was left with. */
export function readParking(entries: readonly LedgerEntry[]): TuttiError | undefined {
  const parked = entries.findLast((entry) => entry.kind === "run-parked");
  return parked === undefined ? undefined : fromStoredError(bodyOf(parked, "run-parked").error);
}

/** An output stored in a body, fetched from its blob where it is large. */
export async function readOutput(
  ledger: Ledger,
  body: { readonly out?: unknown; readonly outRef?: { readonly hash: string } },
): Promise<unknown> {
  if (body.outRef === undefined) return body.out;
  const content = await ledger.readBlob(body.outRef.hash);
  if (content === undefined)
    throw new TuttiError("LEDGER_CORRUPT", `blob ${body.outRef.hash} is missing`, {
      hint: "Run `tutti verify`, and restore the ledger from a backup.",
    });
  return JSON.parse(content);
}

/** What a caller of `result()` is told about a run that did not end well. */
export function toEndError(run: RunId, end: Exclude<RunEnd, { readonly kind: "done" }>): TuttiError {
  return end.kind === "failed"
    ? end.error
    : new TuttiError("RUN_CANCELLED", `run ${run} was cancelled: ${end.reason}`, { facts: { run } });
}

/** How a child's end looks to its parent. */
export function toChildOutcome(child: RunId, end: RunEnd): ChildOutcome {
  const { labels } = end;
  return end.kind === "done"
    ? { kind: "done", output: end.output, labels }
    : { kind: "failed", error: toEndError(child, end), labels };
}

/** How a child ended, from the ledger; `undefined` while it is open. */
export async function readChildOutcome(
  ledger: Ledger,
  { child, parent }: { readonly child: RunId; readonly parent: RunId },
): Promise<ChildOutcome | undefined> {
  const record = await ledger.findRun(child);
  if (record !== undefined && record.parent !== parent) {
    const error = new TuttiError("INPUT_INVALID", `run ${child} exists already and is not a child of ${parent}`, {
      hint: "Give the child another name, or start the other run under another id.",
      facts: { child, parent },
    });
    return { kind: "failed", error, labels: undefined };
  }
  if (record === undefined || !isOver(record.status)) return undefined;
  const end = await readEnd(ledger, await ledger.read(child));
  return end === undefined ? undefined : toChildOutcome(child, end);
}
