import { expect, test } from "vitest";
import { z } from "zod";

import { play, surviveEveryCrash, toolResults, toScholar } from "../../../../test/agents/agent-fixture.ts";
import { toRecordedTools } from "../../../../test/registry/recorded-tools.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { ModelRequest } from "../contracts/model.ts";
import { scriptedModel, type ScriptedModel } from "../testing/scripted-model.ts";
import { describeTool, toDescriptionTokens } from "../tools/registry/describe-tool.ts";
import { findToolsName } from "../tools/registry/find-tools.ts";
import { registry } from "../tools/registry/registry.ts";
import { tool } from "../tools/tool.ts";
import { descriptionTokensMax, openToolChoice, toKit } from "./tool-choice.ts";

const recorded = toRecordedTools();

function tokensShown({ tools }: Pick<ModelRequest, "tools">): number {
  return tools.reduce((sum, description) => sum + toDescriptionTokens(description), 0);
}

function foundNames(result: unknown): readonly string[] {
  return [...JSON.stringify(result).matchAll(/"name":"([^"]+)"/g)].map((match) => match[1] ?? "");
}

/** Searches for a tool, calls what it found first, and answers with what came back. */
function seeker(need: string): ScriptedModel {
  return scriptedModel(({ messages }) => {
    const [found, called] = toolResults(messages);
    if (found === undefined) return { toolCalls: [{ id: "f", tool: findToolsName, input: { need } }] };
    const [first] = foundNames(found.result);
    if (called === undefined) return { toolCalls: [{ id: "c", tool: first ?? "", input: { title: "Crash" } }] };
    return { answer: { answer: `${first}: ${JSON.stringify(called.result)}` } };
  });
}

test(
  "an agent with 200 tools begins with a search and the few that fit: under 2,000 tokens of description",
  verifies("K1"),
  async () => {
    const model = seeker("create an issue on GitHub");
    const callee = toScholar({ tools: recorded, does: "Answers questions about a Slack workspace." });
    await play(model, callee);
    const [first] = model.requests;
    const shown = first?.tools.map((description) => description.name) ?? [];
    expect(recorded).toHaveLength(200);
    expect(tokensShown({ tools: recorded.map(describeTool) })).toBeGreaterThan(50_000);
    expect(tokensShown(first ?? { tools: [] })).toBeLessThan(2_000);
    expect(shown[0]).toBe(findToolsName);
    expect(shown.filter((name) => name.startsWith("slack.")).length).toBeGreaterThan(1);
    expect(first?.messages[0]).toMatchObject({ text: expect.stringContaining("find_tools") });
  },
);

test("whatever the task, an agent with 200 tools begins with under 2,000 tokens of description", verifies("K1"), () => {
  const kit = toKit(recorded);
  for (const { name, does } of recorded) {
    expect(tokensShown({ tools: openToolChoice(kit, `${name} ${does}`).shown })).toBeLessThan(2_000);
  }
});

test("what the search finds can be called in the next turn, with its whole description", verifies("K1"), async () => {
  const model = seeker("create an issue on GitHub");
  const { outcome, entries } = await play(model, toScholar({ tools: registry(recorded) }));
  expect(outcome).toMatchObject({ output: { answer: 'github.create_issue: {"title":"Crash"}' } });
  expect(model.requests[0]?.tools.map((description) => description.name)).not.toContain("github.create_issue");
  expect(model.requests[1]?.tools).toContainEqual(
    expect.objectContaining({
      name: "github.create_issue",
      input: expect.objectContaining({ required: expect.arrayContaining(["title"]) }),
    }),
  );
  expect(entries.some((entry) => entry.key === "/scholar/find_tools:f")).toBe(true);
});

test("what was found is the same after a crash at any entry", verifies("D1", "K1"), async () => {
  const callee = toScholar({ tools: recorded });
  expect((await surviveEveryCrash(callee, () => seeker("create an issue on GitHub"))).differences).toEqual([]);
});

test("a tool that is not shown may be called by its name; an input that does not fit makes it shown", async () => {
  const weigh = tool({
    name: "parcel.weigh",
    does: "Weighs a parcel.",
    input: z.object({ parcel: z.string() }),
    output: z.string(),
    effect: "read",
    run: ({ parcel }) => `${parcel} weighs nothing`,
  });
  const model = scriptedModel([
    { toolCalls: [{ id: "a", tool: weigh.name, input: { parcel: 7 } }] },
    { toolCalls: [{ id: "b", tool: weigh.name, input: { parcel: "seven" } }] },
    { answer: { answer: "so" } },
  ]);
  await play(model, toScholar({ tools: [...recorded, weigh] }));
  const isShown = model.requests.map(({ tools }) => tools.some(({ name }) => name === weigh.name));
  expect(isShown).toEqual([false, true, true]);
  expect(toolResults(model.requests[2]?.messages ?? [])).toMatchObject([
    { isError: true },
    { isError: false, result: "seven weighs nothing" },
  ]);
});

test("what was found first leaves when there is no more room", () => {
  const choice = openToolChoice(toKit(recorded), "");
  choice.show(recorded.map((each) => each.name));
  expect(tokensShown({ tools: choice.shown })).toBeLessThan(8_000);
  expect(choice.shown.at(-1)?.name).toBe(recorded.at(-1)?.name);
  expect(choice.find("github.create_issue")?.name).toBe("github.create_issue");
});

test("few tools are shown as they are, without a search", () => {
  const few = recorded.slice(0, 3);
  const kit = toKit(few);
  expect(tokensShown({ tools: few.map(describeTool) })).toBeLessThanOrEqual(descriptionTokensMax);
  expect(openToolChoice(kit, "").shown.map((description) => description.name)).toEqual(few.map((each) => each.name));
});
