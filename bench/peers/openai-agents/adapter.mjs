// OpenAI Agents with a model that answers at once, tracing switched off. It keeps nothing.
import { Agent, Runner, setTracingDisabled, tool, Usage } from "@openai/agents";
import { z } from "zod";

export async function openAgent(_opening, turns) {
  setTracingDisabled(true);
  let modelCalls = 0;
  let toolCalls = 0;
  const toOutput = (made) => {
    if (made === turns) {
      const content = [{ type: "output_text", text: "done" }];
      return [{ type: "message", id: "m", role: "assistant", status: "completed", content }];
    }
    const call = { id: `f${made}`, callId: `c${made}`, name: "add", arguments: JSON.stringify({ left: made, right: 1 }) };
    return [{ type: "function_call", status: "completed", ...call }];
  };
  const model = {
    async getResponse({ input }) {
      modelCalls++;
      const made = Array.isArray(input) ? input.filter(({ type }) => type === "function_call_result").length : 0;
      const usage = new Usage({ requests: 1, inputTokens: 1, outputTokens: 1, totalTokens: 2 });
      return { usage, output: toOutput(made), responseId: `r${modelCalls}` };
    },
  };
  const add = tool({
    name: "add",
    description: "Adds two numbers.",
    parameters: z.object({ left: z.number(), right: z.number() }),
    async execute({ left, right }) {
      toolCalls++;
      return JSON.stringify({ sum: left + right });
    },
  });
  const agent = new Agent({ name: "bench", instructions: "go", model, tools: [add] });
  const runner = new Runner({ tracingDisabled: true });
  return {
    async run() {
      modelCalls = 0;
      toolCalls = 0;
      const { finalOutput } = await runner.run(agent, "go", { maxTurns: turns + 5 });
      if (finalOutput !== "done") throw new Error(String(finalOutput));
      return { modelCalls, toolCalls };
    },
    close() {},
  };
}
