import { loadOptional } from "../../base/optional-package.ts";
import type { McpServerOptions } from "./mcp-options.ts";
import type { McpServer } from "./mcp-server.ts";

/**
 * Reaches a server, by its current protocol or an older one, and takes its tools. A server that goes away is reached again at the next call.
 * It needs the package `@modelcontextprotocol/client`, which weighs more than all of Tutti and is therefore installed by who uses it.
 * @throws TuttiError TOOL_UNAVAILABLE, TOOL_REFUSED or TOOL_ANSWER_INVALID when it can't be reached, DEFINITION_INVALID when the
 * configuration does not fit it or the package is missing, SOURCE_UNREADABLE for a pin file that can't be read or written.
 */
export async function openMcpServer(options: McpServerOptions): Promise<McpServer> {
  const loaded = await loadServer(() => import("./mcp-server.ts"));
  return loaded.openMcpServer(options);
}

const client = { name: "@modelcontextprotocol/client", range: "2", use: "MCP servers are spoken to with" };

/** @throws TuttiError DEFINITION_INVALID when the package is not installed */
export function loadServer<Module>(load: () => Promise<Module>): Promise<Module> {
  return loadOptional(client, load);
}
