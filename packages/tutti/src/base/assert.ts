import { TuttiError } from "./errors.ts";

/** Our own promises. A failure is a bug in Tutti, never a user's fault. */
export function assert(condition: unknown, promise: string): asserts condition {
  if (!condition)
    throw new TuttiError("BUG", `broken promise: ${promise}`, { hint: "This is a bug in Tutti; please report it." });
}

/** The value, where its absence would be a bug in Tutti. */
export function must<Value>(value: Value | undefined | null, promise: string): Value {
  assert(value !== undefined && value !== null, promise);
  return value;
}
