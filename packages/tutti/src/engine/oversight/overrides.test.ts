import { expect, test } from "vitest";

import { toAsking, toScholar } from "../../../../../test/agents/agent-fixture.ts";
import { findOpen, toAskingPolicy, vote } from "../../../../../test/approvals/approval-fixture.ts";
import { anything, makeLedgerFile, openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../../test/engine/world-fixture.ts";
import { toClerk, trusting } from "../../../../../test/oversight/oversight-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { Override } from "../../insight/oversight/overrides.ts";
import { scriptedModel } from "../../testing/scripted-model.ts";
import type { Said } from "../inbox.ts";
import { openTutti } from "../open-tutti.ts";
import type { StartOptions, Tutti } from "../tutti.ts";

async function readAll(tutti: Tutti): Promise<readonly Override[]> {
  const overrides: Override[] = [];
  for await (const override of tutti.overrides.read()) overrides.push(override);
  return overrides;
}

function openOffice() {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office, { undo: ({ receipt }) => office.recall(receipt) });
  return { stage, office, mail, clerk: toClerk(mail) };
}

test(
  "every edit, rejection and undo is kept with before, after, reason and features, and again after a restart",
  verifies("G8"),
  async () => {
    const { stage, clerk } = openOffice();
    const flow = plainFlow("f", async (run) => {
      await run.call(clerk, { to: "anna" }, { name: "one" });
      await run.call(clerk, { to: "bert" }, { name: "two" });
      return run.call(clerk, { to: "cleo" }, { name: "three" });
    });
    const tutti = await stage.open([flow], { policy: trusting });
    const handle = await tutti.start(flow, null, { id: "r", tenant: "acme" });
    await handle.settled();
    await vote(tutti, "ann"); // agreed: no override
    await handle.settled();
    await vote(tutti, "ann", { verdict: "edit", input: { to: "dora" }, code: "wrong-target", note: "he has left" });
    await handle.settled();
    await vote(tutti, "bert", { verdict: "reject", reason: "she did not ask", code: "not-needed" });
    await handle.settled();
    await handle.undo({ by: "cleo" });
    await handle.settled();
    const features = {
      flow: "f",
      tenant: "acme",
      agent: "clerk",
      agentVersion: "1",
      tier: "compensable",
      dataClasses: [],
      approval: expect.any(String),
    };
    const shared = { version: 1, run: "r", tool: "mail.send", features };
    const overrides = await readAll(tutti);
    const undone = { ...shared, kind: "undone", after: null, by: ["cleo"], reasonCode: null, note: null };
    expect(overrides).toMatchObject([
      {
        ...shared,
        kind: "edited",
        before: { to: "bert" },
        after: { to: "dora" },
        by: ["ann"],
        reasonCode: "wrong-target",
        note: "he has left",
      },
      {
        ...shared,
        kind: "rejected",
        before: { to: "cleo" },
        after: null,
        by: ["bert"],
        reasonCode: "not-needed",
        note: "she did not ask",
      },
      { ...undone, before: { to: "dora" } },
      { ...undone, before: { to: "anna" } },
    ]);
    expect(JSON.parse(JSON.stringify(overrides))).toEqual(overrides); // as lines of a file
    await tutti.close();
    expect(await readAll(await stage.open([flow], { policy: trusting }))).toEqual(overrides);
  },
);

function turns(to: string) {
  return [
    { text: "", toolCalls: [{ id: "m", tool: "mail.send", input: { to, text: "the yearly invoice" } }] },
    { answer: { answer: "done" } },
  ];
}

test(
  "people who decide, and the agent's model, are told what was decided in such cases, of their tenant alone",
  verifies("G8"),
  async () => {
    const { stage, mail } = openOffice();
    const model = scriptedModel([...turns("anna"), ...turns("bert"), ...turns("cleo")]);
    const flow = toAsking(toScholar({ tools: [mail] }));
    const policy = toAskingPolicy({}, { tool: "mail.send" });
    const tutti = await stage.open([flow], { policy, models: { fast: model } });
    const ask = async (tenant: string) => {
      const handle = await tutti.start(flow, { question: "Send the yearly invoice" }, { tenant });
      await handle.settled();
      const { package: shown } = await tutti.approvals.show((await findOpen(tutti)).id);
      await vote(tutti, "ann", { verdict: "reject", reason: "invoices go by post", code: "against-policy" });
      await handle.result();
      return shown;
    };
    expect((await ask("acme")).precedents).toBeUndefined();
    const [precedent, ...others] = (await ask("acme")).precedents ?? [];
    expect(others).toEqual([]);
    expect(precedent).toMatchObject({ decision: "rejected", id: expect.any(String) });
    expect(precedent?.text).toContain("invoices go by post");
    expect(precedent?.similarity).toBeGreaterThan(0.3);
    expect((await ask("other")).precedents).toBeUndefined();
    const heard = model.requests.map(({ messages }) => JSON.stringify(messages).includes("What people decided before"));
    expect(heard.slice(0, 3)).toEqual([false, true, true]); // the second turn of the first run knows its first
    expect(heard.at(-2)).toBe(false);
  },
);

test(
  "whoever is asked by a flow is told what people said to the same question before, of their tenant and of runs about nobody",
  verifies("G8"),
  async () => {
    const flow = plainFlow("refund", async (run) => {
      await run.ask("Why does order 7 come back broken?", { of: "clerk", schema: anything });
      return run.approve("Refund order 7 that came back broken", { name: "refund" });
    });
    const other = plainFlow("other", (run) => run.approve("Refund order 7 that came back broken", { name: "refund" }));
    const people = [{ name: "ann", roles: ["clerk"] }];
    const ledger = await makeLedgerFile();
    const open = () => openTutti({ flows: [flow, other], people, ledger, control: false }); // without a policy
    let tutti = await open();
    /** What is shown with each question, in a run in which people say this. */
    const play = async (asked: typeof flow, said: readonly Said[], options: StartOptions) => {
      const handle = await tutti.start(asked, null, options);
      const shown: (readonly (readonly string[])[])[] = [];
      for (const each of said) {
        await handle.settled();
        const { precedents = [] } = (await tutti.approvals.show((await findOpen(tutti)).id)).package;
        shown.push(precedents.map(({ decision, text }) => [decision, text]));
        await vote(tutti, "ann", each);
      }
      await handle.result();
      return shown;
    };
    const acme = { tenant: "acme" };
    const dropped: Said = { verdict: "answer", answer: "dropped", note: "the box was wet" };
    const no: Said = { verdict: "reject", reason: "it was used for a year" };
    expect(await play(flow, [dropped, no], { ...acme, subject: "anna" })).toEqual([[], []]);
    expect(await play(flow, [dropped, no], { tenant: "bolt" })).toEqual([[], []]);
    expect(await play(other, [no], acme)).toEqual([[]]);
    expect(await play(flow, [dropped, { verdict: "approve" }], acme)).toEqual([[], []]);
    const known = [
      [["answered", 'Why does order 7 come back broken? was answered with "dropped" (the box was wet)']],
      [["approved", "Refund order 7 that came back broken was approved"]],
    ];
    expect(await play(flow, [dropped, no], acme)).toEqual(known);
    await tutti.close();
    tutti = await open(); // all of it follows from the ledger
    const rejected = ["rejected", "Refund order 7 that came back broken was rejected (it was used for a year)"];
    const [, decisions] = await play(flow, [dropped, no], acme);
    expect(decisions).toHaveLength(2);
    expect(decisions).toContainEqual(rejected);
    await tutti.close();
  },
);
