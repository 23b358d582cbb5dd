// The AI SDK's ToolLoopAgent with a model that answers at once. It keeps nothing.
import { isStepCount, tool, ToolLoopAgent } from "ai";
import { z } from "zod";

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

export async function openAgent(_opening, turns) {
  let modelCalls = 0;
  let toolCalls = 0;
  const model = {
    specificationVersion: "v4",
    provider: "bench",
    modelId: "at-once",
    supportedUrls: {},
    async doGenerate({ prompt }) {
      modelCalls++;
      const made = prompt.reduce((sum, message) => sum + (message.role === "tool" ? message.content.length : 0), 0);
      const input = JSON.stringify({ left: made, right: 1 });
      const isOver = made === turns;
      const content = isOver
        ? [{ type: "text", text: "done" }]
        : [{ type: "tool-call", toolCallId: `c${made}`, toolName: "add", input }];
      const unified = isOver ? "stop" : "tool-calls";
      return { content, finishReason: { unified, raw: unified }, usage, warnings: [] };
    },
  };
  const add = tool({
    description: "Adds two numbers.",
    inputSchema: z.object({ left: z.number(), right: z.number() }),
    async execute({ left, right }) {
      toolCalls++;
      return { sum: left + right };
    },
  });
  const agent = new ToolLoopAgent({ model, tools: { add }, instructions: "go", stopWhen: isStepCount(turns + 5) });
  return {
    async run() {
      modelCalls = 0;
      toolCalls = 0;
      const { text } = await agent.generate({ prompt: "go" });
      if (text !== "done") throw new Error(text);
      return { modelCalls, toolCalls };
    },
    close() {},
  };
}
