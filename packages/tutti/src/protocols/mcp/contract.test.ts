import { writeFileSync } from "node:fs";

import type { Tool as RemoteTool } from "@modelcontextprotocol/client";
import { assert, constantFrom, option, property, record, string } from "fast-check";
import { expect, test } from "vitest";

import { errorOf } from "../../../../../test/engine/engine-fixture.ts";
import { openPipe } from "../../../../../test/mcp/mcp-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import { decideContract } from "./contract.ts";
import { openMcpServer } from "./mcp-server.ts";
import { toName } from "./remote-tool.ts";

const maybe = option(constantFrom(true, false), { nil: undefined });
const effect = option(constantFrom("read", "idempotent", "once"), { nil: undefined });

test("a configured effect wins, then what a trusted server says; all else is once", verifies("P2", "P3"), () => {
  const annotations = record({ readOnlyHint: maybe, idempotentHint: maybe, destructiveHint: maybe });
  assert(
    property(record({ annotations, declared: effect, known: effect, trusted: maybe }), (given) => {
      const { declared, known } = given;
      const remote: RemoteTool = {
        name: "t",
        inputSchema: { type: "object" },
        annotations: given.annotations,
        _meta: { "dev.tutti/contract": declared === undefined ? {} : { effect: declared } },
      };
      const tools = known === undefined ? {} : { t: { effect: known } };
      const trusted = given.trusted === true;
      const { readOnlyHint, idempotentHint } = given.annotations;
      const hinted = readOnlyHint === true ? "read" : idempotentHint === true ? "idempotent" : "once";
      expect(decideContract(remote, { name: "s", trusted, tools }).effect).toBe(
        known ?? (trusted ? (declared ?? hinted) : "once"),
      );
    }),
  );
});

test("the contract of a trusted server travels with its tools and is kept at the call", verifies("P2"), async () => {
  const { server, log } = await openPipe({ trusted: true });
  const effects = Object.fromEntries(server.tools.map((tool) => [tool.name, tool.effect]));
  expect(effects).toMatchObject({
    "pipe.echo": "read",
    "pipe.set": "idempotent",
    "pipe.write": "once",
    "pipe.safe": "once",
  });
  const run = (input: object) => errorOf(Promise.resolve(server.tool("safe").run(input, toToolHost())));
  expect(await run({})).toMatchObject({ code: "TOOL_FAILED", effect: "none" });
  expect(await run({ text: "x".repeat(50) })).toMatchObject({
    code: "TOOL_REFUSED",
    effect: "none",
    facts: { inputBytes: 61, inputBytesMax: 50 },
  });
  expect(log()).toEqual([]);
});

test("a server that is not trusted is not believed", verifies("P2"), async () => {
  const { server } = await openPipe();
  expect(new Set(server.tools.map((tool) => tool.effect))).toEqual(new Set(["once"]));
  expect(await errorOf(Promise.resolve(server.tool("safe").run({}, toToolHost())))).toMatchObject({
    effect: "unknown",
  });
});

test("a contract that can't be read makes a trusted server's tool unusable, and says so", verifies("P2"), async () => {
  const { server } = await openPipe({ trusted: true });
  expect(server.skipped).toContainEqual({ tool: "odd", why: expect.stringContaining("dev.tutti/contract.effect") });
});

test("a configuration for a tool that is not there is refused, with the names that are", async () => {
  const error = await errorOf(openPipe({ tools: { ecco: { effect: "read" } } }));
  expect(error).toMatchObject({ code: "DEFINITION_INVALID" });
  expect(error.hint).toContain("echo");
});

test("a configuration that contradicts itself is refused", async () => {
  const error = await errorOf(openPipe({ tools: { echo: { effect: "read", key: () => "k" } } }));
  expect(error).toMatchObject({ code: "DEFINITION_INVALID" });
  expect(error.message).toContain("key");
});

test.for([
  [{ name: "a.b" }, "name"],
  [{ name: "x".repeat(25) }, "name"],
  [{ callTimeoutMs: 0 }, "callTimeoutMs"],
] as const)("an option that can't work is refused: %o", async ([options, what]) => {
  const error = await errorOf(openPipe(options));
  expect(error).toMatchObject({ code: "DEFINITION_INVALID" });
  expect(error.message).toContain(what);
});

test("a server is a process or an address, not both and not none", async () => {
  const both = await errorOf(openMcpServer({ name: "s", command: "node", url: "http://127.0.0.1:9" }));
  expect(both).toMatchObject({ code: "DEFINITION_INVALID" });
  const file = await errorOf(openMcpServer({ name: "s", url: "file:///etc/passwd" }));
  expect(file).toMatchObject({ code: "DEFINITION_INVALID" });
});

test("the name of a tool is always one that Tutti and models take, and two tools never get one name", () => {
  const unit = constantFrom("a", "A", "_", "-", "/", " ", ".", "é", "\u202E", "😀");
  const name = string({ unit, minLength: 1, maxLength: 130 });
  assert(
    property(name, name, (one, other) => {
      expect(toName("server", one)).toMatch(/^server[\w.:-]{1,58}$/);
      expect(toName("server", one) === toName("server", other)).toBe(one === other);
    }),
  );
  expect(toName("files", "read_file")).toBe("files.read_file");
  expect(toName("files", "read/file")).toMatch(/^files\.read_file-[0-9a-f]{8}$/);
});

test("a description is bounded, and what people don't see in it is taken out", async () => {
  const { server, world } = await openPipe();
  writeFileSync(`${world}/description`, `Reads\u{E0041}\u202E it.\u0007${" and on".repeat(1_000)}`);
  await server.refresh();
  const { does } = await server.accept("echo");
  expect(does.startsWith("Reads it. and on")).toBe(true);
  expect(does).toHaveLength(2_000);
});
