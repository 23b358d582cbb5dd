import { expect, test } from "vitest";

import { findOpen, vote } from "../../../../../test/approvals/approval-fixture.ts";
import { bodiesOf, decisionsOf, errorOf, openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../../test/engine/world-fixture.ts";
import { sayToAll, toClerk, toMailing, toNames, trusting } from "../../../../../test/oversight/oversight-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { TuttiOptions } from "../tutti.ts";
import { casesMin } from "./trust.ts";

const mailAction = "tool/mail.send";
const yes = { verdict: "approve" } as const;

function openOffice() {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office, { undo: ({ receipt }) => office.recall(receipt) });
  const clerk = toClerk(mail);
  const open = (names: readonly string[], options: Partial<TuttiOptions> = {}, name?: string) => {
    const flow = toMailing(clerk, names, name);
    return stage.open([flow], { policy: trusting, ...options }).then((tutti) => ({ tutti, flow }));
  };
  return { stage, office, mail, clerk, open };
}

test(
  "a level that a person grants counts from the next call on, for that version and kind of action alone",
  verifies("G6"),
  async () => {
    const { stage, office, mail, open } = openOffice();
    const { tutti, flow } = await open(["a", "b"]);
    await tutti.start(flow, null, { id: "r" });
    await (await tutti.open("r")).settled();
    await tutti.autonomy.grant({ agent: "clerk@1", action: mailAction, level: 4, by: "ann" });
    await vote(tutti, "ann");
    await (await tutti.open("r")).result();
    expect(office.sent).toEqual(["a", "b"]); // nobody was asked about the second
    const called = decisionsOf(stage.entries).filter(({ request }) => request.action === "call-tool");
    expect(called.map(({ request }) => request.principal)).toMatchObject([
      { autonomy: 1 },
      { autonomy: 4 },
      { autonomy: 4 },
    ]);
    await tutti.close();
    const other = toMailing(toClerk(mail, "2"), ["c"], "other");
    const next = await stage.open([other], { policy: trusting });
    const handle = await next.start(other, null);
    expect((await handle.settled()).kind).toBe("asking"); // another version has earned nothing
  },
);

test("what a tenant, a directive or a class of data caps is the most that counts", verifies("G6"), async () => {
  const { stage, open, office } = openOffice();
  const { tutti, flow } = await open(["a"]);
  await tutti.autonomy.grant({ agent: "clerk@1", action: mailAction, level: 5, by: "ann" });
  await tutti.autonomy.cap({ tenant: "acme", level: 3, by: "ann" });
  const capped = await tutti.start(flow, null, { tenant: "acme" });
  expect((await capped.settled()).kind).toBe("asking");
  await capped.steer({ kind: "autonomy", level: 2 }, { by: "bert" });
  expect((await capped.settled()).kind).toBe("asking");
  const levels = decisionsOf(stage.entries).map(({ request }) => request.principal);
  expect(levels).toMatchObject([{ autonomy: 3 }, { autonomy: 2 }]);
  expect(office.sent).toEqual([]);
});

test("an agent at level 0 changes nothing, and what it would have done is recorded", verifies("G6"), async () => {
  const { stage, clerk, office } = openOffice();
  const flow = plainFlow("f", (run) => run.call(clerk, { to: "a" }));
  for (const policy of [undefined, trusting]) {
    const tutti = await stage.open([flow], policy === undefined ? {} : { policy });
    await tutti.autonomy.grant({ agent: "clerk@1", action: mailAction, level: 0, by: "ann" });
    const error = await errorOf((await tutti.start(flow, null)).result());
    expect(error).toMatchObject({ code: "AUTONOMY_SHADOW", disposition: "tell-model", effect: "none" });
    await tutti.close();
  }
  expect(office.sent).toEqual([]);
  expect(bodiesOf(stage.entries, "effect-shadowed")).toMatchObject([{ tool: "mail.send" }, { tool: "mail.send" }]);
  const failed = bodiesOf(stage.entries, "step-failed").find(({ call }) => call === "mail.send");
  expect(failed?.input).toEqual({ to: "a" });
});

test(
  "more autonomy is proposed after enough agreement, and decided by somebody who did not decide the cases",
  verifies("G6"),
  async () => {
    const { stage, open } = openOffice();
    const people = [
      { name: "ann", roles: [] },
      { name: "bert", roles: [] },
    ];
    const { tutti, flow } = await open(toNames(casesMin), { people });
    await tutti.start(flow, null, { id: "r", by: "ann" });
    await sayToAll(tutti, "r", () => ({ by: "ann", said: yes }));
    const [line] = await tutti.autonomy.list("clerk");
    expect(line).toMatchObject({ level: 1, proposal: expect.any(String) });
    expect(bodiesOf(stage.entries, "autonomy-proposed")).toMatchObject([
      { level: 2, evidence: { decided: casesMin, agreed: casesMin, severe: 0, by: ["ann"] } },
    ]);
    expect(await findOpen(tutti)).toMatchObject({
      kind: "promotion",
      matter: { names: ["promotion/clerk"], policy: "trusting@1" },
    });
    expect(await errorOf(vote(tutti, "ann"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
    await vote(tutti, "bert", { verdict: "approve" });
    expect(await tutti.autonomy.list()).toMatchObject([{ level: 2, proposal: undefined }]);
    const before = await tutti.autonomy.list();
    await tutti.close();
    const again = await stage.open([flow], { policy: trusting, people });
    expect(await again.autonomy.list()).toEqual(before); // from the ledger alone
  },
);

test("a proposal that nobody decides in time raises nothing", verifies("G6"), async () => {
  const { stage, open } = openOffice();
  const { tutti, flow } = await open(toNames(casesMin));
  await tutti.start(flow, null, { id: "r" });
  await sayToAll(tutti, "r", () => ({ by: "ann", said: yes }));
  await tutti.autonomy.list();
  await stage.clock.advance(31 * 24 * 3_600_000);
  expect(await tutti.autonomy.list()).toEqual([]);
  expect(await tutti.approvals.list()).toEqual([]);
  expect(await tutti.approvals.list({ states: ["expired"] })).toMatchObject([{ kind: "promotion" }]);
});

test("one case too few, or one severe override, proposes nothing", verifies("G6"), async () => {
  const { stage, open } = openOffice();
  const { tutti, flow } = await open(toNames(casesMin + 20));
  await tutti.start(flow, null, { id: "r" });
  const unsafe = { verdict: "reject", reason: "no", code: "unsafe" } as const;
  await sayToAll(tutti, "r", (index) => ({ by: "ann", said: index === casesMin - 2 ? unsafe : yes }));
  const [line] = await tutti.autonomy.list();
  expect(line?.evidence).toMatchObject({ decided: 22, severe: 1 });
  expect(bodiesOf(stage.entries, "autonomy-proposed")).toEqual([]);
});

test("what goes wrong takes the level away before the next call, with the reason", verifies("G6"), async () => {
  const { stage, clerk, office } = openOffice();
  const failing = plainFlow("failing", async (run) => {
    await run.call(clerk, { to: "a" });
    throw new Error("something else");
  });
  const flow = toMailing(clerk, ["b"], "later");
  const tutti = await stage.open([failing, flow], { policy: trusting });
  await tutti.autonomy.grant({ agent: "clerk@1", action: mailAction, level: 4, by: "ann" });
  await tutti.autonomy.grant({ agent: "clerk@1", action: "tier/compensable", level: 3, by: "ann" });
  const handle = await tutti.start(failing, null);
  await expect(handle.result()).rejects.toThrow("something else");
  await handle.undo({ by: "bert" });
  await handle.settled();
  expect(office.recalled).toEqual(["receipt of a"]);
  expect((await (await tutti.start(flow, null)).settled()).kind).toBe("asking");
  const withdrawn = bodiesOf(stage.entries, "autonomy-withdrawn");
  expect(withdrawn).toMatchObject([
    { action: mailAction, level: 1, by: "engine", reason: "a person had taken back what it did" },
    { action: "tier/compensable", level: 1 },
  ]);
  const cause = withdrawn[0]?.cause ?? 0;
  expect(stage.entries[cause - 1]?.kind).toBe("effect-undone");
});

test("a certificate ends at its time, and overrides that come too often take one level", verifies("G6"), async () => {
  const { stage, open } = openOffice();
  const { tutti, flow } = await open(toNames(8));
  const until = stage.clock.now() + 1_000;
  await tutti.autonomy.grant({ agent: "clerk@1", action: "tier/irreversible", level: 4, by: "ann", until });
  await tutti.autonomy.grant({ agent: "clerk@1", action: mailAction, level: 3, by: "ann" });
  await tutti.start(flow, null, { id: "r" });
  await sayToAll(tutti, "r", () => ({ by: "ann", said: { verdict: "reject", reason: "no" } }));
  await tutti.autonomy.list();
  expect(bodiesOf(stage.entries, "autonomy-withdrawn")).toMatchObject([
    { action: mailAction, level: 2, reason: "people decided otherwise more often than is usual" },
  ]);
  await stage.clock.advance(1_000);
  await tutti.autonomy.list();
  expect(bodiesOf(stage.entries, "autonomy-withdrawn")[1]).toMatchObject({
    action: "tier/irreversible",
    level: 1,
    reason: "its certificate has expired",
  });
});

test("what can't be granted is refused, and nothing is written", async () => {
  const { stage, open } = openOffice();
  const { tutti } = await open(["a"], { people: [{ name: "ann", roles: [] }] });
  const request = { agent: "clerk@1", action: mailAction, level: 3, by: "ann" };
  const wrong = [
    tutti.autonomy.grant({ ...request, level: 6 }),
    tutti.autonomy.grant({ ...request, agent: "clerk" }),
    tutti.autonomy.grant({ ...request, action: "mail" }),
    tutti.autonomy.grant({ ...request, by: "a stranger" }),
    tutti.autonomy.grant({ ...request, until: 1 }),
    tutti.autonomy.cap({ tenant: " ", level: 1, by: "ann" }),
    tutti.autonomy.withdraw({ ...request, level: -1, reason: "x" }),
  ];
  for (const each of wrong) expect((await errorOf(each)).code).toBe("INPUT_INVALID");
  expect(stage.entries).toEqual([]);
});
