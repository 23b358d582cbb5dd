import { openTutti } from "tutti";
import { z } from "zod";

import { openModel, SignUp } from "./agents.ts";
import { attend } from "./attend.ts";
import { openClient } from "./client.ts";
import { toOnboarding } from "./onboarding.ts";

/** One life of a process that onboards a customer, over a ledger on disk. `kills.ts` starts it, kills it, and starts it again. */
const [given = "{}"] = process.argv.slice(2);
const { url, ledger, signUp, triggers } = z
  .object({ url: z.string(), ledger: z.string(), signUp: SignUp, triggers: z.array(z.string()) })
  .parse(JSON.parse(given));

const client = openClient(url);
const tutti = await openTutti({ flows: [], on: [toOnboarding(client)], models: { fast: openModel() }, ledger });
await attend(tutti, { signUp, triggers, client, onDoubt: () => process.stdout.write("in doubt\n") });
await tutti.close();
