import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { openTutti } from "tutti";
import { openManualClock } from "tutti/testing";
import { z } from "zod";

import { readJson } from "../stage/account.ts";
import { answered, toRenewal } from "./renewal.ts";
import { Answer, Customer, dayMs, Life, toDay } from "./shapes.ts";

/** A process that lives for some days, on a clock that is moved by hand, and then rests until somebody kills it. */
const lookMs = 50;
const looksMax = 10_000;
const [given = "{}"] = process.argv.slice(2);
const { from, to, ledger, letters } = z
  .object({ ...Life.shape, ledger: z.string(), letters: z.string() })
  .parse(JSON.parse(given));

const inputs = path.join(import.meta.dirname, "inputs");
const customers = readJson(path.join(inputs, "customers.json"), z.array(Customer));
const answers = readJson(path.join(inputs, "answers.json"), z.array(Answer));
const clock = openManualClock(Date.parse(from));
const renewal = toRenewal(letters);
const tutti = await openTutti({ flows: [renewal], ledger, clock });

// The same id is the same run: only the first life starts it.
for (const customer of customers) await tutti.start(renewal, customer, { id: customer.customer });
await rest();
while (clock.now() < Date.parse(to)) {
  for (const { customer, on, answer } of answers) {
    if (on !== toDay(clock.now())) continue;
    const run = await tutti.open(customer);
    if ((await run.state()).kind === "waiting") await run.signal(answered, { answer }, { id: `${customer} ${on}` });
  }
  await rest();
  await clock.advance(dayMs);
  await rest();
}
await tutti.ledger.flush();
process.stdout.write("resting\n");
setInterval(() => {}, dayMs); // a process that waits for its end

/** Until every run is over, or waits for another day. */
async function rest(): Promise<void> {
  for (const { customer } of customers) {
    const run = await tutti.open(customer);
    for (let looks = 0; ; looks++) {
      if (looks === looksMax) throw new Error(`${customer} does not come to rest`);
      await pause(2);
      await clock.advance(0); // rings what is due already
      // A run that was taken up again may be about to ring itself, and then only tells afterwards.
      const state = await Promise.race([run.state(), pause(lookMs, undefined)]);
      const isOver = state?.kind === "done" || state?.kind === "failed";
      if (isOver || (state?.kind === "waiting" && (state.untilMs ?? 0) > clock.now())) break;
    }
  }
}
