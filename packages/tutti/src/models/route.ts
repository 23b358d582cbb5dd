import { TuttiError } from "../base/errors.ts";
import type { Model, ModelRequest } from "../contracts/model.ts";
import { noUsage } from "../contracts/outcome.ts";
import { toWholeReply } from "./ask-next.ts";
import { maxWorstCase } from "./worst-case.ts";

export interface RouteOptions<Name extends string> {
  readonly models: Readonly<Record<Name, Model>>;
  /** Chooses one by name, from what the request asks and hints at: task, difficulty, budget, confidence. */
  readonly by: (request: ModelRequest) => NoInfer<Name>;
}

/**
 * Several models behind one: each request goes to the one that `by` names.
 * @throws TuttiError MODEL_UNKNOWN when it names none of them
 */
export function route<Name extends string>({ models, by }: RouteOptions<Name>): Model {
  const names = Object.keys(models);
  if (names.length === 0) {
    throw new TuttiError("DEFINITION_INVALID", "route was given no model", { hint: "Give it models by name." });
  }
  return {
    provider: "route",
    id: names.join(" | "),
    worstCase: (request) => maxWorstCase(Object.values(models), request),
    async generate(request, signal, watch) {
      const name = by(request);
      const model = Object.hasOwn(models, name) ? models[name] : undefined;
      if (model === undefined) {
        throw new TuttiError("MODEL_UNKNOWN", `a route chose the model ${JSON.stringify(name)}, and there is none`, {
          hint: `It has: ${names.join(", ")}.`,
          facts: { models: names },
        });
      }
      return toWholeReply({ spent: noUsage, passedOver: [] }, model, await model.generate(request, signal, watch));
    },
  };
}
