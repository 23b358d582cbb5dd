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
const poll = flow({
  name: "poll",
  input: z.object({}),
  output: z.string(),
  run: (run) => run.ask("Which colour?", { of: "finance", schema: z.string() }),
});
const house: Policy = {
  name: "house",
  version: "1",
  decide: ({ action, resource }) =>
    action === "call-tool" && resource.name === "pay"
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
];
const options = { flows: [bills, poll], engine: { flows: [bills, poll], policy: house, people } };

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
