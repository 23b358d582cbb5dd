import type { Flow } from "../contracts/run.ts";
import { parseWith } from "../contracts/schema.ts";
import type { CommandCall } from "./command.ts";
import { driveRun } from "./drive-run.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { FlowFile } from "./load-flows.ts";
import { readValue } from "./read-value.ts";
import { readPerson } from "./steering-words.ts";

/** What was typed as --input; `{}` when nothing was. @throws TuttiError USAGE, SOURCE_UNREADABLE */
export async function readInput(call: CommandCall): Promise<unknown> {
  const typed = call.text("input");
  return typed === undefined ? {} : readValue(typed, "--input");
}

/** Starts a run of one of the file's flows, under --id and --key, and drives it here. @throws TuttiError INPUT_INVALID */
export async function startRun(
  call: CommandCall,
  file: FlowFile,
  start: { readonly flow: Flow; readonly input: unknown; readonly what: string },
): Promise<ExitCode> {
  const { flow, input, what } = start;
  // Before the ledger is opened: what does not fit leaves nothing behind. What is stored is parsed again, from what was typed.
  await parseWith(flow.input, input, { code: "INPUT_INVALID", what: `the input of ${what}` });
  const id = call.text("id");
  const key = call.text("key");
  return driveRun(call, file, (tutti) =>
    tutti.start(flow, input, {
      by: readPerson(call),
      ...(id === undefined ? {} : { id }),
      ...(key === undefined ? {} : { key }),
    }),
  );
}
