import { sha256 } from "../base/hash.ts";
import { toCanonicalJson } from "../base/json.ts";
import type { ModelRequest } from "../contracts/model.ts";

/** Names what a model is asked: equal conversations, tools and wanted answers have one fingerprint. Hints are no part of it. */
export function toFingerprint({ messages, tools, answer }: ModelRequest, model = ""): string {
  return sha256(toCanonicalJson({ messages, tools, answer, model }));
}
