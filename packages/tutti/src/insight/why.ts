import { TuttiError } from "../base/errors.ts";
import { bodyOf, type BodyOf, type LedgerEntry, type RecordKind } from "../contracts/entry.ts";
import { toStepKey, type StepKey } from "../contracts/ids.ts";
import { toByteText, toPreview } from "./preview.ts";
import { toActing } from "./who-acted.ts";
import { errorOf, findWriter, readsOf, usesOf, type Telling } from "./why-facts.ts";
import { isOutcome, tellDetail, tellOutcome, tellPerson, tellRun, tellStart } from "./why-sentences.ts";

/** One thing that led to another, in one sentence, with what led to it in turn. */
export interface Reason {
  readonly kind: ReasonKind;
  readonly sentence: string;
  readonly step: StepKey | undefined;
  /** The entry that says so. */
  readonly seq: number | undefined;
  readonly because: readonly Reason[];
}

/** `before`: not a recorded cause, only what came first. `known`: told further up already. `cut`: more is in the ledger than was asked for. */
export type ReasonKind =
  | "run"
  | "input"
  | "before"
  | "step"
  | "agent"
  | "attempt"
  | "effect"
  | "document"
  | "policy"
  | "signal"
  | "person"
  | "fork"
  | "parent"
  | "child"
  | "known"
  | "cut";

export interface WhyLimits {
  /** How many steps back; 12 by default. */
  readonly depthMax?: number;
  /** How many reasons in all; 200 by default. */
  readonly reasonsMax?: number;
}

/**
 * Why a run, or one step of it, ended as it did: backwards through the results that were handed in, the agents that asked,
 * failed attempts, effects, signals and people. Says only what the ledger recorded; where it holds no cause, what came before is named as just that.
 * @throws TuttiError RUN_UNKNOWN for no entries, INPUT_INVALID for a step that the run does not have, LEDGER_CORRUPT
 */
export function whyOf(entries: readonly LedgerEntry[], step?: StepKey, limits: WhyLimits = {}): Reason {
  const first = entries[0];
  if (first === undefined) throw new TuttiError("RUN_UNKNOWN", "a run without entries has no reasons");
  const story = openStory(entries, limits);
  if (step === undefined) return whyRun(story, first);
  if (!story.entriesByKey.has(step)) throw toUnknownStep(story, step);
  const reason = whyStep(story, step, 0);
  return { ...reason, because: [...whyActing(first), ...whyDirected(story, step), ...reason.because] };
}

interface Story {
  readonly entries: readonly LedgerEntry[];
  readonly entriesByKey: ReadonlyMap<string, readonly LedgerEntry[]>;
  /** What was told already, so that shared causes are told once. */
  readonly told: Set<string>;
  readonly depthMax: number;
  /** True as long as another reason may be told; counts it. */
  take(): boolean;
}

function openStory(entries: readonly LedgerEntry[], limits: WhyLimits): Story {
  const entriesByKey = new Map<string, LedgerEntry[]>();
  for (const entry of entries) {
    if (entry.key === "") continue;
    const list = entriesByKey.get(entry.key);
    if (list === undefined) entriesByKey.set(entry.key, [entry]);
    else list.push(entry);
  }
  let left = limits.reasonsMax ?? 200;
  return { entries, entriesByKey, told: new Set(), depthMax: limits.depthMax ?? 12, take: () => left-- > 0 };
}

function whyRun(story: Story, first: LedgerEntry): Reason {
  const started = bodyOf(first, "run-started");
  const end = story.entries.findLast((entry) => isRunEnd(entry));
  const because = [...whyStarted(started, first), ...whyPeople(story), ...whyRecords(story, "")];
  if (end?.kind === "run-done") {
    const body = bodyOf(end, end.kind);
    // A result that was put together from small values has no recorded origin; then the last steps of the flow are it.
    const from = body.uses === undefined || body.uses.length === 0 ? lastInside(story, "", end.seq) : body.uses;
    because.push(...whyUses(story, from, 0), ...whySignals(story, openSignals(story), 0));
  } else {
    const error = end === undefined ? undefined : errorOf(end);
    const cause = error === undefined ? undefined : findFailure(story, "", error);
    if (cause !== undefined) because.push(whyStep(story, cause, 1));
    else if (end === undefined) because.push(...whyOpen(story));
  }
  return { kind: "run", sentence: tellRun(started, end), step: undefined, seq: end?.seq ?? first.seq, because };
}

function isRunEnd(entry: LedgerEntry): boolean {
  return ["run-done", "run-failed", "run-cancelled", "run-parked", "run-resumed"].includes(entry.kind);
}

/** Where the run came from: its input, a fork with edits, another run. */
function whyStarted(started: BodyOf<"run-started">, first: LedgerEntry): Reason[] {
  const reasons: Reason[] = [];
  const { forkedFrom, parent } = started;
  if (forkedFrom !== undefined) {
    const edits = Object.entries(started.edits ?? {}).map(([step, edit]): Reason => {
      const what =
        "output" in edit
          ? `the output of ${step} to ${toPreview(edit.output)}`
          : `the input of ${step === "" ? "the run" : step}`;
      return leaf("person", `${forkedFrom.by ?? "A person"} changed ${what}.`, {
        seq: first.seq,
        step: toStepKey(step),
      });
    });
    const by = forkedFrom.by === undefined ? "" : ` by ${forkedFrom.by}`;
    const sentence = `It was forked${by} from run ${forkedFrom.run} before ${forkedFrom.step} (entry ${forkedFrom.seq}).`;
    reasons.push({ kind: "fork", sentence, step: forkedFrom.step, seq: first.seq, because: edits });
  }
  reasons.push(...whyActing(first));
  const { input, inputRef } = started;
  const given = inputRef === undefined ? toPreview(input) : `a value of ${toByteText(inputRef.bytes)}`;
  if (input !== undefined || inputRef !== undefined)
    reasons.push(leaf("input", `It was given ${given}.`, { seq: first.seq }));
  if (parent !== undefined)
    reasons.push(leaf("parent", `Run ${parent.run} started it at ${parent.step}.`, { seq: first.seq }));
  return reasons;
}

/** For whom it acts, through whom, and what they may. */
function whyActing(first: LedgerEntry): Reason[] {
  const { actsFor, through, grants } = toActing([first]);
  return [
    ...(actsFor === undefined ? [] : [leaf("person", `It acts for ${actsFor}.`, { seq: first.seq })]),
    ...through.map((agent) => leaf("agent", `${agent} handed it on.`, { seq: first.seq })),
    ...grants.map((grant) => leaf("policy", `Its grant: ${grant}.`, { seq: first.seq })),
  ];
}

/** What people did to the run as a whole, and wanted of it. */
function whyPeople(story: Story): Reason[] {
  return story.entries.flatMap((entry): Reason[] => {
    const told = tellPerson(entry);
    if (told !== undefined) return [leaf("person", told, { seq: entry.seq })];
    const detail = entry.key === "" ? tellDetail(entry) : undefined;
    return detail === undefined || !story.take() ? [] : [leaf(detail.kind, detail.sentence, { seq: entry.seq })];
  });
}

const directivesMax = 3;

/** What people had directed when a step ended: the newest. */
function whyDirected(story: Story, step: StepKey): Reason[] {
  const end = story.entriesByKey.get(step)?.at(-1)?.seq ?? 0;
  const given = story.entries.filter(({ kind, seq }) => kind === "directive-given" && seq < end);
  return given.slice(-directivesMax).flatMap((entry): Reason[] => {
    const told = tellPerson(entry);
    return told === undefined || !story.take() ? [] : [leaf("person", told, { seq: entry.seq })];
  });
}

const documentsMax = 5;

/** Versions of documents that a step saw, with the step that wrote each, if that was in this run. */
function whyDocuments(story: Story, entries: readonly LedgerEntry[], depth: number): Reason[] {
  const reads = readsOf(entries);
  const shown = reads.slice(0, documentsMax).flatMap((read): Reason[] => {
    const writer = findWriter(story.entries, read);
    if (!story.take()) return [];
    const about = { step: toStepKey(entries[0]?.key ?? ""), seq: entries[0]?.seq };
    const because = writer === undefined ? [] : [whyStep(story, writer, depth + 1)];
    const sentence = `It saw ${read.document} in version ${read.version}${toOrigin(read.version, writer)}.`;
    return [{ ...leaf("document", sentence, about), because }];
  });
  const more = reads.length - documentsMax;
  return more > 0 ? [...shown, leaf("cut", `${more} more documents were seen.`, {})] : shown;
}

function toOrigin(version: number, writer: StepKey | undefined): string {
  if (version === 0) return ", which nobody had written";
  return writer === undefined ? ", written outside this run" : `, written by ${writer}`;
}

/** Why an open run does not end: the steps that have begun and have no outcome. */
function whyOpen(story: Story): Reason[] {
  const open = [...story.entriesByKey].filter(
    ([, entries]) => !entries.some(isOutcome) && entries.some((entry) => tellStart(entry) !== undefined),
  );
  return open.map(([key]) => whyStep(story, toStepKey(key), 1));
}

function whyStep(story: Story, step: StepKey, depth: number): Reason {
  const entries = story.entriesByKey.get(step) ?? [];
  const outcome = entries.findLast(isOutcome);
  const last =
    outcome ??
    entries.findLast((entry) => tellStart(entry) !== undefined) ??
    entries.find((entry) => tellDetail(entry) !== undefined); // a record of what was decided or told is a step of its own
  const telling: Telling = (outcome === undefined ? undefined : tellOutcome(outcome)) ??
    (last === undefined ? undefined : (tellStart(last) ?? tellDetail(last))) ?? {
      kind: "step",
      sentence: `${step}: the ledger has no entry of its own for it.`,
    };
  const about = { step, seq: last?.seq };
  if (!story.take()) return leaf("cut", "More is in the ledger than is shown here.", about);
  if (story.told.has(step)) return leaf("known", `${step}: see above.`, about);
  story.told.add(step);
  if (depth >= story.depthMax)
    return {
      kind: telling.kind,
      sentence: telling.sentence,
      ...about,
      because: [leaf("cut", "What led to it is not shown here.", about)],
    };
  const because: Reason[] = [];
  for (const entry of entries) {
    // What began a step says of itself, besides, what allowed it.
    const isTold = entry === last && entry.kind !== "effect-intended";
    const detail = isTold ? undefined : tellDetail(entry);
    if (detail !== undefined && story.take())
      because.push(leaf(detail.kind, detail.sentence, { step, seq: entry.seq }));
  }
  because.push(...whyRecords(story, step));
  if (outcome?.kind === "effect-settled") because.push(...whyUndone(story, outcome));
  because.push(...whyDocuments(story, entries, depth));
  const uses = usesOf(entries);
  because.push(...whyUses(story, uses, depth));
  if (uses.length === 0 && findAgent(story, step) === undefined) because.push(...whyBefore(story, step, depth));
  if (outcome?.kind === "scope-closed") because.push(...whyInside(story, outcome, depth));
  because.push(...whyAgent(story, step, depth));
  return { kind: telling.kind, sentence: telling.sentence, ...about, because };
}

function whyUses(story: Story, uses: readonly StepKey[] | undefined, depth: number): Reason[] {
  return (uses ?? []).map((used) => whyStep(story, used, depth + 1));
}

/** What was decided and told directly inside a part of the flow. */
function whyRecords(story: Story, part: string): Reason[] {
  return recordKinds.flatMap((kind) => {
    const found: Reason[] = [];
    for (let count = 1; ; count++) {
      const key = `${part}/${kind}${count === 1 ? "" : `#${count}`}`;
      const entry = story.entriesByKey.get(key)?.find((each) => each.kind === kind);
      const told = entry === undefined ? undefined : tellDetail(entry);
      if (entry === undefined || told === undefined || !story.take()) return found;
      found.push(leaf(told.kind, told.sentence, { step: toStepKey(key), seq: entry.seq }));
    }
  });
}

const recordKinds = ["decision-made", "message-sent", "votes-counted"] as const satisfies readonly RecordKind[];

function whyUndone(story: Story, settled: LedgerEntry): Reason[] {
  const { effect } = bodyOf(settled, "effect-settled");
  const undone = story.entries.find(
    (entry) => entry.kind === "effect-undone" && bodyOf(entry, entry.kind).effect === effect,
  );
  return undone === undefined
    ? []
    : [leaf("effect", "It was taken back later.", { step: toStepKey(undone.key), seq: undone.seq })];
}

/**
 * For a step whose origin is not recorded, as that of a closure or of text that was put together: what had ended before it, in the same
 * part of the flow. Said as what it is, an order and not a cause.
 */
function whyBefore(story: Story, step: StepKey, depth: number): Reason[] {
  const [first] = story.entriesByKey.get(step) ?? [];
  const part = step.slice(0, Math.max(0, step.lastIndexOf("/")));
  const earlier =
    first === undefined
      ? []
      : lastInside(story, part, first.seq).filter((before) => before !== step && !story.told.has(before));
  if (earlier.length === 0 || !story.take()) return [];
  const because = earlier.slice(-beforeMax).map((before) => whyStep(story, before, depth + 2)); // the group itself is a level
  return [
    {
      kind: "before",
      sentence: "What it was made from is not recorded; these had ended before it:",
      step,
      seq: first?.seq,
      because,
    },
  ];
}

const beforeMax = 3;

/** What happened inside a scope or agent: what made it fail, or the steps that its result came from and the signals it took. */
function whyInside(story: Story, closed: LedgerEntry, depth: number): Reason[] {
  const scope = toStepKey(closed.key); // entries about one step carry its path
  const { consumed, error } = bodyOf(closed, "scope-closed");
  if (error !== undefined) {
    const cause = findFailure(story, scope, error);
    return cause === undefined ? [] : [whyStep(story, cause, depth + 1)];
  }
  const signals = story.entries.filter(
    (entry) => entry.kind === "signal-received" && consumed?.includes(entry.seq) === true,
  );
  return [
    ...lastInside(story, scope, closed.seq).map((step) => whyStep(story, step, depth + 1)),
    ...whySignals(story, signals, depth + 1),
  ];
}

const insideMax = 5;

/** The last steps directly inside a scope: its result was made of them, whatever was handed from one to the next. */
function lastInside(story: Story, scope: string, beforeSeq: number): readonly StepKey[] {
  const inner = story.entries.filter(
    (entry) => entry.seq < beforeSeq && entry.key.startsWith(`${scope}/`) && isOutcome(entry),
  );
  const closed = inner.filter((entry) => entry.kind === "scope-closed").map((entry) => `${entry.key}/`);
  const direct = inner.filter((entry) => !closed.some((prefix) => entry.key.startsWith(prefix)));
  return direct.slice(-insideMax).map((entry) => toStepKey(entry.key));
}

/** The agent inside which a step was done, with what that agent was given. */
function whyAgent(story: Story, step: StepKey, depth: number): Reason[] {
  const started = findAgent(story, step);
  if (started === undefined) return [];
  const path = toStepKey(started.key);
  const mark = `agent ${path}`;
  if (story.told.has(path) || story.told.has(mark) || !story.take()) return [];
  story.told.add(mark);
  const body = bodyOf(started, "agent-started");
  const sentence = `Agent ${body.agent} (version ${body.version}) did it, given ${toPreview(body.input)}.`;
  const because = [...whyUses(story, body.uses, depth + 1), ...whyAgent(story, path, depth + 1)];
  return [{ kind: "agent", sentence, step: path, seq: started.seq, because }];
}

/** The beginning of the innermost agent around a step. */
function findAgent(story: Story, step: StepKey): LedgerEntry | undefined {
  for (let slash = step.lastIndexOf("/"); slash > 0; slash = step.lastIndexOf("/", slash - 1)) {
    const started = story.entriesByKey.get(step.slice(0, slash))?.find((entry) => entry.kind === "agent-started");
    if (started !== undefined) return started;
  }
  return undefined;
}

/** Signals that no closed scope took for itself. */
function openSignals(story: Story): readonly LedgerEntry[] {
  const consumed = new Set(
    story.entries.flatMap((entry) => (entry.kind === "scope-closed" ? (bodyOf(entry, entry.kind).consumed ?? []) : [])),
  );
  return story.entries.filter((entry) => entry.kind === "signal-received" && !consumed.has(entry.seq));
}

function whySignals(story: Story, signals: readonly LedgerEntry[], depth: number): Reason[] {
  if (depth >= story.depthMax) return [];
  return signals.flatMap((entry) => {
    if (!story.take()) return [];
    const { name, id, payload, from } = bodyOf(entry, "signal-received");
    const sender = from === undefined ? "" : ` from run ${from.run} at ${from.step}`;
    return [leaf("signal", `Signal ${name} (id ${id}) came${sender}: ${toPreview(payload)}`, { seq: entry.seq })];
  });
}

/** The innermost step below `path` that failed with this very error: where the failure began. */
function findFailure(
  story: Story,
  path: string,
  error: { readonly code: string; readonly message: string },
): StepKey | undefined {
  const failed = story.entries.find((entry) => {
    const own = entry.key.startsWith(`${path}/`) && isOutcome(entry) ? errorOf(entry) : undefined;
    return own !== undefined && own.code === error.code && own.message === error.message;
  });
  return failed === undefined ? undefined : toStepKey(failed.key);
}

function leaf(
  kind: ReasonKind,
  sentence: string,
  about: { readonly step?: StepKey; readonly seq?: number | undefined },
): Reason {
  return { kind, sentence, step: about.step, seq: about.seq, because: [] };
}

const namedMax = 5;

function toUnknownStep(story: Story, step: StepKey): TuttiError {
  const word = step.slice(step.lastIndexOf("/") + 1).toLowerCase();
  const keys = [...story.entriesByKey.keys()];
  const near = word === "" ? [] : keys.filter((key) => key.toLowerCase().includes(word));
  const named = (near.length > 0 ? near : keys).slice(0, namedMax).join(", ");
  return new TuttiError("INPUT_INVALID", `the run has no step ${step}`, {
    hint:
      named === ""
        ? "The run has no steps yet."
        : `Steps are paths. ${near.length > 0 ? "Close to it" : "Some of them"}: ${named}`,
  });
}
