import { z } from "zod";

import { agent } from "../../packages/tutti/src/agents/agent.ts";
import { TuttiError } from "../../packages/tutti/src/base/errors.ts";
import type { LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import type { Tutti } from "../../packages/tutti/src/engine/tutti.ts";
import type { Ledger } from "../../packages/tutti/src/ledger/ledger.ts";
import type { ManualClock } from "../../packages/tutti/src/testing/manual-clock.ts";
import { scriptedModel, type ScriptedModel } from "../../packages/tutti/src/testing/scripted-model.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";
import { openStage, plainFlow } from "../engine/engine-fixture.ts";

/** What the tools and models of these runs are asked, long enough to be recognised where it must not be. */
export const privateWords = "the harvest of the northern orchard";

const lookUp = tool({
  name: "orchard.look-up",
  does: "Looks up.",
  input: z.object({ what: z.string() }),
  output: z.object({ found: z.string() }),
  effect: "read",
  retry: { attemptsMax: 3, delayMs: 1_000 },
  run: ({ what }, { attempt }) => {
    if (attempt === 1) throw new TuttiError("TOOL_UNAVAILABLE", "not yet");
    return { found: `so much of ${what}` };
  },
});

const publish = tool({
  name: "orchard.publish",
  does: "Publishes.",
  input: z.object({ text: z.string() }),
  output: z.object({ page: z.string() }),
  effect: "once",
  key: ({ text }) => text,
  run: ({ text }) => ({ page: `page of ${text}` }),
});

const reporter = agent({
  name: "reporter",
  does: "Reports.",
  model: "fast",
  tools: [lookUp],
  input: z.object({ about: z.string() }),
  output: z.object({ report: z.string() }),
  instructions: "",
});

const child = plainFlow("printing", (run) => run.call(publish, { text: `${privateWords}, printed` }));

export const reporting = plainFlow("reporting", async (run) => {
  const { report } = await run.call(reporter, { about: privateWords });
  run.record("decision-made", {
    about: "what to print",
    chosen: report,
    why: privateWords,
    alternatives: [{ name: "nothing", why: "late", score: 0.1 }],
    confidence: { value: 0.75, source: "judge" },
  });
  const page = await run.call(publish, { text: report });
  await run.call(publish, { text: report }).catch(() => undefined);
  await run.sleep(5_000);
  await run.call(child, {});
  await run.wait("printed", { timeoutMs: 60_000 });
  return page;
});

/** A question that is paid and lost, then a call of a tool, then the report. */
function toModel(): ScriptedModel {
  const facts = { modelCalls: 1, inputTokens: 7, outputTokens: 3, costUsd: 0.02 };
  return scriptedModel([
    { error: new TuttiError("MODEL_UNAVAILABLE", "paid and lost", { facts }) },
    { toolCalls: [{ id: "a", tool: "orchard.look-up", input: { what: privateWords } }] },
    { answer: { report: `${privateWords} is in` }, confidence: { value: 0.9, source: "logprobs" } },
  ]);
}

export interface TracedRuns {
  readonly ledger: Ledger;
  readonly clock: ManualClock;
  readonly entries: readonly LedgerEntry[];
  readonly tutti: Tutti;
}

/** A run with agents, retries, an effect, a child, a decision and waits; a fork of it; and one that fails. */
export async function playTracedRuns(): Promise<TracedRuns> {
  const stage = openStage();
  const { clock, ledger, entries } = stage;
  const failing = plainFlow("failing", () => Promise.reject(new TuttiError("TOOL_FAILED", "no paper")));
  const tutti = await stage.open([reporting, child, failing], { models: { fast: toModel() } });
  const run = await tutti.start(reporting, {}, { id: "traced", tenant: "acme" });
  await clock.advance(30_000);
  await run.signal("printed", {});
  await run.result();
  await tutti.run(failing, {}, { id: "failing" }).catch(() => undefined);
  const published = entries.find(({ kind, run: of }) => kind === "effect-intended" && of === run.id);
  if (published === undefined) throw new Error("nothing was published");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key of a step's entry is its path
  const forked = await run.fork(published.key as Parameters<typeof run.fork>[0]);
  await clock.advance(30_000);
  await forked.signal("printed", {});
  await forked.result();
  return { ledger, clock, entries, tutti };
}
