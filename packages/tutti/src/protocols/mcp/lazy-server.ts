import type { ToolServer } from "../../contracts/tool-server.ts";
import { openMcpServer } from "./load-server.ts";
import type { McpServerOptions } from "./mcp-options.ts";
import type { McpServer } from "./mcp-server.ts";

/** A server for a configuration: nothing is started or reached before somebody opens it. */
export interface LazyMcpServer extends ToolServer {
  open(): Promise<McpServer>;
}

/** Declares a server. Everybody who opens it shares one conversation, until it is closed; a bad option is told when it is opened. */
export function mcpServer(options: McpServerOptions): LazyMcpServer {
  let opened: Promise<McpServer> | undefined;
  return {
    name: options.name,
    open() {
      const opening = (opened ??= openMcpServer(options));
      // Who comes after a failure tries anew; whoever waits for this one is told.
      opening.catch(() => {
        if (opened === opening) opened = undefined;
      });
      return opening;
    },
    async close() {
      const closing = opened;
      opened = undefined;
      const server = await closing?.catch(() => undefined); // what was never reached needs no closing
      await server?.close();
    },
  };
}
