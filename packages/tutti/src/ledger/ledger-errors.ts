import { describeThrown, TuttiError, type Facts } from "../base/errors.ts";
import type { RunId } from "../contracts/ids.ts";

export function toFencedError(run: RunId, epoch: number, present: number): TuttiError {
  return new TuttiError("LEDGER_FENCED", `another driver claimed run ${run}`, {
    hint: "Nothing is wrong with the run: the driver that claimed it last goes on with it.",
    facts: { run, epoch, present },
  });
}

export function toUnknownRunError(run: RunId): TuttiError {
  return new TuttiError("RUN_UNKNOWN", `no run ${run} is in the ledger`, {
    hint: "`tutti runs` lists the runs of a ledger.",
    facts: { run },
  });
}

export function toClosedError(): TuttiError {
  return new TuttiError("LEDGER_CLOSED", "the ledger was closed", { hint: "Close it after everything that uses it." });
}

export function toStoppedError(point: "commit" | "sync", cause: unknown): TuttiError {
  return new TuttiError("LEDGER_STOPPED", `the ledger stopped because a ${point} failed: ${describeThrown(cause)}`, {
    hint: "What was acknowledged is safe. See to the disk (space, health, permissions), then start the process again.",
    facts: { point, ...toSystemFacts(cause) },
    cause,
  });
}

/** What the operating system or SQLite called the failure. */
export function toSystemFacts(cause: unknown): Facts {
  if (typeof cause !== "object" || cause === null) return {};
  const facts: Record<string, string | number> = {};
  if ("code" in cause && typeof cause.code === "string") facts["code"] = cause.code;
  if ("errcode" in cause && typeof cause.errcode === "number") facts["sqliteCode"] = cause.errcode;
  if ("errstr" in cause && typeof cause.errstr === "string") facts["sqliteText"] = cause.errstr;
  return facts;
}
