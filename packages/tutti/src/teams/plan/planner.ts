import { agent } from "../../agents/agent.ts";
import { anything, fields, text } from "../../base/shape.ts";
import type { Contract } from "../../contracts/callable.ts";
import { toContract } from "../../contracts/contract.ts";
import type { Agent, Callable } from "../../contracts/run.ts";
import { schemaOf } from "../../contracts/schema.ts";
import { toToolIndex } from "../../tools/registry/tool-index.ts";
import { checkPlanWith, type PlanTerms } from "./check-plan.ts";
import { planSchema } from "./parse-plan.ts";
import { describeProblems } from "./plan-problem.ts";
import type { Plan } from "./plan.ts";
import { toRoster } from "./roster.ts";

/** What `planner` is given. */
export interface PlannerDefinition extends PlanTerms {
  /** `planner` by default. */
  readonly name?: string;
  /** A tier. */
  readonly model: string;
  /** What else to keep in mind when planning. */
  readonly instructions?: string;
  /** How often a plan that can't be run is sent back with all that is wrong with it; 2 by default. */
  readonly repairsMax?: number;
}

/** What a planner is asked. */
export interface PlanRequest {
  /** What shall be reached. */
  readonly goal: string;
  /** What the plan's references know as `input`. */
  readonly input?: unknown;
  /** Why there has to be another plan, with the one before and what came of it. */
  readonly before?: unknown;
}

/** A model is shown so many callables; of more, those that fit the goal best. */
const shownMax = 40;
const repairsDefault = 2;

const howToPlan = `You make plans for others to carry out. Split the goal into the fewest tasks that reach it, and give each to the callable in \`callables\` that fits best: name it in \`call\`.
Give each task exactly the input that its callable's schema asks for. Take values from the plan's input with { "$from": "input.<field>" } and from other tasks with { "$from": "<task id>.<field>" }; write all others out.
Tasks that do not name each other are done at the same time; so name another task only where its output is needed, or in \`after\` where the order matters.
Where an output may be missing or poor, say so: \`success\` says what counts, \`onFailure\` what happens otherwise ("replan" lets you plan again).
When \`before\` is there, that plan did not work out: keep the tasks that are done word for word, so that they are not done again, and change the rest.`;

/**
 * An agent that makes a plan for a goal from what its callables declare. A plan that can't be run never leaves it: it goes back to the model
 * with all that is wrong, and after the repairs the call fails with MODEL_ANSWER_INVALID.
 * @throws TuttiError DEFINITION_INVALID
 */
export function planner(definition: PlannerDefinition): Agent<PlanRequest, Plan> {
  const { callables, model, instructions = "", repairsMax = repairsDefault, name = "planner" } = definition;
  const roster = toRoster(callables);
  const rank = openRanking(callables);
  const asking = agent<PlanRequest & { readonly callables?: unknown }, Plan>({
    name,
    does: "Makes a plan for a goal: who does what, in which order, with what.",
    model,
    input: requestSchema,
    output: planSchema,
    instructions: `${howToPlan}\n${instructions}`.trim(),
    coordination: false,
    repairsMax,
    ensures: [
      {
        name: "it can be run: every callable, reference and type in it is right",
        check: (plan) => {
          const checked = checkPlanWith(plan, definition, roster);
          return checked.kind === "fits" ? true : describeProblems(checked.problems);
        },
      },
    ],
  });
  return {
    ...asking,
    act: (run, request, host) => asking.act(run, { ...request, callables: rank(request.goal).map(toShown) }, host),
  };
}

function openRanking(callables: readonly Callable[]): (goal: string) => readonly Callable[] {
  if (callables.length <= shownMax) return () => callables;
  const index = toToolIndex(callables);
  return (goal) =>
    index.rank(goal, shownMax).flatMap(({ index: place }) => {
      const callable = callables[place];
      return callable === undefined ? [] : [callable];
    });
}

/** What a model has to know of a callable to plan with it. */
function toShown(callable: Callable): Partial<Contract> {
  const { kind, name, does, input, output, needs, ensures, effect, guarantees, reads, writes } = toContract(callable);
  return {
    kind,
    name,
    does,
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    ...(needs.length === 0 ? {} : { needs }),
    ...(ensures.length === 0 ? {} : { ensures }),
    ...(effect === undefined ? {} : { effect }),
    ...(guarantees === undefined ? {} : { guarantees }),
    ...(reads === undefined ? {} : { reads }),
    ...(writes === undefined ? {} : { writes }),
  };
}

const requestSchema = schemaOf<PlanRequest>(fields({ goal: text }, { input: anything, before: anything }), {
  type: "object",
  properties: { goal: { type: "string" }, input: {}, before: {} },
  required: ["goal"],
});
