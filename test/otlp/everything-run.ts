import { z } from "zod";

import { agent } from "../../packages/tutti/src/agents/agent.ts";
import { toStepKey } from "../../packages/tutti/src/contracts/ids.ts";
import type { Tutti } from "../../packages/tutti/src/engine/tutti.ts";
import { document } from "../../packages/tutti/src/flow/document.ts";
import { scriptedModel } from "../../packages/tutti/src/testing/scripted-model.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";
import { toAskingPolicy, vote } from "../approvals/approval-fixture.ts";
import { openStage, plainFlow, type Stage } from "../engine/engine-fixture.ts";

const stock = document({ name: "stock", value: z.number(), initial: 10 });

const toAgent = (name: string) =>
  agent({
    name,
    does: "Thinks.",
    model: "fast",
    input: z.object({}),
    output: z.object({ word: z.string() }),
    instructions: "",
  });

const send = tool({
  name: "mail.send",
  does: "Sends.",
  input: z.object({ to: z.string() }),
  output: z.object({ sent: z.string() }),
  effect: "once",
  key: ({ to }) => to,
  run: ({ to }) => ({ sent: to }),
});

const taking = plainFlow("taking", (run) => run.document(stock, "apples").change((left) => left - 1));

/** A run with everything beside calls: a plan, a message with its answer, votes, documents with a conflict, policies, approvals, a directive. */
const toEverything = (engine: () => Tutti) =>
  plainFlow("everything", async (run) => {
    await run.call(toAgent("planner"), {});
    const draft = await run.step("draft", () => "a draft");
    const asked = run.record("message-sent", {
      from: "planner",
      to: "writer",
      intent: "please look",
      bytes: draft.length,
      readBy: toStepKey("/draft"),
    });
    run.record("message-sent", { from: "writer", to: "planner", intent: "looked", bytes: 6, inReplyTo: asked });
    await run.agree([toAgent("optimist"), toAgent("pessimist")], {}, { by: { kind: "vote" }, name: "poll" });
    await run.document(stock, "apples").read();
    await run.transact(async (tx) => {
      const left = (await tx.document(stock, "apples").read()).value;
      await tx.step("think", async () => {
        if (tx.attempt === 1) await engine().run(taking, null);
      });
      await tx.document(stock, "apples").write(left - 3);
    });
    await run.wait("told");
    await run.approve("go on?", { deadlineMs: 60_000 });
    return run.call(send, { to: "anna" });
  });

export interface EverythingPlayed {
  readonly stage: Stage;
  readonly tutti: Tutti;
}

/** Plays the run `all`, with everything beside calls that a trace tells. */
export async function playEverything(): Promise<EverythingPlayed> {
  const stage = openStage();
  const everything = toEverything(() => tutti);
  const tutti = await stage.open([everything, taking], {
    tools: [send],
    models: {
      fast: scriptedModel(() => ({ answer: { word: "yes" }, confidence: { value: 0.8, source: "logprobs" } })),
    },
    policy: toAskingPolicy({}, { tool: send.name }),
    budgets: { "flow/everything": { calls: 100 } },
  });
  const run = await tutti.start(everything, {}, { id: "all" });
  await run.settled();
  await run.steer({ kind: "constraint", text: "only in Europe" }, { by: "ada" });
  await run.signal("told", {});
  await run.settled();
  await vote(tutti, "bert");
  await run.settled();
  await vote(tutti, "bert");
  await run.result();
  return { stage, tutti };
}
