import { describeThrown, isTuttiError, TuttiError } from "../../base/errors.ts";
import { watchSecret } from "../../base/known-secrets.ts";
import type { Secret } from "../../contracts/secret.ts";

/** A service's key: a secret, which knows where it may go; or the value, or a function that has it, asked at every call so that it can be changed. */
export type ServiceKey = Secret | string | (() => string | Promise<string>);

export interface KeyUse {
  readonly provider: string;
  /** Of the request that it is for. */
  readonly url: string;
  readonly signal: AbortSignal;
}

/**
 * The value, for the one request that it is needed for. However it was given, it is from now on kept out of everything that is written.
 * @throws TuttiError TOOL_REFUSED when there is none, SECRET_MISSING or SECRET_MISPLACED of a secret; nothing has happened.
 */
export async function openKey(key: ServiceKey, use: KeyUse): Promise<string> {
  if (typeof key === "object") return key.reveal(use.url, use.signal);
  const value = await readKey(key, use.provider);
  if (value === "")
    throw new TuttiError("TOOL_REFUSED", `${use.provider} has no key`, { hint: "Give it one in the configuration." });
  watchSecret(use.provider, value);
  return value;
}

async function readKey(key: Exclude<ServiceKey, Secret>, provider: string): Promise<string> {
  try {
    const value: unknown = typeof key === "function" ? await key() : key;
    return typeof value === "string" ? value.trim() : "";
  } catch (error) {
    if (isTuttiError(error)) throw error;
    throw new TuttiError("TOOL_REFUSED", `the key of ${provider} could not be had: ${describeThrown(error)}`, {
      hint: "Check where the key comes from.",
    });
  }
}
