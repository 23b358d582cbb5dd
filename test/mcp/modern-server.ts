// A server of the protocol of 2026, made with the official package: over a pipe when it is started as a program.
import { createMcpHandler, inputRequired, McpServer, type McpHttpHandler } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";

const words = (text: string): { content: [{ type: "text"; text: string }] } => ({ content: [{ type: "text", text }] });

/** The same over HTTP: for each request a new server, whose greeting is described as it is then. */
export function toModernHandler(describe = (): string => "Greets."): McpHttpHandler {
  return createMcpHandler(() => toModernServer(describe()));
}

function toModernServer(description: string): McpServer {
  const server = new McpServer(
    { name: "modern", version: "1.0.0" },
    { capabilities: { tools: { listChanged: true } } },
  );
  server.registerTool(
    "greet",
    { description, inputSchema: z.object({ name: z.string() }), outputSchema: z.object({ greeting: z.string() }) },
    ({ name }) => ({ content: [], structuredContent: { greeting: `Hello, ${name}` } }),
  );
  server.registerTool("meta", { description: "Says what came with the call." }, ({ mcpReq: { _meta: meta } }) =>
    words(JSON.stringify(meta)),
  );
  server.registerTool("slow", { description: "Says how far it is." }, async ({ mcpReq }) => {
    const { _meta: meta } = mcpReq;
    const progressToken = meta?.progressToken ?? "";
    for (const progress of [1, 2]) {
      await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: 2 } });
    }
    return words("done");
  });
  server.registerTool("confirm", { description: "Asks first." }, ({ mcpReq }) => {
    const answer = mcpReq.inputResponses?.["sure"];
    if (answer !== undefined) return { ...words(JSON.stringify(answer)), isError: isRefusal(answer) };
    const requestedSchema = z.object({ sure: z.boolean() });
    return inputRequired({
      inputRequests: { sure: inputRequired.elicit({ message: "Are you sure?", requestedSchema }) },
      requestState: "opaque",
    });
  });
  server.registerTool("visit", { description: "Sends a person to a page." }, ({ mcpReq }) => {
    const answer = mcpReq.inputResponses?.["there"];
    if (answer !== undefined) return words(JSON.stringify(answer));
    const link = { message: "Please sign in.", url: "https://example.org/sign-in", elicitationId: "e1" };
    return inputRequired({ inputRequests: { there: inputRequired.elicitUrl(link) } });
  });
  server.registerTool("sample", { description: "Wants a model." }, () =>
    inputRequired({ inputRequests: { thought: inputRequired.createMessage({ messages: [], maxTokens: 1 }) } }),
  );
  server.registerTool("curious", { description: "Asks too much." }, () => {
    const question = inputRequired.elicit({ message: "Why?", requestedSchema: z.object({}) });
    const inputRequests = Object.fromEntries(Array.from({ length: 21 }, (_unused, index) => [`q${index}`, question]));
    return inputRequired({ inputRequests });
  });
  server.registerTool("endless", { description: "Asks for ever." }, () => inputRequired({ requestState: "again" }));
  return server;
}

function isRefusal(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "action" in answer && answer.action !== "accept";
}

if (process.argv[1] === import.meta.filename) serveStdio(() => toModernServer("Greets."));
