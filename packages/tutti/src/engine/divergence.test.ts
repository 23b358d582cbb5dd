import { expect, test } from "vitest";

import {
  anything,
  errorOf,
  linesOf,
  openStage,
  plainFlow,
  type Stage,
} from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { TuttiError } from "../base/errors.ts";
import type { Flow, Run } from "../contracts/run.ts";
import { tool } from "../tools/tool.ts";

const echo = tool({
  name: "echo",
  does: "Says it again.",
  input: anything,
  output: anything,
  effect: "local",
  run: (input) => input,
});

type Body = (run: Run) => Promise<unknown>;
const old: Body = async (run) => {
  const first = await run.step("first", () => 1);
  const second = await run.call(echo, { said: "hello" });
  return [first, second, await run.wait("go")];
};

/** A run that the old code brought to its wait, taken up by other code. */
async function change(
  from: Body,
  to: Body,
): Promise<{ readonly stage: Stage; readonly error: TuttiError; readonly right: Flow }> {
  const stage = openStage();
  const right = plainFlow("changing", from);
  const first = await stage.open([right]);
  await (await first.start(right, null, { id: "r" })).settled();
  await stage.ledger.flush();
  const second = await stage.open([plainFlow("changing", to)]);
  const run = await second.open("r");
  expect(await run.settled()).toMatchObject({ kind: "parked", error: { code: "FLOW_DIVERGED" } });
  const error = await errorOf(run.result());
  return { stage, error, right };
}

/** The right code finishes what the wrong code left alone. */
async function expectFinished(stage: Stage, right: Flow): Promise<void> {
  const before = stage.entries.length;
  const tutti = await stage.open([right]);
  const run = await tutti.open("r");
  await run.resume();
  await run.signal("go", "went");
  expect(await run.result()).toEqual([1, { said: "hello" }, "went"]);
  expect(linesOf(stage.entries.slice(before))).toEqual(["run-resumed", "signal-received", "run-done"]);
}

test(
  "a renamed step: the run is parked, and told what the code asks for and what the ledger holds",
  verifies("D13"),
  async () => {
    const { stage, error, right } = await change(old, async (run) => {
      const first = await run.step("renamed", () => 1);
      return [first, await run.call(echo, { said: "hello" }), await run.wait("go")];
    });
    expect(error).toMatchObject({ code: "FLOW_DIVERGED", disposition: "bug", facts: { seq: 2, recorded: "/first" } });
    expect(error.message).toContain("step-done /first");
    expect(error.hint).toContain("old version");
    await expectFinished(stage, right);
  },
);

test("a step that is asked for elsewhere is named", verifies("D13"), async () => {
  const { error } = await change(old, async (run) => {
    const second = await run.call(echo, { said: "hello" });
    return [await run.step("first", () => 1), second];
  });
  expect(error.message).toContain("/first");
  expect(error.message).toContain("/echo");
  expect(error.facts).toMatchObject({ recorded: "/first", asked: ["/echo"] });
});

test("a removed step is found before anything new is done", verifies("D13"), async () => {
  const { stage, error, right } = await change(old, async (run) => {
    const first = await run.step("first", () => 1);
    return [first, await run.wait("go")];
  });
  expect(error).toMatchObject({ facts: { recorded: "/echo" } });
  await expectFinished(stage, right);
});

test("a flow that ends earlier than it did is found", verifies("D13"), async () => {
  const { stage, error, right } = await change(old, (run) => run.step("first", () => 1));
  expect(error.facts).toMatchObject({ recorded: "/echo" });
  expect(error.message).toContain("ended");
  await expectFinished(stage, right);
});

test("another input for the same step is found", verifies("D13"), async () => {
  const { stage, error, right } = await change(old, async (run) => {
    const first = await run.step("first", () => 1);
    return [first, await run.call(echo, { said: "goodbye" }), await run.wait("go")];
  });
  expect(error.message).toMatch(/at \/echo the code asks for a call of echo with input [0-9a-f]{12}/u);
  expect(error.message).toMatch(/the ledger holds step-done for input [0-9a-f]{12}/u);
  await expectFinished(stage, right);
});

test("another kind of step under the same name is found", verifies("D13"), async () => {
  const { stage, error, right } = await change(old, async (run) => {
    const first = await run.scope("first", async () => 1);
    return [first, await run.call(echo, { said: "hello" }), await run.wait("go")];
  });
  expect(error.message).toContain("a scope");
  expect(error.message).toContain("step-done");
  await expectFinished(stage, right);
});

test("another input of an effect that was done is found, and nothing is done", verifies("D3", "D13"), async () => {
  const office = openPostOffice();
  const mail = toMailTool(office);
  const { error } = await change(
    async (run) => {
      await run.call(mail, { to: "anna", text: "yes" });
      return run.wait("go");
    },
    async (run) => {
      await run.call(mail, { to: "anna", text: "no" });
      return run.wait("go");
    },
  );
  expect(error.code).toBe("FLOW_DIVERGED");
  expect(office.sent).toEqual(["anna"]);
});

test("another flow or another input for the same child is found", verifies("D13", "D17"), async () => {
  const stage = openStage();
  const child = plainFlow("child", (run) => run.step("only", () => 1));
  const toParent = (input: unknown): Flow =>
    plainFlow("parent", async (run) => {
      await run.call(child, input);
      return run.wait("go");
    });
  const parent = toParent("one");
  const first = await stage.open([parent, child]);
  await (await first.start(parent, null, { id: "r" })).settled();
  await stage.ledger.flush();
  const other = await stage.open([toParent("two"), child]);
  expect(await (await other.open("r")).settled()).toMatchObject({ kind: "parked", error: { code: "FLOW_DIVERGED" } });
});

test("new steps after the recorded ones are no divergence", verifies("D13"), async () => {
  const stage = openStage();
  const flow = plainFlow("growing", old);
  const first = await stage.open([flow]);
  await (await first.start(flow, null, { id: "r" })).settled();
  await stage.ledger.flush();
  const longer = plainFlow("growing", async (run) => [await old(run), await run.step("more", () => 2)]);
  const last = await stage.open([longer]);
  const run = await last.open("r");
  await run.signal("go", "went");
  expect(await run.result()).toEqual([[1, { said: "hello" }, "went"], 2]);
});

test(
  "a run goes on with the version that it was started with, beside runs of the next one",
  verifies("D13"),
  async () => {
    const stage = openStage();
    const one = plainFlow("versioned", (run) => run.step("one", () => 1).then(() => run.wait("go")), { version: "1" });
    const two = plainFlow("versioned", (run) => run.step("two", () => 2), { version: "2" });
    const first = await stage.open([one]);
    await (await first.start(one, null, { id: "old" })).settled();
    await stage.ledger.flush();
    const second = await stage.open([one, two]);
    expect(await second.run(two, null)).toBe(2);
    const run = await second.open("old");
    await run.signal("go", "went");
    expect(await run.result()).toBe("went");
  },
);
