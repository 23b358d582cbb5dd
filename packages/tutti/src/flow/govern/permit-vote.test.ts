import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { findOpen, toAskingPolicy, toPolicy, vote } from "../../../../../test/approvals/approval-fixture.ts";
import { bodiesOf, errorOf, openStage, plainFlow, type Stage } from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { isTuttiError } from "../../base/errors.ts";
import type { ApprovalRecord } from "../../contracts/approval.ts";
import type { Policy, PolicyRequest, PolicyVerdict } from "../../contracts/policy.ts";
import type { Said } from "../../engine/inbox.ts";
import type { Tutti } from "../../engine/tutti.ts";
import { document } from "../document.ts";

const allowed: PolicyVerdict = { kind: "allow", rules: ["people"] };
const denied: PolicyVerdict = { kind: "deny", rules: ["not-you"], why: "only finance says yes" };

/** Mails need a yes, and this is what the policy says of whoever gives it. */
function toVoters(toVerdict: (request: PolicyRequest) => PolicyVerdict, version = "1"): Policy {
  const asking = toAskingPolicy();
  return toPolicy((request) => (request.action === "approve" ? toVerdict(request) : asking.decide(request)), version);
}

const people = [
  { name: "ann", roles: ["sales"] },
  { name: "bert", roles: ["finance"] },
  { name: "cleo", roles: ["finance", "lead"] },
  { name: "dora", roles: ["sales"] },
];

/** Of ann's yes it says something else than of everybody else's. */
function toAnns(toVerdict: () => PolicyVerdict): Policy {
  return toVoters(({ principal }) =>
    principal.kind === "person" && principal.person === "ann" ? toVerdict() : allowed,
  );
}

const askers = {
  mail: () => {
    const mail = toMailTool(openPostOffice());
    return plainFlow("mail", (run) => run.call(mail, { to: "anna" }));
  },
  question: () =>
    plainFlow("question", (run) => run.ask("Which?", { of: "sales", schema: z.string(), name: "colour" })),
};

async function openAsking(asks: keyof typeof askers, policy: Policy): Promise<{ stage: Stage; tutti: Tutti }> {
  const stage = openStage();
  const asking = askers[asks]();
  const tutti = await stage.open([asking], { policy, people });
  await (await tutti.start(asking, null, { id: "r", by: "cleo", tenant: "acme" })).settled();
  return { stage, tutti };
}

const leadsToYes: Readonly<Record<string, { readonly asks: keyof typeof askers; readonly said: Said }>> = {
  approve: { asks: "mail", said: { verdict: "approve" } },
  edit: { asks: "mail", said: { verdict: "edit", input: { to: "bob" } } },
  answer: { asks: "question", said: { verdict: "answer", answer: "blue" } },
  delegate: { asks: "mail", said: { verdict: "delegate", to: "bert" } },
};

const noes: Readonly<Record<string, () => PolicyVerdict>> = {
  denies: () => denied,
  "asks for approvals of it": () => ({
    kind: "needs",
    rules: ["two"],
    why: "two have to",
    approvals: [{ count: 2, distinctFromInitiator: false }],
  }),
  throws: () => {
    throw new Error("a rule is broken");
  },
};

for (const [verdict, { asks, said }] of Object.entries(leadsToYes)) {
  test(
    `a vote to ${verdict} counts only if the policy permits it, and its entry says by which rules`,
    verifies("G3", "G4"),
    async () => {
      const permitting = await openAsking(
        asks,
        toVoters(() => allowed),
      );
      await vote(permitting.tutti, "ann", said);
      expect(bodiesOf(permitting.stage.entries, "approval-voted")).toMatchObject([
        { verdict, decided: { policy: { name: "house", version: "1" }, matters: [{ rules: ["people"] }] } },
      ]);
      for (const [what, toVerdict] of Object.entries(noes)) {
        const { stage, tutti } = await openAsking(asks, toAnns(toVerdict));
        const refused = await errorOf(vote(tutti, "ann", said));
        expect([what, refused.code, refused.message]).toEqual([
          what,
          "APPROVAL_FORBIDDEN",
          expect.stringMatching(
            /the policy house does not let ann say yes to .*: (?:only finance|two have|the policy could)/u,
          ),
        ]);
        expect(bodiesOf(stage.entries, "approval-voted")).toEqual([]);
        expect((await findOpen(tutti)).votes).toEqual([]);
      }
    },
  );
}

test(
  "a no and an abstention are taken whatever the policy says, and hold no decision of it",
  verifies("G3", "G4"),
  async () => {
    for (const said of [{ verdict: "reject", reason: "no" }, { verdict: "abstain" }] as const) {
      const { stage, tutti } = await openAsking(
        "mail",
        toAnns(() => denied),
      );
      await vote(tutti, "ann", said);
      const [voted] = bodiesOf(stage.entries, "approval-voted");
      expect(voted).toMatchObject({ verdict: said.verdict, by: "ann" });
      expect(voted).not.toHaveProperty("decided");
    }
  },
);

const notes = document({ name: "bank", value: z.string() });
const drafts = document({ name: "a-draft", value: z.string() });

test("the policy is told who says yes to what, by a name that rules can match", verifies("G3"), async () => {
  const asked: PolicyRequest[] = [];
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office, { dataIn: ["personal"] });
  const flow = plainFlow("f", async (run) => {
    await run.call(mail, { to: "anna" });
    await run.approve("Go on?");
    await run.ask("Which?", { of: "sales", schema: z.string(), name: "colour" });
    await run.transact(async (transaction) => {
      await transaction.document(drafts, "n").write("x");
      await transaction.document(notes, "n").write("y");
    });
  });
  const asking = toAskingPolicy();
  const policy = toPolicy((request) => {
    if (request.action !== "approve")
      return asking.decide(request.action === "write-document" ? { ...request, action: "call-tool" } : request);
    asked.push(request);
    return allowed;
  });
  const tutti = await stage.open([flow], { policy, people });
  const handle = await tutti.start(flow, null, { id: "r", by: "cleo", tenant: "acme", labels: ["personal:anna"] });
  for (const said of [
    { verdict: "approve" },
    { verdict: "approve" },
    { verdict: "answer", answer: "blue" },
    { verdict: "approve" },
  ] as const) {
    await handle.settled();
    await vote(tutti, "ann", said);
  }
  await handle.result();
  // Before people are asked, and when somebody votes.
  expect([...new Set(asked.map(({ resource }) => resource.name))]).toEqual([
    "tool/mail.send",
    "decision/approve",
    "question/colour",
    "document/a-draft/n", // one yes for several documents: for each of them
    "document/bank/n",
  ]);
  expect(asked[0]).toEqual({
    principal: { kind: "person", person: "ann", roles: ["sales"] },
    action: "approve",
    resource: { kind: "approval", name: "tool/mail.send" },
    context: {
      run: "r",
      flow: "f",
      tenant: "acme",
      initiator: "cleo",
      labels: ["personal:anna", "personal"],
      approvals: [],
    },
  });
  await tutti.close();
});

test("one yes for several documents needs the permission for each of them", verifies("G3", "G4"), async () => {
  const stage = openStage();
  const flow = plainFlow("f", (run) =>
    run.transact(async (transaction) => {
      await transaction.document(drafts, "n").write("x");
      await transaction.document(notes, "n").write("y");
    }),
  );
  const policy = toPolicy((request) => {
    const { action, resource } = request;
    if (action === "write-document") return toAskingPolicy().decide({ ...request, action: "call-tool" });
    return resource.name.startsWith("document/bank/") ? denied : allowed;
  });
  const tutti = await stage.open([flow], { policy });
  await (await tutti.start(flow, null)).settled();
  expect(await errorOf(vote(tutti, "ann"))).toMatchObject({
    code: "APPROVAL_FORBIDDEN",
    facts: { rules: ["not-you"] },
  });
  await tutti.close();
});

test("what the policy lets nobody say yes to is not asked, and does not wait", verifies("G3", "G7"), async () => {
  const stage = openStage();
  const mailing = askers.mail();
  const deciding = plainFlow("deciding", (run) => run.approve("Go?"));
  const tutti = await stage.open([mailing, deciding], { policy: toVoters(() => denied), people });
  for (const flow of [mailing, deciding])
    expect(await errorOf(tutti.run(flow, null))).toMatchObject({ code: "APPROVERS_MISSING", facts: { known: 0 } });
  await tutti.close();
});

const onlyFinance = toVoters(({ principal }) =>
  principal.kind === "person" && principal.roles.includes("finance") ? allowed : denied,
);

test(
  "whoever is handed a decision is asked of the policy as themselves, when they vote",
  verifies("G3", "G7"),
  async () => {
    const { stage, tutti } = await openAsking("mail", onlyFinance);
    await vote(tutti, "bert", { verdict: "delegate", to: "ann" });
    expect(await errorOf(vote(tutti, "ann"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
    expect(await vote(tutti, "cleo")).toMatchObject({ state: "granted", decidedBy: "cleo" });
    expect(bodiesOf(stage.entries, "approval-voted").map(({ by, verdict }) => [by, verdict])).toEqual([
      ["bert", "delegate"],
      ["cleo", "approve"],
    ]);
  },
);

test("of a batch with one vote that the policy does not permit nothing is written", verifies("G3", "G4"), async () => {
  const stage = openStage();
  const flows = ["free", "guarded"].map((name) => plainFlow(name, (run) => run.approve("Go?", { name })));
  const tutti = await stage.open(flows, {
    policy: toVoters(({ resource }) => (resource.name === "decision/guarded" ? denied : allowed)),
  });
  for (const flow of flows) await (await tutti.start(flow, null)).settled();
  const open = await tutti.approvals.list();
  const votes = new Map(open.map(({ id, package: saw }) => [id, { by: "ann", saw, verdict: "approve" } as const]));
  const refused = await errorOf(tutti.approvals.decideAll(votes));
  expect(refused).toMatchObject({
    code: "APPROVAL_FORBIDDEN",
    facts: { approval: open.find(({ matter }) => matter?.flow === "guarded")?.id, rules: ["not-you"] },
  });
  expect(bodiesOf(stage.entries, "approval-voted")).toEqual([]);
  await tutti.close();
});

test(
  "a vote is judged by the rules of the engine that takes it; without any nobody says yes",
  verifies("G3", "G4"),
  async () => {
    const { stage, tutti } = await openAsking(
      "mail",
      toVoters(() => allowed, "1"),
    );
    await tutti.close();
    const flow = askers.mail();
    const stricter = await stage.open([flow], { policy: toVoters(() => denied, "2"), people, recover: false });
    expect(await errorOf(vote(stricter, "ann"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
    await stricter.close();
    const none = await stage.open([], { people, recover: false });
    expect(none.approvals.mayDecide(await findOpen(none), "ann")).toBe(false);
    const unasked = await errorOf(vote(none, "ann"));
    expect(unasked).toMatchObject({ code: "APPROVAL_FORBIDDEN", hint: expect.stringContaining("tutti.config.ts") });
    expect(unasked.message).toContain("it was asked under the policy house@1");
    await none.close();
    // What the new rules let through was asked under the old ones: as everything that has changed, it is asked anew.
    const looser = await stage.open([flow], { policy: toVoters(() => allowed, "3"), people, recover: false });
    await vote(looser, "ann");
    expect(await (await looser.open("r")).settled()).toMatchObject({ kind: "asking", approvals: [{ round: 2 }] });
    await vote(looser, "ann", { verdict: "reject", reason: "no" });
    await looser.close();
  },
);

test("a no is taken also where no policy can be asked", verifies("G4"), async () => {
  const { stage, tutti } = await openAsking(
    "mail",
    toVoters(() => allowed),
  );
  await tutti.close();
  const none = await stage.open([], { people, recover: false });
  expect(await vote(none, "ann", { verdict: "reject", reason: "no" })).toMatchObject({ state: "rejected" });
  await none.close();
});

const names = ["ann", "bert", "cleo", "eve"] as const;
const roles = fc.subarray(["finance", "lead"]);

/** Who is known, whom the rules let say yes, what is asked, and what has happened to it already. */
const worlds = fc.record({
  known: fc.option(fc.record({ ann: roles, bert: roles, cleo: roles }), { nil: undefined }),
  initiator: fc.constantFrom(...names),
  permitted: fc.record({
    persons: fc.subarray([...names]),
    roles,
    name: fc.constantFrom("decision/go", "question/go", "any"),
  }),
  hasPolicy: fc.boolean(),
  asks: fc.constantFrom("decision", "question"),
  distinctFromInitiator: fc.boolean(),
  role: fc.constantFrom("finance", "lead"),
  before: fc.constantFrom("nothing", "delegated", "abstained"),
  voter: fc.constantFrom(...names),
});
type World = typeof worlds extends fc.Arbitrary<infer Made> ? Made : never;

function toRandomPolicy({ permitted }: World): Policy {
  return toPolicy(({ action, principal, resource }) => {
    if (action !== "approve" || principal.kind !== "person") return allowed;
    const isNamed = permitted.name === "any" || resource.name === permitted.name;
    const has = permitted.roles.some((role) => principal.roles.includes(role));
    return isNamed && (has || permitted.persons.some((name) => name === principal.person)) ? allowed : denied;
  });
}

async function askIn(stage: Stage, world: World): Promise<{ tutti: Tutti; approval: ApprovalRecord | undefined }> {
  const { known, initiator, asks, distinctFromInitiator, role, hasPolicy } = world;
  const of = known === undefined ? {} : { of: role };
  const flow = plainFlow("f", (run) =>
    asks === "question"
      ? run.ask("Go?", { of: known === undefined ? "person:ann" : role, schema: z.string(), name: "go" })
      : run.approve("Go?", { ...of, distinctFromInitiator, name: "go" }),
  );
  const everybody = known && Object.entries(known).map(([name, own]) => ({ name, roles: own }));
  const tutti = await stage.open([flow], {
    ...(everybody && { people: everybody }),
    ...(hasPolicy && { policy: toRandomPolicy(world) }),
  });
  const handle = await tutti.start(flow, null, { by: initiator });
  await handle.settled();
  return { tutti, approval: (await tutti.approvals.list())[0] };
}

test("who is told that something waits for them can say yes to it, and nobody else", verifies("G3", "G7"), async () => {
  const seen = new Set<boolean>();
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      const { tutti, approval } = await askIn(openStage(), world);
      if (approval === undefined) return; // nobody could ever decide it
      const { before, voter, asks } = world;
      const said: Said = asks === "question" ? { verdict: "answer", answer: "yes" } : { verdict: "approve" };
      const earlier: Said = before === "abstained" ? { verdict: "abstain" } : { verdict: "delegate", to: voter };
      // It may be refused too: then nothing has happened.
      if (before !== "nothing") await vote(tutti, "bert", earlier).catch(() => undefined);
      const now = await findOpen(tutti);
      const may = tutti.approvals.mayDecide(now, voter);
      const voted = await vote(tutti, voter, said).then(
        () => "counted",
        (error: unknown) => (isTuttiError(error) ? error.code : error),
      );
      expect(voted).toBe(may ? "counted" : "APPROVAL_FORBIDDEN");
      seen.add(may);
      await tutti.close();
    }),
    { numRuns: 150 },
  );
  expect(seen.size).toBe(2);
});
