import { userInfo } from "node:os";

import type { CommandCall } from "./command.ts";
import { quote, toLedgerOption, toLedgerPath } from "./ledger-file.ts";
import { say, sayJson, tell } from "./output.ts";
import { toPlainLine } from "./terminal-text.ts";

/** Who gives a command: as typed, or whoever is logged in. */
export function readPerson(call: CommandCall): string {
  return call.text("by") ?? toUserName();
}

/** Why, if it was said. */
export function readReason(call: CommandCall): { readonly reason?: string } {
  const reason = call.text("reason");
  return reason === undefined ? {} : { reason };
}

export function toUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return "a person"; // a user without a name, as containers have
  }
}

/** Says that a command was recorded, and what is still needed when nobody drives the run. */
export function confirm(
  call: CommandCall,
  steering: { readonly isDriven: boolean },
  done: { readonly run: string; readonly text: string },
): void {
  const resume = `tutti resume ${quote(done.run)} <file>${toLedgerOption(toLedgerPath(call))}`;
  if (call.flag("json")) {
    sayJson({
      run: done.run,
      recorded: true,
      driven: steering.isDriven,
      ...(steering.isDriven ? {} : { next: resume }),
    });
    return;
  }
  say(toPlainLine(done.text));
  if (!steering.isDriven) tell(`No engine runs; it is recorded and takes effect when one does: ${toPlainLine(resume)}`);
}
