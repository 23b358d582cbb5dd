import { expect, test } from "vitest";

import { findOpen, toAskingPolicy, vote } from "../../../../../test/approvals/approval-fixture.ts";
import { errorOf, openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";

function openOffice() {
  const stage = openStage();
  const office = openPostOffice();
  const flow = plainFlow("f", (run) => run.call(toMailTool(office), { to: "anna" }));
  return { stage, office, flow, policy: toAskingPolicy() };
}

test("a new directive supersedes what people are asked, and they are asked anew", verifies("G4", "G5"), async () => {
  const { stage, office, flow, policy } = openOffice();
  const tutti = await stage.open([flow], { policy });
  const handle = await tutti.start(flow, null);
  await handle.settled();
  const { id, package: saw } = await findOpen(tutti);
  await handle.steer({ kind: "constraint", text: "Only to those who asked" }, { by: "ann" });
  expect(await handle.settled()).toMatchObject({ kind: "asking", approvals: [{ round: 2 }] });
  const late = tutti.approvals.decide(id, { by: "ann", saw, verdict: "approve" });
  expect(await errorOf(late)).toMatchObject({ code: "APPROVAL_DECIDED" });
  expect(office.sent).toEqual([]);
  await vote(tutti, "ann");
  await handle.result();
  expect(office.sent).toEqual(["anna"]);
});

test(
  "a yes that was given before a directive is worth nothing after it, also over a restart",
  verifies("G4", "G5"),
  async () => {
    const { stage, office, flow, policy } = openOffice();
    const first = await stage.open([flow], { policy });
    await (await first.start(flow, null, { id: "r" })).settled();
    await first.close();
    const closed = await stage.open([], { policy, recover: false });
    await vote(closed, "ann");
    await (await closed.open("r")).steer({ kind: "goal", text: "Something else" }, { by: "bert" });
    await closed.close();
    const tutti = await stage.open([flow], { policy });
    const handle = await tutti.open("r");
    expect(await handle.settled()).toMatchObject({ kind: "asking", approvals: [{ round: 2 }] });
    expect(office.sent).toEqual([]);
    const [old] = await tutti.approvals.list({ states: ["superseded"] });
    expect(old?.why).toContain("directive");
  },
);
