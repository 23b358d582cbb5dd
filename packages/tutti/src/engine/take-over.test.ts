import { expect, test } from "vitest";
import { z } from "zod";

import { ada, brief, open, openSlowModel, writer } from "../../../../test/directives/directive-fixture.ts";
import { anything, errorOf, openStage, until } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { flow } from "../flow/flow.ts";

test(
  "an agent that was taken over makes no turns, and returns what a person hands in, if its schema takes it",
  verifies("G5"),
  async () => {
    const stage = openStage();
    const model = openSlowModel(() => ({ answer: { text: "by the model" } }));
    const tutti = await open(stage, model);
    const handle = await tutti.start(brief, null, { id: "run" });
    await until(() => model.gates.length === 1);
    await handle.steer({ kind: "take-over", agent: "writer" }, ada);
    expect(await handle.settled()).toMatchObject({ kind: "waiting", takenOver: ["writer"] });
    const wrong = await errorOf(handle.steer({ kind: "hand-back", agent: "writer", output: { words: 1 } }, ada));
    expect(wrong.code).toBe("INPUT_INVALID");
    // In another process: it is known there too.
    await tutti.close();
    const next = await open(stage, model);
    const again = await next.open("run");
    await again.steer({ kind: "hand-back", agent: "writer", output: { text: "by Ada" } }, ada);
    expect(await again.result()).toEqual({ text: "by Ada" });
    expect(model.requests).toHaveLength(1);
  },
);

test(
  "a whole run that was taken over ends with what a person hands in, if the flow's schema takes it",
  verifies("G5"),
  async () => {
    const stage = openStage();
    const model = openSlowModel(() => ({ answer: { text: "by the model" } }));
    const typed = flow({
      name: "typed",
      input: anything,
      output: z.object({ text: z.string() }),
      onFailure: "undo",
      run: (run) => run.call(writer, { topic: "apples" }),
    });
    const tutti = await open(stage, model, [typed]);
    const handle = await tutti.start(typed, null, { id: "run" });
    await until(() => model.gates.length === 1);
    await handle.steer({ kind: "take-over" }, ada);
    expect((await errorOf(handle.steer({ kind: "hand-back", output: 7 }, ada))).code).toBe("INPUT_INVALID");
    await handle.steer({ kind: "hand-back", output: { text: "by Ada" } }, ada);
    expect(await handle.result()).toEqual({ text: "by Ada" });
    expect(await handle.state()).toEqual({ kind: "done", output: { text: "by Ada" } });
  },
);
