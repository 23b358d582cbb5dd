import type { Tool } from "../../contracts/callable.ts";
import type { EffectKey, StepKey } from "../../contracts/ids.ts";
import type { Pending, Scope } from "../scope.ts";
import type { Called } from "../step.ts";

/** A call of a tool that the policy has a say in. */
export interface GovernedCall {
  readonly tool: Tool;
  readonly input: unknown;
  readonly key: StepKey;
  readonly scope: Scope;
  readonly effect: EffectKey;
  readonly called: Called;
  readonly pending: Pending;
}
