import type { ErrorCode } from "../base/error-codes.ts";

/** What the command line says with its exit code. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  cancelled: 3,
  waiting: 4,
  policy: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The same, for people. */
export const exitCodesText =
  "0 done · 1 failed · 2 called wrongly · 3 cancelled · 4 waits for a person or a signal · 5 stopped by policy or budget · 130 interrupted";

// What the caller typed can't be, so nothing was begun.
const usageCodes: ReadonlySet<ErrorCode> = new Set([
  "USAGE",
  "FLOW_FILE_INVALID",
  "CONFIG_INVALID",
  "POLICY_INVALID",
  "FLOW_UNKNOWN",
  "INPUT_INVALID",
  "DEFINITION_INVALID",
  "SOURCE_UNREADABLE",
  "RUN_UNKNOWN",
  "EFFECT_UNKNOWN",
  "APPROVAL_UNKNOWN",
  "NODE_TOO_OLD",
]);

/** The exit code for an error that stopped a command, not a run. */
export function toExitCode(code: ErrorCode): ExitCode {
  if (usageCodes.has(code)) return exitCodes.usage;
  return code === "RUN_CANCELLED" ? exitCodes.cancelled : exitCodes.failed;
}
