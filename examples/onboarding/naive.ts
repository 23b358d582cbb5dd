import type { SignUp } from "./agents.ts";
import type { Client } from "./client.ts";

const triesMax = 3;

/** The same job as it is often written: three calls at once, each tried again when it fails. Nothing here is careless; it only forgets. */
export async function onboardNaively(client: Client, { email, name, company, plan }: SignUp): Promise<void> {
  await Promise.allSettled([
    tryAgain(async () => {
      await client.act("PUT", `records/contact/${email}`, { name });
      await client.act("PUT", `records/company/${email}`, { company });
      await client.act("PUT", `records/preferences/${email}`, { plan });
    }),
    tryAgain(() => client.act("POST", "mails?reference=welcome", { to: email, text: `Welcome, ${name}` })),
    tryAgain(() => client.act("POST", "tasks?reference=call", { about: email })),
  ]);
}

async function tryAgain(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await work();
      return;
    } catch (error) {
      if (tries === triesMax) throw error;
    }
  }
}
