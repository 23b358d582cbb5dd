import { expect, test } from "vitest";

import { errorOf } from "../../../../../test/engine/engine-fixture.ts";
import {
  beginStream,
  listen,
  listenAndMisbehave,
  listenWith,
  sendResult,
  type Misbehave,
  type Received,
} from "../../../../../test/mcp/http-fixture.ts";
import { untilSeen } from "../../../../../test/mcp/mcp-fixture.ts";
import { toModernHandler } from "../../../../../test/mcp/modern-server.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { TuttiError } from "../../base/errors.ts";
import { fields, integer } from "../../base/shape.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import type { McpAddress, McpSettings } from "./mcp-options.ts";
import { openMcpServer } from "./mcp-server.ts";

interface Tried {
  readonly error: TuttiError;
  readonly calls: readonly Received[];
}

/** Calls the tool of a server that misbehaves, and returns what came of it. */
async function tryCall(misbehave: Misbehave, options: Partial<McpSettings & McpAddress> = {}): Promise<Tried> {
  const { url, calls } = await listenAndMisbehave(misbehave);
  await using server = await openMcpServer({ name: "raw", url, ...options });
  return { error: await errorOf(Promise.resolve(server.tool("write").run({}, toToolHost()))), calls };
}

const words = { content: [{ type: "text", text: "written" }] };

test("a call over HTTP carries the configured headers, and is sent once", verifies("P3"), async () => {
  const { url, calls } = await listenAndMisbehave((outgoing, { id }) => sendResult(outgoing, id, words));
  let asked = 0;
  const headers = (): Record<string, string> => ({ authorization: `Bearer ${++asked}` });
  await using server = await openMcpServer({ name: "raw", url, headers });
  expect(await server.tool("write").run({}, toToolHost())).toEqual({ text: "written", parts: [] });
  expect(calls.map((call) => call.headers.authorization)).toEqual([`Bearer ${asked}`]);
  expect(calls[0]?.params).toMatchObject({ name: "write", _meta: { "dev.tutti/idempotency-key": "key-1" } });
});

test.for([
  [400, "TOOL_REFUSED", "none"],
  [401, "TOOL_REFUSED", "none"],
  [403, "TOOL_REFUSED", "none"],
  [404, "TOOL_UNAVAILABLE", "none"],
  [500, "TOOL_INTERRUPTED", "unknown"],
  [502, "TOOL_INTERRUPTED", "unknown"],
] as const)("status %i becomes %s, effect %s, and the call is sent once", async ([status, code, effect]) => {
  const { error, calls } = await tryCall((outgoing) => outgoing.writeHead(status).end("no"));
  expect(error).toMatchObject({ code, effect });
  expect(calls).toHaveLength(1);
});

test.for([
  [429, "TOOL_RATE_LIMITED"],
  [503, "TOOL_UNAVAILABLE"],
] as const)("status %i asks to wait as long as the server says", async ([status, code]) => {
  const { error } = await tryCall((outgoing) => outgoing.writeHead(status, { "retry-after": "7" }).end());
  expect(error).toMatchObject({ code, effect: "none", retryAfterMs: 7_000 });
});

test(
  "a connection that breaks in a call leaves its effect unknown, and nothing is sent again",
  verifies("P3"),
  async () => {
    const { error, calls } = await tryCall((outgoing) => outgoing.destroy());
    expect(error).toMatchObject({ code: "TOOL_INTERRUPTED", effect: "unknown" });
    expect(calls).toHaveLength(1);
  },
);

test("a stream that ends without the answer does not keep the call waiting", async () => {
  const { error } = await tryCall((outgoing) => {
    beginStream(outgoing);
    outgoing.end();
  });
  expect(error).toMatchObject({ code: "TOOL_INTERRUPTED", effect: "unknown" });
});

test("a stream that breaks without the answer does not keep the call waiting", async () => {
  const { error } = await tryCall((outgoing) => {
    beginStream(outgoing);
    setImmediate(() => outgoing.destroy());
  });
  expect(error).toMatchObject({ code: "TOOL_INTERRUPTED", effect: "unknown" });
});

test.for(["a whole answer", "an event of a stream"])("%s over the limit is refused while it comes", async (kind) => {
  const { error } = await tryCall(
    (outgoing, { id }) => {
      const large = { content: [{ type: "text", text: "x".repeat(300_000) }] };
      if (kind === "a whole answer") return sendResult(outgoing, id, large);
      beginStream(outgoing);
      outgoing.end(`data: ${JSON.stringify({ jsonrpc: "2.0", id, result: large })}\n\n`);
    },
    { messageBytesMax: 200_000 },
  );
  expect(error).toMatchObject({ code: "TOOL_ANSWER_INVALID", effect: "unknown" });
  expect(error.message).toContain("over 200000 bytes");
});

test("a page instead of an answer is refused as invalid", async () => {
  const { error } = await tryCall((outgoing) => outgoing.writeHead(200, { "content-type": "text/html" }).end("<p>"));
  expect(error).toMatchObject({ code: "TOOL_ANSWER_INVALID", effect: "unknown" });
});

test("a server that is not there, or is none, can't be opened, and says why", async () => {
  const nothing = await errorOf(openMcpServer({ name: "raw", url: "http://127.0.0.1:9/mcp" }));
  expect(nothing).toMatchObject({ code: "TOOL_UNAVAILABLE", effect: "none" });
  const url = await listen((_incoming, outgoing) => outgoing.writeHead(404).end("no such page"));
  const page = await errorOf(openMcpServer({ name: "raw", url }));
  expect(page).toMatchObject({ code: "TOOL_UNAVAILABLE", effect: "none" });
  const locked = await listen((_incoming, outgoing) => outgoing.writeHead(401).end());
  expect(await errorOf(openMcpServer({ name: "raw", url: locked }))).toMatchObject({
    code: "TOOL_REFUSED",
    effect: "none",
  });
});

test("a redirect to another origin is not followed: headers stay where they belong", async () => {
  let reached = 0;
  const elsewhere = await listen((_incoming, outgoing) => {
    reached++;
    outgoing.writeHead(200).end();
  });
  const { error } = await tryCall((outgoing) => outgoing.writeHead(307, { location: elsewhere }).end(), {
    headers: { authorization: "Bearer secret" },
  });
  expect(error.effect).toBe("unknown");
  expect(reached).toBe(0);
});

test("a server that forgot the conversation is spoken to anew at the next call", verifies("P3"), async () => {
  const { url, begun, forget } = await listenAndMisbehave((outgoing, { id }) => sendResult(outgoing, id, words));
  await using server = await openMcpServer({ name: "raw", url });
  forget();
  const error = await errorOf(Promise.resolve(server.tool("write").run({}, toToolHost())));
  expect(error).toMatchObject({ code: "TOOL_UNAVAILABLE", effect: "none" });
  expect(await server.tool("write").run({}, toToolHost())).toMatchObject({ text: "written" });
  expect(begun()).toBe(2);
});

test("headers that can't be made leave the call unsent", async () => {
  let isLost = false;
  const headers = (): Promise<Record<string, string>> =>
    isLost ? Promise.reject(new Error("the token server is down")) : Promise.resolve({});
  const { url, calls } = await listenAndMisbehave((outgoing, { id }) => sendResult(outgoing, id, words));
  await using server = await openMcpServer({ name: "raw", url, headers });
  isLost = true;
  const error = await errorOf(Promise.resolve(server.tool("write").run({}, toToolHost())));
  expect(error).toMatchObject({ code: "TOOL_UNAVAILABLE", effect: "none" });
  expect(calls).toEqual([]);
});

test("a call that is stopped ends its request", async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const { url, calls } = await listenAndMisbehave((outgoing) => {
    beginStream(outgoing);
    outgoing.once("close", resolve);
  });
  const stop = new AbortController();
  await using server = await openMcpServer({ name: "raw", url });
  const running = errorOf(Promise.resolve(server.tool("write").run({}, toToolHost({ signal: stop.signal }))));
  await untilSeen(() => calls.length === 1);
  stop.abort(new Error("no longer wanted"));
  expect(await running).toMatchObject({ code: "TOOL_INTERRUPTED", effect: "unknown" });
  await server.close();
  await closed;
});

test(
  "a server that has another tool by now is not called a second time unseen, but asked for its list",
  verifies("P3"),
  async () => {
    const handler = toModernHandler();
    const methods: string[] = [];
    const url = await listenWith(async (request) => {
      const method = request.headers.get("mcp-method") ?? "";
      methods.push(method);
      if (method !== "tools/call" || methods.filter((each) => each === method).length > 1)
        return handler.fetch(request);
      const { id } = parseSent(await request.json());
      const error = { code: -32_020, message: "the headers do not match" };
      return Response.json({ jsonrpc: "2.0", id, error }, { status: 400 });
    });
    await using server = await openMcpServer({ name: "modern", url });
    const greet = async (): Promise<unknown> => server.tool("greet").run({ name: "Ada" }, toToolHost());
    expect(await errorOf(greet())).toMatchObject({ code: "TOOL_UNAVAILABLE", effect: "none" });
    const before = methods.length;
    expect(methods.filter((method) => method === "tools/call")).toHaveLength(1);
    expect(await greet()).toEqual({ greeting: "Hello, Ada" });
    expect(methods.slice(before)).toEqual(["tools/list", "tools/call"]);
  },
);

const parseSent = (value: unknown): { readonly id: number } => fields({ id: integer })(value, "");
