import { expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../test/verifies.ts";
import { tool } from "../tools/tool.ts";
import type { AgentDefinition } from "./agent-definition.ts";
import { agent } from "./agent.ts";

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
    const more = { turnsMax: 3, repairsMax: 2, tokensMax: 9_000, durationMaxMs: 9_000, costMaxUsd: 1, tags: ["x"] };
    expect(agent({ ...researcher, ...more }).version).toBe(version);
    const changes: readonly Partial<AgentDefinition<{ question: string }, { answer: string }>>[] = [
      { name: "scout" },
      { does: "Answers a question well." },
      { coordination: false },
      { coordination: { evidence: "Two sources." } },
      { confidence: "self" },
      { ensures: [{ name: "it is short", check: () => true }] },
      { compact: { afterMessages: 9, keepTurns: 2, by: "drop" } },
      { instructions: "Be brief." },
      { model: "deep" },
      { tools: [] },
      { tools: [tool({ ...search, input: z.object({ query: z.string(), limit: z.int() }) })] },
      { tools: [tool({ ...search, does: "Searches well." })] },
      { tools: [tool({ ...search, name: "seek" })] },
      { tools: [tool({ ...search, output: z.object({ hits: z.array(z.string()), more: z.boolean() }) })] },
      { tools: [tool({ ...search, effect: "idempotent" })] },
      { tools: [tool({ ...search, dataOut: ["personal"] })] },
      { tools: [tool({ ...search, run: () => ({ hits: ["another one"] }) })] },
      { tools: [tool({ ...search, needs: [{ name: "it is day", check: () => true }] })] },
      { hints: { difficulty: "hard" } },
      { stepDown: () => "fast" },
      { ensures: [{ name: "it is short", check: ({ answer }) => answer.length < 9 }] },
      { permissions: { autonomyMax: 2 } },
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
  ["autonomy that is no level", { permissions: { autonomyMax: 9 } }, "autonomyMax"],
  ["a permission for no tool", { permissions: { tools: { "a*b": {} } } }, "no tool"],
  ["less than no repair", { repairsMax: -1 }, "repairsMax"],
  ["no tokens", { tokensMax: 0 }, "tokensMax"],
  ["no time", { durationMaxMs: Number.NaN }, "durationMaxMs"],
  ["no money", { costMaxUsd: -1 }, "costMaxUsd"],
  ["a confidence that is none", { confidence: "high" }, "confidence"],
  ["a compaction that never comes", { compact: { keepTurns: 2, by: "drop" } }, "never"],
  ["a compaction that keeps nothing", { compact: { afterMessages: 9, keepTurns: 0, by: "drop" } }, "keepTurns"],
  ["a compaction that keeps nobody knows what", { compact: { afterMessages: 9, by: "drop" } }, "keepTurns"],
  ["a compaction by nobody", { compact: { afterMessages: 9, keepTurns: 2 } }, "how"],
  ["a need without a check", { needs: [{ name: "x" }] }, "needs"],
  ["a tool by the name of the search", { tools: [tool({ ...search, name: "find_tools" })] }, "find_tools"],
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
