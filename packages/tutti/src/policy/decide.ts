import type { NeededApprovals, PolicyRequest, PolicyVerdict } from "../contracts/policy.ts";
import type { PolicyRule, Rules } from "./rule.ts";

/**
 * Nothing is allowed unless a rule permits it, whatever a rule forbids is not, and what can't be evaluated is denied.
 * More approvals never make less of a verdict: rules do not see them, they only make a permit hold and a forbid end.
 */
export function decide(rules: Rules, request: PolicyRequest): PolicyVerdict {
  const outcome = rules.evaluate(request);
  if (outcome.kind === "unfit") return deny([], outcome.why, [outcome.why]);
  if (outcome.failed.length > 0) {
    const ids = outcome.failed.map(({ rule }) => rule.id);
    const errors = outcome.failed.map(({ rule, message }) => `${rule.id}: ${message}`);
    return deny(ids, `it can't be told whether it is allowed: ${errors[0] ?? ""}`, errors);
  }
  return weigh(outcome.satisfied, request.context);
}

function deny(rules: readonly string[], why: string, errors?: readonly string[]): PolicyVerdict {
  return { kind: "deny", rules, why, ...(errors === undefined ? {} : { errors }) };
}

type Context = PolicyRequest["context"];

function weigh(satisfied: readonly PolicyRule[], context: Context): PolicyVerdict {
  if (satisfied.length > 0 && satisfied.every(isPlainPermit)) return { kind: "allow", rules: toIds(satisfied) };
  const permits = satisfied.filter(({ effect }) => effect === "permit");
  const forbids = permits.length === satisfied.length ? [] : satisfied.filter(({ effect }) => effect === "forbid");
  const final = forbids.filter(({ approvals }) => approvals === undefined);
  if (final.length > 0) return deny(toIds(final), toWhy(final));
  if (permits.length === 0) return deny([], "no rule allows it");
  const held = permits.filter((rule) => countMissing(rule, context) === 0);
  const asking = forbids.filter((rule) => countMissing(rule, context) > 0);
  if (held.length === 0) asking.push(...findEasiest(permits, context));
  if (asking.length === 0) return { kind: "allow", rules: toIds(held) };
  return {
    kind: "needs",
    rules: toIds(asking),
    why: toWhy(asking),
    approvals: asking.flatMap(({ approvals }) => approvals ?? []),
  };
}

/** As most of what is allowed is: nothing has to be weighed. */
function isPlainPermit({ effect, approvals }: PolicyRule): boolean {
  return effect === "permit" && approvals === undefined;
}

/** The permit that the fewest approvals are missing for; of several, the first in the text. */
function findEasiest(permits: readonly PolicyRule[], context: Context): readonly PolicyRule[] {
  const ranked = permits.toSorted((left, right) => countMissing(left, context) - countMissing(right, context));
  return ranked.slice(0, 1);
}

/** How many more persons have to say yes before the rule's approvals are complete. */
function countMissing({ approvals }: PolicyRule, context: Context): number {
  if (approvals === undefined) return 0;
  return Math.max(0, approvals.count - countGiven(approvals, context));
}

function countGiven({ role, distinctFromInitiator }: NeededApprovals, { approvals, initiator }: Context): number {
  const persons = new Set<string>();
  for (const { by, roles } of approvals) {
    if (distinctFromInitiator && by === initiator) continue;
    if (role === undefined || roles.includes(role)) persons.add(by);
  }
  return persons.size;
}

function toIds(rules: readonly PolicyRule[]): readonly string[] {
  return rules.map(({ id }) => id);
}

/** The rules' own sentences, which people read. */
function toWhy(rules: readonly PolicyRule[]): string {
  return rules.map((rule) => rule.says ?? describe(rule)).join("; ");
}

function describe({ id, effect, approvals }: PolicyRule): string {
  return approvals === undefined && effect === "forbid"
    ? `the rule "${id}" forbids it`
    : `the rule "${id}" asks for approval`;
}
