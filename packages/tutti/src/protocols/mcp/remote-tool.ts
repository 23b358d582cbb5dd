import type { Tool as RemoteTool } from "@modelcontextprotocol/client";

import { sha256 } from "../../base/hash.ts";
import type { Tool, ToolHost } from "../../contracts/callable.ts";
import type { Schema } from "../../contracts/schema.ts";
import { tool } from "../../tools/tool.ts";
import { contentSchema } from "./content.ts";
import type { RemoteContract } from "./contract.ts";
import { findSchemaProblem, fromJsonSchema } from "./json-schema.ts";
import type { McpInput, McpSettings } from "./mcp-options.ts";

const nameMax = 64;
const doesMax = 2_000;

export type RunRemote = (input: McpInput, host: ToolHost) => Promise<unknown>;

/** Makes a Tutti tool of what a server offers. @throws TuttiError DEFINITION_INVALID when the configuration contradicts itself. */
export function toTool(
  remote: RemoteTool,
  {
    settings,
    contract,
    run,
  }: { readonly settings: McpSettings; readonly contract: RemoteContract; readonly run: RunRemote },
): Tool {
  return declare(remote.name, {
    settings,
    contract,
    run,
    does: toDoes(remote),
    input: fromJsonSchema(remote.inputSchema),
    output: remote.outputSchema === undefined ? contentSchema : fromJsonSchema(remote.outputSchema),
  });
}

/** Stands for a tool that nobody has accepted: nothing that the server says about it reaches a model. */
export function toWithheldTool(
  name: string,
  {
    settings,
    contract,
    run,
  }: { readonly settings: McpSettings; readonly contract: RemoteContract; readonly run: RunRemote },
): Tool {
  const anyObject = fromJsonSchema({ type: "object" });
  const does = "Can't be used: it is new or has changed, and nobody has accepted it yet.";
  return declare(name, { settings, contract, run, does, input: anyObject, output: fromJsonSchema({}) });
}

interface Declared {
  readonly settings: McpSettings;
  readonly contract: RemoteContract;
  readonly run: RunRemote;
  readonly does: string;
  readonly input: Schema;
  readonly output: Schema;
}

function declare(name: string, { settings, contract, run, does, input, output }: Declared): Tool {
  const { failures: _failures, ...known } = settings.tools?.[name] ?? {};
  return tool<unknown, unknown>({
    ...known,
    name: toName(settings.name, name),
    does,
    input,
    output,
    trust: "untrusted",
    effect: contract.effect,
    timeoutMs: contract.timeoutMs,
    run,
  });
}

/** `server.tool`, as it is where that can be a name; else cut and told apart by a hash of the whole. */
export function toName(server: string, remoteName: string): string {
  const whole = `${server}.${remoteName}`;
  if (whole.length <= nameMax && /^[\w.:-]+$/.test(whole)) return whole;
  const hash = sha256(whole).slice(0, 8);
  return `${whole.replaceAll(/[^\w.:-]/g, "_").slice(0, nameMax - hash.length - 1)}-${hash}`;
}

/** A server's description, bounded, and without characters that people do not see and models read. */
function toDoes({ name, title, description }: RemoteTool): string {
  const words = (description ?? title ?? "").replaceAll(/[^\P{C}\n\t]/gu, "").trim();
  if (words === "") return `The tool ${name.replaceAll(/[^\w.:-]/g, "_")}; its server does not say what it does.`;
  return words.length <= doesMax ? words : `${words.slice(0, doesMax - 1)}…`;
}

/** Why a tool can't be offered; `undefined` when it can. */
export function findToolProblem({ name, inputSchema, outputSchema }: RemoteTool): string | undefined {
  if (name.trim() === "") return "it has no name";
  return findSchemaProblem(inputSchema) ?? (outputSchema === undefined ? undefined : findSchemaProblem(outputSchema));
}
