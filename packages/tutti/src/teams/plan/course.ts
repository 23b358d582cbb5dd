import { toStoredError, TuttiError } from "../../base/errors.ts";
import { toCanonicalJson } from "../../base/json.ts";
import type { Run } from "../../contracts/run.ts";
import { findStable, isJudgedByItself, isSameTask } from "./carry-over.ts";
import { checkPlanWith } from "./check-plan.ts";
import { describeCondition, holds } from "./condition.ts";
import { dependenciesOf } from "./dependencies.ts";
import { toDoers, type CourseTerms } from "./doers.ts";
import { sumUp, type PlanResult, type TaskOutcome, type Trouble } from "./outcome.ts";
import { toNoteData, type PlanEvent } from "./plan-events.ts";
import type { PlanOptions } from "./plan-options.ts";
import { describeProblem, toPlanInvalid } from "./plan-problem.ts";
import { planLimits, type Plan, type PlanTask } from "./plan.ts";
import { accessOfTask } from "./roster.ts";
import { runTask } from "./run-task.ts";
import { openSchedule, type Schedule } from "./schedule.ts";
import { resolveSource, type Values } from "./source.ts";

/** A plan on its way. */
export interface Course {
  /** Settles when the plan is over. Rejects only when the run, or this branch of it, is cancelled. */
  result(): Promise<CourseEnd>;
  /** Another version, by a person. One that can't be run is refused, and the plan goes on. */
  edit(plan: unknown, reason: string): void;
  /** Something new, for who planned. */
  tell(news: string): void;
  /** Writes down why something was not taken in. */
  refuse(reason: string, problems: readonly string[]): void;
}

export interface CourseEnd {
  readonly result: PlanResult;
  /** The last version. */
  readonly plan: Plan;
  readonly error: TuttiError | undefined;
}

/** A task whose end is known, with what it was given: another version of the plan may use it again. */
export interface Finished {
  readonly task: PlanTask;
  readonly input: unknown;
  readonly outcome: TaskOutcome;
}

interface Running {
  readonly task: PlanTask;
  readonly input: unknown;
  /** Lets go of it: its steps are cancelled down to the leaves. */
  stop(): void;
}

/** Everything follows from the order in which tasks end and signals come, and that is the ledger's: a replay decides the same. */
export function openCourse(run: Run, plan: Plan, terms: CourseTerms): Course {
  return new OpenCourse(run, plan, terms);
}

class OpenCourse implements Course {
  private readonly run: Run;
  private readonly given: CourseTerms;
  private plan: Plan;
  private taskById: ReadonlyMap<string, PlanTask> = new Map();
  private schedule: Schedule;
  private version = 0;
  /** How often `replan` brought a version. */
  private replans = 0;
  private isReplanning = false;
  private isOver = false;
  private readonly outcomes = new Map<string, TaskOutcome>();
  private readonly finished = new Map<string, Finished>();
  private readonly running = new Map<string, Running>();
  private readonly troubles: Trouble[] = [];
  private readonly end = Promise.withResolvers<CourseEnd>();

  constructor(run: Run, plan: Plan, given: CourseTerms) {
    this.run = run;
    this.given = given;
    this.plan = plan;
    this.schedule = openSchedule([], given.concurrency);
    this.adopt(plan, given.terms.reason ?? "it was asked for");
  }

  result(): Promise<CourseEnd> {
    return this.end.promise;
  }

  edit(given: unknown, reason: string): void {
    if (this.isOver) return;
    const checked = checkPlanWith(given, this.given.terms, this.given.roster);
    if (checked.kind === "unfit") {
      this.refuse(reason, checked.problems.map(describeProblem));
    } else if (this.version >= planLimits.versionsMax) {
      this.refuse(reason, [`there are ${this.version} versions already; no more are made`]);
    } else {
      this.adopt(checked.plan, reason);
    }
  }

  tell(news: string): void {
    if (this.isOver) return;
    if (this.given.terms.replan === undefined) this.refuse(`news: ${news}`, ["nobody plans again here"]);
    else this.ask({ ...this.toTrouble("news"), what: news });
  }

  refuse(reason: string, problems: readonly string[]): void {
    this.note(`${this.plan.name} stays as it is: ${problems.join("; ")}`, { kind: "plan-refused", reason, problems });
  }

  private note(text: string, event: PlanEvent): void {
    this.given.notes.note(text, toNoteData(this.plan.name, event));
  }

  /** Makes a plan the one that is followed. What is over, or at work, and depends on nothing that changed is kept. */
  private adopt(plan: Plan, reason: string): void {
    const { roster, concurrency } = this.given;
    this.version += 1;
    const stable =
      this.version === 1
        ? new Set<string>()
        : findStable(plan, this.taskById, (id) => this.running.has(id) || isKept(this.outcomes.get(id)));
    const before = new Map(this.outcomes);
    this.plan = plan;
    this.taskById = new Map(plan.tasks.map((task) => [task.id, task]));
    this.note(`plan ${plan.name}, version ${this.version}: ${reason}`, {
      kind: "plan-made",
      version: this.version,
      reason,
      at: this.run.path,
      document: plan,
    });
    for (const [id, work] of this.running) {
      if (stable.has(id)) continue;
      this.note(`${id} is stopped: the plan changed`, { kind: "task-stopped", task: id, why: "the plan changed" });
      this.running.delete(id);
      work.stop();
    }
    this.outcomes.clear();
    const scheduled = plan.tasks.map((task) => ({
      id: task.id,
      after: dependenciesOf(task),
      access: accessOfTask(task, roster),
    }));
    this.schedule = openSchedule(scheduled, concurrency, [...this.running.keys()]);
    for (const id of stable) {
      const known = before.get(id);
      if (known !== undefined) this.keep(id, known);
    }
    this.advance();
  }

  private keep(id: string, outcome: TaskOutcome): void {
    this.note(`${id} is kept`, { kind: "task-kept", task: id });
    this.outcomes.set(id, outcome);
    this.schedule.end(id);
  }

  private advance(): void {
    while (!this.isOver) {
      const ready = this.schedule.takeReady();
      for (const { id, by, resource, why } of this.schedule.takeHeld())
        this.note(`${id} waits for ${by}: ${resource}, ${why}`, { kind: "task-held", task: id, by, resource, why });
      if (ready.length === 0) break;
      for (const id of ready) this.begin(id);
    }
    if (!this.isOver && this.schedule.left === 0 && !this.isReplanning) this.conclude();
  }

  private begin(id: string): void {
    const task = this.taskById.get(id);
    if (task === undefined || this.isOver) return;
    if (task.when !== undefined && !holds(task.when, this.values)) {
      this.settle(task, {}, { kind: "skipped", why: `it does not hold that ${describeCondition(task.when)}` });
      return;
    }
    const values: Values = (root) => (root === "last" ? undefined : this.values(root));
    const resolved = resolveSource(task.input ?? {}, values);
    if (resolved.kind === "missing") {
      this.settle(task, {}, { kind: "skipped", why: `there is no ${resolved.reference}` });
      return;
    }
    const known = this.finished.get(id);
    if (known !== undefined && isSameWork(known, task, resolved.value)) this.keep(id, known.outcome);
    else this.start(task, resolved.value);
  }

  private start(task: PlanTask, input: unknown): void {
    const { promise: stopped, resolve } = Promise.withResolvers<undefined>();
    const running: Running = { task, input, stop: () => resolve(undefined) };
    this.running.set(task.id, running);
    const job = {
      task,
      doers: toDoers(task, { ...this.given, values: this.values }),
      checks: this.given.terms.checks ?? {},
      values: this.values,
    };
    const isCurrent = (): boolean => this.running.get(task.id) === running;
    void this.run.race({ try: (run) => runTask(run, job), stop: () => stopped }, { name: task.id }).then(
      ({ value }) => {
        if (!isCurrent() || value === undefined) return;
        this.running.delete(task.id);
        this.settle(task, input, value);
        this.advance();
      },
      (error: unknown) => {
        if (!isCurrent()) return;
        this.isOver = true;
        this.end.reject(error); // only a cancelled run, or a bug, gets here: how a task fails is an outcome
      },
    );
  }

  private settle(task: PlanTask, input: unknown, outcome: TaskOutcome): void {
    const { id } = task;
    this.outcomes.set(id, outcome);
    if (outcome.kind === "failed" || outcome.kind === "in-doubt") {
      this.onFailed(task, outcome);
      return;
    }
    this.finished.set(id, { task, input, outcome });
    if (outcome.kind === "skipped")
      this.note(`${id} is skipped: ${outcome.why}`, { kind: "task-skipped", task: id, why: outcome.why });
    this.schedule.end(id);
  }

  private onFailed(task: PlanTask, outcome: TaskOutcome & { readonly kind: "failed" | "in-doubt" }): void {
    const { id } = task;
    const why = outcome.error.message;
    // What may have happened is for a person to look at, not for another plan to do again.
    const wanted = task.onFailure?.otherwise ?? "fail";
    const otherwise = outcome.kind === "in-doubt" || (wanted === "replan" && !this.mayReplan()) ? "fail" : wanted;
    if (outcome.kind === "in-doubt") this.note(`${id} is in doubt: ${why}`, { kind: "task-in-doubt", task: id, why });
    else this.note(`${id} failed: ${why}`, { kind: "task-failed", task: id, why, otherwise });
    if (otherwise === "skip") this.schedule.end(id);
    else if (otherwise === "replan" && outcome.kind === "failed")
      this.ask({ ...this.toTrouble(outcome.reason), what: `${id}: ${why}`, task: id });
    else this.fail(`its task ${id} failed: ${why}`, outcome.error.hint);
  }

  private mayReplan(): boolean {
    return this.given.terms.replan !== undefined && this.replans + 1 < this.given.versionsMax;
  }

  private toTrouble(reason: Trouble["reason"]): Omit<Trouble, "what"> {
    return { reason, plan: this.plan, version: this.version, outcomes: Object.fromEntries(this.outcomes) };
  }

  /** One plan at a time is asked for; what comes meanwhile is asked about after it, if it still matters then. */
  private ask(trouble: Trouble): void {
    const { replan } = this.given.terms;
    this.troubles.push(trouble);
    if (replan === undefined || this.isReplanning) return;
    this.isReplanning = true;
    void this.replanAll(replan).catch((error: unknown) => {
      if (this.isOver) return;
      if (this.run.signal.aborted) {
        this.isOver = true;
        this.end.reject(error);
      } else this.fail(`nobody could plan it again: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  private async replanAll(replan: NonNullable<PlanOptions["replan"]>): Promise<void> {
    for (let trouble = this.troubles.shift(); trouble !== undefined && !this.isOver; trouble = this.troubles.shift()) {
      if (trouble.version !== this.version && trouble.reason !== "news") continue; // another version has taken its place
      if (!this.mayReplan()) {
        if (trouble.reason !== "news") this.fail(`${trouble.what}; ${this.version} versions were made, no more are`);
        else this.refuse(`news: ${trouble.what}`, [`${this.version} versions were made, no more are`]);
        continue;
      }
      const current = {
        ...this.toTrouble(trouble.reason),
        what: trouble.what,
        ...(trouble.task === undefined ? {} : { task: trouble.task }),
      };
      const plan = await replan(this.run, current);
      this.takeNext(current, plan);
    }
    this.isReplanning = false;
    this.advance();
  }

  private takeNext(trouble: Trouble, given: unknown): void {
    if (this.isOver) return;
    if (trouble.version !== this.version) {
      this.refuse(`planned again: ${trouble.what}`, ["the plan was edited meanwhile"]);
      return;
    }
    if (given === undefined) {
      if (trouble.reason !== "news") this.fail(`${trouble.what}; nobody knows another way`);
      return;
    }
    const checked = checkPlanWith(given, this.given.terms, this.given.roster);
    if (checked.kind === "unfit") {
      this.fail(toPlanInvalid(this.plan.name, checked.problems).message);
      return;
    }
    this.replans += 1;
    this.adopt(checked.plan, `${trouble.reason}: ${trouble.what}`);
  }

  private conclude(): void {
    const output = this.toOutput();
    if (output.kind === "value") {
      this.finish({ output: output.value });
      return;
    }
    const what = `its output needs ${output.reference}, and no task that could bring it is left`;
    if (this.mayReplan()) this.ask({ ...this.toTrouble("stall"), what });
    else this.fail(what);
  }

  private toOutput(): ReturnType<typeof resolveSource> {
    if (this.plan.output !== undefined) return resolveSource(this.plan.output, this.values);
    const used = new Set(this.plan.tasks.flatMap(dependenciesOf));
    const lasts = this.plan.tasks.filter(({ id }) => !used.has(id) && this.outcomes.get(id)?.kind === "done");
    return { kind: "value", value: Object.fromEntries(lasts.map(({ id }) => [id, this.values(id)])) };
  }

  private fail(why: string, hint = "Look at its tasks with `tutti plan`."): void {
    const error = new TuttiError("PLAN_FAILED", `the plan ${this.plan.name} failed: ${why}`, {
      hint,
      effect: [...this.outcomes.values()].some(({ kind }) => kind === "in-doubt") ? "unknown" : "done",
    });
    for (const [id, work] of this.running) {
      this.note(`${id} is stopped: the plan failed`, { kind: "task-stopped", task: id, why: "the plan failed" });
      this.outcomes.set(id, { kind: "skipped", why: "it was stopped, because the plan failed" });
      work.stop();
    }
    this.running.clear();
    this.finish({ error });
  }

  private finish({ output, error }: { readonly output?: unknown; readonly error?: TuttiError }): void {
    this.isOver = true;
    const kind = error === undefined ? "done" : "failed";
    this.note(`plan ${this.plan.name} ${error === undefined ? "is done" : "failed"}`, {
      kind: "plan-ended",
      outcome: kind,
      versions: this.version,
      ...(error === undefined ? {} : { why: error.message }),
    });
    for (const { id } of this.plan.tasks)
      if (!this.outcomes.has(id)) this.outcomes.set(id, { kind: "skipped", why: "the plan was over before" });
    const done = [...this.finished.values()].map(({ outcome }) => outcome);
    const result: PlanResult = {
      kind,
      ...(error === undefined ? { output } : { error: toStoredError(error) }),
      outcomes: Object.fromEntries(this.outcomes),
      versions: this.version,
      ...sumUp([...this.outcomes.values()], done),
    };
    this.end.resolve({ result, plan: this.plan, error });
  }

  private readonly values: Values = (root) => {
    if (root === "input") return this.given.terms.input;
    const outcome = this.outcomes.get(root);
    return outcome?.kind === "done" ? outcome.output : undefined;
  };
}

/** What failed is tried again in another version. */
function isKept(outcome: TaskOutcome | undefined): boolean {
  return outcome?.kind === "done" || outcome?.kind === "skipped";
}

function isSameWork({ task, input, outcome }: Finished, next: PlanTask, nextInput: unknown): boolean {
  if (outcome.kind !== "done" || !isSameTask(task, next) || !isJudgedByItself(next)) return false;
  return input === nextInput || toCanonicalJson(input) === toCanonicalJson(nextInput);
}
