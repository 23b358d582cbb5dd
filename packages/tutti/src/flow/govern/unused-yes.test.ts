import { expect, test } from "vitest";

import { toAskingPolicy, vote } from "../../../../../test/approvals/approval-fixture.ts";
import { openDyingLedger } from "../../../../../test/engine/dying-ledger.ts";
import { bodiesOf, errorOf, makeGate, openStage, plainFlow, until } from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { takeTurns } from "../../testing/manual-clock.ts";

/** A run that goes on after its call was refused, although people had said yes to it. */
function openRefusing() {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office, { needs: [{ name: "open", check: () => "the office is closed" }] });
  const flow = plainFlow("f", async (run) => {
    const refused = await run.call(mail, { to: "anna" }).catch((error: unknown) => error);
    await run.wait("go on");
    return refused instanceof Error;
  });
  return { stage, office, flow };
}

test("a yes whose call then fails what it needs is over with that call", verifies("G4"), async () => {
  const { stage, office, flow } = openRefusing();
  const tutti = await stage.open([flow], { policy: toAskingPolicy() });
  const handle = await tutti.start(flow, null, { id: "r" });
  await handle.settled();
  const { id } = await vote(tutti, "ann");
  expect((await handle.settled()).kind).toBe("waiting");
  expect((await tutti.approvals.show(id)).approval).toMatchObject({ state: "withdrawn", decidedBy: "ann" });
  expect(bodiesOf(stage.entries, "approval-decided").map(({ state }) => state)).toEqual(["granted", "withdrawn"]);
  expect(office.sent).toEqual([]);
  await tutti.close();
});

test("wherever a process dies, a yes is over exactly when its failed call is", verifies("D2", "G4"), async () => {
  for (let index = 0; index < 16; index++) {
    const death = { atWrite: Math.floor(index / 2) + 1, isStored: index % 2 === 0 };
    const { stage, flow } = openRefusing();
    const asking = await stage.open([flow], { policy: toAskingPolicy() });
    await (await asking.start(flow, null, { id: "r" })).settled();
    await asking.close();
    const ledger = openDyingLedger(stage.ledger, death);
    const dying = await stage.open([flow], { policy: toAskingPolicy(), ledger: { ...ledger, close: async () => {} } });
    void vote(dying, "ann").catch(() => undefined); // whoever dies answers nobody
    await takeTurns(40);
    ledger.kill();
    const failed = bodiesOf(stage.entries, "step-failed").length;
    const withdrawn = bodiesOf(stage.entries, "approval-decided").filter(({ state }) => state === "withdrawn").length;
    expect([death, withdrawn]).toEqual([death, failed]);
    const tutti = await stage.open([flow], { policy: toAskingPolicy() });
    if ((await tutti.approvals.list()).length > 0) await vote(tutti, "ann");
    const handle = await tutti.open("r");
    expect((await handle.settled()).kind).toBe("waiting");
    expect(await tutti.approvals.list({ states: ["granted"] })).toEqual([]);
    await handle.signal("go on", null);
    expect(await handle.result()).toBe(true);
    await tutti.close();
  }
});

test("a yes is over when the policy has come to deny what it was given for", verifies("G3", "G4"), async () => {
  const { stage, office } = openRefusing();
  const flow = plainFlow("g", (run) => run.call(toMailTool(office), { to: "anna" }));
  let denies = false;
  const asking = toAskingPolicy();
  const policy = {
    ...asking,
    decide: (...request: Parameters<typeof asking.decide>) =>
      denies && request[0].action !== "approve"
        ? ({ kind: "deny", rules: ["no"], why: "no longer" } as const)
        : asking.decide(...request),
  };
  const tutti = await stage.open([flow], { policy });
  const handle = await tutti.start(flow, null, { id: "r" });
  await handle.settled();
  denies = true;
  const { id } = await vote(tutti, "ann");
  expect(await errorOf(handle.result())).toMatchObject({ code: "POLICY_DENIED" });
  expect((await tutti.approvals.show(id)).approval.why).toBe("its step has ended without it");
  await tutti.close();
});

const inBetween = ["asks whether it may", "is frozen", "waits for the same mail of another run"] as const;

test.for(inBetween)(
  "a yes is over with its call when that is cancelled before it has begun: while it %s",
  verifies("G4"),
  async (what) => {
    const stage = openStage();
    const office = openPostOffice();
    const sending = makeGate();
    const mail = toMailTool(office, {
      needs: what === "asks whether it may" ? [{ name: "open", check: () => new Promise(() => {}) }] : [],
      run: async ({ to }, { idempotencyKey }) => {
        await sending.opened;
        return office.send(to, idempotencyKey);
      },
    });
    const flow = plainFlow("f", async (run) => {
      await run.race({ mail: (branch) => branch.call(mail, { to: "anna" }), other: (branch) => branch.wait("other") });
      await run.wait("end");
    });
    const tutti = await stage.open([flow], { policy: toAskingPolicy() });
    if (what === "waits for the same mail of another run") {
      await (await tutti.start(flow, null, { id: "owner" })).settled();
      await vote(tutti, "ann");
      await until(() => bodiesOf(stage.entries, "effect-intended").length === 1);
    }
    const handle = await tutti.start(flow, null, { id: "r" });
    await handle.settled();
    if (what === "is frozen") await tutti.freeze({ reach: "run", name: "r" }, { by: "ann" });
    const { id } = await vote(tutti, "ann");
    await takeTurns(40);
    await handle.signal("other", null);
    await takeTurns(40);
    expect(await tutti.ledger.findApproval(id)).toMatchObject({ run: "r", state: "withdrawn", decidedBy: "ann" });
    expect(bodiesOf(stage.entries, "run-done")).toEqual([]);
    expect(office.sent).toEqual([]);
    sending.open();
  },
);
