import { findAttemptWrongs } from "./durable-attempts.ts";
import { findLosingBranchWrongs } from "./losing-branch.ts";
import { programs, type ProgramName } from "./mutation-table.ts";
import { findSignalWrongs } from "./signal-charge.ts";
import { findUndoOrderWrongs } from "./undo-order.ts";

const checks: {
  readonly [Name in ProgramName]: () => Promise<{ readonly points: number; readonly wrongs: readonly string[] }>;
} = {
  "durable-attempts": findAttemptWrongs,
  "losing-branch": findLosingBranchWrongs,
  "signal-charge": findSignalWrongs,
  "undo-order": findUndoOrderWrongs,
};

/** Runs one of the programs that are not left to chance: `main.ts undo-order`. */
const name = programs.find((program) => program === process.argv[2]);
if (name === undefined) throw new Error(`name one of ${programs.join(", ")}`);
const { points, wrongs } = await checks[name]();
for (const wrong of wrongs.slice(0, 3)) process.stderr.write(`${wrong}\n`);
process.stdout.write(`${points} points, ${wrongs.length} wrong\n`);
process.exitCode = wrongs.length === 0 ? 0 : 1;
