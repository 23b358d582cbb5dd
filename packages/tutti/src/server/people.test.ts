import { expect, test } from "vitest";
import { z } from "zod";

import { openStand, type Answered, type Stand } from "../../../../test/server/server-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { approvalDetail, approvalLine, inbox, type ApprovalLine, type Inbox } from "../contracts/api/people.ts";
import type { Policy } from "../contracts/policy.ts";
import { flow } from "../flow/flow.ts";
import { tool } from "../tools/tool.ts";

const pay = tool({
  name: "pay",
  does: "Pays a bill.",
  input: z.object({ to: z.string(), amount: z.number() }),
  output: z.object({ receipt: z.string() }),
  effect: "once",
  preview: ({ to, amount }) => `${amount} euros go to ${to}`,
  run: ({ to, amount }) => ({ receipt: `${amount} to ${to}` }),
});
const bills = flow({
  name: "bills",
  input: z.object({ to: z.string(), amount: z.number() }),
  output: z.object({ receipt: z.string() }),
  run: (run, bill) => run.call(pay, bill),
});
const lose = tool({
  name: "lose",
  does: "Nobody knows whether it happened.",
  input: z.object({}),
  output: z.object({}),
  effect: "once",
  run: () => {
    throw new Error("no answer");
  },
});
const loses = flow({ name: "loses", input: z.object({}), output: z.object({}), run: (run) => run.call(lose, {}) });
const poll = flow({
  name: "poll",
  input: z.object({}),
  output: z.string(),
  run: (run) => run.ask("Which colour?", { of: "finance", schema: z.string() }),
});
const house: Policy = {
  name: "house",
  version: "1",
  decide: ({ action, resource, principal }) =>
    action === "approve" && principal.kind === "person" && principal.person === "dora"
      ? { kind: "deny", rules: ["not-yet"], why: "dora is new here" }
      : action === "call-tool" && (resource.name === "pay" || resource.name === "mail.send")
        ? {
            kind: "needs",
            rules: ["payments"],
            why: "money leaves the house",
            approvals: [{ count: 1, role: "finance", distinctFromInitiator: true }],
          }
        : { kind: "allow", rules: ["rest"] },
};

const people = [
  { name: "ann", roles: ["finance"] },
  { name: "bert", roles: ["finance"] },
  { name: "carl", roles: ["sales"] },
  { name: "dora", roles: ["finance"] },
];
const options = { flows: [bills, poll, loses], engine: { policy: house, people } };

/** A stand with a token for each of the people, and what the tests do most. */
async function openOffice(): Promise<Office> {
  return toOffice(await openStand(options));
}

interface Office {
  readonly stand: Stand;
  readonly as: (name: string) => string;
  /** Starts the flow and returns what it asks. */
  readonly asked: (name: string, flow: string, input: unknown) => Promise<ApprovalLine>;
  readonly inbox: (token: string) => Promise<Inbox>;
  readonly decide: (name: string, id: string, body: unknown) => Promise<Answered>;
}

function toOffice(stand: Stand): Office {
  const made = new Map<string, string>();
  const as = (name: string): string => {
    const token =
      made.get(name) ?? stand.tokens.create({ name, role: name === "olga" ? "operator" : "admin", createdAt: 1 }).token;
    made.set(name, token);
    return token;
  };
  const readInbox = async (token: string): Promise<Inbox> =>
    inbox.shape((await stand.ask("listInbox", { token })).json, "");
  return {
    stand,
    as,
    inbox: readInbox,
    async asked(name, flowName, input) {
      const started = await stand.ask("startRun", { token: as(name), body: { flow: flowName, input } });
      const { run } = z.object({ run: z.string() }).parse(started.json);
      await (await stand.tutti.open(run)).settled();
      const found = (await readInbox(as(name))).approvals.find((approval) => approval.run === run);
      return approvalLine.shape(found, "approval");
    },
    decide: (name, id, body) => stand.ask("decide", { token: as(name), params: { approval: id }, body }),
  };
}

test(
  "whoever decides over HTTP is shown the package, and their yes counts for exactly that",
  verifies("G4"),
  async () => {
    const { stand, as, asked, decide } = await openOffice();
    const { id, run, package: saw } = await asked("ann", "bills", { to: "the printer", amount: 90 });
    const shown = await stand.ask("showApproval", { token: as("bert"), params: { approval: id } });
    expect(approvalDetail.shape(shown.json, "").package.action?.preview).toBe("90 euros go to the printer");
    const done = await decide("bert", id, { saw, verdict: "approve", note: "as agreed" });
    expect([done.status, done.json]).toEqual([200, expect.objectContaining({ state: "granted", decidedBy: "bert" })]);
    expect(await (await stand.tutti.open(run)).result()).toEqual({ receipt: "90 to the printer" });
  },
);

test("whoever decides over HTTP is told what people said before", verifies("G8"), async () => {
  const { stand, as, asked, decide } = await openOffice();
  const first = await asked("olga", "poll", {});
  await decide("ann", first.id, { saw: first.package, verdict: "answer", answer: "red" });
  const { id } = await asked("olga", "poll", {});
  const shown = await stand.ask("showApproval", { token: as("ann"), params: { approval: id } });
  expect(approvalDetail.shape(shown.json, "").package.precedents).toMatchObject([
    { decision: "answered", text: 'Which colour? was answered with "red"' },
  ]);
});

test("who says something is the token's holder, whatever the body claims, and whoever started the run does not count", async () => {
  const office = await openOffice();
  const { stand, as, asked, decide } = office;
  const { id, package: saw } = await asked("ann", "bills", { to: "x", amount: 1 });
  const yes = { saw, verdict: "approve", by: "bert", roles: ["finance"] };
  for (const name of ["ann", "carl", "stranger"]) {
    const answer = await decide(name, id, yes);
    expect([name, answer.status, answer.text]).toEqual([name, 403, expect.stringContaining("APPROVAL_FORBIDDEN")]);
  }
  expect((await stand.tutti.approvals.show(id)).approval.votes).toEqual([]);
  const called = { token: as("bert"), params: { tool: "mail.send" }, body: { input: { to: "x" } } };
  const { run } = z.object({ run: z.string() }).parse((await stand.ask("callTool", called)).json);
  await (await stand.tutti.open(run)).settled();
  expect((await office.inbox(as("bert"))).approvals.at(-1)).toMatchObject({ run, initiator: "bert" });
});

test(
  "whom the policy lets say no yes is told so over HTTP, is shown nothing that waits for them, and may say no",
  verifies("G3", "G4"),
  async () => {
    const { stand, as, asked, decide } = await openOffice();
    const { id, run, package: saw } = await asked("olga", "bills", { to: "x", amount: 1 });
    const waiting = async (name: string): Promise<number> => {
      const query = { needs: "you" } as const;
      const found = inbox.shape((await stand.ask("listInbox", { token: as(name), query })).json, "");
      return found.approvals.length;
    };
    expect([await waiting("dora"), await waiting("bert")]).toEqual([0, 1]);
    const refused = await decide("dora", id, { saw, verdict: "approve" });
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("dora is new here");
    expect((await decide("dora", id, { saw, verdict: "delegate", to: "bert" })).status).toBe(403);
    const body = { decisions: [{ id, saw, verdict: "approve" }] };
    expect((await stand.ask("decideAll", { token: as("dora"), body })).status).toBe(403);
    expect((await stand.tutti.approvals.show(id)).approval.votes).toEqual([]);
    expect((await decide("dora", id, { saw, verdict: "reject", reason: "no" })).status).toBe(200);
    expect((await (await stand.tutti.open(run)).settled()).kind).toBe("failed");
  },
);

test("effects that are in doubt stand beside what people are asked, for those who may settle them", async () => {
  const { stand, as, asked, inbox: read } = await openOffice();
  await asked("olga", "bills", { to: "x", amount: 1 });
  const start = { token: as("olga"), body: { flow: "loses", input: {} } };
  const { run } = z.object({ run: z.string() }).parse((await stand.ask("startRun", start)).json);
  await (await stand.tutti.open(run)).settled();
  expect((await read(as("bert"))).inDoubt).toMatchObject([{ run, tool: "lose" }]);
  const needed = async (name: string): Promise<unknown> =>
    (await stand.ask("listInbox", { token: as(name), query: { needs: "you" } })).json;
  expect(await needed("carl")).toMatchObject({ approvals: [], inDoubt: [{ run }] });
  expect(await needed("olga")).toEqual({ approvals: [], inDoubt: [] });
  const listed = async (name: string): Promise<unknown> =>
    (await stand.ask("listRuns", { token: as(name), query: { needs: "you" } })).json;
  expect(await listed("carl")).toMatchObject({ runs: [{ run }] });
  expect(await listed("olga")).toMatchObject({ runs: [] });
});

test("of two people who decide at once over HTTP one wins, and the other is told", verifies("G4"), async () => {
  const { stand, asked, decide } = await openOffice();
  const { id, package: saw } = await asked("olga", "bills", { to: "x", amount: 1 });
  const answers = await Promise.all([
    decide("ann", id, { saw, verdict: "approve" }),
    decide("bert", id, { saw, verdict: "reject", reason: "too much" }),
  ]);
  expect(answers.map(({ status }) => status).toSorted((left, right) => left - right)).toEqual([200, 409]);
  const loser = answers.find(({ status }) => status === 409);
  expect(loser?.text).toContain("APPROVAL_DECIDED");
  const { state } = (await stand.tutti.approvals.show(id)).approval;
  expect(["granted", "used", "rejected"]).toContain(state);
});

test("a yes to something else than what is asked now is refused, and so is one that does not say to what", async () => {
  const { asked, decide } = await openOffice();
  const { id, package: saw } = await asked("olga", "bills", { to: "x", amount: 1 });
  const stale = await decide("bert", id, { saw: "0".repeat(64), verdict: "approve" });
  expect([stale.status, stale.text]).toEqual([409, expect.stringContaining("APPROVAL_STALE")]);
  for (const body of [
    { saw: saw.slice(0, 12), verdict: "approve" }, // people type that; another package may begin so
    { saw, verdict: "approve", input: { to: "y", amount: 2 } }, // an edit was meant
    { saw, verdict: "reject" },
    { saw, verdict: "delegate" },
    { saw, verdict: "edit", input: { to: "y" } },
  ])
    expect([body, (await decide("bert", id, body)).status]).toEqual([body, 400]);
  expect((await decide("bert", "nothing", { saw, verdict: "approve" })).status).toBe(404);
});

test("a batch of which one can't be decided changes nothing, and says which", verifies("G4"), async () => {
  const office = await openOffice();
  const { stand, as, asked } = office;
  const approvals = [];
  for (const amount of [1, 2, 3]) approvals.push(await asked("olga", "bills", { to: "x", amount }));
  const decisions = approvals.map(({ id, package: saw }) => ({ id, saw, verdict: "approve" }));
  const send = (body: unknown): Promise<Answered> => stand.ask("decideAll", { token: as("bert"), body });
  const before = await office.inbox(as("bert"));
  const { id: last = "" } = approvals.at(-1) ?? {};
  const stale = decisions.with(2, { id: last, saw: "0".repeat(64), verdict: "approve" });
  const refused = await send({ decisions: stale });
  expect([refused.status, refused.json]).toEqual([
    409,
    { error: expect.objectContaining({ code: "APPROVAL_STALE", facts: { approval: last } }) },
  ]);
  expect(await office.inbox(as("bert"))).toEqual(before);
  for (const wrong of [[], [...decisions, ...decisions], Array.from({ length: 101 }, () => decisions[0])])
    expect((await send({ decisions: wrong })).status).toBe(400);
  const done = await send({ decisions });
  expect([done.status, done.json]).toEqual([
    200,
    { approvals: approvals.map(({ id }) => expect.objectContaining({ id, state: "granted" })) },
  ]);
  expect((await office.inbox(as("bert"))).approvals).toEqual([]);
});

test("people answer, change, hand on, hold back and refuse over HTTP", verifies("G4"), async () => {
  const { stand, asked, decide } = await openOffice();
  const resultOf = async (run: string): Promise<unknown> => (await stand.tutti.open(run)).result();
  const question = await asked("olga", "poll", {});
  expect((await decide("ann", question.id, { saw: question.package, verdict: "answer", answer: 7 })).status).toBe(400);
  expect((await decide("ann", question.id, { saw: question.package, verdict: "answer", answer: "red" })).status).toBe(
    200,
  );
  expect(await resultOf(question.run)).toBe("red");
  const bill = await asked("olga", "bills", { to: "x", amount: 9 });
  const say = (name: string, body: object): Promise<Answered> => decide(name, bill.id, { saw: bill.package, ...body });
  expect((await say("ann", { verdict: "delegate", to: "carl" })).json).toMatchObject({
    delegations: [{ from: "ann", to: "carl", stage: 0 }],
  });
  expect((await say("bert", { verdict: "abstain" })).json).toMatchObject({ state: "open" });
  expect((await say("carl", { verdict: "edit", input: { to: "x", amount: 8 } })).status).toBe(200);
  expect(await resultOf(bill.run)).toEqual({ receipt: "8 to x" });
  const other = await asked("olga", "bills", { to: "x", amount: 9 });
  const no = await decide("bert", other.id, { saw: other.package, verdict: "reject", reason: "not this month" });
  expect(no.json).toMatchObject({ state: "rejected", decidedBy: "bert", why: "not this month" });
});

test(
  "a decision that is sent again under its key has the same answer, also after a restart",
  verifies("D10"),
  async () => {
    const { stand, as, asked } = await openOffice();
    const { id, package: saw } = await asked("olga", "bills", { to: "x", amount: 1 });
    const token = as("bert");
    const sending = { token, params: { approval: id }, body: { saw, verdict: "approve" }, key: "decision-of-bert" };
    const first = await stand.ask("decide", sending);
    expect(first.status).toBe(200);
    const again = await stand.again(options);
    expect(await again.ask("decide", sending)).toMatchObject({ status: 200, text: first.text });
    expect(await again.ask("decide", { ...sending, key: "another-one" })).toMatchObject({ status: 409 });
  },
);

test("the inbox comes page by page, of one run, in one state, or only what the caller may decide", async () => {
  const { stand, as, asked, decide } = await openOffice();
  const approvals = [];
  for (const amount of [1, 2, 3]) approvals.push(await asked("olga", "bills", { to: "x", amount }));
  const ask = async (name: string, query: Record<string, string | number>): Promise<Inbox> =>
    inbox.shape((await stand.ask("listInbox", { token: as(name), query })).json, "");
  const ids = approvals.map(({ id }) => id);
  const first = await ask("bert", { limit: 2 });
  expect(first.approvals.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  const rest = await ask("bert", { limit: 2, cursor: first.cursor ?? "" });
  expect([rest.approvals.map(({ id }) => id), rest.cursor]).toEqual([ids.slice(2), undefined]);
  expect((await ask("bert", { run: approvals[1]?.run ?? "" })).approvals.map(({ id }) => id)).toEqual([ids[1]]);
  expect((await stand.ask("listInbox", { token: as("bert"), query: { cursor: "next" } })).status).toBe(400);
  const [{ id, package: saw } = { id: "", package: "" }] = approvals;
  await decide("bert", id, { saw, verdict: "reject", reason: "no" });
  expect((await ask("bert", { state: "rejected" })).approvals.map((each) => each.id)).toEqual([id]);
  expect((await ask("bert", { needs: "you" })).approvals.map((each) => each.id)).toEqual(ids.slice(1));
  for (const name of ["carl", "olga", "stranger"]) expect((await ask(name, { needs: "you" })).approvals).toEqual([]);
});
