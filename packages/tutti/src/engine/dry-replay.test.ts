import fc from "fast-check";
import { expect, test } from "vitest";

import { anything, openStage, plainFlow, type Stage } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { toRunId } from "../contracts/ids.ts";
import type { Run } from "../contracts/run.ts";
import { tool } from "../tools/tool.ts";
import { replayDry, type DryReplay } from "./dry-replay.ts";

type Body = (run: Run) => Promise<unknown>;

const never = (): never => {
  throw new Error("a dry replay did something");
};

/** Brings a run to its rest under the first code, and asks what it would do under the second. */
async function check(from: Body, to: Body): Promise<{ readonly stage: Stage; readonly outcome: DryReplay }> {
  const stage = openStage();
  const old = plainFlow("changing", from);
  const tutti = await stage.open([old]);
  await (await tutti.start(old, null, { id: "r" })).settled();
  await tutti.close();
  await stage.ledger.flush();
  const stored = JSON.stringify(stage.entries);
  const before = await stage.ledger.findRun(toRunId("r"));
  const request = { run: toRunId("r"), flow: plainFlow("changing", to), models: {} };
  const outcome = await replayDry(stage.ledger, request);
  expect(JSON.stringify(stage.entries)).toBe(stored);
  expect(await stage.ledger.findRun(toRunId("r"))).toEqual(before);
  return { stage, outcome };
}

const twoSteps: Body = async (run) => [
  await run.step("a", () => 1),
  await run.step("b", () => 1),
  await run.wait("go"),
];

function toBody(before: readonly string[], after: readonly string[], work: () => unknown): Body {
  return async (run) => {
    for (const name of before) await run.step(name, work);
    await run.wait("go");
    for (const name of after) await run.step(name, work);
  };
}

test("the same code goes on; nothing new is begun, and nothing is written", verifies("D13"), async () => {
  const { outcome } = await check(
    async (run) => [await run.step("a", () => 1), await run.wait("go")],
    async (run) => [await run.step("a", never), await run.step("b", never), await run.wait("go")],
  );
  expect(outcome).toEqual({ kind: "goes-on", recorded: 1, next: ["/b"] });
});

test("a run that has recorded nothing goes on, and its first step is not begun", verifies("D13"), async () => {
  const { outcome } = await check(
    async (run) => run.wait("go"),
    async (run) => run.step("first", never),
  );
  expect(outcome).toEqual({ kind: "goes-on", recorded: 0, next: ["/first"] });
});

test(
  "changed code is found at the step, with what it asks for and what the ledger holds",
  verifies("D13"),
  async () => {
    const { outcome } = await check(
      async (run) => [await run.step("price", () => 1), await run.step("tax", () => 2), await run.wait("go")],
      async (run) => [await run.step("price", never), await run.step("vat", never), await run.wait("go")],
    );
    expect(outcome).toMatchObject({
      kind: "stops",
      error: { code: "FLOW_DIVERGED", facts: { recorded: "/tax", asked: ["/vat"], seq: 3 } },
    });
  },
);

test("code that ends too early, or awaits something that is not durable, is found", verifies("D13"), async () => {
  const shorter = await check(twoSteps, async (run) => run.step("a", never));
  expect(shorter.outcome).toMatchObject({ kind: "stops", error: { code: "FLOW_DIVERGED" } });
  const impatient = await check(twoSteps, async (run) => {
    await run.step("a", never);
    await new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
    return [await run.step("b", never), await run.wait("go")];
  });
  expect(impatient.outcome).toMatchObject({ kind: "stops", error: { code: "FLOW_NONDURABLE_AWAIT" } });
});

test(
  "an effect that is in doubt is neither asked for nor done; other input for it is a divergence",
  verifies("D3", "D13"),
  async () => {
    let sent = 0;
    const send = tool({
      name: "send",
      does: "Sends.",
      input: anything,
      output: anything,
      effect: "once",
      run: () => {
        sent += 1;
        throw new Error("the line broke");
      },
    });
    const old: Body = (run) => run.call(send, { to: "Ada" });
    const same = await check(old, old);
    expect(same.outcome).toEqual({ kind: "goes-on", recorded: 0, next: ["/send"] });
    const other = await check(old, (run) => run.call(send, { to: "Bob" }));
    expect(other.outcome).toMatchObject({ kind: "stops", error: { code: "FLOW_DIVERGED" } });
    expect(sent).toBe(2); // once for each of the two stages, by the engine alone
  },
);

test(
  "whatever the steps: a change before the rest is found there, a change after it never",
  verifies("D13"),
  async () => {
    const names = fc.array(fc.constantFrom<string>("a", "b", "c"), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(names, names, fc.nat(), async (before, after, at) => {
        const kept = await check(
          toBody(before, after, () => 1),
          toBody(before, ["x", ...after], never),
        );
        expect(kept.outcome).toEqual({ kind: "goes-on", recorded: before.length, next: [] });
        const index = at % before.length;
        const changed = await check(
          toBody(before, after, () => 1),
          toBody(before.with(index, "x"), after, never),
        );
        expect(changed.outcome).toMatchObject({ kind: "stops", error: { facts: { seq: index + 2 } } });
      }),
      { numRuns: 20 },
    );
  },
);
