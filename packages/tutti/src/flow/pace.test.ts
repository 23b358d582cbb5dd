import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";

import { anything, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { passTurns, watchDisk } from "../../../../test/ledger/ledger-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import { systemClock } from "../base/clock.ts";
import type { EffectClass } from "../contracts/callable.ts";
import type { Agent, Flow } from "../contracts/run.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { tool } from "../tools/tool.ts";

const model = scriptedModel((request) =>
  request.messages.some((message) => message.role === "tool")
    ? { answer: { text: "done" } }
    : { toolCalls: [{ id: "c1", tool: "stop", input: {} }] },
);

/** A tool that stops the disk while it works, so that whatever is heard afterwards is heard before it is on disk. */
function openStage(effect: Extract<EffectClass, "read" | "local">) {
  const disk = watchDisk();
  let release: (() => void) | undefined;
  const stop = tool({
    name: "stop",
    does: "Stops the disk.",
    input: z.object({}),
    output: z.string(),
    effect,
    run() {
      release = disk.hold();
      return "told";
    },
  });
  return {
    stop,
    heard: [] as string[],
    /** Runs a flow as far as it comes; the returned function lets the disk go on, and waits for the end. */
    run: async (flow: Flow): Promise<() => Promise<unknown>> => {
      const ledger = openMemoryLedger({ clock: systemClock, fault: disk.fault });
      const tutti = await openTutti({ flows: [flow], ledger, models: { fast: model } });
      onTestFinished(() => {
        release?.();
        return tutti.close();
      });
      const over = tutti.run(flow, null);
      await passTurns(20);
      return () => {
        release?.();
        return over;
      };
    },
  };
}

test(
  "what an agent's own tool told is heard by the agent at once, and by its flow when it is on disk",
  verifies("D2"),
  async () => {
    const { stop, heard, run } = openStage("local");
    const worker: Agent = {
      kind: "agent",
      name: "worker",
      version: "1",
      does: "Works.",
      input: anything,
      output: anything,
      tools: [stop],
      async act(inner) {
        const output = await inner.call(stop, {});
        heard.push("agent");
        return { output };
      },
    };
    const goOn = await run(
      plainFlow("main", async (outer) => {
        await outer.call(worker, null);
        heard.push("flow");
      }),
    );
    expect(heard).toEqual(["agent"]);
    await goOn();
    expect(heard).toEqual(["agent", "flow"]);
  },
);

test("a model is asked on while what its tool told is written; its answer waits for both", verifies("D2"), async () => {
  const { stop, heard, run } = openStage("local");
  const worker = agent({
    name: "worker",
    does: "Works.",
    model: "fast",
    tools: [stop],
    input: anything,
    output: z.object({ text: z.string() }),
    instructions: "",
  });
  const goOn = await run(
    plainFlow("main", async (outer) => {
      await outer.call(worker, {});
      heard.push("flow");
    }),
  );
  expect(model.requests).toHaveLength(2);
  expect(heard).toEqual([]);
  await goOn();
  expect(heard).toEqual(["flow"]);
});

test.for([
  ["waits until what a tool told is on disk", "local", []],
  ["goes on with what a tool read, before it is on disk", "read", ["flow"]],
] as const)("a flow %s", verifies("D2"), async ([, effect, early]) => {
  const { stop, heard, run } = openStage(effect);
  const goOn = await run(
    plainFlow("main", async (outer) => {
      await outer.call(stop, {});
      heard.push("flow");
    }),
  );
  expect(heard).toEqual(early);
  await goOn();
  expect(heard).toEqual(["flow"]);
});
