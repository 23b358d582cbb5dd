import fc from "fast-check";
import { expect, test } from "vitest";

import { requests } from "../../../../../test/policy/requests.ts";
import { conditions, soundRules, unsoundRules } from "../../../../../test/policy/rules.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { PolicyRequest } from "../../contracts/policy.ts";
import type { InputFields, Rules } from "../rule.ts";
import { compileRules, type RuleSource } from "./compiled-rules.ts";
import { loadCedar } from "./load-cedar.ts";
import { readRules } from "./read-rules.ts";
import { toSchemaText } from "./schema.ts";
import { toQuery } from "./to-query.ts";
import { toCall } from "./wasm-rules.ts";

const cedar = await loadCedar();
const seed = 20_261_127;

interface Answer {
  readonly decision: "allow" | "deny";
  readonly determining: readonly string[];
  readonly failed: readonly string[];
}

const checkedMax = 500;

/** What Cedar itself says of the whole set. It also checks the first requests against the schema, which costs as much again. */
function openReference(name: string, texts: Readonly<Record<string, string>>, inputs: InputFields) {
  expect(cedar.preparsePolicySet(name, { staticPolicies: texts })).toEqual({ type: "success" });
  expect(cedar.preparseSchema(name, toSchemaText(inputs))).toEqual({ type: "success" });
  let asked = 0;
  return (request: PolicyRequest): Answer => {
    const answer = cedar.statefulIsAuthorized({
      ...toCall(toQuery(request, inputs)),
      preparsedPolicySetId: name,
      ...(asked++ < checkedMax ? { preparsedSchemaName: name, validateRequest: true } : {}),
    });
    if (answer.type === "failure") throw new Error(answer.errors.map(({ message }) => message).join("; "));
    const { decision, diagnostics } = answer.response;
    return {
      decision,
      determining: diagnostics.reason.toSorted(),
      failed: diagnostics.errors.map(({ policyId }) => policyId).toSorted(),
    };
  };
}

/** The same, of the compiled rules, by the rules of Cedar alone: without approvals, errors passed over. */
function askCompiled(rules: Rules, request: PolicyRequest): Answer {
  const outcome = rules.evaluate(request);
  if (outcome.kind === "unfit") throw new Error(outcome.why);
  const forbids = outcome.satisfied.filter(({ effect }) => effect === "forbid");
  const permits = outcome.satisfied.filter(({ effect }) => effect === "permit");
  const allowed = forbids.length === 0 && permits.length > 0;
  return {
    decision: allowed ? "allow" : "deny",
    determining: (allowed ? permits : forbids).map(({ id }) => id).toSorted(),
    failed: outcome.failed.map(({ rule }) => rule.id).toSorted(),
  };
}

const compileAll = (sources: readonly RuleSource[], inputs: InputFields): Rules =>
  compileRules(sources, inputs, (left) => {
    throw new Error(`not compiled: ${left.map(({ rule }) => rule.id).join(", ")}`);
  });

test(
  "compiled rules decide as Cedar does: 10,000 requests, decision, deciding rules and failing rules",
  verifies("G3"),
  () => {
    const read = readRules(cedar, `${soundRules}${unsoundRules}`);
    const texts = Object.fromEntries(read.rules.map(({ rule, text }) => [rule.id, text]));
    const reference = openReference("known", texts, read.inputs);
    const compiled = compileAll(read.rules, read.inputs);
    const seen = { allow: 0, deny: 0, failed: 0, fired: new Set<string>() };
    fc.assert(
      fc.property(requests, (request) => {
        const answer = askCompiled(compiled, request);
        expect(answer).toEqual(reference(request));
        seen[answer.decision]++;
        if (answer.failed.length > 0) seen.failed++;
        for (const rule of answer.determining) seen.fired.add(rule);
      }),
      { numRuns: 10_000, seed },
    );
    // The comparison says something only if all of it happens.
    expect(seen.allow).toBeGreaterThan(1_000);
    expect(seen.deny).toBeGreaterThan(1_000);
    expect(seen.failed).toBeGreaterThan(1_000);
    const idle = read.rules.map(({ rule }) => rule.id).filter((id) => !seen.fired.has(id));
    expect(idle).toEqual(["stranger"]);
  },
);

test("compiled conditions of any form hold, and fail, where they do in Cedar", verifies("G3"), () => {
  const inputs: InputFields = new Map();
  let compiledCount = 0;
  fc.assert(
    fc.property(
      fc.array(conditions, { minLength: 20, maxLength: 20 }),
      fc.array(requests, { minLength: 5, maxLength: 5 }),
      (list, asked) => {
        const texts = Object.fromEntries(
          list.map((condition, at) => [
            `rule-${at}`,
            `@id("rule-${at}") permit(principal, action, resource) when { ${condition} };`,
          ]),
        );
        const sources = Object.entries(texts).map(([id, text]) => {
          const found = cedar.policyToJson(text);
          if (found.type === "failure")
            throw new Error(`${text}: ${found.errors.map(({ message }) => message).join("; ")}`);
          return { rule: { id, effect: "permit" as const }, json: found.json };
        });
        const compiled = compileAll(sources, inputs);
        const reference = openReference("random", texts, inputs);
        for (const request of asked) expect(askCompiled(compiled, request)).toEqual(reference(request));
        compiledCount += list.length;
      },
    ),
    { numRuns: 80, seed },
  );
  expect(compiledCount).toBeGreaterThan(1_000);
});
