import type { NeededApprovals, PolicyRequest } from "../contracts/policy.ts";

/** One rule of a policy, as it was read. */
export interface PolicyRule {
  /** Its `@id`, unique in its policy. */
  readonly id: string;
  readonly effect: "permit" | "forbid";
  /** Its `@says`: what people are told. */
  readonly says?: string;
  /** A permit holds, and a forbid ends, once these are given. */
  readonly approvals?: NeededApprovals;
}

/** The port to what evaluates rules. */
export interface Rules {
  readonly rules: readonly PolicyRule[];
  /** Pure: the same request, the same outcome. What only claims to be a request is unfit. */
  evaluate(request: PolicyRequest): Outcome;
}

export type Outcome =
  | {
      readonly kind: "evaluated";
      /** Rules whose conditions hold. */
      readonly satisfied: readonly PolicyRule[];
      readonly failed: readonly FailedRule[];
    }
  /** The rules can't be asked about it. */
  | { readonly kind: "unfit"; readonly why: string };

export interface FailedRule {
  readonly rule: PolicyRule;
  readonly message: string;
}

/** The names of the types that a rule may give a field of the input. */
export type InputType = "Bool" | "Long" | "String" | "Set<Long>" | "Set<String>";

/** Fields of the input that rules read, by path: `amountCents`, `order.total`. */
export type InputFields = ReadonlyMap<string, InputType>;
