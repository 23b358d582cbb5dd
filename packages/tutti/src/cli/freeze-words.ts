import { toUsage } from "./command-line.ts";
import type { CommandCall } from "./command.ts";
import { exitCodes, type ExitCode } from "./exit-codes.ts";
import { toLedgerPath } from "./ledger-file.ts";
import { say, sayJson } from "./output.ts";
import { withSteering } from "./reach-engine.ts";
import { readPerson, readReason } from "./steering-words.ts";
import { toPlainLine } from "./terminal-text.ts";

const reaches = ["agent", "flow", "run", "tenant", "all"] as const;

/** Sets a freeze or lifts it, and says from when it counts. */
export async function setFreeze(call: CommandCall, command: "freeze" | "unfreeze"): Promise<ExitCode> {
  const typed = call.operand(reaches.join("|"));
  const reach = reaches.find((each) => each === typed);
  const name = call.optional("name");
  if (reach === undefined) throw toUsage(`"${typed}" can't be frozen`, `Name one of ${reaches.join(", ")}.`);
  if ((reach === "all") === (name !== undefined))
    throw toUsage(
      reach === "all" ? "all has no name" : `which ${reach}?`,
      `tutti ${command} ${reach}${reach === "all" ? "" : " <name>"}`,
    );
  const request = { reach, ...(name === undefined ? {} : { name }), by: readPerson(call), ...readReason(call) };
  await withSteering(toLedgerPath(call), async (steering) => {
    await steering.send(command, request);
    if (call.flag("json")) {
      sayJson({ ...request, recorded: true, driven: steering.isDriven });
      return;
    }
    const what = reach === "all" ? "everything" : `${reach} ${name}`;
    say(
      toPlainLine(
        command === "freeze"
          ? `${what} is frozen from now on: nothing is begun, what is going on comes to its recorded end`
          : `${what} is not frozen any more: what rested because of it goes on`,
      ),
    );
  });
  return exitCodes.done;
}
