import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

import { expect, onTestFinished, test } from "vitest";

import { errorOf, makeGate, openStage, plainFlow, type Stage } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { TuttiError } from "../base/errors.ts";
import type { Run } from "../contracts/run.ts";
import { takeTurns } from "../testing/manual-clock.ts";

const here = "non-durable-await.test.ts";

async function listen(): Promise<string> {
  const server = createServer((_, response) => response.end("hello"));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`;
}

const ignorances: Readonly<Record<string, () => Promise<unknown>>> = {
  "a timer": () =>
    new Promise<void>((resolve) => {
      setTimeout(resolve, 1);
    }),
  "a file": () => readFile(import.meta.filename, "utf8"),
  "a request": async () => {
    const response = await fetch(await listen());
    return response.text();
  },
  "one turn of the event loop": () => takeTurns(1),
  "a timer that is due as soon as the busy loop looks": () =>
    new Promise<void>((resolve) => {
      setTimeout(resolve, 1);
      const until = performance.now() + 5;
      while (performance.now() < until);
    }),
  "a race against a timer": () =>
    Promise.race([
      makeGate().opened,
      new Promise<void>((resolve) => {
        setTimeout(resolve, 1);
      }),
    ]),
};

/** Where each verb is called after an await that is not durable: each must be found out. */
const verbs: Readonly<Record<string, (run: Run) => unknown>> = {
  "run.step": (run) => run.step("after", () => 1),
  "run.sleep": (run) => run.sleep(5),
  "run.wait": (run) => run.wait("go"),
  "run.scope": (run) => run.scope("inside", async () => 1),
  "run.all": (run) => run.all({ one: async () => 1 }),
  "run.now": (run) => run.now(),
  "run.note": (run) => run.note("text"),
  "run.record": (run) => run.record("decision-made", { about: "it", chosen: "this", why: "so" }),
  "run.review": (run) => run.review(1, { by: async () => ({ accepted: true, points: [] }), revise: async () => 1 }),
};

async function parkedBy(
  body: (run: Run) => Promise<unknown>,
): Promise<{ readonly error: TuttiError; readonly stage: Stage }> {
  const stage = openStage();
  const flow = plainFlow("impure", body);
  const tutti = await stage.open([flow]);
  const run = await tutti.start(flow, null, { id: "r" });
  const error = await errorOf(run.result());
  expect(await run.state()).toMatchObject({ kind: "parked", error: { code: error.code } });
  return { error, stage };
}

test.for(Object.keys(ignorances))(
  "a flow that awaits %s outside a step is parked at its next step, and is told the line",
  verifies("X2", "D13"),
  async (name) => {
    const { error } = await parkedBy(async (run) => {
      await run.step("before", () => 1);
      await ignorances[name]?.();
      return run.step("after", () => 2);
    });
    expect(error).toMatchObject({
      code: "FLOW_NONDURABLE_AWAIT",
      disposition: "bug",
      hint: expect.stringContaining("run.step"),
    });
    expect(error.message).toContain(here);
    expect(error.message).toContain('run.step("after")');
  },
);

test.for(Object.keys(verbs))("%s after such an await is found out too", verifies("X2", "D13"), async (name) => {
  const { error } = await parkedBy(async (run) => {
    await takeTurns(3);
    return verbs[name]?.(run);
  });
  expect(error.code).toBe("FLOW_NONDURABLE_AWAIT");
  expect(error.message).toContain(here);
});

test("the line that is named is that of the call itself", verifies("X2"), async () => {
  const { error } = await parkedBy(async (run) => {
    await takeTurns(3);
    return run.step("after", () => 1);
  });
  const line = /non-durable-await\.test\.ts:(\d+)/u.exec(error.message)?.[1];
  const source = (await readFile(import.meta.filename, "utf8")).split("\n");
  expect(source[Number(line) - 1]).toContain('return run.step("after", () => 1);');
});

test("a flow that ends after such an await is parked as well, before its end is recorded", verifies("X2"), async () => {
  const { error, stage } = await parkedBy(async (run) => {
    await run.step("before", () => 1);
    await takeTurns(3);
    return 1;
  });
  expect(error).toMatchObject({ code: "FLOW_NONDURABLE_AWAIT", message: expect.stringContaining("its end") });
  expect(stage.entries.map((entry) => entry.kind)).toEqual(["run-started", "step-done", "run-parked"]);
});

test("a step that calls another step is parked, and is told to use a scope", verifies("X2"), async () => {
  const { error } = await parkedBy((run) =>
    run.step("outer", async () => {
      await takeTurns(3);
      return run.step("inner", () => 1);
    }),
  );
  expect(error).toMatchObject({ code: "FLOW_NONDURABLE_AWAIT", hint: expect.stringContaining("run.scope") });
});

test("fifty chained microtasks, Promise.all, race and allSettled between steps are clean", verifies("X2"), async () => {
  const stage = openStage();
  const flow = plainFlow("pure", async (run) => {
    let sum = await run.step("first", () => 1);
    for (let count = 0; count < 50; count++) sum += await Promise.resolve(1);
    const both = await Promise.all([run.step("a", () => 1), Promise.resolve(2), run.step("b", async () => 3)]);
    const fastest = await Promise.race([
      run.step("c", () => 4),
      run.step("d", async () => takeTurns(20).then(() => 5)),
    ]);
    const settled = await Promise.allSettled([
      run.step("e", () => 6),
      run.step("f", () => {
        throw new Error("no");
      }),
    ]);
    for (let count = 0; count < 50; count++) await Promise.resolve();
    return [sum, both, fastest, settled.map(({ status }) => status), await run.step("last", () => 7)];
  });
  const tutti = await stage.open([flow]);
  expect(await tutti.run(flow, null)).toEqual([51, [1, 2, 3], 4, ["fulfilled", "rejected"], 7]);
});

test("asynchronous schemas are clean too", verifies("X2", "C1"), async () => {
  const stage = openStage();
  const slow = {
    "~standard": { version: 1, vendor: "test", validate: async (value: unknown) => ({ value }) },
  } as const;
  const flow = { ...plainFlow("schemas", (run) => run.step("only", () => 1)), input: slow, output: slow };
  const tutti = await stage.open([flow]);
  expect(await tutti.run(flow, null)).toBe(1);
});

test(
  "a flow that awaits what never comes is parked as stalled, not left running for ever",
  verifies("X2"),
  async () => {
    const stage = openStage();
    const flow = plainFlow("stalled", async (run) => {
      await run.step("before", () => 1);
      await makeGate().opened;
    });
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null);
    const stalled = errorOf(run.result());
    await stage.clock.advance(10_000);
    expect(await stalled).toMatchObject({ code: "FLOW_STALLED", hint: expect.stringContaining("run.step") });
    expect((await run.state()).kind).toBe("parked");
  },
);

test("a step that takes long is not a stall", verifies("X2"), async () => {
  const stage = openStage();
  const gate = makeGate();
  const flow = plainFlow("long", (run) => run.step("long", () => gate.opened.then(() => "done")));
  const tutti = await stage.open([flow]);
  const result = tutti.run(flow, null);
  await stage.clock.advance(100_000);
  gate.open();
  expect(await result).toBe("done");
});

test(
  "a call after the flow has ended gives a warning that names its line, and nothing else",
  verifies("X2"),
  async () => {
    const stage = openStage();
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
    let late: (() => Promise<unknown>) | undefined;
    const flow = plainFlow("over", async (run) => {
      late = () => run.step("late", () => 1);
      return run.step("only", () => 1);
    });
    const tutti = await stage.open([flow]);
    expect(await tutti.run(flow, null)).toBe(1);
    await takeTurns(5);
    let isSettled = false;
    void late?.().finally(() => {
      isSettled = true;
    });
    await takeTurns(20);
    expect(warnings.filter((warning) => "code" in warning && warning.code === "FLOW_ENDED")).toMatchObject([
      { name: "TuttiWarning", message: expect.stringContaining(here) },
    ]);
    expect(isSettled).toBe(false);
    expect(stage.entries.map((entry) => entry.kind)).toEqual(["run-started", "step-done", "run-done"]);
  },
);
