// A process that runs flows on a SQLite ledger and exports what they do, and dies when it is told to: after so many entries.
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import { counting, countingModel } from "./counting-flow.ts";

const [file, url, session, runs, dieAfter] = process.argv.slice(2);
if (file === undefined || url === undefined || session === undefined)
  throw new Error("usage: exporting-process.ts <file> <url> <session> <runs> <dieAfter>");

let entries = 0;
const tutti = await openTutti({
  flows: [counting],
  models: { fast: countingModel() },
  ledger: file,
  control: false,
  telemetry: { otlp: { url } },
  onActivity(activity) {
    if (activity.kind !== "entry") return;
    entries += 1;
    if (entries === Number(dieAfter)) process.kill(process.pid, "SIGKILL");
  },
});
for (let at = 0; at < Number(runs); at++) await tutti.run(counting, {}, { id: `${session}-${at}` });
