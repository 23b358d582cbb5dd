// A process with an effect in doubt, which tells a webhook so, until it is killed.
import { setTimeout as pass } from "node:timers/promises";

import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import { openManualClock } from "../../packages/tutti/src/testing/manual-clock.ts";
import { paying } from "./paying-flow.ts";

const [file, url] = process.argv.slice(2);
if (file === undefined || url === undefined) throw new Error("usage: alerting-process.ts <file> <url>");

const clock = openManualClock();
const tutti = await openTutti({
  flows: [paying],
  ledger: file,
  clock,
  control: false,
  telemetry: { alerts: { url, rules: { inDoubt: {} } } },
});
await (await tutti.start(paying, {}, { id: "p" })).settled();
for (;;) {
  await clock.advance(1_000);
  await pass(1);
}
