import { agent } from "../../agents/agent.ts";
import { fromStoredError, TuttiError } from "../../base/errors.ts";
import { sha256 } from "../../base/hash.ts";
import { anything, fields, text } from "../../base/shape.ts";
import { findBudgetProblem, type Budget } from "../../contracts/budget.ts";
import type { Acted, Tool } from "../../contracts/callable.ts";
import { pickTerms } from "../../contracts/contract.ts";
import { addUsage, noUsage, type Confidence, type Usage } from "../../contracts/outcome.ts";
import type { Agent, Callable, Run } from "../../contracts/run.ts";
import { schemaOf, type Schema } from "../../contracts/schema.ts";
import type { Terms } from "../../contracts/terms.ts";
import type { PlanTerms } from "./check-plan.ts";
import type { PlanResult, Trouble } from "./outcome.ts";
import type { PlanOptions } from "./plan-options.ts";
import type { Plan } from "./plan.ts";
import { planner, type PlanRequest } from "./planner.ts";
import { accessOf, joinAccess } from "./roster.ts";
import { runPlan } from "./run-plan.ts";

/** What `supervisor` is given. The input and output types follow from the two schemas. */
export interface SupervisorDefinition<Input, Output>
  extends Terms, Pick<PlanOptions, "checks" | "budgetUsd" | "concurrency" | "onFailure" | "versionsMax"> {
  readonly name: string;
  /** One sentence: what it is called for. The goal of its plans. */
  readonly does: string;
  /** The tier that plans and, unless said otherwise, puts the results together. */
  readonly model: string;
  /** Who does the work: tools, agents, flows, and other supervisors. */
  readonly members: readonly Callable[];
  readonly input: Schema<Input>;
  readonly output: Schema<Output>;
  /** How it works: what matters when planning and putting together. */
  readonly instructions?: string;
  /** Who makes one result of what came out: a `model` (the default), or the `plan`, whose output then has to fit the schema. */
  readonly synthesis?: "model" | "plan";
  /** A plan that is there already, for the first try. */
  readonly plan?: Plan;
  /** What all its calls in one run may spend together, with everything that its members do. */
  readonly budget?: Budget;
}

/**
 * Declares an agent that lets others work: it plans for its members, hands out the tasks, plans again when that is needed, and makes one
 * typed result of what they bring. It is called like any other agent, so supervisors supervise supervisors.
 * Its call fails with PLAN_FAILED when its last plan failed.
 * @throws TuttiError DEFINITION_INVALID
 */
export function supervisor<Input, Output>(definition: SupervisorDefinition<Input, Output>): Agent<Input, Output> {
  const { name, does, input, output, members, synthesis = "model" } = definition;
  if (members.length === 0)
    throw new TuttiError("DEFINITION_INVALID", `supervisor "${name}": it has no members`, {
      hint: "Give it the tools, agents and flows that do the work.",
    });
  const budgetProblem = definition.budget === undefined ? undefined : findBudgetProblem(definition.budget);
  if (budgetProblem !== undefined)
    throw new TuttiError("DEFINITION_INVALID", `supervisor "${name}": its budget: ${budgetProblem}`, {
      hint: "Leave out what is not limited.",
    });
  const parts: Parts = {
    planner: planner({
      ...toTerms(definition),
      name: `${name}.planner`,
      model: definition.model,
      instructions: definition.instructions ?? "",
    }),
    synthesist: synthesis === "plan" ? undefined : toSynthesist(definition),
  };
  return {
    kind: "agent",
    name,
    version: toVersion(definition, parts),
    does,
    input,
    output,
    tools: toolsOf(members),
    ...joinAccess(members.map(accessOf)),
    ...pickTerms(definition),
    budget: definition.budget,
    act: async (run, given) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the engine parses what is returned with this supervisor's own schema
      return (await supervise(run, { definition, parts, given })) as Acted<Output>;
    },
  };
}

interface Parts {
  readonly planner: Agent<PlanRequest, Plan>;
  readonly synthesist: Agent<SynthesisInput> | undefined;
}

interface Supervision {
  readonly definition: SupervisorDefinition<unknown, unknown>;
  readonly parts: Parts;
  readonly given: unknown;
}

async function supervise(run: Run, { definition, parts, given }: Supervision): Promise<Acted<unknown>> {
  const { does, concurrency, onFailure, versionsMax } = definition;
  let spent: Usage = noUsage;
  const ask = async (within: Run, request: PlanRequest): Promise<Plan> => {
    const { output, usage } = await within.result(parts.planner, request);
    spent = addUsage(spent, usage ?? noUsage);
    return output;
  };
  const plan = definition.plan ?? (await ask(run, { goal: does, input: given }));
  const result = await runPlan(run, plan, {
    ...toTerms(definition),
    input: given,
    reason: definition.plan === undefined ? `planned by ${parts.planner.name}` : "it was given",
    replan: (within, trouble) => ask(within, { goal: does, input: given, before: toBefore(trouble) }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...(versionsMax === undefined ? {} : { versionsMax }),
  });
  if (result.error !== undefined) throw fromStoredError(result.error);
  const usage = addUsage(spent, result.usage);
  if (parts.synthesist === undefined) return toActed(result.output, usage, result.confidence);
  const made = await run.result(parts.synthesist, { task: does, input: given, results: toFindings(result) });
  return toActed(made.output, addUsage(usage, made.usage ?? noUsage), leastSure(result.confidence, made.confidence));
}

function toActed(output: unknown, usage: Usage, confidence: Confidence | undefined): Acted<unknown> {
  return { output, usage, ...(confidence === undefined ? {} : { confidence }) };
}

// What was put together is no surer than what it was made of.
function leastSure(left: Confidence | undefined, right: Confidence | undefined): Confidence | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return left.value <= right.value ? left : right;
}

function toTerms({ members, checks, budgetUsd, input }: SupervisorDefinition<unknown, unknown>): PlanTerms {
  return { callables: members, inputSchema: input, budgetUsd, ...(checks === undefined ? {} : { checks }) };
}

/** A planner that plans again is told so much of each result: enough to plan, not to write. */
const shownCharactersMax = 600;

function toBefore({ reason, what, plan, version, outcomes }: Trouble): unknown {
  const shown = Object.entries(outcomes).map(([task, outcome]) => {
    if (outcome.kind === "done") return { task, kind: "done", output: toShort(outcome.output) };
    if (outcome.kind === "failed") return { task, kind: "failed", why: outcome.error.message };
    return { task, kind: outcome.kind };
  });
  return { plan, version, why: `${reason}: ${what}`, outcomes: shown };
}

function toShort(output: unknown): unknown {
  const json = JSON.stringify(output) ?? "";
  return json.length <= shownCharactersMax ? output : `${json.slice(0, shownCharactersMax)}…`;
}

interface SynthesisInput {
  readonly task: string;
  readonly input?: unknown;
  readonly results?: unknown;
}

/** What came out, by task; and what did not, so that nobody makes it up. */
function toFindings({ outcomes, output }: PlanResult): unknown {
  const missing = Object.entries(outcomes).flatMap(([task, outcome]) => {
    if (outcome.kind === "skipped") return [{ task, why: outcome.why }];
    return outcome.kind === "failed" ? [{ task, why: outcome.error.message }] : [];
  });
  return { output, ...(missing.length === 0 ? {} : { missing }) };
}

function toSynthesist(definition: SupervisorDefinition<unknown, unknown>): Agent<SynthesisInput> {
  const { name, model, output, instructions = "" } = definition;
  return agent<SynthesisInput, unknown>({
    name: `${name}.synthesis`,
    does: "Makes one result of what several have found.",
    model,
    input: schemaOf<SynthesisInput>(fields({ task: text }, { input: anything, results: anything }), { type: "object" }),
    output,
    instructions:
      `Use only what is in \`results\`. What is in \`missing\` was not found: never make it up.\n${instructions}`.trim(),
    coordination: false,
  });
}

function toolsOf(members: readonly Callable[]): readonly Tool[] {
  const tools = members.flatMap((member) =>
    member.kind === "tool" ? [member] : member.kind === "agent" ? member.tools : [],
  );
  return [...new Set(tools)];
}

function toVersion(
  { members, plan }: SupervisorDefinition<unknown, unknown>,
  { planner: plans, synthesist }: Parts,
): string {
  const who = members.map((member) => (member.kind === "tool" ? member.name : `${member.name}@${member.version}`));
  return sha256(JSON.stringify([plans.version, synthesist?.version, who, plan])).slice(0, 12);
}
