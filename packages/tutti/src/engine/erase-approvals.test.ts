import path from "node:path";

import { expect, test } from "vitest";

import { toAskingPolicy, vote } from "../../../../test/approvals/approval-fixture.ts";
import { readBytes } from "../../../../test/canary.ts";
import { anything, errorOf, makeLedgerFile, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { must } from "../base/assert.ts";
import { bodyOf } from "../contracts/entry.ts";
import { verifyLedger } from "../ledger/verify.ts";
import { openTutti } from "./open-tutti.ts";

const personal = "anna.bloom@example.com";

function openOffice() {
  const office = openPostOffice();
  const mail = toMailTool(office, {
    key: ({ to }) => String(to.length), // keys are not sealed
    preview: ({ to }) => `a mail to ${to}`,
  });
  const flow = plainFlow("visit", async (run) => {
    const answer = await run.ask(`Who is ${personal}?`, { of: "clerk", schema: anything });
    await run.call(mail, { to: personal });
    const edited = await run.call(mail, { to: `${personal}.old` });
    const decided = await run.approve(`Invite ${personal}`);
    return [answer, edited, decided.reason];
  });
  const people = [{ name: "ann", roles: ["clerk"] }];
  return { office, flow, options: { flows: [flow], people, policy: toAskingPolicy(), control: false } };
}

test(
  "people decide about a run of a person as about any other, and what they were asked and said is erased with that person's data",
  verifies("G4", "G12"),
  async () => {
    const { office, flow, options } = openOffice();
    const ledger = await makeLedgerFile();
    const tutti = await openTutti({ ...options, ledger });
    const handle = await tutti.start(flow, { name: personal }, { id: "r", subject: "customer-17" });
    const next = async () => {
      const state = await handle.settled();
      const [asked] = state.kind === "asking" ? state.approvals : [];
      return must(asked, `nothing is asked: ${state.kind}`);
    };
    const question = await next();
    expect(question.about).toBe(`Who is ${personal}?`);
    await vote(tutti, "ann", { verdict: "answer", answer: { friend: personal } });
    expect((await tutti.approvals.show((await next()).id)).package.action?.preview).toBe(`a mail to ${personal}`);
    await vote(tutti, "ann");
    await next();
    await vote(tutti, "ann", { verdict: "edit", input: { to: `${personal}.new` } });
    const decision = await next();
    const rejected = vote(tutti, "ann", { verdict: "reject", reason: `${personal} is on leave` });
    const late = vote(tutti, "ann"); // looked at before, and written after
    expect((await errorOf(late)).message).toContain(`it is rejected by ann: ${personal} is on leave`);
    expect((await rejected).why).toBe(`${personal} is on leave`);
    expect(await handle.result()).toEqual([
      { friend: personal },
      { receipt: `receipt of ${personal}.new` },
      `${personal} is on leave`,
    ]);
    expect(office.sent).toEqual([personal, `${personal}.new`]);
    const decided = (await handle.entries()).filter(({ kind }) => kind === "approval-decided");
    expect(bodyOf(must(decided.at(-1), "all was decided"), "approval-decided").why).toBe(`${personal} is on leave`);
    await tutti.ledger.flush();
    expect(Object.values(readBytes(path.dirname(ledger))).join("")).not.toContain(personal);
    await tutti.erase("customer-17", "dana");
    expect(await verifyLedger(tutti.ledger)).toMatchObject({ kind: "intact" });
    expect((await tutti.ledger.findApproval(decision.id))?.why).toBe("(erased)");
    expect(await errorOf(tutti.approvals.show(decision.id))).toMatchObject({ code: "DATA_ERASED" });
    await tutti.close();
  },
);

test(
  "what people were asked before a restart they answer after it, also about a person",
  verifies("D1", "G4"),
  async () => {
    const { flow, options } = openOffice();
    const ledger = await makeLedgerFile();
    const first = await openTutti({ ...options, ledger });
    const started = await first.start(flow, null, { id: "r", subject: "customer-17" });
    await started.settled();
    await first.close();
    const closed = await openTutti({ ...options, flows: [], ledger });
    await vote(closed, "ann", { verdict: "answer", answer: { friend: personal } });
    await closed.close();
    const second = await openTutti({ ...options, ledger });
    const handle = await second.open("r");
    expect(await handle.settled()).toMatchObject({ kind: "asking", approvals: [{ kind: "action", round: 1 }] });
    await second.close();
  },
);

test("a large input of a run about a person is still known as the one that was given", verifies("D1"), async () => {
  const office = openPostOffice();
  const mail = toMailTool(office, { key: () => "letter" });
  const flow = plainFlow("long", async (run) => {
    await run.call(mail, { to: `${personal} `.repeat(3_000) });
    return run.wait("go");
  });
  const ledger = await makeLedgerFile();
  const first = await openTutti({ flows: [flow], ledger, control: false });
  await (await first.start(flow, null, { id: "r", subject: "customer-17" })).settled();
  await first.close();
  const second = await openTutti({ flows: [flow], ledger, control: false });
  const handle = await second.open("r");
  await handle.signal("go", "on");
  expect(await handle.result()).toBe("on");
  expect(office.sent).toHaveLength(1);
  await second.close();
});
