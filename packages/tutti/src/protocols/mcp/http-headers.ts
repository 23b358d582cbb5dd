import { describeThrown, isTuttiError, TuttiError } from "../../base/errors.ts";
import { watchSecret } from "../../base/known-secrets.ts";
import { openKey, type KeyUse } from "../../tools/http/service-key.ts";
import type { McpAddress, McpHeaders } from "./mcp-options.ts";

/** Headers that prove who asks: their values are kept out of everything that is written. */
const provingName = /authorization|cookie|key|token|secret/i;

/**
 * The configured headers for one request, secrets read for its address.
 * @throws TuttiError when one can't be had; nothing was sent.
 */
export async function openHeaders(
  { key, headers }: Pick<McpAddress, "key" | "headers">,
  use: KeyUse,
): Promise<Readonly<Record<string, string>>> {
  const given = typeof headers === "function" ? await askHeaders(headers) : (headers ?? {});
  const opened: Record<string, string> = {};
  if (key !== undefined) opened["authorization"] = `Bearer ${await openKey(key, use)}`;
  for (const [name, value] of Object.entries(given)) {
    opened[name] = typeof value === "string" ? value : await openKey(value, use);
    if (provingName.test(name)) watchSecret(use.provider, opened[name].replace(/^\w+\s+/, ""));
  }
  return opened;
}

async function askHeaders(headers: () => McpHeaders | Promise<McpHeaders>): Promise<McpHeaders> {
  try {
    return await headers();
  } catch (error) {
    if (isTuttiError(error)) throw error;
    throw new TuttiError("TOOL_UNAVAILABLE", `the headers for the server are missing: ${describeThrown(error)}`, {
      hint: "The function `headers` of the server failed; nothing was sent.",
      cause: error,
    });
  }
}
