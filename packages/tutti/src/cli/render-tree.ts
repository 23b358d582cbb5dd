import { isOpen, totalsOf, type RunTree, type StepNode } from "../insight/run-tree.ts";
import { chooseRows, type Row } from "./choose-rows.ts";
import { toDrawn } from "./drawn-step.ts";
import {
  cutToColumns,
  fitToColumns,
  toColumns,
  toCount,
  toDuration,
  toElapsed,
  toMoment,
  toNumberOf,
  toPaint,
  toPlainLine,
  toUsd,
  type Paint,
} from "./terminal-text.ts";

/** The room there is, and the moment to draw. */
export interface TreeView {
  /** Columns; no line is wider. */
  readonly width: number;
  /** Lines; there are never more. */
  readonly height: number;
  readonly color: boolean;
  readonly now: number;
  /** Counts up while the tree is watched, and turns the wheel of what is running. Without it the picture stands still. */
  readonly frame?: number;
  /** Shows an agent that came to its result as one line, without its steps. */
  readonly folds?: boolean;
  /** Something to say below the steps, such as what the run waits for. */
  readonly remark?: string;
}

/** A run as lines for a terminal. Pure: the same tree and view give the same lines. */
export function renderTree(tree: RunTree, view: TreeView): readonly string[] {
  const paint = toPaint(view.color);
  const width = Math.max(1, view.width);
  const newest = view.frame === undefined ? undefined : tree.directives.at(-1);
  const wanted = newest === undefined ? [] : [paint("cyan", cutToColumns(toPlainLine(` ${newest}`), width))];
  const head = [renderHead(tree, { ...view, width }, paint), ...wanted];
  const foot = renderFoot(tree, { ...view, width }, paint);
  const room = Math.max(0, view.height - head.length - foot.length);
  const rows = chooseRows(toDrawn(tree.root, view.folds ?? false), room).map((row) => toCells(row, view));
  const lines = [...head, ...renderRows(rows, { width, steady: view.frame !== undefined }, paint), ...foot];
  // In a very small window what needs a person and the sums go last.
  return lines.slice(0, Math.max(0, view.height));
}

/** The parts of a line before they are set into columns. */
interface Cells {
  readonly lead: string;
  readonly mark: string;
  readonly name: string;
  readonly detail: string;
  readonly elapsed: string;
  readonly tone: Tone;
}

type Tone = "green" | "red" | "yellow" | "cyan" | "dim";

const wheel = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

function toCells(row: Row, view: TreeView): Cells {
  const lead = ` ${toLead(row)}`;
  if (row.kind === "hidden")
    return { lead, mark: "", name: toHiddenText(row.nodes), detail: "", elapsed: "", tone: "dim" };
  const { node } = row;
  return {
    lead,
    mark: `${toMark(node, view.frame)} `,
    name: toPlainLine(node.name),
    detail: toPlainLine(toDetail(node, view.now)),
    elapsed: toTime(node, view.now),
    tone: toTone(node),
  };
}

/** How long it took, or has been taking. */
function toTime({ startedAt, endedAt }: Pick<StepNode, "startedAt" | "endedAt">, now: number): string {
  if (startedAt === undefined) return "";
  return endedAt === undefined ? toElapsed(now - startedAt) : toDuration(endedAt - startedAt);
}

function toLead({ depth, above, isLast }: Row): string {
  if (depth === 0) return "";
  // The outermost steps stand beside each other without lines, so only what is below them is drawn.
  const through = above.slice(1).map((follows) => (follows ? "│ " : "  "));
  return `  ${through.join("")}${isLast ? "└ " : "├ "}`;
}

function toHiddenText(nodes: readonly StepNode[]): string {
  const counts = new Map<string, number>();
  for (const { state } of nodes) counts.set(state.kind, (counts.get(state.kind) ?? 0) + 1);
  return `+${[...counts].map(([kind, count]) => `${count} ${kind.replace("-", " ")}`).join(", ")}`;
}

/** The sign of a state; what is running turns with the frames. */
export function toMark({ state }: StepNode, frame: number | undefined): string {
  switch (state.kind) {
    case "running":
      return frame === undefined ? "▸" : wheel.charAt(frame % wheel.length);
    case "waiting":
      return "◌";
    case "in-doubt":
      return "!";
    case "done":
      return "✔";
    case "undone":
      return "↶";
    case "failed":
      return "✗";
    case "cancelled":
      return "–";
  }
}

function toTone({ state }: StepNode): Tone {
  switch (state.kind) {
    case "running":
      return "cyan";
    case "waiting":
    case "undone":
    case "cancelled":
      return "dim";
    case "in-doubt":
      return "yellow";
    case "done":
      return "green";
    case "failed":
      return "red";
  }
}

/** What a line says beside the step's name. */
export function toDetail(node: StepNode, now: number): string {
  const who =
    node.callable === undefined || node.name.replace(/^.*\/|[#:].*$/gu, "") === node.callable ? "" : node.callable;
  return [who, toStateText(node, now)].filter((part) => part !== "").join(" · ");
}

function toStateText(node: StepNode, now: number): string {
  const { state } = node;
  const error = node.error === undefined ? "" : `${node.error.code}: ${node.error.message}`;
  const tries = node.attempt > 1 ? `attempt ${node.attempt}` : "";
  switch (state.kind) {
    case "running":
      return [tries, node.remark ?? toProgress(node)].filter((part) => part !== "").join(" · ");
    case "waiting":
      if (state.for === "retry") return `attempt ${node.attempt + 1} ${toWhen(state.untilMs, now)} · ${error}`;
      if (state.for === "child") return `child run ${node.child ?? ""}`;
      if (state.for === "person")
        return `waits for people, at most ${toWhen(state.untilMs, now)} · ${node.remark ?? ""}`;
      return state.for === "time" ? toWhen(state.untilMs, now) : `for a signal, at most ${toWhen(state.untilMs, now)}`;
    case "in-doubt":
      return `in doubt: ${state.why}`;
    case "done": {
      const sure = node.confidence === undefined ? "" : `conf ${Math.round(node.confidence * 100)}%`;
      const shared = node.sharedFrom === undefined ? "" : `done by run ${node.sharedFrom.run}`;
      return [shared, tries, node.edited ? "changed by a person" : "", node.output ?? "", sure]
        .filter((part) => part !== "")
        .join(" · ");
    }
    case "undone":
      return "taken back";
    case "failed":
      return [tries, error].filter((part) => part !== "").join(" · ");
    case "cancelled":
      return "cancelled";
  }
}

function toWhen(at: number | undefined, now: number): string {
  if (at === undefined) return "";
  return at <= now ? "due" : at - now < 86_400_000 ? `in ${toElapsed(at - now + 999)}` : `until ${toMoment(at, now)}`;
}

function toProgress(node: StepNode): string {
  if (node.children.length < 2) return "";
  const over = node.children.filter((child) => !isOpen(child.state)).length;
  return `${over} of ${node.children.length} done`;
}

const nameShareMax = 0.45;
const detailColumnsMin = 8;
const steadyColumns = 72;

/** Sets the parts into columns: names as wide as the widest, times at the right, and what is left for the rest. */
function renderRows(
  rows: readonly Cells[],
  { width, steady }: { readonly width: number; readonly steady: boolean },
  paint: Paint,
): readonly string[] {
  const elapsedColumns = Math.max(0, ...rows.map((cells) => toColumns(cells.elapsed)));
  const right = elapsedColumns === 0 || width < 20 ? 0 : elapsedColumns + 2;
  const widest = Math.max(0, ...rows.map((cells) => toColumns(cells.lead + cells.mark + cells.name)));
  const tight = width - right - widest - 2 < detailColumnsMin;
  const nameColumns = Math.min(widest, tight ? width - right : Math.max(Math.floor(width * nameShareMax), 1));
  // While it is watched the column keeps its width, so that the times do not jump about.
  const widestDetail = steady ? steadyColumns : Math.max(0, ...rows.map((cells) => toColumns(cells.detail)));
  const detailColumns = tight ? 0 : Math.min(width - right - nameColumns - 2, widestDetail);
  return rows.map((cells) => {
    const start = cells.lead + cells.mark;
    // Too small even for the marks: then the plain start of the line is all there is.
    if (toColumns(start) > nameColumns) return cutToColumns(start + cells.name, width);
    const time = right === 0 || cells.elapsed === "" ? "" : `  ${cells.elapsed.padStart(elapsedColumns)}`;
    const said = detailColumns <= 0 ? "" : `  ${fitToColumns(cells.detail, detailColumns)}`;
    const detail = time === "" ? said.trimEnd() : said;
    const name = fitToColumns(cells.name, Math.max(0, nameColumns - toColumns(start)));
    const tone = cells.tone === "red" || cells.tone === "yellow" ? cells.tone : "dim";
    const named =
      cells.mark === "" ? paint("dim", name.trimEnd()) : detail === "" && time === "" ? name.trimEnd() : name;
    return paint("dim", cells.lead) + paint(cells.tone, cells.mark) + named + paint(tone, detail) + paint("dim", time);
  });
}

function renderHead(tree: RunTree, view: TreeView, paint: Paint): string {
  const elapsed = tree.startedAt === 0 ? "" : `  ${toTime(tree, view.now)}`;
  const state = toPhaseText(tree);
  const line = toPlainLine(`${tree.flow}  ${tree.run}${state === "" ? "" : `  ${state}`}`);
  const room = view.width - elapsed.length;
  if (room < 8) return cutToColumns(line, view.width);
  const kept = cutToColumns(line, room);
  const painted = kept.startsWith(tree.flow) ? paint("bold", tree.flow) + kept.slice(tree.flow.length) : kept;
  return painted + paint("dim", elapsed);
}

/** The state of the run in words, "" while it simply runs. */
export function toPhaseText(tree: RunTree): string {
  const { phase } = tree;
  switch (phase.kind) {
    case "running":
      return tree.rollingBack ? "rolling back" : tree.cancelRequested ? "cancelling" : "";
    case "paused":
      return `paused by ${phase.by}`;
    case "parked":
      return `parked: ${phase.error.code}: ${phase.error.message}`;
    case "done":
      return "done";
    case "failed":
      return `failed: ${phase.error.code}: ${phase.error.message}`;
    case "cancelled":
      return `cancelled: ${phase.reason}`;
  }
}

function renderFoot(tree: RunTree, view: TreeView, paint: Paint): readonly string[] {
  const totals = toTotalsText(tree);
  return [
    ...(view.remark === undefined ? [] : [paint("yellow", cutToColumns(` ! ${toPlainLine(view.remark)}`, view.width))]),
    ...(totals === "" ? [] : [paint("dim", cutToColumns(` ${totals}`, view.width))]),
  ];
}

/** `4 agents · 17 calls · 48k tokens · $0.07 · 1 retry`; nothing that is zero. */
export function toTotalsText(tree: RunTree): string {
  const { agents, calls, retries, shared, inDoubt, failed, usage } = totalsOf(tree);
  const tokens = usage.inputTokens + usage.outputTokens;
  const parts = [
    agents === 0 ? "" : toNumberOf(agents, "agent"),
    calls === 0 ? "" : toNumberOf(calls, "call"),
    tokens === 0 ? "" : `${toCount(tokens)} tokens`,
    usage.costUsd === undefined || usage.costUsd === 0 ? "" : toUsd(usage.costUsd),
    retries === 0 ? "" : toNumberOf(retries, "retry", "retries"),
    shared === 0 ? "" : `${shared} shared`,
    failed === 0 ? "" : `${failed} failed`,
    inDoubt === 0 ? "" : `${inDoubt} in doubt`,
  ];
  return parts.filter((part) => part !== "").join(" · ");
}
