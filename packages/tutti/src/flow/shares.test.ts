import { expect, test } from "vitest";
import { z } from "zod";

import { anything, makeGate, openStage, plainFlow, until } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import type { LimitTable } from "../limits/limit.ts";
import { takeTurns } from "../testing/manual-clock.ts";
import { scriptedModel, type ScriptedReply } from "../testing/scripted-model.ts";
import { tool } from "../tools/tool.ts";

/** A tool whose calls stay until they are let go, one by one. */
function openReader() {
  const waiting: (() => void)[] = [];
  const called: string[] = [];
  const reader = tool({
    name: "page.read",
    does: "Reads a page.",
    input: z.object({}),
    output: z.string(),
    effect: "read",
    async run(_, { runId }) {
      called.push(runId);
      await new Promise<void>((resolve) => void waiting.push(resolve));
      return runId;
    },
  });
  const letGo = async (count: number): Promise<void> => {
    for (let gone = 0; gone < count; gone++) {
      await until(() => waiting.length > 0);
      waiting.shift()?.();
      await takeTurns(20);
    }
  };
  return { reader, called, letGo, atWork: () => waiting.length };
}

test(
  "calls that wait for a tool go by priority, then by their tenants' shares, then by the shares of their flows",
  verifies("C17"),
  async () => {
    const stage = openStage();
    const { reader, called, letGo } = openReader();
    const toFlow = (name: string) =>
      plainFlow(name, (run) => run.map(Array.from({ length: 6 }), (inner) => inner.call(reader, {})));
    const [reading, asking] = [toFlow("reading"), toFlow("asking")];
    const limits: LimitTable = {
      "tool/page.read": { concurrentMax: 1 },
      "tenant/large": { share: 2 },
      "flow/asking": { share: 3 },
    };
    const tutti = await stage.open([reading, asking], { limits });
    await tutti.start(reading, {}, { id: "small", tenant: "small" });
    await tutti.start(reading, {}, { id: "large", tenant: "large" });
    await tutti.start(asking, {}, { id: "large2", tenant: "large" });
    await takeTurns(50);
    const urgent = await tutti.start(reading, {}, { id: "urgent", tenant: "small", priority: "high" });
    await until(() => tutti.waitsFor("urgent").length > 0);
    expect(tutti.slots()).toEqual([
      {
        limit: "tool/page.read",
        of: "calls",
        slots: 1,
        inUse: 1,
        waiting: [
          { priority: "high", tenant: "small", count: 6 },
          { priority: "normal", tenant: "large", count: 12 },
          { priority: "normal", tenant: "small", count: 5 },
        ],
      },
    ]);
    expect(tutti.waitsFor("large")).toEqual(["tool/page.read"]);
    await letGo(24);
    await urgent.result();
    expect(called.slice(1, 7)).toEqual(Array.from({ length: 6 }, () => "urgent"));
    const nine = called.slice(7, 16);
    expect(nine.filter((run) => run === "small")).toHaveLength(3);
    expect(nine.filter((run) => run === "large2").length).toBeGreaterThan(nine.filter((run) => run === "large").length);
    expect(tutti.slots()).toEqual([{ limit: "tool/page.read", of: "calls", slots: 1, inUse: 0, waiting: [] }]);
  },
);

test(
  "a flow and an agent have limits of their own; what a tool does for an agent counts for the innermost one",
  verifies("C17"),
  async () => {
    const stage = openStage();
    const { reader, called, letGo, atWork } = openReader();
    const inner = agent({
      name: "inner",
      does: "Reads.",
      model: "fast",
      tools: [reader],
      input: z.object({}),
      output: z.object({ text: z.string() }),
      instructions: "",
    });
    const outer: typeof inner = {
      ...inner,
      name: "outer",
      act: async (run, input) => ({ output: await run.call(inner, input) }),
    };
    const model = scriptedModel(({ messages }): ScriptedReply =>
      messages.some(({ role }) => role === "tool")
        ? { answer: { text: "read" } }
        : { toolCalls: [{ id: "a", tool: "page.read", input: {} }] },
    );
    const inside = plainFlow("inside", (run) => run.call(outer, {}));
    const plain = plainFlow("plain", (run) => Promise.all([run.call(reader, {}), run.call(reader, {})]));
    const tutti = await stage.open([inside, plain], {
      models: { fast: model },
      limits: { "agent/*": { concurrentMax: 1 }, "flow/plain": { concurrentMax: 1 } },
    });
    const handles = [
      await tutti.start(inside, {}, { id: "one" }),
      await tutti.start(inside, {}, { id: "two" }),
      await tutti.start(plain, {}, { id: "three" }),
    ];
    await until(() => called.length === 2);
    await takeTurns(100);
    expect([called.toSorted(), atWork()]).toEqual([["one", "three"], 2]);
    expect([tutti.waitsFor("two"), tutti.waitsFor("three")]).toEqual([["agent/inner"], ["flow/plain"]]);
    await letGo(4);
    await Promise.all(handles.map((handle) => handle.result()));
  },
);

test("questions of an agent to its model wait for the agent's slot too", verifies("C17"), async () => {
  const stage = openStage();
  const gate = makeGate();
  let asked = 0;
  const writer = agent({
    name: "writer",
    does: "Writes.",
    model: "fast",
    input: anything,
    output: z.object({ text: z.string() }),
    instructions: "",
  });
  const scripted = scriptedModel(() => ({ answer: { text: "yes" } }));
  const model: typeof scripted = {
    ...scripted,
    async generate(...request) {
      asked += 1;
      await gate.opened;
      return scripted.generate(...request);
    },
  };
  const flow = plainFlow("writing", (run) => Promise.all([run.call(writer, {}), run.call(writer, {})]));
  const tutti = await stage.open([flow], { models: { fast: model }, limits: { "agent/*": { concurrentMax: 1 } } });
  const handle = await tutti.start(flow, {}, { id: "one" });
  await until(() => tutti.waitsFor("one").length > 0);
  await until(() => asked > 0);
  await takeTurns(20);
  expect([asked, tutti.waitsFor("one")]).toEqual([1, ["agent/writer"]]);
  gate.open();
  await handle.result();
  expect(asked).toBe(2);
});
