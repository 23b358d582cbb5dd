import { bodyOf, type BodyOf, type LedgerEntry } from "./entry.ts";

/** What a policy was asked, and what it said: the body of `policy-decided`. */
export type PolicyDecision = BodyOf<"policy-decided">;

type Intent = BodyOf<"effect-intended">;
type Vote = BodyOf<"approval-voted">;
type Context = PolicyDecision["request"]["context"];

/** A decision that allows a call, as it stands in the call's intent: without what the intent says itself. */
export function foldDecision({ request, verdict, policy }: PolicyDecision): Intent["decided"] {
  const { principal, resource, context } = request;
  const { dataClasses, accepts } = resource;
  const { name, version } = policy;
  return {
    rules: verdict.rules,
    policy: { name, version },
    context: withoutInput(context),
    ...(principal.kind === "agent" ? { agent: principal } : {}),
    ...(dataClasses === undefined ? {} : { dataClasses }),
    ...(accepts === undefined ? {} : { accepts }),
  };
}

/** Field by field: a large input is only read by whoever asks for it. */
function withoutInput(context: Context): Context {
  const rest: Record<string, unknown> = {};
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the name comes from this very object
  for (const name in context) if (name !== "input") rest[name] = context[name as keyof Context];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all fields of a context, without one that it need not have
  return rest as unknown as Context;
}

const none: readonly PolicyDecision[] = [];

/**
 * The decisions that an entry holds, wherever they stand: in an entry of its own, in the intent that it allows, or in the vote that it lets
 * count. Only a vote on several documents holds more than one.
 * @throws TuttiError as `bodyOf`
 */
export function toPolicyDecisions(entry: LedgerEntry): readonly PolicyDecision[] {
  const { kind, body } = entry;
  if (kind === "policy-decided") return [bodyOf(entry, kind)];
  // Parsing costs more than all the rest, and most intents were begun without a policy.
  if ((kind !== "effect-intended" && kind !== "approval-voted") || !body.includes('"decided":{')) return none;
  return kind === "effect-intended" ? unfoldIntent(bodyOf(entry, kind)) : unfoldVote(bodyOf(entry, kind));
}

function unfoldIntent({ decided, tool, class: effect, undo, input, inputRef }: Intent): readonly PolicyDecision[] {
  if (decided === undefined) return none;
  const { rules, policy, context, agent, dataClasses, accepts } = decided;
  const { run, flow } = context;
  const decision: PolicyDecision = {
    request: {
      principal: agent ?? { kind: "run", run, flow },
      action: "call-tool",
      resource: {
        kind: "tool",
        name: tool,
        effect,
        reversible: undo === true,
        ...(dataClasses === undefined ? {} : { dataClasses }),
        ...(accepts === undefined ? {} : { accepts }),
      },
      context: input === undefined ? context : { ...context, input },
    },
    verdict: { kind: "allow", rules },
    policy,
    ...(inputRef === undefined ? {} : { inputRef }),
  };
  return [decision];
}

function unfoldVote({ decided, by, roles = [] }: Vote): readonly PolicyDecision[] {
  if (decided === undefined) return none;
  const { policy, context, matters } = decided;
  return matters.map(({ name, rules }) => ({
    request: {
      principal: { kind: "person", person: by, roles },
      action: "approve",
      resource: { kind: "approval", name },
      context,
    },
    verdict: { kind: "allow", rules },
    policy,
  }));
}
