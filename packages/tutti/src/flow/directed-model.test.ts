import { expect, test } from "vitest";

import { ada, brief, openSlowModel, said, writer } from "../../../../test/directives/directive-fixture.ts";
import { anything, openStage, until } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { flow } from "./flow.ts";

/** The second of two runs has a question that waits for its turn: their model takes one at a time. */
async function openWaiting() {
  const stage = openStage();
  const model = openSlowModel((index) => ({ answer: { text: `answer ${index}` } }));
  const tutti = await stage.open([brief], {
    models: { fast: model },
    limits: { "model/scripted": { concurrentMax: 1 } },
  });
  const first = await tutti.start(brief, null, { id: "first" });
  await until(() => model.gates.length === 1);
  const second = await tutti.start(brief, null, { id: "second" });
  await until(() => tutti.waitsFor("second").length > 0);
  return { stage, model, tutti, first, second };
}

test("a question that waits for its turn is not put to the model under an old directive", verifies("G5"), async () => {
  const { model, first, second } = await openWaiting();
  await second.steer({ kind: "goal", text: "Write about pears" }, ada);
  model.gates[0]?.open();
  await first.result();
  await until(() => model.gates.length === 2);
  expect(said(model.requests[1]?.messages)).toContain("The goal: Write about pears");
  model.gates[1]?.open();
  await second.result();
  expect(model.requests).toHaveLength(2);
});

test("a question that waits for its turn is not put to the model while it is frozen", verifies("G14"), async () => {
  const { stage, model, tutti, first, second } = await openWaiting();
  await tutti.freeze({ reach: "run", name: "second" }, ada);
  model.gates[0]?.open();
  await first.result();
  await stage.clock.advance(60_000); // an attempt that failed would have been made again
  expect(model.requests).toHaveLength(1);
  await tutti.unfreeze({ reach: "run", name: "second" }, ada);
  await until(() => model.gates.length === 2);
  model.gates[1]?.open();
  await second.result();
});

test(
  "a model that nobody could stop is not given: who asks shows the host of its own step",
  verifies("G5"),
  async () => {
    const stage = openStage();
    const model = scriptedModel([]);
    const stranger: typeof writer = {
      ...writer,
      act: (run, _input, host) =>
        run.step("model", ({ step, attempt }) => {
          host.model("fast", { host: { step, attempt }, timeoutMs: 1_000 });
          throw new Error("it was given a model");
        }),
    };
    const ask = flow({
      name: "ask",
      input: anything,
      output: anything,
      run: (run) => run.call(stranger, { topic: "apples" }),
    });
    const tutti = await stage.open([ask], { models: { fast: model } });
    await expect(tutti.run(ask, null)).rejects.toMatchObject({ code: "DEFINITION_INVALID" });
    expect(model.requests).toHaveLength(0);
  },
);
