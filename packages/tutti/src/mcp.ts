/** Tools of servers of the Model Context Protocol: over a pipe or HTTP, of the current and of older protocols. */
export type { McpQuarantine, McpSkipped } from "./protocols/mcp/catalog.ts";
export type { McpContent, McpPart } from "./protocols/mcp/content.ts";
export type {
  McpAddress,
  McpAnswer,
  McpFailures,
  McpFormQuestion,
  McpHeaders,
  McpInput,
  McpLinkQuestion,
  McpProcess,
  McpProgress,
  McpQuestion,
  McpServerOptions,
  McpSettings,
  McpToolSettings,
} from "./protocols/mcp/mcp-options.ts";
export { mcpServer, type LazyMcpServer } from "./protocols/mcp/lazy-server.ts";
export { openMcpServer } from "./protocols/mcp/load-server.ts";
export type { McpServer } from "./protocols/mcp/mcp-server.ts";
