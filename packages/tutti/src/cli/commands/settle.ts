import { toEffectKey } from "../../contracts/ids.ts";
import type { Verdict } from "../../engine/tutti.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { toLedgerPath, withReader } from "../ledger-file.ts";
import { withSteering } from "../reach-engine.ts";
import { readValue } from "../read-value.ts";
import { confirm, readPerson } from "../steering-words.ts";

/** `tutti settle`: a person says whether an effect happened. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const effect = toEffectKey(call.operand("effect"));
  const verdict = await readVerdict(call);
  const record = await withReader(path, (ledger) => ledger.findEffect(effect));
  await withSteering(path, async (steering) => {
    await steering.send("settle", { effect, verdict });
    confirm(call, steering, {
      run: record?.run ?? "",
      text: `${effect} is settled: ${verdict.kind === "done" ? "it happened" : "it did not happen"}`,
    });
  });
  return exitCodes.done;
}

async function readVerdict(call: CommandCall): Promise<Verdict> {
  const word = call.operand("done|not-done");
  const output = call.text("output");
  const note = call.text("note");
  const said = { by: readPerson(call), ...(note === undefined ? {} : { note }) };
  if (word === "done")
    return { kind: "done", ...said, ...(output === undefined ? {} : { output: await readValue(output, "--output") }) };
  if (word !== "not-done")
    throw toUsage(`an effect is settled as done or not-done, not "${word}"`, "tutti settle <effect> done|not-done");
  if (output !== undefined) throw toUsage("what did not happen has no output", "Leave --output out.");
  return { kind: "not-done", ...said };
}
