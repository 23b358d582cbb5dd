import type { ApprovalRecord } from "../contracts/approval.ts";

const sawDigits = 8;

/** How an approval is named on the command line: its id with the beginning of the hash of what was shown, so that a vote is on that. */
export function toTypedId({ id, package: shown }: ApprovalRecord): string {
  return `${id}:${shown.slice(0, sawDigits)}`;
}
