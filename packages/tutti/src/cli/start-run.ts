import { priorities } from "../contracts/run-record.ts";
import type { Flow } from "../contracts/run.ts";
import { parseWith } from "../contracts/schema.ts";
import type { StartOptions } from "../engine/tutti.ts";
import { toUsage } from "./command-line.ts";
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

/** @throws TuttiError USAGE */
function readPriority(call: CommandCall): Pick<StartOptions, "priority"> {
  const typed = call.text("priority");
  if (typed === undefined) return {};
  const priority = priorities.find((each) => each === typed);
  if (priority === undefined) throw toUsage(`"${typed}" is no priority`, `--priority takes: ${priorities.join(", ")}`);
  return { priority };
}

/** Starts a run of one of the file's flows, under --id, --key, --subject and --priority, and drives it here. @throws TuttiError INPUT_INVALID, USAGE */
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
  const subject = call.text("subject");
  const options: StartOptions = {
    by: readPerson(call),
    ...(id === undefined ? {} : { id }),
    ...(key === undefined ? {} : { key }),
    ...(subject === undefined ? {} : { subject }),
    ...readPriority(call),
  };
  return driveRun(call, file, (tutti) => tutti.start(flow, input, options));
}
