import fc from "fast-check";

import type { PolicyRequest } from "../../packages/tutti/src/contracts/policy.ts";
import { resourceKinds } from "../../packages/tutti/src/policy/cedar/schema.ts";

/** A request to call a tool that changes something, by an agent; parts of it can be said otherwise. */
export function toRequest({
  principal,
  action = "call-tool",
  resource,
  context,
}: {
  readonly principal?: PolicyRequest["principal"];
  readonly action?: PolicyRequest["action"];
  readonly resource?: Partial<PolicyRequest["resource"]>;
  readonly context?: Partial<PolicyRequest["context"]>;
} = {}): PolicyRequest {
  const tool = action === "call-tool" ? ({ effect: "once" } as const) : {};
  return {
    principal: principal ?? { kind: "agent", name: "payer", version: "1", autonomy: 3, run: "run-1" },
    action,
    resource: { kind: resourceKinds[action], name: "mail.send", ...tool, ...resource },
    context: { run: "run-1", flow: "pay", approvals: [], ...context },
  };
}

/** What claims to be a request. */
export function toClaimed(value: unknown): PolicyRequest {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- for what a policy has to see through by itself
  return value as PolicyRequest;
}

const names = fc.constantFrom("anna", "ben", "payer", "mail.send", "bank.pay", "a*b", "Ünï", "");
const roles = fc.uniqueArray(fc.constantFrom("finance", "legal", "ops"), { maxLength: 3 });
const labels = fc.uniqueArray(fc.constantFrom("untrusted", "personal", "secret"), { maxLength: 3 });
const numbers = fc.oneof(
  fc.integer({ min: -3, max: 6 }),
  fc.constantFrom(100, 10_000, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
);

const principals: fc.Arbitrary<PolicyRequest["principal"]> = fc.oneof(
  fc.record({
    kind: fc.constant("agent" as const),
    name: names,
    version: fc.constantFrom("1", "2"),
    autonomy: numbers,
    run: names,
  }),
  fc.record({ kind: fc.constant("run" as const), run: names, flow: names }),
  fc.record({ kind: fc.constant("person" as const), person: names, roles }),
);

const inputs = fc.record(
  {
    amountCents: numbers,
    to: names,
    tags: labels,
    order: fc.record({ total: numbers }, { requiredKeys: [] }),
    sure: fc.oneof(fc.boolean(), fc.constant(null)),
    ignored: fc.double(),
  },
  { requiredKeys: [] },
);

/** Requests that fit the schema, with values that rules are likely to compare with. */
export const requests: fc.Arbitrary<PolicyRequest> = fc
  .record({
    principal: principals,
    action: fc.constantFrom<PolicyRequest["action"][]>(
      "call-tool",
      "call-tool",
      "call-model",
      "read-document",
      "write-document",
      "send",
      "approve",
    ),
    name: names,
    effect: fc.constantFrom<NonNullable<PolicyRequest["resource"]["effect"]>[]>("read", "local", "idempotent", "once"),
    reversible: fc.boolean(),
    dataClasses: labels,
    accepts: labels,
    context: fc.record(
      {
        run: names,
        flow: names,
        approvals: fc.array(fc.record({ by: names, roles }), { maxLength: 3 }),
        tenant: names,
        input: inputs,
        costCents: numbers,
        labels,
        injectionRisk: numbers,
        initiator: names,
        depth: numbers,
      },
      { requiredKeys: ["run", "flow", "approvals"] },
    ),
  })
  .map(({ principal, action, name, effect, reversible, dataClasses, accepts, context }) => ({
    principal,
    action,
    resource: {
      kind: resourceKinds[action],
      name,
      dataClasses,
      ...(action === "call-tool" ? { effect, reversible, accepts } : {}),
    },
    context,
  }));
