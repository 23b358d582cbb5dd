import { TuttiError } from "../../base/errors.ts";
import type { Tool } from "../../contracts/callable.ts";
import { toToolIndex, type ToolIndex } from "./tool-index.ts";

/** Many tools behind one search, so that an agent is shown the few that fit. */
export interface Registry {
  readonly kind: "registry";
  readonly tools: readonly Tool[];
  /** The tool of exactly this name. */
  find(name: string): Tool | undefined;
  /** The tools that fit a request in words, best first; the same for the same tools and request. */
  rank(request: string, limit: number): readonly RankedTool[];
}

export interface RankedTool {
  readonly tool: Tool;
  /** Higher is better; comparable within one ranking only. */
  readonly score: number;
}

/**
 * Declares a registry of tools. Nothing is indexed before somebody searches.
 * @throws TuttiError DEFINITION_INVALID when two tools have one name.
 */
export function registry(tools: readonly Tool[]): Registry {
  const toolByName = new Map<string, Tool>();
  for (const tool of tools) {
    if (toolByName.has(tool.name)) {
      throw new TuttiError("DEFINITION_INVALID", `the registry has two tools named ${tool.name}`, {
        hint: "Give one another name: a model calls tools by name.",
      });
    }
    toolByName.set(tool.name, tool);
  }
  let index: ToolIndex | undefined;
  return {
    kind: "registry",
    tools,
    find: (name) => toolByName.get(name),
    rank(request, limit) {
      index ??= toToolIndex(tools);
      return index.rank(request, limit).flatMap(({ index: at, score }) => {
        const tool = tools[at];
        return tool === undefined ? [] : [{ tool, score }];
      });
    },
  };
}
