import type { Budget } from "../contracts/budget.ts";
import type { Tool } from "../contracts/callable.ts";
import type { Permissions } from "../contracts/grant.ts";
import type { ModelHints } from "../contracts/model.ts";
import type { Schema } from "../contracts/schema.ts";
import type { Guarantee, Precondition, Terms } from "../contracts/terms.ts";
import type { Registry } from "../tools/registry/registry.ts";
import type { Compaction } from "./compaction.ts";
import type { CoordinationRules } from "./coordination.ts";
import type { StepDown } from "./step-down.ts";

export type AgentHints = Pick<ModelHints, "task" | "difficulty">;

/** What `agent` is given. The input and output types follow from the two schemas. */
export interface AgentDefinition<Input, Output> extends Terms {
  /** Letters, digits and `_ . -`, at most 64, the first a letter. */
  readonly name: string;
  /** One sentence for the people and agents that choose it. */
  readonly does: string;
  /** A tier, not a vendor: the engine is told which model stands behind `fast`, `balanced` or `deep`. */
  readonly model: string;
  /** What its questions are like: models that route by task or difficulty choose by it. Never told to a model. */
  readonly hints?: AgentHints;
  /** Of many tools, or of a registry, the model sees the few that fit and a search for the rest. */
  readonly tools?: readonly Tool[] | Registry;
  readonly input: Schema<Input>;
  readonly output: Schema<Output>;
  /** How it works; its role, its input and the rules about evidence are said for it. */
  readonly instructions: string;
  /** What must hold before it is called. */
  readonly needs?: readonly Precondition<NoInfer<Input>>[];
  /** What holds of every answer. The model is told the names; an answer that breaks one goes back like one that does not fit. */
  readonly ensures?: readonly Guarantee<NoInfer<Input>, NoInfer<Output>>[];
  /** How often the model may be asked for one call of the agent; 12 by default. In the last turn it has no tools and has to answer. */
  readonly turnsMax?: number;
  /** How often an answer that can't be used is sent back; 1 by default. */
  readonly repairsMax?: number;
  /** Input and output tokens of all turns of one call. */
  readonly tokensMax?: number;
  /** How long one call may take, looked at between turns. */
  readonly durationMaxMs?: number;
  /** What one call may cost, where its model reports costs. */
  readonly costMaxUsd?: number;
  /** What all its calls in one run may spend together: reserved before it is spent. */
  readonly budget?: Budget;
  /** The most that it may do, with everything that it starts, whoever calls it. */
  readonly permissions?: Permissions;
  /** Asked when a budget has no room for a question to the model: names a cheaper tier, or nothing to give up. */
  readonly stepDown?: StepDown;
  /** When a long conversation is shortened, and how. Never by default. */
  readonly compact?: Compaction;
  /** `self`: the model says how sure it is, and its word is the result's confidence. */
  readonly confidence?: "self";
  /** Words of its own on how to work with others, or `false`: then it is told nothing about them. */
  readonly coordination?: CoordinationRules | false;
}
