import { expect, test } from "vitest";

import { findOpen, toAskingPolicy, toPolicy, vote } from "../../../../../test/approvals/approval-fixture.ts";
import { openDyingLedger } from "../../../../../test/engine/dying-ledger.ts";
import { errorOf, makeGate, openStage, plainFlow, until } from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { Ledger } from "../../ledger/ledger.ts";

test("a vote that comes while the run only begins to wait is not missed", verifies("G4"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const flow = plainFlow("f", (run) => run.call(toMailTool(office), { to: "anna" }));
  const first = await stage.open([flow], { policy: toAskingPolicy() });
  await (await first.start(flow, null, { id: "r" })).settled();
  const { id, package: saw } = await findOpen(first);
  await first.close();
  const gate = makeGate();
  let asked = 0;
  // What was read is old by the time that it arrives.
  const ledger: Ledger = {
    ...stage.ledger,
    async listApprovals(filter) {
      const found = await stage.ledger.listApprovals(filter);
      asked += 1;
      await gate.opened;
      return found;
    },
    close: async () => {},
  };
  const tutti = await stage.open([flow], { policy: toAskingPolicy(), ledger });
  const handle = await tutti.open("r");
  const result = handle.result();
  await until(() => asked === 1);
  await tutti.approvals.decide(id, { by: "ann", saw, verdict: "approve" });
  gate.open();
  await result;
  expect(office.sent).toEqual(["anna"]);
});

test("a policy that says no once it knows who said yes is obeyed", verifies("G3", "G4"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const flow = plainFlow("f", (run) => run.call(toMailTool(office), { to: "anna" }));
  const ask = toAskingPolicy();
  const policy = toPolicy((request) =>
    request.context.approvals.some(({ by }) => by === "mallory")
      ? { kind: "deny", rules: ["m"], why: "not on mallory's word" }
      : ask.decide(request),
  );
  const tutti = await stage.open([flow], { policy });
  const handle = await tutti.start(flow, null);
  await handle.settled();
  await vote(tutti, "mallory");
  expect(await errorOf(handle.result())).toMatchObject({ code: "POLICY_DENIED" });
  expect(office.sent).toEqual([]);
});

test(
  "a crash in a call that a person had changed asks for that one, and does no other",
  verifies("D3", "G4"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const gate = makeGate();
    const mail = toMailTool(office, {
      check: ({ to }) => office.receiptOf(to),
      async run({ to }, { idempotencyKey }) {
        const receipt = office.send(to, idempotencyKey);
        await gate.opened;
        return receipt;
      },
    });
    const flow = plainFlow("f", (run) => run.call(mail, { to: "anna" }));
    const ledger = openDyingLedger(stage.ledger, { atWrite: Number.POSITIVE_INFINITY, isStored: true });
    const first = await stage.open([flow], { policy: toAskingPolicy(), ledger });
    await (await first.start(flow, null, { id: "r" })).settled();
    await vote(first, "ann", { verdict: "edit", input: { to: "bert" } });
    await until(() => office.sent.length === 1);
    ledger.kill();
    const next = await stage.open([flow], { policy: toAskingPolicy() });
    expect(await (await next.open("r")).result()).toEqual({ receipt: "receipt of bert" });
    expect(office.sent).toEqual(["bert"]);
  },
);
