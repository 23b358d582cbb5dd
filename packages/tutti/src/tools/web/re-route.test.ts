import { expect, test } from "vitest";
import { z } from "zod";

import { bodiesOf, linesOf, openStage } from "../../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { agent } from "../../agents/agent.ts";
import { isTuttiError, TuttiError } from "../../base/errors.ts";
import { flow, signal } from "../../flow/flow.ts";
import { scriptedModel } from "../../testing/scripted-model.ts";
import { webSearch, type SearchProvider } from "./web-search.ts";

const empty = (name: string, asked: string[]): SearchProvider => ({
  name,
  run({ query }) {
    asked.push(`${name}: ${query}`);
    return { hits: [], query, trust: "untrusted" };
  },
});

const answered = signal({ name: "answered", payload: z.object({ text: z.string() }) });
const Answer = z.object({ text: z.string() });

test(
  "what finds nothing takes the next provider, other words, another agent, and then a person; each turn is in the ledger",
  verifies("D8"),
  async () => {
    const asked: string[] = [];
    const down: SearchProvider = {
      name: "down",
      run() {
        throw new TuttiError("TOOL_REFUSED", "no key");
      },
    };
    const search = webSearch({ providers: [down, empty("a", asked), empty("b", asked)] });
    const archivist = agent({
      name: "archivist",
      does: "Knows what the web does not.",
      model: "fast",
      tools: [webSearch({ name: "archive.search", providers: [empty("archive", asked)] })],
      input: z.object({ question: z.string() }),
      output: z.object({ found: z.boolean(), text: z.string() }),
      instructions: "An honest no is an answer.",
    });
    const research = flow({
      name: "research",
      input: z.object({ question: z.string() }),
      output: Answer,
      async run(run, { question }) {
        try {
          const { hits } = await run.call(search, { query: question });
          return { text: hits[0]?.snippet ?? "" };
        } catch (error) {
          if (!isTuttiError(error) || error.code !== "TOOL_EMPTY") throw error;
        }
        const { found, text } = await run.call(archivist, { question });
        return found ? { text } : run.wait(answered);
      },
    });
    const model = scriptedModel([
      { toolCalls: [{ id: "1", tool: "archive.search", input: { query: "lost word" } }] },
      { text: JSON.stringify({ found: false, text: "" }) },
    ]);
    const stage = openStage();
    const tutti = await stage.open([research], { models: { fast: model } });
    const run = await tutti.start(research, { question: "one lost word" });
    expect(await run.settled()).toMatchObject({ kind: "waiting" });
    await run.signal(answered, { text: "somebody knew" });
    expect(await run.result()).toEqual({ text: "somebody knew" });
    expect(asked).toEqual([
      "a: one lost word",
      "b: one lost word",
      "a: lost word",
      "b: lost word",
      "archive: lost word",
    ]);
    await stage.ledger.flush();
    expect(linesOf(stage.entries)).toEqual([
      "run-started",
      "step-failed /web.search",
      "agent-started /archivist",
      "step-done /archivist/model",
      "step-failed /archivist/archive.search:1",
      "step-done /archivist/model#2",
      "scope-closed /archivist",
      "signal-received",
      "run-done",
    ]);
    expect(
      bodiesOf(stage.entries, "step-failed").map(({ error, report }) => [error.code, report?.tried?.length]),
    ).toEqual([
      ["TOOL_EMPTY", 5],
      ["TOOL_EMPTY", 1],
    ]);
  },
);
