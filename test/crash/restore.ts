import type { Clock } from "../../packages/tutti/src/base/clock.ts";
import { bodyOf, type LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import { toDocumentId, type RunId } from "../../packages/tutti/src/contracts/ids.ts";
import type { RunStatus } from "../../packages/tutti/src/contracts/run-record.ts";
import { toDirectiveChange } from "../../packages/tutti/src/flow/give-directive.ts";
import type { DocumentChange, EffectChange, Ledger, NewEntry, RunLog } from "../../packages/tutti/src/ledger/ledger.ts";
import { openMemoryLedger } from "../../packages/tutti/src/ledger/memory/memory-ledger.ts";

/** A ledger that holds exactly these entries, and whose runs and effects stand as they say: what a crash after the last one leaves behind. */
export async function restoreLedger(
  entries: readonly LedgerEntry[],
  options: { readonly clock: Clock; readonly onEntry: (entry: LedgerEntry) => void },
): Promise<Ledger> {
  const ledger = openMemoryLedger({ ...options, durability: "process" });
  const logs = new Map<RunId, RunLog>();
  const parents = new Map<RunId, RunId>();
  let last: Promise<unknown> = Promise.resolve();
  for (const entry of entries) {
    if (entry.kind === "run-started") {
      const { flow, version } = bodyOf(entry, entry.kind);
      const parent = parents.get(entry.run);
      await ledger.start({
        id: entry.run,
        flow,
        version,
        body: entry.body,
        ...(parent === undefined ? {} : { parent }),
      });
      logs.set(entry.run, (await ledger.claim(entry.run)).log);
      continue;
    }
    if (entry.kind === "child-started") parents.set(bodyOf(entry, entry.kind).child, entry.run);
    last = logs.get(entry.run)?.append(toNewEntry(entry)) ?? last;
  }
  await last;
  await ledger.flush();
  return ledger;
}

const statusByKind: { readonly [Kind in LedgerEntry["kind"]]?: RunStatus } = {
  "run-done": "done",
  "run-failed": "failed",
  "run-cancelled": "cancelled",
  "run-parked": "parked",
  "run-paused": "paused",
  "run-resumed": "running",
  "undo-requested": "running",
  "effect-in-doubt": "in-doubt",
};

function toNewEntry(entry: LedgerEntry): NewEntry {
  const status = statusByKind[entry.kind];
  const effect = toEffectChange(entry);
  const document = toDocumentChange(entry);
  return {
    kind: entry.kind,
    key: entry.key,
    body: entry.body,
    ...(status === undefined ? {} : { status }),
    ...(effect === undefined ? {} : { effect }),
    ...(document === undefined ? {} : { document }),
  };
}

/** Leases end with the process that held them. */
function toDocumentChange(entry: LedgerEntry): DocumentChange | undefined {
  if (entry.kind === "document-committed") {
    const { reads, writes } = bodyOf(entry, entry.kind);
    const documents = writes.map((write) => write.document);
    return { kind: "commit", reads: toReads(reads), writes: documents, holder: entry.key };
  }
  if (entry.kind === "directive-given") {
    const { from, version } = bodyOf(entry, entry.kind);
    return from === undefined ? toDirectiveChange(entry.run, version) : undefined;
  }
  const reads = entry.kind === "effect-intended" ? bodyOf(entry, entry.kind).reads : undefined;
  return reads === undefined ? undefined : { kind: "rely", reads: toReads(reads) };
}

function toReads(reads: Readonly<Record<string, number>>): Extract<DocumentChange, { kind: "rely" }>["reads"] {
  return new Map(Object.entries(reads).map(([document, version]) => [toDocumentId(document), version]));
}

function toEffectChange(entry: LedgerEntry): EffectChange | undefined {
  switch (entry.kind) {
    case "effect-intended": {
      const { effect: key, tool, class: class_, digest } = bodyOf(entry, entry.kind);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a stored key is the step it was stored for
      return { kind: "intend", effect: { key, step: entry.key as never, tool, class: class_, digest } };
    }
    case "effect-settled":
      return { kind: "change", key: bodyOf(entry, entry.kind).effect, state: "settled" };
    case "effect-failed":
      return { kind: "change", key: bodyOf(entry, entry.kind).effect, state: "failed" };
    case "effect-in-doubt":
      return { kind: "change", key: bodyOf(entry, entry.kind).effect, state: "in-doubt" };
    case "effect-resolved":
      return { kind: "change", key: bodyOf(entry, entry.kind).effect, state: "intended" };
    case "effect-undone":
      return { kind: "change", key: bodyOf(entry, entry.kind).effect, state: "undone" };
    default:
      return undefined;
  }
}
