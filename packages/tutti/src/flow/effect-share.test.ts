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
import { Mail, openPostOffice, Receipt, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import { toEffectKey } from "../contracts/ids.ts";
import type { Flow } from "../contracts/run.ts";
import { tool } from "../tools/tool.ts";

const key = toEffectKey("mail.send:anna");
const receipt = { receipt: "receipt of anna" };

test("two steps of a run with one key share one effect, and the ledger says whose", verifies("D4"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office);
  const flow = plainFlow("twice", (run) =>
    Promise.all([run.call(mail, { to: "anna" }), run.call(mail, { to: "anna" }, { name: "again" })]),
  );
  const tutti = await stage.open([flow]);
  expect(await tutti.run(flow, null, { id: "r" })).toEqual([receipt, receipt]);
  expect(office.sent).toEqual(["anna"]);
  expect(bodiesOf(stage.entries, "effect-shared")).toMatchObject([
    { effect: key, from: { run: "r", step: "/mail.send" }, out: receipt },
  ]);
  expect(bodiesOf(stage.entries, "effect-intended")).toHaveLength(1);
});

test("a later run with the same key gets the first run's result", verifies("D4"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office);
  const flow = plainFlow("once", (run) => run.call(mail, { to: "anna" }));
  const tutti = await stage.open([flow]);
  await tutti.run(flow, null, { id: "first" });
  expect(await tutti.run(flow, null, { id: "second" })).toEqual(receipt);
  expect(office.sent).toEqual(["anna"]);
  expect(bodiesOf(stage.entries, "effect-shared")).toMatchObject([{ from: { run: "first", step: "/mail.send" } }]);
});

interface InFlight {
  readonly stage: ReturnType<typeof openStage>;
  readonly office: ReturnType<typeof openPostOffice>;
  readonly gate: ReturnType<typeof makeGate>;
  readonly flow: Flow;
  readonly calls: () => number;
}

/** A flow whose tool waits at a gate the first time. */
function inFlight(fate: "sends" | "fails" | "goes dark" = "sends"): InFlight {
  const stage = openStage();
  const office = openPostOffice();
  const gate = makeGate();
  let calls = 0;
  const mail = toMailTool(office, {
    async run({ to }, { idempotencyKey }) {
      if (++calls > 1) return office.send(to, idempotencyKey);
      await gate.opened;
      if (fate === "fails") throw new TuttiError("TOOL_FAILED", "no stamps");
      if (fate === "goes dark") throw new Error("no answer");
      return office.send(to, idempotencyKey);
    },
  });
  return { stage, office, gate, flow: plainFlow("once", (run) => run.call(mail, { to: "anna" })), calls: () => calls };
}

test("a run that wants an effect in flight waits for it, and costs nothing meanwhile", verifies("D4"), async () => {
  const { stage, office, gate, flow, calls } = inFlight();
  const tutti = await stage.open([flow]);
  const first = await tutti.start(flow, null, { id: "first" });
  await until(() => calls() === 1);
  const second = await tutti.start(flow, null, { id: "second" });
  expect((await second.settled()).kind).toBe("waiting");
  await stage.clock.advance(1_000); // the second is let go
  gate.open();
  expect(await Promise.all([first.result(), second.result()])).toEqual([receipt, receipt]);
  expect(office.sent).toEqual(["anna"]);
  expect(linesOf(await second.entries())).toEqual(["run-started", "effect-shared /mail.send", "run-done"]);
});

test("an effect that failed without a trace frees its key: who waited for it does it", verifies("D4"), async () => {
  const { stage, office, gate, flow, calls } = inFlight("fails");
  const tutti = await stage.open([flow]);
  const first = await tutti.start(flow, null, { id: "first" });
  await until(() => calls() === 1);
  const second = await tutti.start(flow, null, { id: "second" });
  await second.settled();
  gate.open();
  expect(await errorOf(first.result())).toMatchObject({ code: "TOOL_FAILED" });
  expect(await second.result()).toEqual(receipt);
  expect(office.sent).toEqual(["anna"]);
});

test(
  "who waits for an effect in doubt waits for the person, and shares what the person says",
  verifies("D3", "D4"),
  async () => {
    for (const verdict of ["done", "not-done"] as const) {
      const { stage, office, gate, flow, calls } = inFlight("goes dark");
      const tutti = await stage.open([flow]);
      const first = await tutti.start(flow, null, { id: "first" });
      await until(() => calls() === 1);
      const second = await tutti.start(flow, null, { id: "second" });
      await second.settled();
      gate.open();
      expect((await first.settled()).kind).toBe("in-doubt");
      await stage.ledger.flush();
      expect((await second.state()).kind).toBe("waiting");
      await tutti.settle(
        key,
        verdict === "done" ? { kind: verdict, by: "anna", output: receipt } : { kind: verdict, by: "anna" },
      );
      expect(await second.result()).toEqual(receipt);
      expect(office.sent).toEqual(verdict === "done" ? [] : ["anna"]);
    }
  },
);

test("a run that waits for another's effect is taken up by the next engine", verifies("D1", "D4"), async () => {
  const { stage, office, gate, flow, calls } = inFlight();
  const first = await stage.open([flow]);
  await first.start(flow, null, { id: "first" });
  await until(() => calls() === 1);
  await (await first.start(flow, null, { id: "second" })).settled();
  await stage.clock.advance(1_000);
  gate.open();
  const next = await stage.open([flow]);
  const owner = await next.open("first");
  if ((await owner.settled()).kind === "in-doubt") {
    await stage.ledger.flush();
    await next.settle(key, { kind: "done", by: "anna", output: receipt });
  }
  expect(await (await next.open("second")).result()).toEqual(receipt);
  expect(office.sent).toEqual(["anna"]);
});

test(
  "the same key for other content is a conflict, not a second effect and not the first's result",
  verifies("D4", "K4"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const mail = toMailTool(office);
    const flow = plainFlow("conflict", async (run) => {
      await run.call(mail, { to: "anna", text: "yes" });
      return run.call(mail, { to: "anna", text: "no" });
    });
    const tutti = await stage.open([flow]);
    expect(await errorOf(tutti.run(flow, null, { id: "r" }))).toMatchObject({
      code: "EFFECT_CONFLICT",
      disposition: "ask-person",
      facts: { effect: key, run: "r", step: "/mail.send" },
    });
    expect(office.sent).toEqual(["anna"]);
  },
);

test("an effect that was undone frees its key", verifies("D4", "D6"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office, { undo: (_, { input }) => office.recall(input.to) });
  const failing = plainFlow(
    "failing",
    async (run) => {
      await run.call(mail, { to: "anna" });
      throw new TuttiError("TOOL_FAILED", "changed my mind");
    },
    { onFailure: "undo" },
  );
  const going = plainFlow("going", (run) => run.call(mail, { to: "anna" }));
  const tutti = await stage.open([failing, going]);
  await errorOf(tutti.run(failing, null));
  expect(office.recalled).toEqual(["anna"]);
  expect(await tutti.run(going, null)).toEqual(receipt);
  expect(office.sent).toEqual(["anna", "anna"]);
});

async function sentBy(scope: "everyone" | "run" | "step"): Promise<number> {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office, { scope });
  const flow = plainFlow("twice", async (run) => [
    await run.call(mail, { to: "anna" }),
    await run.call(mail, { to: "anna" }),
  ]);
  const tutti = await stage.open([flow]);
  await tutti.run(flow, null);
  await tutti.run(flow, null);
  return office.sent.length;
}

test("whom a key counts for follows from the tool's scope", verifies("D4"), async () => {
  expect(await Promise.all([sentBy("everyone"), sentBy("run"), sentBy("step")])).toEqual([1, 2, 4]);
});

test(
  "without a declared key the whole input is the key, whatever the order of its fields",
  verifies("D4"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const unkeyed = tool({
      name: "mail.unkeyed",
      does: "Sends a mail.",
      input: Mail,
      output: Receipt,
      effect: "once",
      scope: "everyone",
      run: ({ to }, { idempotencyKey }) => office.send(to, idempotencyKey),
    });
    const flow = plainFlow("unkeyed", async (run) => [
      await run.call(unkeyed, { to: "anna", text: "hello" }),
      await run.call(unkeyed, { text: "hello", to: "anna" }),
      await run.call(unkeyed, { to: "anna", text: "bye" }),
    ]);
    const tutti = await stage.open([flow]);
    await tutti.run(flow, null);
    expect(office.sent).toHaveLength(2);
  },
);
