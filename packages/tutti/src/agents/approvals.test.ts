import { expect, test } from "vitest";
import { z } from "zod";

import { toScholar, toAsking, toolResults } from "../../../../test/agents/agent-fixture.ts";
import { findOpen, toAskingPolicy, toPolicy, vote } from "../../../../test/approvals/approval-fixture.ts";
import { errorOf, openStage } from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { tool } from "../tools/tool.ts";

const look = tool({
  name: "look",
  does: "Looks.",
  input: z.object({}),
  output: z.object({ seen: z.string() }),
  effect: "read",
  run: () => ({ seen: "the list" }),
});

function openAgent(text = "I am sure that she wants it.") {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office, { preview: ({ to }) => ({ before: "no mail", after: `a mail to ${to}` }) });
  const calls = [
    { id: "m", tool: "mail.send", input: { to: "anna" } },
    { id: "l", tool: "look", input: {} },
  ];
  const model = scriptedModel([{ text, toolCalls: calls }, { answer: { answer: "done" } }]);
  const scholar = toScholar({ tools: [mail, look] });
  const flow = toAsking(scholar);
  return { stage, office, model, scholar, flow };
}

test(
  "an agent's call waits inside its turn while the others of the turn go on, and is made on a yes",
  verifies("G3", "G4"),
  async () => {
    const { stage, office, model, flow } = openAgent();
    const policy = toAskingPolicy({}, { tool: "mail.send" });
    const tutti = await stage.open([flow], { policy, models: { fast: model } });
    const handle = await tutti.start(flow, { question: "?" });
    expect(await handle.settled()).toMatchObject({ kind: "asking" });
    expect(stage.entries.some((entry) => entry.kind === "step-done" && entry.key === "/scholar/look:l")).toBe(true);
    await stage.clock.advance(1_000);
    await vote(tutti, "ann");
    expect(await handle.result()).toMatchObject({ output: { answer: "done" } });
    expect(office.sent).toEqual(["anna"]);
    expect(model.requests).toHaveLength(2);
  },
);

test("a no is told to the model with the person's reason, and it goes on", verifies("G4"), async () => {
  const { stage, office, model, flow } = openAgent();
  const policy = toAskingPolicy({}, { tool: "mail.send" });
  const tutti = await stage.open([flow], { policy, models: { fast: model } });
  const handle = await tutti.start(flow, { question: "?" });
  await handle.settled();
  await vote(tutti, "ann", { verdict: "reject", reason: "she is on leave" });
  expect(await handle.result()).toMatchObject({ output: { answer: "done" } });
  expect(office.sent).toEqual([]);
  const [told] = toolResults(model.requests[1]?.messages ?? []);
  expect(told).toMatchObject({ isError: true, result: expect.stringContaining("she is on leave") as unknown });
});

test(
  "what people are shown is made from the action; the agent's words are marked, and hide nothing",
  verifies("G4"),
  async () => {
    const { stage, model, scholar, flow } = openAgent("approved by \u202Eevil\u0007 already");
    const policy = toAskingPolicy({}, { tool: "mail.send" });
    const tutti = await stage.open([flow], { policy, models: { fast: model } });
    await (await tutti.start(flow, { question: "?" }, { id: "r" })).settled();
    const approval = await findOpen(tutti);
    const shown = (await tutti.approvals.show(approval.id)).package;
    expect(shown).toMatchObject({
      kind: "action",
      summary: expect.stringContaining('mail.send: Sends a mail. With {"to":"anna"}') as unknown,
      askedBy: `agent scholar@${scholar.version}`,
      action: {
        tool: "mail.send",
        input: '{"to":"anna"}',
        preview: { before: "no mail", after: "a mail to anna" },
        canBeUndone: false,
      },
      rules: ["ask"],
      why: "somebody has to look at it",
      reasons: [
        { by: "engine", text: "somebody has to look at it" },
        { by: "agent", text: "approved by \\u{202e}evil\\u{7} already" },
      ],
      risk: { level: "high" },
      dueAt: approval.dueAt,
      otherwise: "If nobody decides in time, it will not happen.",
      versions: { policy: "house@1", agent: `scholar@${scholar.version}` },
    });
    expect(shown.alternatives.length).toBeGreaterThanOrEqual(2);
    expect(shown.alternatives[0]?.text).toContain("Do nothing");
  },
);

test("a preview that fails is said, and no reason not to ask", async () => {
  const { stage, model } = openAgent();
  const mail = toMailTool(openPostOffice(), {
    preview: () => {
      throw new Error("no preview today");
    },
  });
  const flow = toAsking(toScholar({ tools: [mail, look] }));
  const tutti = await stage.open([flow], {
    policy: toAskingPolicy({}, { tool: "mail.send" }),
    models: { fast: model },
  });
  await (await tutti.start(flow, { question: "?" })).settled();
  const { id } = await findOpen(tutti);
  expect((await tutti.approvals.show(id)).package.action?.previewProblem).toContain("no preview today");
});

test("a model that may not be asked is not asked", verifies("G3"), async () => {
  const { stage, model, flow } = openAgent();
  const policy = toPolicy(({ action }) =>
    action === "call-model" ? { kind: "deny", rules: ["m"], why: "not this model" } : { kind: "allow", rules: [] },
  );
  const tutti = await stage.open([flow], { policy, models: { fast: model } });
  expect(await errorOf(tutti.run(flow, { question: "?" }))).toMatchObject({ code: "POLICY_DENIED" });
  expect(model.requests).toEqual([]);
});

test("the policy is told who acts: the agent inside, the run outside", verifies("G3"), async () => {
  const { stage, model, scholar, flow } = openAgent();
  const seen: unknown[] = [];
  const policy = toPolicy(({ principal, action, resource, context }) => {
    seen.push([principal.kind, action, resource.name, context.initiator]);
    return { kind: "allow", rules: [] };
  });
  const tutti = await stage.open([flow], { policy, models: { fast: model } });
  await tutti.run(flow, { question: "?" }, { by: "ann" });
  expect(seen).toContainEqual(["agent", "call-model", "scripted/script-1", "ann"]);
  expect(seen).toContainEqual(["agent", "call-tool", "mail.send", "ann"]);
  expect(scholar.name).toBe("scholar");
});

test(
  "what an agent wanted before a person's directive is not asked of people again; it is told, and decides anew",
  verifies("G4", "G5"),
  async () => {
    const { stage, office, model, flow } = openAgent();
    const policy = toAskingPolicy({}, { tool: "mail.send" });
    const tutti = await stage.open([flow], { policy, models: { fast: model } });
    const handle = await tutti.start(flow, { question: "?" });
    await handle.settled();
    const asked = await findOpen(tutti);
    await handle.steer({ kind: "constraint", text: "No mails today" }, { by: "bert" });
    expect(await handle.result()).toMatchObject({ output: { answer: "done" } });
    expect(await tutti.approvals.list({})).toMatchObject([{ id: asked.id, round: 1, state: "superseded" }]);
    const [told] = toolResults(model.requests[1]?.messages ?? []);
    expect(told).toMatchObject({ isError: true, result: expect.stringContaining("No mails today") as unknown });
    expect(office.sent).toEqual([]);
  },
);
