// Mastra's workflows on LibSQLStore: distinct chained steps ("then"), or one step under dountil ("loop").
import { Mastra } from "@mastra/core";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { LibSQLStore } from "@mastra/libsql";
import { z } from "zod";

import { folderBytes } from "../../folder.ts";

const Data = z.object({
  id: z.string(),
  count: z.number().optional(),
  index: z.number().optional(),
  output: z.any().optional(),
});
const typed = { inputSchema: Data, outputSchema: Data };
const warmUpCounts = [10, 20, 50];

export async function open({ folder, work, countMax, variant }) {
  const storage = new LibSQLStore({ id: "bench", url: `file:${folder}/mastra.db` });
  const counts = [...new Set([...warmUpCounts, countMax])];
  const workflows = { loop: declareLoop(work), park: declarePark(work) };
  for (const count of counts) {
    workflows[`chain${count}`] = declareChain(work, count);
    workflows[`fanOut${count}`] = declareFanOut(work, count);
  }
  const mastra = new Mastra({ storage, workflows, logger: false });
  const toName = ({ count }, shape) => (shape === "chain" && variant === "loop" ? "loop" : `${shape}${count}`);
  const start = async (name, job) => {
    const run = await mastra.getWorkflow(name).createRun({ runId: job.id });
    return expectEnd(await run.start({ inputData: { ...job, index: 0 } }));
  };
  return {
    chain: (job) => start(toName(job, "chain"), job),
    fanOut: (job) => start(toName(job, "fanOut"), job),
    park: (id) => start("park", { id }),
    async signal(id) {
      const run = await mastra.getWorkflow("park").createRun({ runId: id });
      return expectEnd(await run.resume({ step: "ask", resumeData: { answer: "yes" } }));
    },
    async resume(job, shape) {
      const workflow = mastra.getWorkflow(toName(job, shape));
      if ((await workflow.getWorkflowRunById(job.id)) === null) return start(toName(job, shape), job);
      const run = await workflow.createRun({ runId: job.id });
      return expectEnd(await run.restart());
    },
    bytes: () => folderBytes(folder),
    close() {},
  };
}

function expectEnd(result) {
  if (result.status !== "success" && result.status !== "suspended") throw new Error(JSON.stringify(result));
  return result;
}

function declareStep(work, index) {
  const execute = async ({ inputData: { id } }) => ({ id, output: await work.step(id, index) });
  return createStep({ id: `step${index}`, ...typed, execute });
}

function declareChain(work, count) {
  let workflow = createWorkflow({ id: `chain${count}`, ...typed });
  for (let index = 0; index < count; index++) workflow = workflow.then(declareStep(work, index));
  return workflow.commit();
}

function declareFanOut(work, count) {
  const branches = Array.from({ length: count }, (_, index) => declareStep(work, index));
  const execute = async ({ inputData }) => Object.keys(inputData).length;
  return createWorkflow({ id: `fanOut${count}`, inputSchema: Data, outputSchema: z.any() })
    .parallel(branches)
    .then(createStep({ id: "join", inputSchema: z.any(), outputSchema: z.any(), execute }))
    .commit();
}

function declareLoop(work) {
  const execute = async ({ inputData: { id, count, index } }) => {
    const output = await work.step(id, index);
    return { id, count, index: index + 1, output };
  };
  return createWorkflow({ id: "loop", ...typed })
    .dountil(createStep({ id: "step", ...typed, execute }), async ({ inputData }) => inputData.index >= inputData.count)
    .commit();
}

function declarePark(work) {
  const execute = async ({ inputData: { id }, resumeData, suspend }) => {
    if (resumeData === undefined) return suspend({});
    work.continued(id);
    return { id };
  };
  return createWorkflow({ id: "park", ...typed })
    .then(declareStep(work, 0))
    .then(createStep({ id: "ask", ...typed, resumeSchema: z.object({ answer: z.string() }), execute }))
    .then(declareStep(work, 1))
    .commit();
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

export async function openAgent(_opening, turns) {
  const { Agent } = await import("@mastra/core/agent");
  const { createTool } = await import("@mastra/core/tools");
  let modelCalls = 0;
  let toolCalls = 0;
  const answer = (prompt) => {
    modelCalls++;
    const made = prompt.reduce((sum, message) => sum + (message.role === "tool" ? message.content.length : 0), 0);
    if (made === turns) return { part: { type: "text", text: "done" }, unified: "stop" };
    const input = JSON.stringify({ left: made, right: 1 });
    return { part: { type: "tool-call", toolCallId: `c${made}`, toolName: "add", input }, unified: "tool-calls" };
  };
  const model = {
    specificationVersion: "v3",
    provider: "bench",
    modelId: "at-once",
    supportedUrls: {},
    async doGenerate({ prompt }) {
      const { part, unified } = answer(prompt);
      return { content: [part], finishReason: { unified, raw: unified }, usage, warnings: [] };
    },
    async doStream({ prompt }) {
      const { part, unified } = answer(prompt);
      const parts = part.type === "text" ? toTextParts(part.text) : [part];
      const finish = { type: "finish", finishReason: { unified, raw: unified }, usage };
      return { stream: ReadableStream.from([{ type: "stream-start", warnings: [] }, ...parts, finish]) };
    },
  };
  const add = createTool({
    id: "add",
    description: "Adds two numbers.",
    inputSchema: z.object({ left: z.number(), right: z.number() }),
    execute: async () => {
      toolCalls++;
      return { sum: 1 };
    },
  });
  const agent = new Agent({ id: "bench", name: "bench", instructions: "go", model, tools: { add } });
  new Mastra({ agents: { agent }, logger: false });
  return {
    async run() {
      modelCalls = 0;
      toolCalls = 0;
      const { text } = await agent.generate("go", { maxSteps: turns + 5 });
      if (text !== "done") throw new Error(text);
      return { modelCalls, toolCalls };
    },
    close() {},
  };
}

function toTextParts(text) {
  return [
    { type: "text-start", id: "t" },
    { type: "text-delta", id: "t", delta: text },
    { type: "text-end", id: "t" },
  ];
}
