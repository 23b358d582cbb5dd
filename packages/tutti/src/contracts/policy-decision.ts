import { bodyOf, type BodyOf, type LedgerEntry } from "./entry.ts";

/** What a policy was asked about a step, and what it said: the body of `policy-decided`. */
export type PolicyDecision = BodyOf<"policy-decided">;

type Intent = BodyOf<"effect-intended">;
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

/**
 * The decision that an entry holds, wherever it stands: in an entry of its own, or in the intent that it allows. Undefined where there is none.
 * @throws TuttiError as `bodyOf`
 */
export function toPolicyDecision(entry: LedgerEntry): PolicyDecision | undefined {
  if (entry.kind === "policy-decided") return bodyOf(entry, entry.kind);
  // Parsing costs more than all the rest, and most intents were begun without a policy.
  if (entry.kind !== "effect-intended" || !entry.body.includes('"decided":{')) return undefined;
  return unfoldDecision(bodyOf(entry, entry.kind));
}

function unfoldDecision({ decided, tool, class: effect, undo, input, inputRef }: Intent): PolicyDecision | undefined {
  if (decided === undefined) return undefined;
  const { rules, policy, context, agent, dataClasses, accepts } = decided;
  const { run, flow } = context;
  return {
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
}
