/** Reads everything, and is killed before it signs anything: `dying-sequencer.ts <ledger.db>`. */
import { toAuditFolder } from "../../packages/tutti/src/audit/audit-file.ts";
import { takeCheckpoint } from "../../packages/tutti/src/audit/take-checkpoint.ts";
import { systemClock } from "../../packages/tutti/src/base/clock.ts";
import { openSqliteLedger } from "../../packages/tutti/src/ledger/sqlite/sqlite-ledger.ts";

const [file = ""] = process.argv.slice(2);
const ledger = await openSqliteLedger(file, { clock: systemClock, readOnly: true });
await takeCheckpoint({
  ledger,
  folder: toAuditFolder(file),
  anchors: [],
  signal: new AbortController().signal,
  beforeSigning: () => process.kill(process.pid, "SIGKILL"),
});
