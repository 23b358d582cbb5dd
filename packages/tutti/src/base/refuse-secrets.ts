import type { EffectKnowledge } from "./error-codes.ts";
import { TuttiError } from "./errors.ts";
import { findSecret, redactSecrets, toHandle } from "./known-secrets.ts";

/**
 * Stops a text that holds the value of a secret before it leaves.
 * @throws TuttiError SECRET_EXPOSED, saying which secret and `where`, never the value
 */
export function refuseSecrets(text: string | undefined, where: string, effect?: EffectKnowledge): void {
  const exposure = text === undefined ? undefined : findExposure(text, where, effect);
  if (exposure !== undefined) throw exposure;
}

/** The same as a value: the error that says so, if the text holds one. */
export function findExposure(text: string, where: string, effect: EffectKnowledge = "none"): TuttiError | undefined {
  const name = findSecret(text);
  if (name === undefined) return undefined;
  const place = redactSecrets(where);
  return new TuttiError("SECRET_EXPOSED", `${place} holds the value of ${toHandle(name)}`, {
    hint: "Keep the value in the tool that sends it: reveal it for the request, and return nothing that repeats it.",
    facts: { secret: name, where: place },
    effect,
  });
}
