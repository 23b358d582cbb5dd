import { expect, test } from "vitest";

import { anything, bodiesOf, errorOf, openStage, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { Flow, Run } from "../contracts/run.ts";
import { tool } from "../tools/tool.ts";

async function play(body: (run: Run) => Promise<unknown>): Promise<unknown> {
  const stage = openStage();
  const flow = plainFlow("odd", body);
  const engine = await stage.open([flow]);
  return engine.run(flow, null);
}

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;

const notStorable: Readonly<Record<string, () => unknown>> = {
  "a function": () => () => 1,
  "an object with a function": () => ({ deep: [{ also: 1, work: () => 1 }] }),
  "a cycle": () => cycle,
  "a bigint": () => 1n,
  "a symbol": () => Symbol("one"),
};

test.for(Object.keys(notStorable))("a step that returns %s fails, and says so", verifies("K4", "X2"), async (name) => {
  const error = await errorOf(play((run) => run.step("odd", () => notStorable[name]?.())));
  expect(error).toMatchObject({ code: "VALUE_NOT_STORABLE", hint: expect.any(String) });
  expect(error.message).toContain("/odd");
});

test.for(Object.keys(notStorable))(
  "a flow, a scope, a signal and an input that bring %s are refused",
  verifies("K4", "X2"),
  async (name) => {
    const value = notStorable[name]?.();
    expect(await errorOf(play(async () => value))).toMatchObject({ code: "VALUE_NOT_STORABLE" });
    expect(await errorOf(play((run) => run.scope("inside", async () => value)))).toMatchObject({
      code: "VALUE_NOT_STORABLE",
    });
    const stage = openStage();
    const flow = plainFlow("waits", (run) => run.wait("go"));
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null);
    expect(await errorOf(run.signal("go", value))).toMatchObject({ code: "VALUE_NOT_STORABLE" });
    await run.signal("go", "fine");
    expect(await run.result()).toBe("fine");
    expect(await errorOf(tutti.run(flow, value))).toMatchObject({ code: "VALUE_NOT_STORABLE" });
  },
);

test.for(Object.keys(notStorable))(
  "an effect that returns %s is recorded as done, with the complaint",
  verifies("D3", "K4"),
  async (name) => {
    const stage = openStage();
    let calls = 0;
    const odd = tool({
      name: "odd",
      does: "Returns something odd.",
      input: anything,
      output: anything,
      effect: "once",
      run: () => {
        calls++;
        return notStorable[name]?.();
      },
    });
    const flow = plainFlow("odd", (run) => run.call(odd, 1));
    const tutti = await stage.open([flow]);
    expect(await errorOf(tutti.run(flow, null))).toMatchObject({ code: "VALUE_NOT_STORABLE", effect: "done" });
    expect(calls).toBe(1);
    expect(bodiesOf(stage.entries, "effect-settled")).toMatchObject([{ error: { code: "VALUE_NOT_STORABLE" } }]);
    expect((await stage.ledger.listEffects({}))[0]?.state).toBe("settled");
  },
);

test(
  "what is thrown reaches the caller, whatever it is, the same live and from the ledger",
  verifies("K4", "X2"),
  async () => {
    const thrown: Readonly<Record<string, unknown>> = {
      "a word": "out of paper",
      nothing: undefined,
      null: null,
      "an object": { reason: 7 },
      "an error": new RangeError("too far"),
      "an empty error": new Error(""),
    };
    for (const [name, value] of Object.entries(thrown)) {
      const stage = openStage();
      const flow = plainFlow("throws", (run) =>
        run.step("bad", () => {
          throw value;
        }),
      );
      const tutti = await stage.open([flow]);
      const run = await tutti.start(flow, null, { id: "r" });
      const live = await errorOf(run.result());
      const later = await errorOf((await (await stage.open([flow])).open("r")).result());
      expect({ name, code: live.code }).toEqual({ name, code: "STEP_FAILED" });
      expect({ name, code: later.code, message: later.message }).toEqual({
        name,
        code: live.code,
        message: live.message,
      });
    }
  },
);

test(
  "a step, a flow and a scope that return nothing return undefined, live and on replay",
  verifies("D2", "X2"),
  async () => {
    const stage = openStage();
    const flow = plainFlow("nothing", async (run) => {
      const seen = [await run.step("nothing", () => undefined), await run.scope("inside", async () => undefined)];
      expect(seen).toEqual([undefined, undefined]);
      await run.wait("go");
      return undefined;
    });
    const first = await stage.open([flow]);
    await (await first.start(flow, undefined, { id: "r" })).settled();
    const second = await stage.open([flow]);
    const run = await second.open("r");
    await run.signal("go", undefined);
    expect(await run.result()).toBeUndefined();
    expect(await (await (await stage.open([flow])).open("r")).state()).toEqual({ kind: "done", output: undefined });
  },
);

test("what JSON changes is seen changed at once, so that replay sees nothing else", verifies("D2"), async () => {
  const value = { at: new Date(0), gone: undefined, odd: Number.NaN, list: [undefined] };
  const stored = { at: "1970-01-01T00:00:00.000Z", odd: null, list: [null] };
  expect(await play(async (run) => ({ step: await run.step("one", () => value) }))).toEqual({ step: stored });
  expect(await play(async (run) => ({ step: await run.step("one", () => Number.NaN) }))).toEqual({ step: null });
  expect(await play(async (run) => run.scope("inside", async () => value))).toEqual(stored);
  expect(await play(async () => value)).toEqual(stored);
});

test("a flow that never awaits, and one that throws at once, end as they should", verifies("X2"), async () => {
  expect(await play(() => Promise.resolve(7))).toBe(7);
  expect(
    await errorOf(
      play(() => {
        throw new Error("at once");
      }),
    ),
  ).toMatchObject({ code: "STEP_FAILED", message: expect.stringContaining("at once") });
});

test("two flows of one name and version can't be told apart", verifies("K4"), async () => {
  const stage = openStage();
  const one = plainFlow("same", async () => 1);
  const other = plainFlow("same", async () => 2);
  expect(await errorOf(stage.open([one, other]))).toMatchObject({
    code: "DEFINITION_INVALID",
    hint: expect.any(String),
  });
  await expect(stage.open([one, one, plainFlow("same", async () => 3, { version: "2" })])).resolves.toBeDefined();
});

test("a run is not named just anything", verifies("K4"), async () => {
  const stage = openStage();
  const flow = plainFlow("named", async () => 1);
  const tutti = await stage.open([flow]);
  for (const id of ["", "a b", "../etc", "a/b", "ä", "x".repeat(121)]) {
    expect({ id, code: (await errorOf(tutti.start(flow, null, { id }))).code }).toEqual({ id, code: "INPUT_INVALID" });
  }
  expect((await tutti.start(flow, null, { id: "a.b~c:d-e_F9" })).id).toBe("a.b~c:d-e_F9");
  expect(await errorOf(tutti.open("nobody"))).toMatchObject({ code: "RUN_UNKNOWN", hint: expect.any(String) });
});

test(
  "a flow that the engine was not given can't be started, and one that is not there leaves its run alone",
  verifies("D13", "K4"),
  async () => {
    const stage = openStage();
    const flow = plainFlow("known", (run) => run.wait("go"));
    const first = await stage.open([flow]);
    const stranger: Flow = plainFlow("stranger", async () => 1);
    expect(await errorOf(first.start(stranger, null))).toMatchObject({ code: "FLOW_UNKNOWN" });
    await first.start(flow, null, { id: "r" });

    const second = await stage.open([stranger]);
    const run = await second.open("r");
    expect(await errorOf(run.resume())).toMatchObject({
      code: "FLOW_UNKNOWN",
      facts: { run: "r", flow: "known", version: "1" },
    });
    expect((await run.state()).kind).not.toBe("parked");
    await run.signal("go", "left for later");

    const third = await stage.open([flow]);
    expect(await (await third.open("r")).result()).toBe("left for later");
  },
);
