import type { Callable } from "../../contracts/run.ts";
import { describeCondition } from "./condition.ts";
import { usesOf } from "./dependencies.ts";
import type { DrawnArrow, DrawnBox, Drawing } from "./drawing.ts";
import type { Plan, PlanTask } from "./plan.ts";
import { accessOfTask, type Roster } from "./roster.ts";
import { referencesIn, toReference } from "./source.ts";

const inputId = "input";
const outputId = "output";

/** A plan before it runs: what goes in and comes out, who hands what to whom, decisions, effects, and what may not be done together. */
export function drawPlan(plan: Plan, roster: Roster): Drawing {
  const pen = new PlanPen(roster);
  pen.draw(plan, "");
  const isKnown = roster.callables.length > 0;
  return {
    title: plan.goal ?? plan.name,
    boxes: [
      { id: inputId, label: "input", shape: "end" },
      ...pen.boxes,
      { id: outputId, label: "output", shape: "end" },
    ],
    arrows: [...pen.arrows, ...pen.conflicts, ...toOutput(plan)],
    remarks: isKnown
      ? pen.remarks
      : [
          "Who does the tasks is not known here: effects, reads and writes are missing. Name the file with the callables, too.",
        ],
  };
}

class PlanPen {
  readonly boxes: DrawnBox[] = [];
  readonly arrows: DrawnArrow[] = [];
  readonly conflicts: DrawnArrow[] = [];
  readonly remarks: string[] = [];
  private readonly roster: Roster;

  constructor(roster: Roster) {
    this.roster = roster;
  }

  /** `within`: the ids of the tasks around it, with a stroke after each. */
  draw({ tasks }: Plan, within: string): void {
    for (const task of tasks) {
      const id = within + task.id;
      const doer = this.roster.choose(task);
      this.boxes.push({ id, label: toLabel(task, doer), shape: changesThings(doer) ? "effect" : "task" });
      const entrance = this.drawDecision(task, id);
      this.drawUses(task, { entrance, id, within });
      if (task.repeat !== undefined)
        this.arrows.push({
          from: id,
          to: id,
          kind: "data",
          label: `until ${describeCondition(task.repeat.until)}, at most ${task.repeat.max} times`,
        });
      if (task.planFrom !== undefined) this.remarks.push(`${id} runs a plan that is only made at run time.`);
      if (task.plan === undefined) continue;
      this.draw(task.plan, `${id}/`);
      for (const inner of task.plan.tasks)
        this.arrows.push({ from: id, to: `${id}/${inner.id}`, kind: "order", label: "contains" });
    }
    this.drawConflicts(tasks, within);
  }

  /** The way to a task leads through its condition, if it has one. */
  private drawDecision(task: PlanTask, id: string): string {
    if (task.when === undefined) return id;
    const decision = `${id} when`;
    this.boxes.push({ id: decision, label: `${describeCondition(task.when)}?`, shape: "decision" });
    this.arrows.push({ from: decision, to: id, kind: "data", label: "yes" });
    return decision;
  }

  private drawUses(task: PlanTask, { entrance, id, within }: { entrance: string; id: string; within: string }): void {
    const labels = new Map<string, string[]>();
    const outer = within === "" ? inputId : within.slice(0, -1);
    for (const { text, part } of usesOf(task)) {
      const { root, path } = toReference(text);
      if (root === "output" || root === "last") continue;
      const from = root === "input" ? outer : within + root;
      const said = labels.get(from) ?? [];
      if (part !== "after") said.push(path.join(".") === "" ? "all" : path.join("."));
      labels.set(from, said);
    }
    for (const [from, said] of labels) {
      const label = [...new Set(said)].join(", ");
      this.arrows.push({ from, to: entrance, ...(said.length === 0 ? { kind: "order" } : { kind: "data", label }) });
    }
    if (labels.size === 0 && within === "") this.arrows.push({ from: inputId, to: entrance, kind: "order" });
    const { alternative } = task.onFailure ?? {};
    if (alternative !== undefined) this.remarks.push(`${id}: when it fails, ${alternative} is asked.`);
    if (task.onFailure?.otherwise === "replan") this.remarks.push(`${id}: when it fails, another plan is made.`);
  }

  // A reader is joined with the last writer before it, a writer with whoever came last: a line between all of them would say no more.
  private drawConflicts(tasks: readonly PlanTask[], within: string): void {
    const lastWriter = new Map<string, string>();
    const last = new Map<string, string>();
    const join = (from: string | undefined, to: string, label: string): void => {
      if (from !== undefined) this.conflicts.push({ from, to, kind: "conflict", label });
    };
    for (const task of tasks) {
      const id = within + task.id;
      const { reads, writes } = accessOfTask(task, this.roster);
      for (const name of reads) join(lastWriter.get(name), id, name);
      for (const name of writes) join(last.get(name), id, name);
      for (const name of [...reads, ...writes]) last.set(name, id);
      for (const name of writes) lastWriter.set(name, id);
    }
  }
}

function toOutput(plan: Plan): readonly DrawnArrow[] {
  if (plan.output !== undefined) {
    return referencesIn(plan.output).map(({ text }) => {
      const { root, path } = toReference(text);
      return { from: root, to: outputId, kind: "data", label: path.join(".") };
    });
  }
  const used = new Set(plan.tasks.flatMap((task) => usesOf(task).map(({ text }) => toReference(text).root)));
  return plan.tasks
    .filter(({ id }) => !used.has(id))
    .map(({ id }) => ({ from: id, to: outputId, kind: "data", label: id }));
}

function toLabel(task: PlanTask, doer: Callable | undefined): string {
  const who =
    doer?.name ?? task.call ?? task.need ?? (task.plan === undefined ? "a plan made at run time" : "a plan of its own");
  const effect = doer?.kind === "tool" && changesThings(doer) ? `\nchanges things: ${doer.effect}` : "";
  return `${task.id}\n${who}${effect}`;
}

function changesThings(doer: Callable | undefined): boolean {
  return doer?.kind === "tool" && (doer.effect === "idempotent" || doer.effect === "once");
}
