import { sha256 } from "../base/hash.ts";
import { toCanonicalJson } from "../base/json.ts";
import type { Tool } from "../contracts/callable.ts";
import { toEffectKey, type EffectKey, type RunId, type StepKey } from "../contracts/ids.ts";

const readableMax = 120;

/**
 * The key of an action: what it is, not where it stands in the flow. Tool, scope, then the declared key or the digest of the whole input:
 * `page.publish:launch` for everyone, `mail.send@run1:9f86d0…` in one run, `log.write@run1/retry/log.write` in one step.
 */
export function effectKeyOf(
  tool: Tool,
  input: unknown,
  place: { readonly lineage: RunId; readonly step: StepKey; readonly digest: string },
): EffectKey {
  switch (tool.scope) {
    case "everyone":
      return toEffectKey(`${tool.name}:${namedPart(tool, input, place.digest)}`);
    case "run":
      return toEffectKey(`${tool.name}@${place.lineage}:${namedPart(tool, input, place.digest)}`);
    case "step":
      return toEffectKey(`${tool.name}@${place.lineage}${place.step}`);
  }
}

/** SHA-256 over the canonical input: tells whether the same key is used for the same content. */
export function digestOf(input: unknown): string {
  return sha256(toCanonicalJson(input));
}

/** A child is another one when its flow is, even with the same input. */
export function digestOfChild(flow: string, input: unknown): string {
  return digestOf({ flow, input });
}

function namedPart(tool: Tool, input: unknown, digest: string): string {
  const declared = tool.key?.(input);
  if (declared === undefined) return digest.slice(0, 32);
  return declared.length <= readableMax && /^[\x21-\x7e]+$/u.test(declared) ? declared : sha256(declared).slice(0, 32);
}
