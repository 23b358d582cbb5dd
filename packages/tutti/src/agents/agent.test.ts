import { expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../test/verifies.ts";
import { tool } from "../tools/tool.ts";
import { agent, type AgentDefinition } from "./agent.ts";

const search = tool({
  name: "search",
  does: "Searches.",
  input: z.object({ query: z.string() }),
  output: z.object({ hits: z.array(z.string()) }),
  effect: "read",
  run: () => ({ hits: [] }),
});

const researcher = {
  name: "researcher",
  does: "Answers one question.",
  model: "fast",
  tools: [search],
  input: z.object({ question: z.string() }),
  output: z.object({ answer: z.string() }),
  instructions: "Quote verbatim.",
} as const satisfies AgentDefinition<{ question: string }, { answer: string }>;

test(
  "an agent's version is the same on every machine, and another one when what it does changes",
  verifies("G1"),
  () => {
    const { version } = agent(researcher);
    expect(version).toMatch(/^[0-9a-f]{12}$/);
    expect(agent({ ...researcher, does: "Answers a question well.", turnsMax: 3 }).version).toBe(version);
    const changes: readonly Partial<AgentDefinition<{ question: string }, { answer: string }>>[] = [
      { name: "scout" },
      { instructions: "Be brief." },
      { model: "deep" },
      { tools: [] },
      { tools: [tool({ ...search, input: z.object({ query: z.string(), limit: z.int() }) })] },
      { output: z.object({ answer: z.string().max(9) }) },
    ];
    expect(new Set([version, ...changes.map((change) => agent({ ...researcher, ...change }).version)]).size).toBe(
      changes.length + 1,
    );
  },
);

const valibotLike = { "~standard": { version: 1, vendor: "plain", validate: (value: unknown) => ({ value }) } };

const broken: readonly [promise: string, change: Readonly<Record<string, unknown>>, says: string][] = [
  ["an empty name", { name: "" }, "name"],
  ["a name that would break a path", { name: "a/b" }, "name"],
  ["no sentence about it", { does: "" }, "what it does"],
  ["no tier", { model: " " }, "tier"],
  ["no instructions", { instructions: undefined }, "instructions"],
  ["no turns", { turnsMax: 0 }, "turnsMax"],
  ["half a turn", { turnsMax: 1.5 }, "turnsMax"],
  ["a tool that is none", { tools: [{ name: "x" }] }, "tools"],
  ["two tools of one name", { tools: [search, search] }, "two tools named search"],
  ["an output that a model can't be shown", { output: valibotLike }, "JSON Schema"],
];

for (const [promise, change, says] of broken) {
  test(`an agent with ${promise} is refused when it is declared, with a hint`, verifies("K4"), () => {
    expect(() => Reflect.apply(agent, undefined, [{ ...researcher, ...change }])).toThrow(
      expect.objectContaining({
        code: "DEFINITION_INVALID",
        message: expect.stringContaining(says),
        hint: expect.any(String),
      }),
    );
  });
}
