import { estimateTokens } from "../../base/token-estimate.ts";
import type { Tool } from "../../contracts/callable.ts";
import type { ModelTool } from "../../contracts/model.ts";
import { toJsonSchema } from "../../contracts/schema.ts";

/**
 * A tool as a model is shown it.
 * @throws TuttiError DEFINITION_INVALID when its input can't be said in JSON Schema.
 */
export function describeTool(tool: Tool): ModelTool {
  return { name: tool.name, does: tool.does, input: toJsonSchema(tool.input, "input", `the input of ${tool.name}`) };
}

/** About what a description costs in every question to a model. */
export function toDescriptionTokens({ name, does, input }: ModelTool): number {
  return estimateTokens(JSON.stringify({ name, description: does, parameters: input }));
}
