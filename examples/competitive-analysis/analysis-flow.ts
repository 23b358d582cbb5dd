import { flow, type Flow } from "tutti";
import { planner, runPlan, type Trouble } from "tutti/plans";

import { comparer, toResearcher } from "./agents.ts";
import { Analysis, Question } from "./shapes.ts";
import type { SearchLibrary } from "./tools.ts";

/** How often it may be planned, the first time included. */
const versionsMax = 5;

/** A planner makes the plan, the plan is run with all the parallelism that it has, and made again when a search comes back empty. */
export function toAnalysis(search: SearchLibrary, concurrency = 64): Flow<Question, Analysis> {
  const callables = [toResearcher(search), comparer];
  const plans = planner({ model: "deep", callables, inputSchema: Question });
  return flow({
    name: "competitive-analysis",
    does: "Compares products by what a library says about them.",
    input: Question,
    output: Analysis,
    run: async (run, question) => {
      const goal = question.question;
      const first = await run.call(plans, { goal, input: question });
      const result = await runPlan(run, first, {
        callables,
        input: question,
        concurrency,
        versionsMax,
        reason: "the first plan",
        replan: (within, trouble) => within.call(plans, { goal, input: question, before: toBefore(trouble) }),
      });
      if (result.kind === "failed") throw new Error(result.error?.message ?? "the plan failed");
      return Analysis.parse(result.output);
    },
  });
}

/** What a planner has to know to plan again. */
function toBefore({ plan, what, outcomes }: Trouble): unknown {
  return {
    why: what,
    plan,
    ended: Object.fromEntries(Object.entries(outcomes).map(([task, { kind }]) => [task, kind])),
  };
}
