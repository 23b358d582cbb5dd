// LangGraph.js on its SqliteSaver: a StateGraph ("graph") or its functional API ("functional").
import { join } from "node:path";

import { Annotation, Command, END, entrypoint, interrupt, Send, START, StateGraph, task } from "@langchain/langgraph";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";

import { folderBytes } from "../../folder.ts";

const limit = 100_000;
const toConfig = (id) => ({ configurable: { thread_id: id }, recursionLimit: limit });

export async function open({ folder, work, variant }) {
  const checkpointer = SqliteSaver.fromConnString(join(folder, "langgraph.db"));
  const flows = variant === "functional" ? declareTasks(work, checkpointer) : declareGraphs(work, checkpointer);
  const parked = declarePark(work, checkpointer);
  return {
    chain: ({ id, count }) => flows.chain.invoke({ id, count, index: 0 }, toConfig(id)),
    fanOut: ({ id, count }) => flows.fanOut.invoke({ id, count }, toConfig(id)),
    park: (id) => parked.invoke({ id }, toConfig(id)),
    signal: (id) => parked.invoke(new Command({ resume: "yes" }), toConfig(id)),
    async resume({ id, count }, shape) {
      const known = await checkpointer.getTuple(toConfig(id));
      return flows[shape].invoke(known === undefined ? { id, count, index: 0 } : null, toConfig(id));
    },
    bytes() {
      checkpointer.db.pragma("wal_checkpoint(truncate)");
      return folderBytes(folder);
    },
    close: () => checkpointer.db.close(),
  };
}

// Outputs stay in the state, as in any graph whose later nodes use earlier outputs.
const State = Annotation.Root({
  id: Annotation(),
  count: Annotation(),
  index: Annotation(),
  outputs: Annotation({ reducer: (all, some) => all.concat(some), default: () => [] }),
});

function declareGraphs(work, checkpointer) {
  const chain = new StateGraph(State)
    .addNode("step", async ({ id, index }) => ({ index: index + 1, outputs: [await work.step(id, index)] }))
    .addEdge(START, "step")
    .addConditionalEdges("step", ({ index, count }) => (index < count ? "step" : END), ["step", END])
    .compile({ checkpointer });
  const spread = ({ id, count }) => Array.from({ length: count }, (_, index) => new Send("branch", { id, index }));
  const fanOut = new StateGraph(State)
    .addNode("split", () => ({}))
    .addNode("branch", async ({ id, index }) => ({ outputs: [await work.step(id, index)] }))
    .addNode("join", ({ outputs }) => ({ index: outputs.length }))
    .addEdge(START, "split")
    .addConditionalEdges("split", spread, ["branch"])
    .addEdge("branch", "join")
    .addEdge("join", END)
    .compile({ checkpointer });
  return { chain, fanOut };
}

function declareTasks(work, checkpointer) {
  const step = task("step", async (id, index) => work.step(id, index));
  const chain = entrypoint({ checkpointer, name: "chain" }, async ({ id, count }) => {
    for (let index = 0; index < count; index++) {
      await step(id, index);
      work.acknowledged(id, index);
    }
    return count;
  });
  const fanOut = entrypoint({ checkpointer, name: "fanOut" }, async ({ id, count }) => {
    const outputs = await Promise.all(Array.from({ length: count }, (_, index) => step(id, index)));
    return outputs.length;
  });
  return { chain, fanOut };
}

function declarePark(work, checkpointer) {
  return new StateGraph(State)
    .addNode("before", async ({ id }) => ({ outputs: [await work.step(id, 0)] }))
    .addNode("ask", ({ id }) => {
      interrupt("go on?");
      work.continued(id);
      return {};
    })
    .addNode("after", async ({ id }) => ({ outputs: [await work.step(id, 1)] }))
    .addEdge(START, "before")
    .addEdge("before", "ask")
    .addEdge("ask", "after")
    .addEdge("after", END)
    .compile({ checkpointer });
}

export async function openAgent({ folder }, turns) {
  const { createAgent, tool } = await import("langchain");
  const { BaseChatModel } = await import("@langchain/core/language_models/chat_models");
  const { AIMessage } = await import("@langchain/core/messages");
  const { z } = await import("zod");
  let modelCalls = 0;
  let toolCalls = 0;
  class AtOnce extends BaseChatModel {
    constructor() {
      super({});
    }
    _llmType() {
      return "at-once";
    }
    bindTools() {
      return this;
    }
    async _generate(messages) {
      modelCalls++;
      const made = messages.filter((message) => message.getType() === "tool").length;
      const call = { id: `c${made}`, name: "add", args: { left: made, right: 1 }, type: "tool_call" };
      const message = made < turns ? new AIMessage({ content: "", tool_calls: [call] }) : new AIMessage("done");
      return { generations: [{ text: message.text ?? "", message }] };
    }
  }
  const add = tool(
    async ({ left, right }) => {
      toolCalls++;
      return JSON.stringify({ sum: left + right });
    },
    { name: "add", description: "Adds two numbers.", schema: z.object({ left: z.number(), right: z.number() }) },
  );
  const checkpointer = SqliteSaver.fromConnString(join(folder, "langgraph.db"));
  const agent = createAgent({ model: new AtOnce(), tools: [add], checkpointer });
  return {
    async run(id) {
      modelCalls = 0;
      toolCalls = 0;
      await agent.invoke({ messages: [{ role: "user", content: "go" }] }, toConfig(id));
      return { modelCalls, toolCalls };
    },
    close: () => checkpointer.db.close(),
  };
}
