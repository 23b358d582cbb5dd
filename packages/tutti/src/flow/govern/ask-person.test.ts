import { expect, test } from "vitest";
import { z } from "zod";

import { findOpen, toAskingPolicy, vote } from "../../../../../test/approvals/approval-fixture.ts";
import { errorOf, linesOf, openStage, plainFlow, until } from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice } from "../../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { Run } from "../../contracts/run.ts";
import { tool } from "../../tools/tool.ts";
import { document } from "../document.ts";

const people = [
  { name: "ann", roles: ["editor"] },
  { name: "bert", roles: [] },
];
const Title = z.object({ title: z.string() });

test("a person's answer is the step's result, typed, recorded, and asked for once", verifies("D8", "G7"), async () => {
  const stage = openStage();
  const flow = plainFlow("f", async (run) => {
    const answer = await run.ask("What shall it be called?", { of: "editor", schema: Title });
    await run.sleep(1_000);
    return answer;
  });
  const first = await stage.open([flow], { people });
  const handle = await first.start(flow, null, { id: "r" });
  expect(await handle.settled()).toMatchObject({ kind: "asking", approvals: [{ kind: "question" }] });
  const unfit = vote(first, "ann", { verdict: "answer", answer: { title: 7 } });
  expect(await errorOf(unfit)).toMatchObject({ code: "INPUT_INVALID" });
  expect(await errorOf(vote(first, "ann"))).toMatchObject({ code: "APPROVAL_FORBIDDEN" });
  expect(await errorOf(vote(first, "bert", { verdict: "answer", answer: { title: "Mine" } }))).toMatchObject({
    code: "APPROVAL_FORBIDDEN",
  });
  await vote(first, "ann", { verdict: "answer", answer: { title: "Tides" } });
  await handle.settled();
  await first.close();
  const next = await stage.open([flow], { people });
  const reopened = await next.open("r");
  await stage.clock.advance(1_000);
  expect(await reopened.result()).toEqual({ title: "Tides" });
});

test(
  "an answer that nobody could check when it was given, and that can't be used, is asked for again",
  verifies("D8"),
  async () => {
    const stage = openStage();
    const flow = plainFlow("f", (run) => run.ask("How many?", { of: "person:ann", schema: z.number() }));
    const first = await stage.open([flow]);
    await (await first.start(flow, null, { id: "r" })).settled();
    await first.close();
    const closed = await stage.open([], { recover: false });
    await vote(closed, "ann", { verdict: "answer", answer: "many" });
    await closed.close();
    const next = await stage.open([flow]);
    const handle = await next.open("r");
    expect(await handle.settled()).toMatchObject({ kind: "asking", approvals: [{ round: 2 }] });
    await vote(next, "ann", { verdict: "answer", answer: 3 });
    expect(await handle.result()).toBe(3);
  },
);

function askHowMany(run: Run, otherwise: { otherwise?: number }): Promise<number> {
  return run.ask("How many?", { of: "person:ann", schema: z.number(), deadlineMs: 1_000, ...otherwise });
}

test(
  "without an answer in time there is the one that was given for that, or an error",
  verifies("D8", "G7"),
  async () => {
    const stage = openStage();
    const flows = {
      none: plainFlow("a", (run) => askHowMany(run, {})),
      some: plainFlow("b", (run) => askHowMany(run, { otherwise: 1 })),
    };
    const engine = await stage.open([flows.none, flows.some]);
    const [left, right] = [await engine.start(flows.none, null), await engine.start(flows.some, null)];
    await Promise.all([left.settled(), right.settled()]);
    await stage.clock.advance(1_000);
    expect(await errorOf(left.result())).toMatchObject({ code: "APPROVAL_EXPIRED" });
    expect(await right.result()).toBe(1);
  },
);

test("a decision of the flow is a yes or no with a reason", verifies("G7"), async () => {
  const stage = openStage();
  const flow = plainFlow("f", async (run) => [
    await run.approve("Publish?", { details: { words: 900 } }),
    await run.approve("Really?", { deadlineMs: 1_000 }),
  ]);
  const tutti = await stage.open([flow]);
  const handle = await tutti.start(flow, null);
  await handle.settled();
  const { id } = await findOpen(tutti);
  expect((await tutti.approvals.show(id)).package).toMatchObject({ kind: "decision", details: '{"words":900}' });
  await vote(tutti, "ann");
  await handle.settled();
  await stage.clock.advance(1_000);
  expect(await handle.result()).toEqual([
    { approved: true, by: "ann" },
    { approved: false, reason: "nobody decided in time" },
  ]);
});

const notes = document({ name: "note", value: z.string() });

test(
  "what is written to documents is decided by the policy, and waits where it needs a yes",
  verifies("G3", "G4"),
  async () => {
    const stage = openStage();
    const ask = toAskingPolicy();
    const policy = {
      ...ask,
      decide: (request: Parameters<typeof ask.decide>[0]) => {
        if (request.action !== "write-document") return { kind: "allow", rules: [] } as const;
        if (request.resource.name === "note/secret")
          return { kind: "deny", rules: ["s"], why: "nobody writes that" } as const;
        return ask.decide({ ...request, action: "call-tool" });
      },
    };
    const flow = plainFlow("f", (run) => run.document(notes, "open").write("hello"));
    const forbidden = plainFlow("g", (run) => run.document(notes, "secret").write("hello"));
    const tutti = await stage.open([flow, forbidden], { policy });
    expect(await errorOf(tutti.run(forbidden, null))).toMatchObject({ code: "POLICY_DENIED" });
    const handle = await tutti.start(flow, null);
    expect(await handle.settled()).toMatchObject({ kind: "asking" });
    expect(await tutti.documents.read(notes, "open")).toMatchObject({ version: 0 });
    const { id } = await vote(tutti, "ann");
    await handle.result();
    expect(await tutti.documents.read(notes, "open")).toMatchObject({ version: 1, value: "hello" });
    expect(await tutti.ledger.findApproval(id)).toMatchObject({ state: "used" });
  },
);

test("what is written on documents that changed while people thought is asked anew", verifies("G4", "S2"), async () => {
  const stage = openStage();
  const ask = toAskingPolicy();
  const policy = {
    ...ask,
    decide: (request: Parameters<typeof ask.decide>[0]) =>
      request.context.flow === "f" && request.action === "write-document"
        ? ask.decide({ ...request, action: "call-tool" })
        : ({ kind: "allow", rules: [] } as const),
  };
  const flow = plainFlow("f", (run) => run.document(notes, "n").change((value) => `${value ?? ""}+`));
  const other = plainFlow("other", (run) => run.document(notes, "n").write("other"));
  const tutti = await stage.open([flow, other], { policy });
  const handle = await tutti.start(flow, null);
  await handle.settled();
  const before = await findOpen(tutti);
  await tutti.run(other, null);
  await vote(tutti, "ann");
  await until(() => linesOf(stage.entries).filter((line) => line.startsWith("approval-requested")).length === 2);
  await handle.settled();
  const now = await findOpen(tutti);
  expect([now.round, now.id === before.id]).toEqual([2, false]);
  expect(await tutti.documents.read(notes, "n")).toMatchObject({ value: "other" });
  await vote(tutti, "ann");
  await handle.result();
  expect(await tutti.documents.read(notes, "n")).toMatchObject({ value: "other+" });
});

test(
  "a read that needs a yes is made on one, and once more after a crash without another",
  verifies("G3", "G4"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const look = tool({
      name: "look",
      does: "Looks.",
      input: z.string(),
      output: z.object({ receipt: z.string() }),
      effect: "read",
      run: (to, { idempotencyKey }) => office.send(to, idempotencyKey),
    });
    const flow = plainFlow("f", (run) => run.call(look, "anna"));
    const tutti = await stage.open([flow], { policy: toAskingPolicy() });
    const handle = await tutti.start(flow, null);
    await handle.settled();
    expect(office.sent).toEqual([]);
    await vote(tutti, "ann");
    await handle.result();
    expect(office.sent).toEqual(["anna"]);
    expect(await tutti.approvals.list({ run: handle.id })).toMatchObject([{ state: "used" }]);
  },
);

test(
  "a question carries what the flow recommends, and why, and what else there is, as its own words",
  verifies("G4"),
  async () => {
    const stage = openStage();
    const advice = {
      recommend: "Call it Tides.",
      reasons: ["Readers liked it."],
      alternatives: ["Call it Waves."],
      costUsd: 2,
      risk: { level: "medium", why: "Covers are printed." },
    } as const;
    const flow = plainFlow("f", async (run) => {
      const title = await run.ask("What name?", { of: "editor", schema: z.string(), otherwise: "Tides", advice });
      return [title, await run.approve("Print it?", { of: "editor", advice: { recommend: "Yes." } })];
    });
    const tutti = await stage.open([flow], { people });
    const handle = await tutti.start(flow, null, { id: "r" });
    await handle.settled();
    const question = await findOpen(tutti);
    expect((await tutti.approvals.show(question.id)).package).toMatchObject({
      recommendation: { by: "flow", text: "Call it Tides." },
      reasons: [{ by: "flow", text: "Readers liked it." }],
      alternatives: [{ by: "engine" }, { by: "engine" }, { by: "flow", text: "Call it Waves." }],
      costUsd: 2,
      risk: { level: "medium", why: "The flow says: Covers are printed." },
      otherwise: 'If nobody answers in time, this counts: "Tides"',
    });
    await vote(tutti, "ann", { verdict: "answer", answer: "Waves" });
    await handle.settled();
    expect((await tutti.approvals.show((await findOpen(tutti)).id)).package).toMatchObject({
      recommendation: { by: "flow", text: "Yes." },
      otherwise: "If nobody decides in time, it will not happen.",
    });
    await vote(tutti, "ann");
    expect(await handle.result()).toEqual(["Waves", { approved: true, by: "ann" }]);
    await tutti.close();
  },
);

test("advice that says nothing, or too much, is refused where it is given", async () => {
  for (const recommend of [" ", "x".repeat(2_001)]) {
    const flow = plainFlow("f", (run) => run.approve("Print it?", { advice: { recommend } }));
    const engine = await openStage().open([flow]);
    expect(await errorOf((await engine.start(flow, null)).result())).toMatchObject({ code: "INPUT_INVALID" });
    await engine.close();
  }
});
