import { expect, test } from "vitest";

import {
  bodiesOf,
  errorOf,
  linesOf,
  makeGate,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import type { Flow } from "../contracts/run.ts";
import { takeTurns } from "../testing/manual-clock.ts";

const doubling = plainFlow("doubling", (run) => run.wait("number").then((number) => Number(number) * 2));

test("calling a flow starts a run of its own and waits for its output", verifies("D17"), async () => {
  const stage = openStage();
  const parent = plainFlow("parent", async (run) => [await run.call(doubling, null), run.id]);
  const tutti = await stage.open([parent, doubling]);
  const run = await tutti.start(parent, null, { id: "r" });
  await until(() => stage.entries.length === 3);
  expect((await tutti.runs()).map(({ id, parent: of }) => [id, of])).toEqual([
    ["r.doubling", "r"],
    ["r", undefined],
  ]);
  await (await tutti.open("r.doubling")).signal("number", 21);
  expect(await run.result()).toEqual([42, "r"]);
  expect(linesOf(await run.entries())).toEqual([
    "run-started",
    "child-started /doubling",
    "child-settled /doubling",
    "run-done",
  ]);
  const [started] = bodiesOf(await (await tutti.open("r.doubling")).entries(), "run-started");
  expect(started).toMatchObject({ parent: { run: "r", step: "/doubling", onParentEnd: "cancel" } });
});

test("a child can be started now and asked for its result later", verifies("D17"), async () => {
  const stage = openStage();
  const parent = plainFlow("parent", async (run) => {
    const children = await Promise.all([run.child(doubling, 1), run.child(doubling, 2, { name: "other" })]);
    const between = await run.step("between", () => children.map((child) => child.id));
    const outputs = await Promise.all(children.map((child) => child.result()));
    return [...between, ...outputs, await children[0].result()];
  });
  const tutti = await stage.open([parent, doubling]);
  const run = await tutti.start(parent, null, { id: "r" });
  await run.settled();
  await (await tutti.open("r.other")).signal("number", 2);
  await (await tutti.open("r.doubling")).signal("number", 1);
  expect(await run.result()).toEqual(["r.doubling", "r.other", 2, 4, 2]);
});

test(
  "a parent that waits for a child costs nothing meanwhile and wakes at its end",
  verifies("D9", "D17"),
  async () => {
    const stage = openStage();
    const parent = plainFlow("parent", (run) => run.call(doubling, null));
    const tutti = await stage.open([parent, doubling]);
    const run = await tutti.start(parent, null, { id: "r" });
    expect(await run.settled()).toEqual({ kind: "waiting", untilMs: undefined, signals: [] });
    await stage.clock.advance(1_000);
    expect(stage.clock.due).toEqual([]);
    await (await tutti.open("r.doubling")).signal("number", 4);
    expect(await run.result()).toBe(8);
  },
);

test.for(["keep", "cancel", undefined] as const)(
  "a child whose parent ends first lives on only if it was told to: onParentEnd %s",
  verifies("D17"),
  async (onParentEnd) => {
    const stage = openStage();
    const parent = plainFlow("parent", async (run) => {
      const child = await run.child(doubling, null, onParentEnd === undefined ? {} : { onParentEnd });
      await run.step("between", () => 1);
      return child.id;
    });
    const tutti = await stage.open([parent, doubling]);
    expect(await tutti.run(parent, null, { id: "r" })).toBe("r.doubling");
    await takeTurns(100);
    const child = await tutti.open("r.doubling");
    if (onParentEnd === "keep") await child.signal("number", 5);
    expect(await child.settled()).toEqual(
      onParentEnd === "keep" ? { kind: "done", output: 10 } : { kind: "cancelled", reason: "r has ended" },
    );
    expect((await (await tutti.open("r")).state()).kind).toBe("done");
  },
);

test.for(["keep", "cancel"] as const)(
  "a child whose parent fails is treated as it was told: onParentEnd %s",
  verifies("D17"),
  async (onParentEnd) => {
    const stage = openStage();
    const parent = plainFlow("parent", async (run) => {
      await run.child(doubling, null, { onParentEnd });
      await run.step("fails", () => {
        throw new TuttiError("TOOL_FAILED", "no");
      });
    });
    const tutti = await stage.open([parent, doubling]);
    expect((await errorOf(tutti.run(parent, null, { id: "r" }))).code).toBe("TOOL_FAILED");
    await takeTurns(100);
    expect((await (await tutti.open("r.doubling")).state()).kind).toBe(
      onParentEnd === "keep" ? "waiting" : "cancelled",
    );
  },
);

test(
  "a child that fails rejects its parent with its error, and the parent can go on",
  verifies("D17", "K4"),
  async () => {
    const stage = openStage();
    const failing = plainFlow("failing", async () => {
      throw new TuttiError("TOOL_UNAVAILABLE", "closed", { hint: "Come later.", facts: { day: 7 } });
    });
    const strict = plainFlow("strict", (run) => run.call(failing, null));
    const lenient = plainFlow("lenient", async (run) => {
      const error = await errorOf(run.call(failing, null));
      return run.step("goes on", () => [error.code, error.message, error.hint ?? "", error.facts]);
    });
    const tutti = await stage.open([failing, strict, lenient]);
    expect(await errorOf(tutti.run(strict, null))).toMatchObject({ code: "TOOL_UNAVAILABLE", message: "closed" });
    expect(await tutti.run(lenient, null)).toEqual(["TOOL_UNAVAILABLE", "closed", "Come later.", { day: 7 }]);
    expect((await tutti.runs({ flow: "failing" })).map(({ status }) => status)).toEqual(["failed", "failed"]);
  },
);

test("a child that somebody cancels rejects its parent, which says so", verifies("D11", "D17"), async () => {
  const stage = openStage();
  const parent = plainFlow("parent", async (run) => (await errorOf(run.call(doubling, null))).code);
  const tutti = await stage.open([parent, doubling]);
  const run = await tutti.start(parent, null, { id: "r" });
  await run.settled();
  await (await tutti.open("r.doubling")).cancel("not needed");
  expect(await run.result()).toBe("RUN_CANCELLED");
});

interface Crash {
  readonly flows: readonly Flow[];
  readonly parent: Flow;
  readonly executed: readonly string[];
  readonly gate: ReturnType<typeof makeGate>;
}

/** A parent whose child stops at a gate, in the first life only. */
function crashing(): Crash {
  const gate = makeGate();
  const executed: string[] = [];
  let lives = 0;
  const child = plainFlow("child", async (run) => {
    lives++;
    await run.step("before", () => executed.push("before"));
    await run.step("at the gate", async () => {
      executed.push("at the gate");
      if (lives === 1) await gate.opened;
    });
    return "from the child";
  });
  const parent = plainFlow("parent", async (run) => {
    const output = await run.call(child, null);
    return run.step("after", () => `${String(output)}, ${executed.push("after")}`);
  });
  return { flows: [parent, child], parent, executed, gate };
}

test(
  "after a crash between a child's start and its end both go on, and the child is started once",
  verifies("D1", "D17"),
  async () => {
    const stage = openStage();
    const { flows, parent, executed } = crashing();
    const first = await stage.open(flows);
    await first.start(parent, null, { id: "r" });
    await until(() => executed.length === 2);
    await takeTurns(20);
    const second = await stage.open(flows);
    expect(await (await second.open("r")).result()).toBe("from the child, 4");
    expect(executed).toEqual(["before", "at the gate", "at the gate", "after"]);
    expect(await second.runs({ flow: "child" })).toHaveLength(1);
    expect(bodiesOf(stage.entries, "child-started")).toHaveLength(1);
  },
);

test(
  "a child that ended while its parent was away is heard of once, at the parent's return",
  verifies("D1", "D17"),
  async () => {
    const stage = openStage();
    const parent = plainFlow("parent", (run) => run.call(doubling, null));
    const first = await stage.open([parent, doubling]);
    await (await first.start(parent, null, { id: "r" })).settled();
    await stage.clock.advance(1_000);
    await first.close();
    const childOnly = await stage.open([doubling]);
    const child = await childOnly.open("r.doubling");
    await child.signal("number", 6);
    expect(await child.result()).toBe(12);
    await childOnly.close();
    const both = await stage.open([parent, doubling]);
    expect(await (await both.open("r")).result()).toBe(12);
    expect(bodiesOf(stage.entries, "child-settled")).toMatchObject([{ child: "r.doubling", out: 12 }]);
  },
);

test("a parent whose child's flow is missing waits for an engine that has it", verifies("D1", "D17"), async () => {
  const stage = openStage();
  const parent = plainFlow("parent", (run) => run.call(doubling, null));
  const first = await stage.open([parent]);
  const run = await first.start(parent, null, { id: "r" });
  expect((await run.settled()).kind).toBe("waiting");
  await stage.clock.advance(1_000);
  await first.close();
  const second = await stage.open([parent, doubling]);
  await (await second.open("r.doubling")).signal("number", 7);
  expect(await (await second.open("r")).result()).toBe(14);
});

test("the losing branch of a race takes its child with it", verifies("C3", "D11", "D17"), async () => {
  const stage = openStage();
  const parent = plainFlow("parent", (run) =>
    run.race({ slow: (branch) => branch.call(doubling, null), quick: (branch) => branch.wait("go") }),
  );
  const tutti = await stage.open([parent, doubling]);
  const run = await tutti.start(parent, null, { id: "r" });
  await run.settled();
  await run.signal("go", "first");
  expect(await run.result()).toEqual({ name: "quick", value: "first" });
  await takeTurns(100);
  expect((await tutti.runs({ flow: "doubling" })).map(({ status }) => status)).toEqual(["cancelled"]);
});

test("children have children, to any depth that is written down", verifies("D17"), async () => {
  const stage = openStage();
  const nested: Flow = plainFlow("nested", async (run) => {
    const depth = run.id.split(".").length;
    return depth === 6 ? depth : run.call(nested, null);
  });
  const tutti = await stage.open([nested]);
  expect(await tutti.run(nested, null, { id: "r" })).toBe(6);
  expect(await tutti.runs()).toHaveLength(6);
});

test("two children whose paths differ only in a dot and a slash are two runs", verifies("D17"), async () => {
  const stage = openStage();
  const dotted = plainFlow("a.b", async () => "dotted");
  const plain = plainFlow("b", async () => "plain");
  const parent = plainFlow("parent", async (run) => [
    await run.call(dotted, null),
    await run.scope("a", (scope) => scope.call(plain, null)),
  ]);
  const tutti = await stage.open([dotted, plain, parent]);
  const run = await tutti.start(parent, null, { id: "r" });
  await takeTurns(200);
  expect(await run.state()).toEqual({ kind: "done", output: ["dotted", "plain"] });
  expect(await tutti.runs()).toHaveLength(3);
});

test("a run that somebody else started under a child's id is not taken for the child", verifies("D17"), async () => {
  const stage = openStage();
  const impostor = plainFlow("impostor", async () => "not the child");
  const child = plainFlow("child", async () => "the child");
  const parent = plainFlow("parent", (run) => run.call(child, null));
  const tutti = await stage.open([impostor, child, parent]);
  await tutti.run(impostor, null, { id: "r.child" });
  await (await tutti.start(parent, null, { id: "r" })).settled();
  const next = await stage.open([impostor, child, parent]);
  const state = await (await next.open("r")).settled();
  expect(state).not.toMatchObject({ kind: "done", output: "not the child" });
});
