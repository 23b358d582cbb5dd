import type { Tool } from "../contracts/callable.ts";
import type { ModelTool } from "../contracts/model.ts";
import { describeTool, toDescriptionTokens } from "../tools/registry/describe-tool.ts";
import { findToolsName, toFindTools } from "../tools/registry/find-tools.ts";
import { registry, type Registry } from "../tools/registry/registry.ts";

/** More than this in descriptions, and a model is shown a search and the few tools that fit. */
export const descriptionTokensMax = 2_000;
// Room is left: for some descriptions a real tokenizer counts a few per cent more than the estimate.
const startTokensMax = 1_600;
const startToolsMax = 5;
/** Room for what was found; the tools that were found first leave when it is used up. */
const foundTokensMax = 6_000;

/** An agent's tools, and how a model comes to see them. */
export interface Kit {
  readonly tools: readonly Tool[];
  readonly descriptionByName: ReadonlyMap<string, ModelTool>;
  /** Set when there are too many to be shown at once. */
  readonly search: { readonly registry: Registry; readonly tool: Tool } | undefined;
}

/** What a model is shown, which follows from the task and from what it found. */
export interface ToolChoice {
  readonly shown: readonly ModelTool[];
  /** A tool of the agent, shown or not: a model that knows a name may call it. */
  find(name: string): Tool | undefined;
  /** From the next turn on these are shown too. */
  show(names: readonly string[]): void;
}

/** @throws TuttiError DEFINITION_INVALID */
export function toKit(given: readonly Tool[] | Registry): Kit {
  const tools = "kind" in given ? given.tools : given;
  const descriptions = tools.map(describeTool);
  const tokens = descriptions.reduce((sum, description) => sum + toDescriptionTokens(description), 0);
  const descriptionByName = new Map(descriptions.map((description) => [description.name, description]));
  if (!("kind" in given) && tokens <= descriptionTokensMax) return { tools, descriptionByName, search: undefined };
  const searched = "kind" in given ? given : registry(tools);
  const search = toFindTools(searched);
  return {
    tools,
    descriptionByName: descriptionByName.set(findToolsName, describeTool(search)),
    search: { registry: searched, tool: search },
  };
}

/** The choice for one call of an agent: everything, or the search and what fits the task. */
export function openToolChoice(kit: Kit, task: string): ToolChoice {
  const { search, descriptionByName } = kit;
  if (search === undefined) {
    const toolByName = new Map(kit.tools.map((tool) => [tool.name, tool]));
    return { shown: [...descriptionByName.values()], find: (name) => toolByName.get(name), show: () => {} };
  }
  const names = new Set([findToolsName, ...toFitting(kit, task)]);
  const found: string[] = [];
  const describe = (name: string): ModelTool[] => {
    const description = descriptionByName.get(name);
    return description === undefined ? [] : [description];
  };
  return {
    get shown() {
      return [...names, ...found].flatMap(describe);
    },
    find: (name) => (name === findToolsName ? search.tool : search.registry.find(name)),
    show(more) {
      for (const name of more) if (!names.has(name) && !found.includes(name)) found.push(name);
      while (found.length > 1 && toTokens(found.flatMap(describe)) > foundTokensMax) found.shift();
    },
  };
}

function toFitting({ search, descriptionByName }: Kit, task: string): string[] {
  let left = startTokensMax - toTokens([...descriptionByName.values()].slice(-1)); // the search is the last one
  const fitting: string[] = [];
  for (const { tool } of search?.registry.rank(task, startToolsMax) ?? []) {
    const description = descriptionByName.get(tool.name);
    const tokens = description === undefined ? 0 : toDescriptionTokens(description);
    if (tokens > left) continue;
    left -= tokens;
    fitting.push(tool.name);
  }
  return fitting;
}

function toTokens(descriptions: readonly ModelTool[]): number {
  return descriptions.reduce((sum, description) => sum + toDescriptionTokens(description), 0);
}
