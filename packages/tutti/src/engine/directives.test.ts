import { expect, test } from "vitest";
import { z } from "zod";

import {
  ada,
  brief,
  call,
  open,
  openSlowModel,
  said,
  send,
  sent,
  writer,
} from "../../../../test/directives/directive-fixture.ts";
import {
  anything,
  bodiesOf,
  errorOf,
  linesOf,
  makeGate,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import { isTuttiError } from "../base/errors.ts";
import { toStepKey } from "../contracts/ids.ts";
import { flow } from "../flow/flow.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { tool } from "../tools/tool.ts";

test(
  "a question under an old directive is stopped, its cost is kept, and the next one says what changed, who said it and why",
  verifies("G5"),
  async () => {
    const stage = openStage();
    const model = openSlowModel((index) => ({ answer: { text: `answer ${index}` } }));
    const tutti = await open(stage, model);
    const handle = await tutti.start(brief, null, { id: "run" });
    await until(() => model.gates.length === 1);
    expect(await handle.steer({ kind: "goal", text: "Write about pears" }, ada)).toEqual({
      version: 1,
      stopped: 1,
      isWaiting: false,
    });
    await until(() => model.gates.length === 2);
    model.gates[0]?.open();
    model.gates[1]?.open();
    expect(await handle.result()).toEqual({ text: "answer 1" });
    const heard = said(model.requests[1]?.messages);
    expect(heard).toContain("The goal: Write about pears");
    expect(heard).toContain("Ada set the goal: Write about pears (the client asked for it)");
    const [failed] = bodiesOf(stage.entries, "step-failed");
    expect(failed?.error).toMatchObject({ code: "DIRECTIVE_CHANGED", facts: { modelCalls: 1, version: 1, by: "Ada" } });
    expect(Number(failed?.error.facts?.["inputTokens"])).toBeGreaterThan(0);
    expect(bodiesOf(stage.entries, "directive-given")).toMatchObject([
      { version: 1, kind: "goal", by: "Ada", reason: ada.reason },
    ]);
  },
);

test("calls that a model proposed under an old directive are not made", verifies("G5", "S2"), async () => {
  const stage = openStage();
  const slow = makeGate();
  const model = scriptedModel((_, index) =>
    index === 0 ? { toolCalls: [call("a", "old")] } : { answer: { text: "done" } },
  );
  const needing = tool({ ...send, needs: [{ name: "slow", check: () => slow.opened.then(() => true) }] });
  const careful = agent({
    name: "careful",
    does: "Writes.",
    model: "fast",
    tools: [needing],
    input: anything,
    output: z.object({ text: z.string() }),
    instructions: "",
  });
  const careFlow = plainFlow("care", (run) => run.call(careful, {}));
  const tutti = await open(stage, model, [careFlow]);
  const handle = await tutti.start(careFlow, null, { id: "run" });
  await until(() => model.requests.length === 1);
  await handle.steer({ kind: "constraint", text: "Send nothing" }, ada);
  slow.open();
  expect(await handle.result()).toEqual({ text: "done" });
  expect(sent).toEqual([]);
  expect(bodiesOf(stage.entries, "effect-intended")).toEqual([]);
  expect(bodiesOf(stage.entries, "step-failed")[0]?.error.code).toBe("DIRECTIVE_CHANGED");
  expect(said(model.requests[1]?.messages)).toContain("Send nothing");
});

test(
  "what stands reaches three tiers down, also runs that start later, and stops questions there",
  verifies("G5"),
  async () => {
    const stage = openStage();
    const model = openSlowModel((index) => ({ answer: { text: `answer ${index}` } }));
    const leaf = plainFlow("leaf", (run) => run.call(writer, { topic: "leaf" }));
    const middle = plainFlow("middle", async (run) => [await run.call(leaf, 1), await run.call(leaf, 2)]);
    const top = plainFlow("top", (run) => run.call(middle, null));
    const tutti = await open(stage, model, [top, middle, leaf]);
    const handle = await tutti.start(top, null, { id: "top" });
    await until(() => model.gates.length === 1);
    expect((await handle.steer({ kind: "goal", text: "Pears" }, ada)).stopped).toBe(1);
    await until(() => model.gates.length === 2);
    model.gates[1]?.open();
    await until(() => model.gates.length === 3);
    model.gates[2]?.open();
    expect(await handle.result()).toEqual([{ text: "answer 1" }, { text: "answer 2" }]);
    for (const index of [1, 2]) expect(said(model.requests[index]?.messages)).toContain("The goal: Pears");
    const handed = bodiesOf(stage.entries, "directive-given").filter(({ from }) => from === "top");
    expect(handed).toHaveLength(3);
  },
);

test(
  "a stop ends a run and everything below it; what was done stays until a person wants it taken back",
  verifies("D11", "G5"),
  async () => {
    const stage = openStage();
    const model = openSlowModel((index) =>
      index === 0 ? { toolCalls: [call("a", "one")] } : { answer: { text: "x" } },
    );
    const leaf = flow({
      name: "leaf",
      input: anything,
      output: anything,
      onFailure: "undo",
      run: (run) => run.call(writer, { topic: "leaf" }),
    });
    const top = plainFlow("top", (run) => run.call(leaf, null));
    const tutti = await open(stage, model, [top, leaf]);
    const handle = await tutti.start(top, null, { id: "top" });
    await until(() => model.gates.length === 1);
    model.gates[0]?.open();
    await until(() => model.gates.length === 2);
    await handle.steer({ kind: "stop" }, ada);
    expect(await handle.settled()).toEqual({ kind: "cancelled", reason: "stopped by Ada: the client asked for it" });
    expect((await errorOf(handle.result())).code).toBe("RUN_CANCELLED");
    expect(sent).toEqual(["one"]);
    const below = await tutti.open("top.leaf");
    expect(await below.settled()).toMatchObject({ kind: "cancelled" });
    await below.undo(ada);
    expect(await below.settled()).toMatchObject({ kind: "cancelled" });
    expect(sent).toEqual(["one", "back: one"]);
    expect(linesOf(stage.entries)).toContain("undo-requested");
  },
);

test(
  "code that looked at a directive can't act under an older one until it looks again; code that never looked is left alone",
  verifies("G5", "S2"),
  async () => {
    const stage = openStage();
    const codes: unknown[] = [];
    const looking = plainFlow("looking", async (run) => {
      codes.push(run.directive().version);
      await run.wait("go");
      await run
        .scope("unseen", async (inner) => inner.call(send, { text: "old" }))
        .catch((error: unknown) => codes.push(isTuttiError(error) ? error.code : "?"));
      codes.push(run.directive().constraints);
      await run.call(send, { text: "new" });
    });
    const blind = plainFlow("blind", async (run) => {
      await run.wait("go");
      await run.call(send, { text: "blind" });
    });
    const tutti = await open(stage, scriptedModel([]), [looking, blind]);
    for (const each of [looking, blind]) {
      const handle = await tutti.start(each, null, { id: each.name });
      await handle.settled();
      await handle.steer({ kind: "constraint", text: "Be brief" }, ada);
      await handle.signal("go", null);
      await handle.result();
    }
    expect(codes).toEqual([0, "DIRECTIVE_CHANGED", ["Be brief"]]);
    expect(sent).toEqual(["new", "blind"]);
  },
);

test("a budget counts at once for the run, and below what is spent it stops the run", verifies("G5"), async () => {
  const stage = openStage();
  const model = openSlowModel(() => ({ toolCalls: [call("a", "x")] }));
  const tutti = await open(stage, model);
  const handle = await tutti.start(brief, null, { id: "run", budget: { usd: 1 } });
  await until(() => model.gates.length === 1);
  model.gates[0]?.open();
  await until(() => model.gates.length === 2);
  await handle.steer({ kind: "budget", budget: { usd: 0.5 } }, ada);
  expect((await tutti.accounts({ under: "run/run" }))[0]?.spent.usd).toBeGreaterThan(0);
  await until(() => model.gates.length === 3);
  expect((await tutti.accounts({ under: "run/run" }))[0]?.limit).toEqual({ usd: 0.5 });
  await handle.steer({ kind: "budget", budget: { usd: 0.001 } }, ada);
  expect(await handle.settled()).toMatchObject({
    kind: "cancelled",
    reason: expect.stringContaining("more than the new budget is spent"),
  });
});

test(
  "a cap of autonomy is the newest of each run, and of runs above each other the lowest",
  verifies("G5"),
  async () => {
    const stage = openStage();
    const caps: unknown[] = [];
    const leaf = plainFlow("leaf", async (run) => {
      await run.wait("go");
      caps.push(run.directive().autonomyCap);
    });
    const top = plainFlow("top", (run) => run.call(leaf, null));
    const tutti = await open(stage, scriptedModel([]), [top, leaf]);
    const handle = await tutti.start(top, null, { id: "top" });
    await until(() => stage.entries.some((entry) => entry.run === "top.leaf"));
    const below = await tutti.open("top.leaf");
    for (const level of [1, 3]) await handle.steer({ kind: "autonomy", level }, ada);
    await below.steer({ kind: "autonomy", level: 4 }, ada);
    await below.signal("go", null);
    await handle.result();
    expect(caps).toEqual([3]);
  },
);

test(
  "a run at rest, paused or elsewhere, has a directive when it goes on; a stop ends it there",
  verifies("G5", "D11"),
  async () => {
    const stage = openStage();
    const model = scriptedModel([{ answer: { text: "done" } }]);
    const waiting = plainFlow("waiting", async (run) => {
      await run.wait("go");
      return run.call(writer, { topic: "x" });
    });
    const first = await open(stage, model, [waiting]);
    for (const id of ["paused", "stopped"]) {
      const handle = await first.start(waiting, null, { id });
      await handle.settled();
      await handle.pause();
    }
    const paused = await first.open("paused");
    expect(await paused.steer({ kind: "goal", text: "Pears" }, ada)).toEqual({
      version: 1,
      stopped: 0,
      isWaiting: true,
    });
    const stopped = await first.open("stopped");
    await stopped.steer({ kind: "stop" }, ada);
    expect(await stopped.state()).toMatchObject({ kind: "cancelled" });
    await first.close();
    const elsewhere = await open(stage, model, []);
    expect((await (await elsewhere.open("paused")).steer({ kind: "context", text: "It rains" }, ada)).version).toBe(2);
    await elsewhere.close();
    const next = await open(stage, model, [waiting]);
    const handle = await next.open("paused");
    await handle.resume();
    await handle.signal("go", null);
    expect(await handle.result()).toEqual({ text: "done" });
    expect(said(model.requests[0]?.messages)).toMatch(/Pears[^]*It rains/u);
  },
);

test(
  "what was said last counts, also where a run is told it before it has heard what was said earlier to the run above",
  verifies("G5"),
  async () => {
    const stage = openStage();
    const leaf = plainFlow("leaf", async (run) => {
      await run.wait("go");
      return run.directive().goal;
    });
    const top = plainFlow("top", (run) => run.call(leaf, null));
    const tutti = await open(stage, scriptedModel([]), [top, leaf]);
    const handle = await tutti.start(top, null, { id: "top" });
    await until(() => stage.entries.some((entry) => entry.run === "top.leaf"));
    const below = await tutti.open("top.leaf");
    await below.settled();
    await below.pause(); // from now on nobody drives it
    await handle.steer({ kind: "goal", text: "Pears, for all" }, ada);
    await below.steer({ kind: "goal", text: "Plums, for this one" }, ada);
    await below.resume();
    await below.signal("go", null);
    expect(await handle.result()).toBe("Plums, for this one");
  },
);

test(
  "a fork has the directives that were given before its point, and none that come later",
  verifies("G5"),
  async () => {
    const stage = openStage();
    const model = scriptedModel((_, index) =>
      index % 2 === 0 ? { toolCalls: [call("a", `letter ${index}`)] } : { answer: { text: "done" } },
    );
    const two = plainFlow("two", async (run) => {
      await run.wait("go");
      await run.step("middle", () => 1);
      await run.wait("on");
      return [run.directive().goal, (await run.call(writer, { topic: "x" })).text];
    });
    const tutti = await open(stage, model, [two]);
    const handle = await tutti.start(two, null, { id: "run" });
    await handle.settled();
    await handle.steer({ kind: "goal", text: "Before" }, ada);
    await handle.signal("go", null);
    await handle.settled();
    const middle = (await handle.entries()).find((entry) => entry.kind === "step-done");
    await handle.steer({ kind: "goal", text: "After" }, ada);
    const fork = await handle.fork(toStepKey(middle?.key ?? ""));
    await handle.signal("on", null);
    expect(await handle.result()).toEqual(["After", "done"]);
    await fork.signal("on", null);
    expect(await fork.result()).toEqual(["Before", "done"]);
    const intents = stage.entries
      .filter((entry) => entry.kind === "effect-intended")
      .map((entry) => JSON.parse(entry.body).reads);
    expect(intents).toEqual([{ "@directive/run": 2 }, { [`@directive/${fork.id}`]: 1 }]);
    expect(await fork.entries().then(linesOf)).toContain("directive-given");
  },
);

test("what can't be a directive is refused, and nothing is written", async () => {
  const stage = openStage();
  const waiting = plainFlow("waiting", (run) => run.wait("go"));
  const tutti = await open(stage, scriptedModel([]), [waiting]);
  const handle = await tutti.start(waiting, null, { id: "run" });
  await handle.settled();
  const wrong = [
    handle.steer({ kind: "goal", text: " " }, ada),
    handle.steer({ kind: "goal", text: "x".repeat(5_000) }, ada),
    handle.steer({ kind: "autonomy", level: 9 }, ada),
    handle.steer({ kind: "budget", budget: {} }, ada),
    handle.steer({ kind: "budget", budget: { usd: -1 } }, ada),
    handle.steer({ kind: "hand-back", agent: "writer", output: 1 }, ada),
    handle.steer({ kind: "goal", text: "x" }, { by: "" }),
  ];
  for (const each of wrong) expect((await errorOf(each)).code).toBe("INPUT_INVALID");
  expect(bodiesOf(stage.entries, "directive-given")).toEqual([]);
  await handle.cancel();
  expect((await errorOf(handle.steer({ kind: "stop" }, ada))).code).toBe("RUN_OVER");
});

test(
  "a call that waited for its turn when a directive came is not made, whatever its class",
  verifies("G5"),
  async () => {
    const stage = openStage();
    const looked: unknown[] = [];
    const first = makeGate();
    const look = tool({
      name: "look",
      does: "Looks.",
      input: z.object({ at: z.string() }),
      output: z.object({}),
      effect: "read",
      async run({ at }) {
        looked.push(at);
        await first.opened;
        return {};
      },
    });
    const seer = agent({
      name: "seer",
      does: "Sees.",
      model: "fast",
      tools: [look],
      input: z.unknown(),
      output: z.object({}),
      instructions: "",
    });
    const sees = plainFlow("sees", (run) => run.call(seer, {}));
    const calls = ["a", "b"].map((id) => ({ id, tool: "look", input: { at: id } }));
    const model = scriptedModel((_, index) => (index === 0 ? { toolCalls: calls } : { answer: {} }));
    const tutti = await stage.open([sees], { models: { fast: model }, limits: { "tool/look": { concurrentMax: 1 } } });
    const handle = await tutti.start(sees, null, { id: "run" });
    await until(() => looked.length === 1);
    await handle.steer({ kind: "constraint", text: "Look at nothing else" }, ada);
    first.open();
    expect(await handle.result()).toEqual({});
    expect(looked).toEqual(["a"]);
    await tutti.close();
  },
);
