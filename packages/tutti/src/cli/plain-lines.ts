import { describeDirective } from "../contracts/directive.ts";
import { bodyOf } from "../contracts/entry.ts";
import { describeDecision, describeMessage, describeVotes } from "../insight/describe-record.ts";
import { isOpen, toShownState, type RunTree, type StepNode, type TreeEvent } from "../insight/run-tree.ts";
import { toDetail, toMark, toPhaseText, toTotalsText } from "./render-tree.ts";
import { toElapsed, toPlainLine } from "./terminal-text.ts";

/**
 * The lines that one event adds to plain output: one for each change of state, none for what only a screen can show.
 * Pure: `before` and `after` are the tree on both sides of the event.
 */
export function toPlainLines(before: RunTree, after: RunTree, event: TreeEvent): readonly string[] {
  if (event.kind !== "entry" || after.seq === before.seq) return [];
  const { entry } = event;
  const moment = toElapsed(entry.at - after.startedAt);
  const runLine = (mark: string, text: string): readonly string[] => [toLine(moment, toSubject(mark, after), text)];
  const remarkLine = (said: string): readonly string[] => {
    const place = entry.key.slice(0, Math.max(0, entry.key.lastIndexOf("/")));
    return [toLine(moment, place === "" ? toSubject("·", after) : `· ${place}`, said)];
  };
  switch (entry.kind) {
    case "run-started":
      return runLine("▸", after.forkedFrom === undefined ? "" : `forked from ${after.forkedFrom.run}`);
    case "run-done":
    case "run-failed":
    case "run-cancelled":
    case "run-paused":
    case "run-parked":
      return runLine(
        toRunMark(after),
        [toPhaseText(after), toTotalsText(after)].filter((part) => part !== "").join(" · "),
      );
    case "run-resumed":
      return runLine("▸", "resumed");
    case "cancel-requested":
      return runLine("▸", "cancelling");
    case "directive-given":
      return runLine("▸", describeDirective(bodyOf(entry, entry.kind)));
    case "rollback-started":
      return runLine("↶", "taking back what was done");
    case "signal-received":
      return runLine("▸", `signal ${bodyOf(entry, entry.kind).name}`);
    case "note-written":
      return remarkLine(bodyOf(entry, entry.kind).text);
    case "votes-counted":
      return remarkLine(describeVotes(bodyOf(entry, entry.kind)));
    case "message-sent":
      return remarkLine(describeMessage(bodyOf(entry, entry.kind)));
    case "decision-made":
      return remarkLine(describeDecision(bodyOf(entry, entry.kind)));
    default:
      return toStepLines(nodeAt(before.root, entry.key), nodeAt(after.root, entry.key), { moment, now: entry.at });
  }
}

/** What is said when nothing has happened for a while, so that a log shows that the run is alive. */
export function toHeartbeat(tree: RunTree, now: number): string {
  const busy: string[] = [];
  const open: StepNode[] = [tree.root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const inside = node.children.filter((child) => isOpen(toShownState(child)));
    if (node.path !== "" && inside.length === 0) busy.push(node.path);
    open.push(...inside);
  }
  const named = busy.toReversed().slice(0, namedMax).join(", ");
  const more = busy.length > namedMax ? ` and ${busy.length - namedMax} more` : "";
  const text = busy.length === 0 ? "still running" : `still at ${named}${more}`;
  return toLine(toElapsed(now - tree.startedAt), toSubject("…", tree), text);
}

const namedMax = 3;

function toStepLines(
  before: StepNode | undefined,
  after: StepNode | undefined,
  { moment, now }: { readonly moment: string; readonly now: number },
): readonly string[] {
  if (after === undefined || after.path === "") return [];
  const changed =
    before?.state.kind !== after.state.kind || before.attempt !== after.attempt || before.kind !== after.kind;
  if (!changed) return [];
  // A part that only has a name says nothing that its steps did not say, unless it went wrong.
  if (after.kind === "scope" && after.state.kind !== "failed") return [];
  return [toLine(moment, `${toMark(after, undefined)} ${after.path}`, toDetail(after, now))];
}

function toRunMark({ phase }: RunTree): string {
  switch (phase.kind) {
    case "running":
      return "▸";
    case "paused":
      return "◌";
    case "parked":
    case "failed":
      return "✗";
    case "done":
      return "✔";
    case "cancelled":
      return "–";
  }
}

function nodeAt(root: StepNode, path: string): StepNode | undefined {
  let node: StepNode | undefined = root;
  let reached = "";
  for (const part of path.split("/").slice(1)) {
    reached += `/${part}`;
    const wanted = reached;
    node = node?.children.findLast((child) => child.path === wanted);
  }
  return node;
}

function toSubject(mark: string, tree: RunTree): string {
  return `${mark} ${tree.flow} ${tree.run}`;
}

function toLine(moment: string, subject: string, detail: string): string {
  return toPlainLine(`${moment.padStart(6)} ${subject}${detail === "" ? "" : `  ${detail}`}`);
}

/** Something that the run waits for, for people to read. */
export function toRemarkLine(tree: RunTree, text: string): string {
  return toLine(toElapsed(tree.at - tree.startedAt), toSubject("!", tree), text);
}
