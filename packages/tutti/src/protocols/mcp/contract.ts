import type { Tool as RemoteTool } from "@modelcontextprotocol/client";

import { fields, integer, oneOf } from "../../base/shape.ts";
import type { EffectClass } from "../../contracts/callable.ts";
import type { McpFailures, McpSettings } from "./mcp-options.ts";

/** What a tool of a server does to the world, and what it promises: decided from what is known, what is said, and whether that is believed. */
export interface RemoteContract {
  readonly effect: Exclude<EffectClass, "local">;
  readonly failures: McpFailures;
  readonly timeoutMs: number;
  /** An input over this many bytes of JSON is refused before anything is sent. */
  readonly inputBytesMax: number;
}

/** Where a server that knows Tutti says in a tool's `_meta` what the tool promises. */
const contractKey = "dev.tutti/contract";

const callMsDefault = 120_000;
const inputBytesDefault = 10_000_000;

const declared = fields(
  {},
  {
    effect: oneOf("read", "idempotent", "once"),
    failures: oneOf("nothing-happened", "unknown"),
    timeoutMs: integer,
    inputBytesMax: integer,
  },
);

/**
 * The configuration wins; then, only if the server is trusted, its contract, then its annotations. What nobody vouches for is `once`.
 * @throws ShapeError when a trusted server's contract can't be read.
 */
export function decideContract(remote: RemoteTool, settings: McpSettings): RemoteContract {
  const known = settings.tools?.[remote.name] ?? {};
  const trusted = settings.trusted === true;
  const said = trusted ? declared(contractOf(remote) ?? {}, contractKey) : {};
  const effect = known.effect ?? said.effect ?? (trusted ? decideByHints(remote) : "once");
  return {
    effect,
    failures: known.failures ?? said.failures ?? (effect === "read" ? "nothing-happened" : "unknown"),
    timeoutMs: known.timeoutMs ?? said.timeoutMs ?? settings.callTimeoutMs ?? callMsDefault,
    inputBytesMax: said.inputBytesMax ?? inputBytesDefault,
  };
}

/** What the server says that the tool promises, not yet looked at. */
export function contractOf({ _meta: meta }: RemoteTool): unknown {
  return meta?.[contractKey];
}

function decideByHints({ annotations }: RemoteTool): RemoteContract["effect"] {
  if (annotations?.readOnlyHint === true) return "read";
  return annotations?.idempotentHint === true ? "idempotent" : "once";
}
