import { TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { toCanonicalJson } from "../base/json.ts";
import type { Tool } from "../contracts/callable.ts";
import type { ModelTool } from "../contracts/model.ts";
import type { Agent } from "../contracts/run.ts";
import { toJsonSchema, type Schema } from "../contracts/schema.ts";
import { actInTurns } from "./agent-loop.ts";

/** What `agent` is given. The input and output types follow from the two schemas. */
export interface AgentDefinition<Input, Output> {
  /** Letters, digits and `_ . -`, at most 64, the first a letter. */
  readonly name: string;
  /** One sentence for the people and agents that choose it. */
  readonly does: string;
  /** A tier, not a vendor: the engine is told which model stands behind `fast`, `balanced` or `deep`. */
  readonly model: string;
  readonly tools?: readonly Tool[];
  readonly input: Schema<Input>;
  readonly output: Schema<Output>;
  /** How it works; its role, its input and the rules about evidence are said for it. */
  readonly instructions: string;
  /** How often the model may be asked for one call of the agent; 12 by default. */
  readonly turnsMax?: number;
}

const namePattern = /^[A-Za-z][\w.-]{0,63}$/;
const turnsDefault = 12;

/**
 * Declares an agent: a role that reaches a typed result by itself, with a model and tools, in durable steps of the run that calls it.
 * @throws TuttiError DEFINITION_INVALID when the declaration can't work.
 */
export function agent<Input, Output>(definition: AgentDefinition<Input, Output>): Agent<Input, Output> {
  const problem = findProblem(definition);
  if (problem !== undefined)
    throw new TuttiError("DEFINITION_INVALID", `agent ${JSON.stringify(definition.name)}: ${problem.what}`, {
      hint: problem.hint,
    });
  const { name, does, model, instructions, input, output, tools = [], turnsMax = turnsDefault } = definition;
  const modelTools = tools.map((tool): ModelTool => ({
    name: tool.name,
    does: tool.does,
    input: toJsonSchema(tool.input, "input", `the input of ${tool.name}`),
  }));
  const answer = { name, schema: toJsonSchema(output, "input", `the output of ${name}`) };
  const loop = { name, does, instructions, tier: model, tools, modelTools, answer, output, turnsMax };
  return {
    kind: "agent",
    name,
    version: toVersion({
      name,
      instructions,
      tier: model,
      tools: modelTools.map((tool) => [tool.name, tool.input]),
      output: answer.schema,
    }),
    does,
    input,
    output,
    tools,
    act: (run, given, host) => actInTurns(loop, run, { input: given, host }),
  };
}

// Whatever changes what the model is asked changes the version; how the declaration is formatted does not.
function toVersion(parts: unknown): string {
  return sha256(toCanonicalJson(parts)).slice(0, 12);
}

interface Problem {
  readonly what: string;
  readonly hint: string;
}

function findProblem(definition: AgentDefinition<unknown, unknown>): Problem | undefined {
  const { name, does, model, instructions, tools = [], turnsMax } = definition;
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
  if (turnsMax !== undefined && (!Number.isSafeInteger(turnsMax) || turnsMax < 1)) {
    return { what: `its turnsMax is ${turnsMax}`, hint: "Give a whole number from 1 up." };
  }
  const names = new Set<string>();
  for (const tool of tools) {
    if (tool?.kind !== "tool") return { what: "one of its tools is none", hint: "Declare tools with tool({ … })." };
    if (names.has(tool.name))
      return {
        what: `it has two tools named ${tool.name}`,
        hint: "Give one another name: a model calls tools by name.",
      };
    names.add(tool.name);
  }
  return undefined;
}
