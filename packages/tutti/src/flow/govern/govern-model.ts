import type { ModelAsker } from "../../contracts/callable.ts";
import type { Model } from "../../contracts/model.ts";
import type { Driver } from "../driver.ts";
import { labelsAt } from "../labels.ts";
import type { Scope } from "../scope.ts";
import { decideDeed, toDecisionEntry, toDenial } from "./policy-decision.ts";

/**
 * The model as the policy lets it be used here. A question can't wait for people: a rule that asks for them refuses it. What is allowed leaves
 * no trace.
 */
export function governModel(
  driver: Driver,
  scope: Scope,
  { model, asker }: { readonly model: Model; readonly asker: ModelAsker },
): Model {
  const { policy } = driver.host;
  if (policy === undefined) return model;
  const name = `${model.provider}/${model.id}`;
  return {
    ...model,
    provider: model.provider,
    id: model.id,
    async generate(request, signal, watch) {
      const costUsd = model.worstCase?.(request).costUsd;
      const resource = { kind: "model", name } as const;
      const asked = { key: asker.host.step, scope, action: "call-model", resource, input: undefined, costUsd } as const;
      const deed = { ...asked, labels: labelsAt(scope) };
      const decision = decideDeed(driver, policy, deed);
      const { verdict } = decision;
      if (verdict.kind === "allow") return model.generate(request, signal, watch);
      void driver.append(toDecisionEntry(decision));
      if (verdict.kind === "deny") throw toDenial(name, verdict);
      const why = `${verdict.why} (a question to a model can't wait for people)`;
      throw toDenial(name, { kind: "deny", rules: verdict.rules, why });
    },
  };
}
