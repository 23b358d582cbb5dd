import { toShortId } from "../base/chance.ts";
import { TuttiError } from "../base/errors.ts";
import { bodyOf, type BodyOf, type EntryKind, type LedgerEntry } from "../contracts/entry.ts";
import { toRunId, type RunId, type StepKey } from "../contracts/ids.ts";
import { toDirectiveChange } from "../flow/give-directive.ts";
import { isDelivered } from "../flow/history.ts";
import { toBlobs } from "../flow/step.ts";
import { toBody, toStoredValue } from "../flow/stored-value.ts";
import type { NewEntry } from "../ledger/ledger.ts";
import type { Engine } from "./engine-parts.ts";
import { findRun } from "./steer-run.ts";
import type { ForkEdit } from "./tutti.ts";

/** Kinds that belong to one execution and are not taken over. */
const leftBehind: ReadonlySet<EntryKind> = new Set([
  "run-started",
  "run-parked",
  "run-paused",
  "run-resumed",
  "cancel-requested",
  "undo-requested",
  "run-done",
  "run-failed",
  "run-cancelled",
  "rollback-started",
  "effect-undone",
  "budget-reserved",
  "budget-settled",
]);

export interface ForkRequest {
  readonly run: RunId;
  readonly step: StepKey;
  readonly edit: ForkEdit | undefined;
  /** The new run's; the same id again finds the first fork. */
  readonly id?: string | undefined;
  /** Who forks it. */
  readonly by?: string | undefined;
}

/**
 * Starts a run that shares the other's past: every entry before the step's own, which is a consistent cut because results are handed over in
 * that very order. Effects count for both runs, so what was done is shared, not repeated.
 * @throws TuttiError RUN_UNKNOWN, USAGE
 */
export async function forkRun(engine: Engine, request: ForkRequest): Promise<RunId> {
  const record = await findRun(engine, request.run);
  const entries = await engine.ledger.read(request.run);
  const [first] = entries;
  if (first === undefined) throw new TuttiError("LEDGER_CORRUPT", `run ${request.run} has no entries`);
  const started = bodyOf(first, "run-started");
  const at = entries.find((entry) => entry.key === request.step && isDelivered(entry));
  if (at === undefined && request.step !== "") throw toUnknownStep(request, entries);
  const cut = at?.seq ?? 2;
  const { edit } = request;
  const id = toRunId(request.id ?? `${request.run}~${toShortId()}`);
  const before = entries.filter((entry) => entry.seq < cut);
  const copied = [...toCopied(id, before), ...toEdited(at, edit)];
  const forked = {
    flow: started.flow,
    version: started.version,
    forkedFrom: {
      run: request.run,
      step: request.step,
      seq: cut,
      lineage: started.forkedFrom?.lineage ?? request.run,
      copied: copied.length,
      ...(request.by === undefined ? {} : { by: request.by }),
    },
    ...toEdits(started.edits, request),
    // A fork pays into the accounts of the run that it was forked from.
    ...(started.tenant === undefined ? {} : { tenant: started.tenant }),
    ...(started.labels === undefined ? {} : { labels: started.labels }),
    ...(started.by === undefined ? {} : { by: started.by }),
    ...(started.grant === undefined ? {} : { grant: started.grant }),
    ...(started.priority === undefined ? {} : { priority: started.priority }),
    ...(started.budgets === undefined ? {} : { budgets: started.budgets }),
    ...(started.personal === undefined ? {} : { personal: started.personal }),
  };
  const input =
    edit !== undefined && "input" in edit && request.step === ""
      ? toStoredValue("input", edit.input, "the fork's input")
      : undefined;
  await engine.ledger.start({
    id,
    flow: record.flow,
    version: record.version,
    body: input === undefined ? toBody({ ...forked, ...toInputFields(started) }) : toBody(forked, input),
    ...toBlobs(input),
    copied,
  });
  return id;
}

type Edits = BodyOf<"run-started">["edits"];

/** The inputs that were edited in this fork and in those before it. */
function toEdits(earlier: Edits, { step, edit }: ForkRequest): { readonly edits?: NonNullable<Edits> } {
  const edits = {
    ...earlier,
    ...(edit !== undefined && "input" in edit && step !== "" ? { [step]: { input: edit.input } } : {}),
  };
  return Object.keys(edits).length === 0 ? {} : { edits };
}

function toInputFields(started: {
  readonly input?: unknown;
  readonly inputRef?: unknown;
}): Readonly<Record<string, unknown>> {
  if (started.inputRef !== undefined) return { inputRef: started.inputRef };
  return started.input === undefined ? {} : { input: started.input };
}

/** What people wanted is wanted of the fork too: its own directive document has the same versions. */
function toCopy(fork: RunId, entry: LedgerEntry): NewEntry {
  const { kind, key, body } = entry;
  if (kind !== "directive-given") return { kind, key, body };
  const { from, version } = bodyOf(entry, kind);
  return { kind, key, body, ...(from === undefined ? { document: toDirectiveChange(fork, version) } : {}) };
}

function toCopied(fork: RunId, before: readonly LedgerEntry[]): readonly NewEntry[] {
  const settled = new Set(before.filter((entry) => isDelivered(entry)).map((entry) => entry.key));
  return (
    before
      .filter((entry) => !leftBehind.has(entry.kind))
      // What was in flight at the cut is asked for anew; a shared key then finds what came of it.
      .filter(
        (entry) =>
          (entry.kind !== "effect-intended" &&
            entry.kind !== "effect-in-doubt" &&
            entry.kind !== "effect-resolved" &&
            entry.kind !== "child-started") ||
          settled.has(entry.key),
      )
      .map((entry) => toCopy(fork, entry))
  );
}

function toEdited(at: LedgerEntry | undefined, edit: ForkEdit | undefined): readonly NewEntry[] {
  if (at === undefined || edit === undefined || !("output" in edit)) return [];
  const out = toStoredValue("out", edit.output, "the edited output");
  // A step-done answers every call; only a scope has to stay one, so that what lies inside is passed over.
  if (at.kind === "scope-closed")
    return [{ kind: "scope-closed", key: at.key, body: toBody({}, out), ...toBlobs(out) }];
  if (at.kind === "document-committed")
    return [{ kind: at.kind, key: at.key, body: toBody({ reads: {}, writes: [] }, out), ...toBlobs(out) }];
  return [{ kind: "step-done", key: at.key, body: toBody({ edited: true }, out), ...toBlobs(out) }];
}

function toUnknownStep(request: ForkRequest, entries: readonly LedgerEntry[]): TuttiError {
  const keys = [
    ...new Set(entries.filter((entry) => isDelivered(entry) && entry.key !== "").map((entry) => entry.key)),
  ];
  return new TuttiError("USAGE", `run ${request.run} has no recorded step ${request.step}`, {
    hint: `Its steps: ${keys.slice(0, 20).join(", ")}`,
  });
}
