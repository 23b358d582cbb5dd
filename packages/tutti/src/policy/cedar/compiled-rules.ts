import type { PolicyRequest } from "../../contracts/policy.ts";
import type { FailedRule, InputFields, Outcome, PolicyRule, Rules } from "../rule.ts";
import { compileRule, type CompiledRule } from "./compile-rule.ts";
import { CedarFault } from "./operand.ts";
import { resourceKinds } from "./schema.ts";
import { toQuery, UnfitRequest } from "./to-query.ts";
import type { Query } from "./value.ts";

/** A rule with its form in Cedar's JSON. */
export interface RuleSource {
  readonly rule: PolicyRule;
  readonly json: unknown;
}

/** Evaluates the rules that are not compiled. */
export interface Remainder {
  evaluate(query: Query): Extract<Outcome, { readonly kind: "evaluated" }>;
}

/**
 * Rules as plain code, sorted by the action that they are about.
 * @param toRemainder makes what evaluates the rules that can't be compiled
 */
export function compileRules<Source extends RuleSource>(
  sources: readonly Source[],
  inputs: InputFields,
  toRemainder: (left: readonly Source[]) => Remainder,
): Rules {
  const compiled: (CompiledRule & { readonly rule: PolicyRule })[] = [];
  const left: Source[] = [];
  for (const source of sources) {
    const made = compileRule(source.json);
    if (made === undefined) left.push(source);
    else compiled.push({ ...made, rule: source.rule });
  }
  const remainder = left.length === 0 ? undefined : toRemainder(left);
  const rulesByAction = new Map(
    Object.keys(resourceKinds).map((action) => [
      action,
      compiled.filter(({ actions }) => actions === undefined || actions.has(action)),
    ]),
  );
  const rules = sources.map(({ rule }) => rule);
  return {
    rules,
    evaluate(request) {
      const query = toFitting(request, inputs);
      if (typeof query === "string") return { kind: "unfit", why: query };
      const satisfied: PolicyRule[] = [];
      let failed: readonly FailedRule[] = noneFailed;
      rulesByAction.get(request.action)?.forEach(({ rule, holds }) => {
        const held = tryRule(holds, query);
        if (held === true) satisfied.push(rule);
        else if (held !== false) failed = [...failed, { rule, message: held }];
      });
      const rest = remainder?.evaluate(query);
      if (rest === undefined) return { kind: "evaluated", satisfied, failed };
      const held = new Set([...satisfied, ...rest.satisfied]);
      return {
        kind: "evaluated",
        satisfied: rules.filter((rule) => held.has(rule)),
        failed: [...failed, ...rest.failed],
      };
    },
  };
}

const noneFailed: readonly FailedRule[] = [];

function toFitting(request: PolicyRequest, inputs: InputFields): Query | string {
  try {
    return toQuery(request, inputs);
  } catch (error) {
    if (error instanceof UnfitRequest) return error.message;
    throw error;
  }
}

function tryRule(holds: CompiledRule["holds"], query: Query): boolean | string {
  try {
    return holds(query);
  } catch (error) {
    if (error instanceof CedarFault) return error.message;
    throw error;
  }
}
