import { findBudgetProblem } from "../contracts/budget.ts";
import { findPermissionProblem } from "../contracts/grant.ts";
import { findTermProblem, type Problem } from "../contracts/term-problems.ts";
import { findToolsName } from "../tools/registry/find-tools.ts";
import type { AgentDefinition } from "./agent-definition.ts";
import type { Compaction } from "./compaction.ts";

const namePattern = /^[A-Za-z][\w.-]{0,63}$/;

/** The first problem of a declaration. The types rule most of this out; plain JavaScript and casts do not. */
export function findAgentProblem(definition: AgentDefinition<unknown, unknown>): Problem | undefined {
  const { name, does, model, instructions } = definition;
  if (typeof name !== "string" || !namePattern.test(name)) {
    return {
      what: "its name can't be used",
      hint: "Start with a letter and use letters, digits and _ . - only, at most 64.",
    };
  }
  if (typeof does !== "string" || does.trim() === "")
    return { what: "it does not say what it does", hint: "Give `does` one sentence." };
  if (typeof model !== "string" || model.trim() === "")
    return { what: "it names no model tier", hint: 'Name a tier: "fast", "balanced" or "deep".' };
  if (typeof instructions !== "string")
    return { what: "it has no instructions", hint: "Say how it works; an empty text will do." };
  return (
    findLimitProblem(definition) ??
    findCompactionProblem(definition.compact) ??
    findToolProblem(definition.tools ?? []) ??
    findPermissionProblem(definition.permissions ?? {}) ??
    findTermProblem(definition)
  );
}

function findLimitProblem(definition: AgentDefinition<unknown, unknown>): Problem | undefined {
  const { turnsMax, repairsMax, confidence } = definition;
  if (turnsMax !== undefined && !isCount(turnsMax, 1))
    return { what: `its turnsMax is ${turnsMax}`, hint: "Give a whole number from 1 up." };
  if (repairsMax !== undefined && !isCount(repairsMax, 0))
    return { what: `its repairsMax is ${repairsMax}`, hint: "Give a whole number from 0 up." };
  const problem = definition.budget === undefined ? undefined : findBudgetProblem(definition.budget);
  if (problem !== undefined)
    return { what: `its budget can't be kept: ${problem}`, hint: "Leave out what is not limited." };
  for (const limit of ["tokensMax", "durationMaxMs", "costMaxUsd"] as const) {
    const max = definition[limit];
    if (max !== undefined && !(max > 0))
      return { what: `its ${limit} is ${max}`, hint: "Give a positive number, or leave it out." };
  }
  if (confidence !== undefined && confidence !== "self")
    return { what: `its confidence is ${JSON.stringify(confidence)}`, hint: 'Say "self", or leave it out.' };
  return undefined;
}

function findCompactionProblem(rule: Compaction | undefined): Problem | undefined {
  if (rule === undefined) return undefined;
  const { afterMessages, afterTokens, keepTurns, by } = rule;
  if (afterMessages === undefined && afterTokens === undefined)
    return { what: "its compaction never comes", hint: "Give `afterMessages` or `afterTokens`." };
  const wrong = Object.entries({ afterMessages, afterTokens, keepTurns }).find(
    ([name, count]) => (count !== undefined || name === "keepTurns") && !isCount(count, 1),
  );
  if (wrong !== undefined)
    return { what: `its compact.${wrong[0]} is ${wrong[1]}`, hint: "Give a whole number from 1 up." };
  if (by !== "drop" && (typeof by?.model !== "string" || by.model.trim() === ""))
    return { what: "its compaction does not say how", hint: 'Say `by: "drop"` or `by: { model: "fast" }`.' };
  return undefined;
}

function findToolProblem(given: NonNullable<AgentDefinition<unknown, unknown>["tools"]>): Problem | undefined {
  const names = new Set<string>();
  for (const tool of "kind" in given ? given.tools : given) {
    if (tool?.kind !== "tool") return { what: "one of its tools is none", hint: "Declare tools with tool({ … })." };
    if (tool.name === findToolsName)
      return { what: `it has a tool named ${findToolsName}`, hint: "Give it another name: agents search by this one." };
    if (names.has(tool.name))
      return {
        what: `it has two tools named ${tool.name}`,
        hint: "Give one another name: a model calls tools by name.",
      };
    names.add(tool.name);
  }
  return undefined;
}

function isCount(value: unknown, min: number): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= min;
}
