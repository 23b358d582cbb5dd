import { anything, fields, flag, integer, listOf, oneOf, ShapeError, text, type Shape } from "../base/shape.ts";

/** What is about to happen, as the rules see it. Numbers are integers (money in cents); anything else is refused. */
export interface PolicyRequest {
  readonly principal:
    | {
        readonly kind: "agent";
        readonly name: string;
        readonly version: string;
        readonly autonomy: number;
        readonly run: string;
      }
    | { readonly kind: "run"; readonly run: string; readonly flow: string }
    | { readonly kind: "person"; readonly person: string; readonly roles: readonly string[] };
  readonly action: "call-tool" | "call-model" | "read-document" | "write-document" | "send" | "approve";
  readonly resource: {
    readonly kind: "tool" | "model" | "document" | "border" | "approval";
    readonly name: string;
    /** Of a tool, which always has one. */
    readonly effect?: "read" | "local" | "idempotent" | "once";
    /** Of a tool; one that does not say so is not. */
    readonly reversible?: boolean;
    readonly dataClasses?: readonly string[];
    /** Of a tool: labels that what it is given may carry. */
    readonly accepts?: readonly string[];
  };
  readonly context: {
    readonly run: string;
    readonly flow: string;
    readonly tenant?: string;
    /** What the action is given, as JSON has it. Rules see those of its fields that they declare. */
    readonly input?: unknown;
    readonly costCents?: number;
    /** Trust and data class of what goes in: "untrusted", "personal", … */
    readonly labels?: readonly string[];
    /** 0 to 100: how much what was read from outside looks as if it gave orders. A signal; its absence means nothing. */
    readonly injectionRisk?: number;
    readonly approvals: readonly { readonly by: string; readonly roles: readonly string[] }[];
    /** The person who started the run. */
    readonly initiator?: string;
    readonly depth?: number;
  };
}

/** Approvals that a rule asks for: by so many different persons, those already given included. */
export interface NeededApprovals {
  readonly count: number;
  /** Only of persons with this role. */
  readonly role?: string;
  /** The one of who started the run does not count. */
  readonly distinctFromInitiator: boolean;
}

export type PolicyVerdict =
  | { readonly kind: "allow"; readonly rules: readonly string[] }
  | {
      readonly kind: "deny";
      readonly rules: readonly string[];
      readonly why: string;
      readonly errors?: readonly string[];
    }
  /** These approvals, together with those already given, would make it an allow. One approval counts for each of them that it fits. */
  | {
      readonly kind: "needs";
      readonly rules: readonly string[];
      readonly why: string;
      readonly approvals: readonly NeededApprovals[];
    };

/** A set of rules. `version` is the hash of its text and schema. Pure: the same request, the same verdict. */
export interface Policy {
  readonly name: string;
  readonly version: string;
  decide(request: PolicyRequest): PolicyVerdict;
}

/** `name@version`. */
export function toPolicyId({ name, version }: Pick<Policy, "name" | "version">): string {
  return `${name}@${version}`;
}

/** As a field of what was asked under it. */
export function toPolicyField(policy: Policy | undefined): { readonly policy?: string } {
  return policy === undefined ? {} : { policy: toPolicyId(policy) };
}

/** One of several shapes; the member `kind` says which. */
function byKind<Value>(shapes: Readonly<Record<string, Shape<Value>>>): Shape<Value> {
  const kinds = oneOf(...Object.keys(shapes));
  return (value, path) => {
    const kind = typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
    const shape = typeof kind === "string" && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
    if (shape !== undefined) return shape(value, path);
    kinds(kind, `${path}.kind`);
    throw new ShapeError(path, "of a known kind", value);
  };
}

const agent = fields({ kind: oneOf("agent"), name: text, version: text, autonomy: integer, run: text });
const principal = byKind<PolicyRequest["principal"]>({
  agent,
  run: fields({ kind: oneOf("run"), run: text, flow: text }),
  person: fields({ kind: oneOf("person"), person: text, roles: listOf(text) }),
});

const resource: Shape<PolicyRequest["resource"]> = fields(
  { kind: oneOf("tool", "model", "document", "border", "approval"), name: text },
  {
    effect: oneOf("read", "local", "idempotent", "once"),
    reversible: flag,
    dataClasses: listOf(text),
    accepts: listOf(text),
  },
);

export const policyApprovalsShape = listOf(fields({ by: text, roles: listOf(text) }));

const context: Shape<PolicyRequest["context"]> = fields(
  { run: text, flow: text, approvals: policyApprovalsShape },
  {
    tenant: text,
    input: anything,
    costCents: integer,
    labels: listOf(text),
    injectionRisk: integer,
    initiator: text,
    depth: integer,
  },
);

/** Parses what claims to be a request. Numbers that are not whole, or not exact, are refused. */
export const policyRequestShape: Shape<PolicyRequest> = fields({
  principal,
  action: oneOf("call-tool", "call-model", "read-document", "write-document", "send", "approve"),
  resource,
  context,
});

const rules = listOf(text);

export const policyNameShape = fields({ name: text, version: text });

/** What allowed a call, in the intent of that call (contracts/policy-decision.ts). Without an agent, the flow's own code asked. */
export const decidedShape = fields(
  { rules, policy: policyNameShape, context },
  { agent, dataClasses: listOf(text), accepts: listOf(text) },
);

/** What let a vote count, in the entry of that vote: of everything that a yes would be for, the rules that permit it. */
export const permittedShape = fields({
  policy: policyNameShape,
  context,
  matters: listOf(fields({ name: text, rules })),
});

export const policyVerdictShape = byKind<PolicyVerdict>({
  allow: fields({ kind: oneOf("allow"), rules }),
  deny: fields({ kind: oneOf("deny"), rules, why: text }, { errors: listOf(text) }),
  needs: fields({
    kind: oneOf("needs"),
    rules,
    why: text,
    approvals: listOf(fields({ count: integer, distinctFromInitiator: flag }, { role: text })),
  }),
});
