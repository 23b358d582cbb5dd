import { openTutti } from "tutti";
import { z } from "zod";

import { isIntact, type Account } from "../stage/account.ts";
import { openModel, type SignUp } from "./agents.ts";
import { attend } from "./attend.ts";
import { openClient } from "./client.ts";
import { onboardNaively } from "./naive.ts";
import { toOnboarding } from "./onboarding.ts";
import type { Fault, Services, World } from "./server.ts";

/** The mail server sends and then answers 500; the customer system's first answers get lost; the sign-up comes twice. */
const faults: readonly Fault[] = [
  { on: "mails", nth: 1, kind: "error-after" },
  { on: "records", nth: 1, kind: "cut-after" },
  { on: "tasks", nth: 1, kind: "hang-after" },
  { on: "look", nth: 1, kind: "error-after" },
];
const triggers = ["form-4711", "webhook-9", "form-4711"];

export interface Shown {
  readonly services: Services;
  readonly signUp: SignUp;
  readonly ledger: string;
}

/** Shows one sign-up twice: by plain calls, and with Tutti, with the same faults. */
export async function showOne(account: Account, { services, signUp, ledger }: Shown): Promise<void> {
  const naive = services.open("naive", faults);
  for (const _ of triggers) await onboardNaively(openClient(`${services.url}/naive`), signUp);

  const world = services.open("tutti", faults);
  const client = openClient(`${services.url}/tutti`);
  const doubts: string[] = [];
  const tutti = await openTutti({ flows: [], on: [toOnboarding(client)], models: { fast: openModel() }, ledger });
  await attend(tutti, {
    signUp,
    triggers,
    client,
    onDoubt: ({ tool }, { kind }) => doubts.push(`${tool}: ${kind}, says the service`),
  });
  const runs = await tutti.runs({ flow: "onboard" });
  account.check(
    "one sign-up that came twice: one mail, one task, a complete profile",
    world.mails.length === 1 && world.tasks.length === 1 && world.records.size === 3,
  );
  account.check(
    "every run is done, and the ledger's chain is intact",
    runs.every(({ status }) => status === "done") && (await isIntact(tutti)),
  );
  account.check("the naive version really met the same faults", naive.met.length > 0 && naive.mails.length > 1);
  await tutti.close();
  account.tell(`${signUp.name} of ${signUp.company} signs up; ${triggers.length} triggers come, and answers get lost`, [
    `${"".padEnd(14)}mails  tasks  records`,
    toRow("plain calls", naive),
    toRow("with Tutti", world),
    toSentence(world),
    ...doubts.map((doubt) => `in doubt for a while: ${doubt}`),
  ]);
}

const Content = z.object({
  mail: z.object({ to: z.string(), subject: z.string() }),
  task: z.object({ owner: z.string(), inDays: z.number() }),
  company: z.object({ fields: z.object({ segment: z.string() }) }),
});

/** What the services hold in the end, in words. */
function toSentence({ mails, tasks, records }: World): string {
  const { mail, task, company } = Content.parse({
    mail: mails[0]?.content,
    task: tasks[0]?.content,
    company: [...records].find(([at]) => at.startsWith("company/"))?.[1],
  });
  const days = `${task.inDays} ${task.inDays === 1 ? "day" : "days"}`;
  return `“${mail.subject}” to ${mail.to}; ${task.owner} calls in ${days}; segment ${company.fields.segment}`;
}

function toRow(name: string, { mails, tasks, records }: World): string {
  return `${name.padEnd(14)}${String(mails.length).padStart(5)}${String(tasks.length).padStart(7)}${String(records.size).padStart(9)}`;
}
