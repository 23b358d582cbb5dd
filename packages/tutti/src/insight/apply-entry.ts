import { describeDirective } from "../contracts/directive.ts";
import { bodyOf, type BodyOf, type EntryKind, type LedgerEntry } from "../contracts/entry.ts";
import { toStepKey, type EffectKey, type StepKey } from "../contracts/ids.ts";
import { addUsage, noUsage } from "../contracts/outcome.ts";
import { spentOn } from "../contracts/spent.ts";
import { applyDecided, applyOverdue, applyRequest, applyVerdict } from "./apply-approval.ts";
import { describeDecision, describeMessage, describeVotes } from "./describe-record.ts";
import { findWait, toWaitName, waitPattern } from "./find-wait.ts";
import { describeReply, findModelReply } from "./model-reply.ts";
import { toByteText, toPreview } from "./preview.ts";
import { isOpen, type StepKind, type StepNode, type StepState, type TreeEvent } from "./run-tree.ts";
import { isTold, type Told } from "./told-kinds.ts";
import type { OpenNode, TreeEdit } from "./tree-edit.ts";

/** What one entry says, written into the tree that is being edited. */
export function applyEntry(edit: TreeEdit, entry: LedgerEntry): void {
  edit.see(entry.at);
  edit.tree.seq = entry.seq;
  // A parked run goes on as soon as it can; its next entry shows that it did.
  if (edit.tree.phase.kind === "parked" && entry.key !== "") edit.tree.phase = { kind: "running" };
  if (isTold(entry.kind)) applyKind(edit, entry, entry.kind);
}

/** A step began: only a watcher knows, the ledger learns of it when it ends. */
export function applyStepStarted(edit: TreeEdit, event: Extract<TreeEvent, { kind: "step-started" }>): void {
  edit.see(event.at);
  const node = edit.touch(event.step);
  if (!isOpen(node.state)) return;
  node.state = { kind: "running" };
  begun(edit, node, event.at);
  node.attempt = Math.max(node.attempt, event.attempt);
  become(node, "step");
}

/** Words of something that is still going on. */
export function applyProgress(edit: TreeEdit, event: Extract<TreeEvent, { kind: "progress" }>): void {
  edit.see(event.at);
  const node = edit.find(event.step);
  if (node !== undefined && isOpen(node.state)) node.remark = event.text;
}

interface Change<Kind extends EntryKind> {
  readonly edit: TreeEdit;
  readonly at: number;
  readonly entry: LedgerEntry;
  readonly body: BodyOf<Kind>;
  /** The step that the entry is about. */
  readonly node: () => OpenNode;
}

// The type parameter ties the kind to its applier and its body.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the body sees the tie, the rule does not
function applyKind<Kind extends Told>(edit: TreeEdit, entry: LedgerEntry, kind: Kind): void {
  const node = (): OpenNode => edit.touch(toStepKey(entry.key));
  appliers[kind]({ edit, at: entry.at, entry, body: bodyOf(entry, kind), node });
}

const appliers: { readonly [Kind in Told]: (change: Change<Kind>) => void } = {
  "run-started": ({ edit, at, entry, body }) => {
    Object.assign(edit.tree, { run: entry.run, flow: body.flow, version: body.version, startedAt: at });
    edit.tree.parent = body.parent;
    edit.tree.forkedFrom = body.forkedFrom;
    edit.touch(toStepKey("")).startedAt = at;
  },
  "run-done": ({ edit, at, body }) => {
    edit.tree.phase = { kind: "done" };
    edit.tree.output = toOutput(body);
    endRun(edit, at, { kind: "done" });
  },
  "run-failed": ({ edit, at, body }) => {
    edit.tree.phase = { kind: "failed", error: body.error };
    endRun(edit, at, { kind: "failed" });
  },
  "run-cancelled": ({ edit, at, body }) => {
    edit.tree.phase = { kind: "cancelled", reason: body.reason };
    endRun(edit, at, { kind: "cancelled" });
  },
  "run-parked": ({ edit, body }) => {
    edit.tree.phase = { kind: "parked", error: body.error, step: body.step };
  },
  "run-paused": ({ edit, body }) => {
    edit.tree.phase = { kind: "paused", by: body.by };
  },
  "run-resumed": ({ edit }) => {
    edit.tree.phase = { kind: "running" };
  },
  "cancel-requested": ({ edit }) => {
    edit.tree.cancelRequested = true;
  },
  "undo-requested": ({ edit }) => {
    edit.tree.phase = { kind: "running" };
  },
  "directive-given": ({ edit, body }) => {
    edit.tree.directives = [...edit.tree.directives, describeDirective(body)];
  },
  "rollback-started": ({ edit }) => {
    edit.tree.rollingBack = true;
  },
  "signal-received": ({ edit, at, body }) => {
    const { signals } = edit.tree;
    edit.tree.signals = new Map(signals).set(body.name, (signals.get(body.name) ?? 0) + 1);
    const waiting = findWait(edit.touch(toStepKey("")), toWaitName(body.name));
    if (waiting !== undefined)
      finish(edit.touch(waiting.path), {
        at,
        state: { kind: "done" },
        output: toValueText(body.payload, body.payloadRef),
      });
  },

  "step-done": ({ at, body, node }) => {
    const step = node();
    call(step, body.call);
    step.edited = body.edited ?? false;
    const reply = findModelReply(step.path, body.out);
    const output = reply === undefined ? toOutput(body) : describeReply(reply);
    finish(step, { at, state: { kind: "done" }, output, attempt: body.attempt });
    if (reply === undefined) return;
    step.callable = reply.model;
    step.usage = reply.usage;
  },
  "step-failed": ({ at, body, node }) => {
    const step = node();
    call(step, body.call);
    fail(step, at, body);
    lose(step, body);
  },
  "attempt-failed": ({ body, node }) => {
    const step = node();
    become(step, "step");
    step.state = { kind: "waiting", for: "retry", untilMs: body.nextAt };
    step.error = body.error;
    step.attempt = body.attempt;
    lose(step, body);
  },

  "effect-intended": (change) => {
    const step = begin(change, "tool");
    step.callable = change.body.tool;
    step.effect = change.body.effect;
  },
  "effect-settled": ({ at, body, node }) => {
    const step = withEffect(node(), body);
    finish(step, { at, state: { kind: "done" }, output: toOutput(body), attempt: body.attempt });
    if (body.error !== undefined) fail(step, at, { error: body.error });
  },
  "effect-failed": ({ at, body, node }) => fail(withEffect(node(), body), at, body),
  "effect-shared": ({ at, body, node }) => {
    const step = withEffect(node(), body);
    step.sharedFrom = body.from;
    finish(step, { at, state: { kind: "done" }, output: toOutput(body) });
  },
  "effect-in-doubt": ({ body, node }) => {
    const step = withEffect(node(), body);
    step.state = { kind: "in-doubt", why: body.why };
    step.endedAt = undefined;
    step.error = body.error;
  },
  "effect-resolved": ({ body, node }) => {
    withEffect(node(), body).state = { kind: "running" };
  },
  "effect-undone": ({ edit, at, body, node }) => {
    const undo = node();
    undo.kind = "tool";
    finish(undo, { at, state: { kind: "done" }, output: `took back ${body.effect}`, attempt: body.attempt });
    const taken = findEffect(edit, body.effect);
    if (taken !== undefined) edit.touch(taken).state = { kind: "undone" };
  },

  "timer-set": (change) => {
    // The limit of a wait for a signal; a wait without a limit leaves no entry of its own.
    const isWait = waitPattern.test(change.node().name);
    const step = begin(change, isWait ? "signal" : "timer");
    step.state = { kind: "waiting", for: isWait ? "signal" : "time", untilMs: change.body.dueAt };
  },
  "timer-fired": ({ at, node }) => {
    const step = node();
    become(step, "timer");
    finish(step, { at, state: { kind: "done" }, output: undefined });
  },

  "agent-started": (change) => {
    const step = begin(change, "agent");
    step.callable = change.body.agent;
    step.agentVersion = change.body.version;
  },
  "scope-closed": ({ edit, at, body, node }) => {
    const step = node();
    if (body.agent !== undefined) {
      step.kind = "agent";
      step.callable ??= body.agent.replace(/@[^@]*$/u, "");
    }
    step.usage = body.usage;
    step.confidence = body.confidence?.value;
    endOpenBelow(edit, step, at);
    if (body.error === undefined) finish(step, { at, state: { kind: "done" }, output: toOutput(body) });
    else fail(step, at, { error: body.error });
  },
  "child-started": (change) => {
    const step = begin(change, "child");
    step.state = { kind: "waiting", for: "child", untilMs: undefined };
    step.callable = change.body.flow;
    step.child = change.body.child;
  },
  "child-settled": ({ at, body, node }) => {
    const step = node();
    step.kind = "child";
    step.child = body.child;
    if (body.error === undefined) finish(step, { at, state: { kind: "done" }, output: toOutput(body) });
    else fail(step, at, { error: body.error });
  },

  "task-claimed": ({ edit, body }) => {
    edit.touch(toStepKey("")).remark = `claimed by ${body.by}`;
  },
  "task-released": ({ edit, body }) => {
    edit.touch(toStepKey("")).remark = `released by ${body.by}: ${body.why}`;
  },

  "document-read": ({ at, body, node }) => {
    const step = node();
    become(step, "step");
    const output = `version ${body.version}: ${toValueText(body.value, body.valueRef) ?? "nothing"}`;
    finish(step, { at, state: { kind: "done" }, output });
  },
  "document-committed": ({ edit, at, body, node }) => {
    const step = node();
    endOpenBelow(edit, step, at);
    if (body.error !== undefined) fail(step, at, { error: body.error });
    else finish(step, { at, state: { kind: "done" }, output: toOutput(body), attempt: body.attempt });
  },
  "document-conflicted": ({ edit, at, node }) => {
    const step = node();
    endOpenBelow(edit, step, at);
    finish(step, { at, state: { kind: "cancelled" }, output: undefined });
  },
  "document-leased": ({ at, node }) => {
    const step = node();
    become(step, "step");
    finish(step, { at, state: { kind: "done" }, output: undefined });
  },

  "policy-decided": ({ body, node }) => applyVerdict(body, node),
  "approval-requested": ({ at, body, node }) => applyRequest(body, node(), at),
  "approval-overdue": ({ body, node }) => applyOverdue(body, node()),
  "approval-decided": ({ body, node }) => applyDecided(body, node()),
  "votes-counted": (change) => remark(change, describeVotes(change.body)),
  "message-sent": (change) => remark(change, describeMessage(change.body)),
  "decision-made": (change) => remark(change, describeDecision(change.body)),
  "note-written": (change) => remark(change, change.body.text),
};

/** What was written down inside a part that is still open, beside its name. */
function remark({ edit, entry }: Pick<Change<EntryKind>, "edit" | "entry">, said: string): void {
  const above = edit.touch(toStepKey(entry.key.slice(0, Math.max(0, entry.key.lastIndexOf("/")))));
  if (isOpen(above.state)) above.remark = said;
}

/** The step that did this effect itself. Rollbacks are rare and short, so a search will do. */
function findEffect(edit: TreeEdit, effect: EffectKey): StepKey | undefined {
  const open: StepNode[] = [edit.touch(toStepKey(""))];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.effect === effect && node.sharedFrom === undefined) return node.path;
    for (const child of node.children) open.push(child);
  }
  return undefined;
}

/** Says what a step is, unless that is known already. */
function become(node: OpenNode, kind: StepKind): void {
  if (node.kind === "scope") node.kind = kind;
}

/** A step whose beginning is recorded. */
function begin({ edit, at, node }: Pick<Change<EntryKind>, "edit" | "at" | "node">, kind: StepKind): OpenNode {
  const step = node();
  step.kind = kind;
  step.state = { kind: "running" };
  step.endedAt = undefined;
  begun(edit, step, at);
  return step;
}

/** A part that only has a name began with the first step in it. If that had no recorded beginning, nobody knows when. */
function begun(edit: TreeEdit, node: OpenNode, at: number): void {
  for (let step = node; step.startedAt === undefined && step.children.length < 2;) {
    step.startedAt = at;
    step = edit.touch(toStepKey(step.path.slice(0, Math.max(0, step.path.lastIndexOf("/")))));
  }
}

function withEffect(node: OpenNode, body: Pick<BodyOf<"effect-settled">, "effect">): OpenNode {
  node.kind = "tool";
  node.effect = body.effect;
  return node;
}

function call(node: OpenNode, callable: string | undefined): void {
  if (callable === undefined) {
    become(node, "step");
    return;
  }
  node.kind = "tool";
  node.callable = callable;
}

interface Ending {
  readonly at: number;
  readonly state: StepState;
  readonly output: string | undefined;
  readonly attempt?: number | undefined;
}

function finish(node: OpenNode, ending: Ending): void {
  node.state = ending.state;
  node.endedAt = ending.at;
  node.output = ending.output;
  node.attempt = ending.attempt ?? Math.max(1, node.attempt);
  node.error = undefined;
  node.remark = undefined;
}

function fail(node: OpenNode, at: number, body: Pick<BodyOf<"step-failed">, "error" | "attempt">): void {
  const cancelled = body.error.code === "RUN_CANCELLED";
  finish(node, { at, state: { kind: cancelled ? "cancelled" : "failed" }, output: undefined, attempt: body.attempt });
  if (!cancelled) node.error = body.error;
}

/** An answer that could not be used was paid all the same. */
function lose(node: OpenNode, { error }: Pick<BodyOf<"step-failed">, "error">): void {
  const spent = spentOn(error);
  if (spent.modelCalls > 0) node.lost = addUsage(node.lost ?? noUsage, spent);
}

function endRun(edit: TreeEdit, at: number, state: StepState): void {
  const root = edit.touch(toStepKey(""));
  endOpenBelow(edit, root, at);
  root.state = state;
  root.endedAt = at;
  edit.tree.endedAt = at;
}

/**
 * What was still open when its scope ended lost a race or was cancelled. A doubtful effect stays in doubt until somebody resolves it,
 * and a child lives on by itself. Below what is over nothing is open, so the walk stops there.
 */
function endOpenBelow(edit: TreeEdit, node: OpenNode, at: number): void {
  for (const { path, state } of node.children) {
    if (state.kind !== "running" && state.kind !== "waiting") continue;
    if (state.kind === "waiting" && state.for === "child") continue;
    const child = edit.touch(path);
    endOpenBelow(edit, child, at);
    // Nothing is recorded about a part that only has a name; it ended the way its steps did.
    const passed = child.kind === "scope" && child.children.every((below) => below.state.kind !== "cancelled");
    child.state = { kind: passed ? "done" : "cancelled" };
    child.endedAt = at;
    child.remark = undefined;
  }
}

function toOutput(body: Pick<BodyOf<"step-done">, "out" | "outRef">): string | undefined {
  return toValueText(body.out, body.outRef);
}

function toValueText(value: unknown, reference: { readonly bytes: number } | undefined): string | undefined {
  if (reference !== undefined) return toByteText(reference.bytes);
  return value === undefined ? undefined : toPreview(value);
}
