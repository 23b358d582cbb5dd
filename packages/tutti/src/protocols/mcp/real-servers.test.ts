import { spawn } from "node:child_process";
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { errorOf } from "../../../../../test/engine/engine-fixture.ts";
import { makeFolder, textOf, toOfficial } from "../../../../../test/mcp/mcp-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { parseWith, toJsonSchema } from "../../contracts/schema.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import type { McpProgress } from "./mcp-options.ts";
import { openMcpServer, type McpServer } from "./mcp-server.ts";

/** Calls a tool as the engine does: input and output are checked. */
async function call(server: McpServer, name: string, input: object = {}): Promise<unknown> {
  const tool = server.tool(name);
  const checked = await parseWith(tool.input, input, { code: "INPUT_INVALID", what: name });
  return parseWith(tool.output, await tool.run(checked, toToolHost()), { code: "OUTPUT_INVALID", what: name });
}

test(
  "the official server of everything, over a pipe: every tool is taken, with its effect",
  verifies("P3"),
  async () => {
    const told: McpProgress[] = [];
    await using server = await openMcpServer({
      name: "everything",
      ...toOfficial("everything", "stdio"),
      trusted: true,
      onProgress: (progress) => void told.push(progress),
      ask: () => Promise.resolve({ kind: "decline" }),
    });
    expect(server.skipped).toEqual([]);
    expect(server.tools.length).toBeGreaterThan(10);
    expect(server.tool("echo")).toMatchObject({ name: "everything.echo", effect: "read" });
    expect(server.tool("gzip-file-as-resource").effect).toBe("idempotent");
    expect(textOf(await call(server, "get-sum", { a: 1, b: 2 }))).toBe("The sum of 1 and 2 is 3.");
    expect(await call(server, "get-structured-content", { location: "Chicago" })).toMatchObject({ temperature: 36 });
    expect(await call(server, "get-tiny-image")).toMatchObject({ parts: [{ kind: "image", mimeType: "image/png" }] });
    expect(await call(server, "get-resource-links", { count: 1 })).toMatchObject({ parts: [{ kind: "link" }] });
    expect(await call(server, "get-resource-reference", { resourceType: "Text", resourceId: 1 })).toMatchObject({
      parts: [{ kind: "resource", text: expect.any(String) }],
    });
    expect(textOf(await call(server, "trigger-elicitation-request"))).toContain("declined");
    await call(server, "trigger-long-running-operation", { duration: 0.02, steps: 2 });
    expect(told.map(({ done, total }) => [done, total])).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(await errorOf(call(server, "get-sum", { a: "one" }))).toMatchObject({ code: "INPUT_INVALID" });
  },
);

test("the official server of everything, over streamable HTTP", verifies("P3"), async () => {
  const port = await findPort();
  const { command, args } = toOfficial("everything", "streamableHttp");
  const child = spawn(command, args, {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await new Promise<void>((resolve) => {
    child.stderr.on("data", (text: Buffer) => {
      if (text.includes("listening")) resolve();
    });
  });
  await using server = await openMcpServer({ name: "everything", url: `http://127.0.0.1:${port}/mcp`, trusted: true });
  expect(server.protocol).toBe("2025-11-25");
  expect(textOf(await call(server, "echo", { message: "hello" }))).toBe("Echo: hello");
  expect(await call(server, "get-structured-content", { location: "Chicago" })).toMatchObject({ humidity: 82 });
  await call(server, "trigger-long-running-operation", { duration: 0.02, steps: 2 });
});

test("the official file server reads and writes, and its refusals are told to the model", verifies("P3"), async () => {
  const folder = realpathSync(makeFolder());
  writeFileSync(join(folder, "note.txt"), "remember");
  await using server = await openMcpServer({ name: "files", ...toOfficial("filesystem", folder), trusted: true });
  expect(server.tool("read_text_file").effect).toBe("read");
  expect(server.tool("write_file").effect).not.toBe("read");
  expect(await call(server, "read_text_file", { path: join(folder, "note.txt") })).toEqual({ content: "remember" });
  await call(server, "write_file", { path: join(folder, "new.txt"), content: "written" });
  expect(readFileSync(join(folder, "new.txt"), "utf8")).toBe("written");
  const outside = await errorOf(call(server, "read_text_file", { path: "/etc/passwd" }));
  expect(outside).toMatchObject({ code: "TOOL_FAILED", disposition: "tell-model", effect: "none" });
  expect(outside.message).toContain("Access denied");
});

test("the official memory server keeps what it is told, in the environment it is given", verifies("P3"), async () => {
  const file = join(makeFolder(), "memory.jsonl");
  await using server = await openMcpServer({
    name: "memory",
    ...toOfficial("memory"),
    env: { MEMORY_FILE_PATH: file },
    trusted: true,
  });
  await call(server, "create_entities", {
    entities: [{ name: "Ada", entityType: "person", observations: ["counts"] }],
  });
  expect(await call(server, "read_graph")).toMatchObject({ entities: [{ name: "Ada" }] });
  expect(readFileSync(file, "utf8")).toContain("Ada");
});

test("every tool of the official servers gives models a JSON Schema, and takes no input that is not an object", async () => {
  const all = [toOfficial("everything", "stdio"), toOfficial("filesystem", makeFolder()), toOfficial("memory")];
  for (const official of all) {
    await using server = await openMcpServer({ name: "any", ...official });
    for (const tool of server.tools) {
      expect(toJsonSchema(tool.input, "input", tool.name)).toMatchObject({ type: "object" });
      expect(await tool.input["~standard"].validate("text")).toHaveProperty("issues");
    }
  }
});

/** A port that is free now. */
async function findPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on a port has such an address
  const { port } = server.address() as AddressInfo;
  await new Promise<unknown>((resolve) => {
    server.close(resolve);
  });
  return port;
}
