import { describeThrown, TuttiError } from "../base/errors.ts";

/** A key or password: as it is, or where to get it when it is needed. The function is asked at every call, so a key can be changed. */
export type Secret = string | (() => string | Promise<string>);

/**
 * The value, for the one call that it is needed for.
 * @throws TuttiError TOOL_REFUSED when there is none; nothing has happened.
 */
export async function openSecret(secret: Secret, provider: string): Promise<string> {
  let value: string;
  try {
    value = typeof secret === "function" ? await secret() : secret;
  } catch (error) {
    throw new TuttiError("TOOL_REFUSED", `the key of ${provider} could not be had: ${describeThrown(error)}`, {
      hint: "Check where the key comes from.",
    });
  }
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  throw new TuttiError("TOOL_REFUSED", `${provider} has no key`, { hint: "Give it one in the configuration." });
}
