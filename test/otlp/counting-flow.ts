import { z } from "zod";

import { agent } from "../../packages/tutti/src/agents/agent.ts";
import { scriptedModel, type ScriptedModel } from "../../packages/tutti/src/testing/scripted-model.ts";
import { plainFlow } from "../engine/engine-fixture.ts";

const counter = agent({
  name: "counter",
  does: "Counts.",
  model: "fast",
  input: z.object({ upTo: z.number() }),
  output: z.object({ sum: z.number() }),
  instructions: "",
});

/** A flow whose every run asks a model twice and does two steps. */
export const counting = plainFlow("counting", async (run) => {
  const { sum } = await run.call(counter, { upTo: 2 });
  await run.step("write", () => sum);
  await run.call(counter, { upTo: sum });
  return run.step("done", () => sum);
});

export function countingModel(): ScriptedModel {
  return scriptedModel(() => ({ answer: { sum: 3 } }));
}
