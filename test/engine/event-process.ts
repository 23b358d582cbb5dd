// A process that reacts to events on a SQLite ledger and dies when it is told to: after an event is durable, before or while it is acted on.
import { writeSync } from "node:fs";

import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import { orders, shipping } from "./event-fixture.ts";

const [file, session, events, dieAfter] = process.argv.slice(2);
if (file === undefined || session === undefined)
  throw new Error("usage: event-process.ts <file> <session> <events> <dieAfter>");

let entries = 0;
const tutti = await openTutti({
  flows: [],
  ledger: file,
  control: false,
  on: [shipping],
  onActivity(activity) {
    if (activity.kind !== "entry") return;
    entries += 1;
    if (entries === Number(dieAfter)) process.kill(process.pid, "SIGKILL");
  },
});
for (let at = 0; at < Number(events); at++) {
  const id = `${session}-${at}`;
  void tutti.publish(orders, { number: `k${at % 2}`, amount: at }, { id }).then(() => writeSync(1, `${id}\n`));
}
