import { afterEach } from "vitest";
import { z } from "zod";

import { agent } from "../../packages/tutti/src/agents/agent.ts";
import type { ModelMessage, ToolCall } from "../../packages/tutti/src/contracts/model.ts";
import type { Agent, Flow } from "../../packages/tutti/src/contracts/run.ts";
import type { Tutti } from "../../packages/tutti/src/engine/tutti.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import {
  scriptedModel,
  type ScriptedModel,
  type ScriptedReply,
} from "../../packages/tutti/src/testing/scripted-model.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";
import { anything, makeGate, type Stage } from "../engine/engine-fixture.ts";

let opened: Tutti[] = [];
afterEach(async () => {
  await Promise.all(opened.map((tutti) => tutti.close()));
  opened = [];
});

export const ada = { by: "Ada", reason: "the client asked for it" };

export const sent: string[] = [];
export const send = tool({
  name: "send",
  does: "Sends a letter.",
  input: z.object({ text: z.string() }),
  output: z.object({ sent: z.string() }),
  effect: "once",
  run({ text }) {
    sent.push(text);
    return { sent: text };
  },
  undo: ({ sent: text }) => void sent.push(`back: ${text}`),
});
afterEach(() => void (sent.length = 0));

export const writer: Agent<{ topic: string }, { text: string }> = agent({
  name: "writer",
  does: "Writes.",
  model: "fast",
  tools: [send],
  input: z.object({ topic: z.string() }),
  output: z.object({ text: z.string() }),
  instructions: "Write.",
});
export const brief = flow({
  name: "brief",
  input: anything,
  output: anything,
  run: (run) => run.call(writer, { topic: "apples" }),
});

/** A model whose answers wait until a test lets them come. */
export function openSlowModel(
  reply: (index: number) => ScriptedReply,
): ScriptedModel & { readonly gates: ReturnType<typeof makeGate>[] } {
  const gates: ReturnType<typeof makeGate>[] = [];
  const model = scriptedModel(async (_, index) => {
    const gate = makeGate();
    gates.push(gate);
    await gate.opened;
    return reply(index);
  });
  return Object.assign(model, { gates });
}

export async function open(stage: Stage, model: ScriptedModel, flows: readonly Flow[] = [brief]): Promise<Tutti> {
  const tutti = await stage.open(flows, { models: { fast: model }, evictAfterMs: 1e9, stallMs: 1e9 });
  opened.push(tutti);
  return tutti;
}

export const call = (id: string, text: string): ToolCall => ({ id, tool: "send", input: { text } });
export const said = (messages: readonly ModelMessage[] | undefined): string => {
  const last = messages?.at(-1);
  return last?.role === "user" ? last.text : "";
};
