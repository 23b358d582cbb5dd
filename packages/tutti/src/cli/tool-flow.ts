import type { Tool } from "../contracts/callable.ts";
import type { Flow } from "../contracts/run.ts";

/**
 * For each tool a flow of one step, so that a call from the command line is recorded, deduplicated and brought back like any other. Of two
 * tools of one name the first counts; whoever calls one by its name refuses them before.
 */
export function toToolFlows(tools: readonly Tool[]): readonly Flow[] {
  const flowByName = new Map<string, Flow>();
  for (const tool of tools) {
    const name = toToolFlowName(tool.name);
    if (!flowByName.has(name)) flowByName.set(name, toToolFlow(name, tool));
  }
  return [...flowByName.values()];
}

/** No flow of a user's can have a colon in its name. */
export function toToolFlowName(tool: string): string {
  return `tool:${tool}`;
}

function toToolFlow(name: string, tool: Tool): Flow {
  return {
    kind: "flow",
    name,
    version: "1",
    input: tool.input,
    output: tool.output,
    onFailure: "keep",
    run: (run, input) => run.call(tool, input),
  };
}
