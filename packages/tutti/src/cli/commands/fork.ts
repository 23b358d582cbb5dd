import { toStepKey } from "../../contracts/ids.ts";
import type { ForkEdit } from "../../engine/tutti.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { driveRun } from "../drive-run.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findNamedRun, toLedgerPath, withReader } from "../ledger-file.ts";
import { loadFlowsOrProject } from "../load-project.ts";
import { withSteering } from "../reach-engine.ts";
import { readValue } from "../read-value.ts";
import { confirm, readPerson } from "../steering-words.ts";

/** `tutti fork`: another run from the same past, with a changed result or input. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const step = toStepKey(call.operand("step"));
  const edit = await readEdit(call);
  const by = readPerson(call);
  const file = call.optional("file");
  const loaded = file === undefined ? undefined : await loadFlowsOrProject(file);
  const { id } = await withReader(path, (ledger) => findNamedRun(ledger, call.operand("run")));
  if (loaded !== undefined) {
    return driveRun(call, loaded, async (tutti) => {
      const handle = await tutti.open(id);
      return handle.fork(step, edit, { by });
    });
  }
  await withSteering(path, async (steering) => {
    const forked = await steering.send("fork", { run: id, step, by, ...edit });
    confirm(call, steering, { run: forked.run, text: `run ${forked.run} was forked from ${id} before ${step}` });
  });
  return exitCodes.done;
}

async function readEdit(call: CommandCall): Promise<ForkEdit | undefined> {
  const output = call.text("output");
  const input = call.text("input");
  if (output !== undefined && input !== undefined)
    throw toUsage("a fork changes a step's output or its input, not both", "Leave one of them out.");
  if (output !== undefined) return { output: await readValue(output, "--output") };
  return input === undefined ? undefined : { input: await readValue(input, "--input") };
}
