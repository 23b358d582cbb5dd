import path from "node:path";
import { parseArgs } from "node:util";

import { z } from "zod";

import { makeLedgerPath, openAccount, readJson } from "../stage/account.ts";
import { SignUp } from "./agents.ts";
import { injectFaults } from "./fault-report.ts";
import { showOne } from "./one-sign-up.ts";
import { openServices } from "./server.ts";

const countMax = 1_000_000;
const { values } = parseArgs({ options: { faults: { type: "string" }, seed: { type: "string", default: "1" } } });
const Count = z.coerce.number().int().min(1).max(countMax);

// Lives that were crashed inside this process still have their timers; a real crash takes them along.
process.exit(await main());

async function main(): Promise<number> {
  const account = openAccount("Onboarding: three agents, one sign-up, and services that fail");
  const signUps = readJson(path.join(import.meta.dirname, "inputs/sign-ups.json"), z.array(SignUp).min(1));
  const ledger = makeLedgerPath("onboarding");
  const services = await openServices();
  try {
    for (const signUp of signUps.slice(0, 1)) await showOne(account, { services, signUp, ledger });
    const firstSeed = Count.parse(values.seed);
    if (values.faults !== undefined)
      await injectFaults(account, {
        services,
        signUps,
        count: Count.parse(values.faults),
        firstSeed,
        folder: path.dirname(ledger),
      });
  } finally {
    services.close();
  }
  return account.end({
    ledger,
    next: [
      `npm run tutti -- runs --ledger ${ledger}    then show, or why, with a run`,
      "node scripts/run.mjs examples/onboarding/main.ts --faults 1000    a thousand sign-ups with faults and crashes",
    ],
  });
}
