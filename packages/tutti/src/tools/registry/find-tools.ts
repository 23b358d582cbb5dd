import { fields, integer, listOf, text } from "../../base/shape.ts";
import type { Tool } from "../../contracts/callable.ts";
import { schemaOf } from "../../contracts/schema.ts";
import { tool } from "../tool.ts";
import type { Registry } from "./registry.ts";

export interface FindInput {
  readonly need: string;
  readonly limit?: number;
}

export interface FoundTools {
  readonly tools: readonly { readonly name: string; readonly does: string }[];
}

/** The name under which a model searches a registry. */
export const findToolsName = "find_tools";

const limitDefault = 5;
const limitMax = 10;
const doesCharactersMax = 160;

/** A tool that finds others: it answers with names, and what it found can be called from then on. */
export function toFindTools(registry: Registry): Tool<FindInput, FoundTools> {
  return tool({
    name: findToolsName,
    does: `Finds tools by what they do: you see only a few of ${registry.tools.length}. Those that it finds can be called in your next turn.`,
    input: findInput,
    output: foundTools,
    effect: "read",
    run({ need, limit }) {
      const found = registry.rank(need, Math.min(Math.max(1, limit ?? limitDefault), limitMax));
      return { tools: found.map(({ tool: each }) => ({ name: each.name, does: toFirstWords(each.does) })) };
    },
  });
}

function toFirstWords(does: string): string {
  const words = does.replaceAll(/\s+/gu, " ").trim();
  return words.length <= doesCharactersMax ? words : `${words.slice(0, doesCharactersMax - 1)}…`;
}

const findInput = schemaOf<FindInput>(fields({ need: text }, { limit: integer }), {
  type: "object",
  properties: {
    need: { type: "string", description: "What the tool should do, in plain words: one thing at a time." },
    limit: { type: "integer", minimum: 1, maximum: limitMax, description: `${limitDefault} by default.` },
  },
  required: ["need"],
  additionalProperties: false,
});

const foundTools = schemaOf<FoundTools>(fields({ tools: listOf(fields({ name: text, does: text })) }), {
  type: "object",
});
