import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { errorOf } from "../../../../../test/engine/engine-fixture.ts";
import { isAlive, makeFolder, openPipe, toWorld, untilSeen } from "../../../../../test/mcp/mcp-fixture.ts";
import { toScript } from "../../../../../test/mcp/scripts.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { openManualClock } from "../../testing/manual-clock.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import type { McpContent } from "./content.ts";
import { openMcpServer, type McpServer } from "./mcp-server.ts";

const call = async (server: McpServer, tool: string, input: object = {}): Promise<unknown> =>
  server.tool(tool).run(input, toToolHost());
const failOf = (server: McpServer, tool: string, input: object = {}) => errorOf(call(server, tool, input));

test("a server over a pipe answers, and its process ends when it is closed", verifies("P3"), async () => {
  const { server, pids } = await openPipe();
  expect(server.protocol).toBe("2025-11-25");
  expect(await call(server, "echo", { line: "hello" })).toEqual({ text: "hello", parts: [] } satisfies McpContent);
  await server.close();
  expect(pids().map(isAlive)).toEqual([false]);
  expect(await failOf(server, "echo", { line: "late" })).toMatchObject({ code: "TOOL_REFUSED", effect: "none" });
});

test("a call carries the key of its effect and the trace of its run", verifies("P2", "P3"), async () => {
  const { server, log } = await openPipe();
  await call(server, "write", { line: "a" });
  await call(server, "write", { line: "b" });
  const [first, second] = log();
  expect(JSON.parse(first ?? "")).toEqual({
    name: "write",
    line: "a",
    key: "key-1",
    traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
  });
  expect(JSON.parse(second ?? "").traceparent).toBe(JSON.parse(first ?? "").traceparent);
});

test.for(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])(
  "the protocol of %s is spoken with a server that speaks it",
  verifies("P3"),
  async (revision) => {
    const { server } = await openPipe({ mode: `speaks ${revision}` });
    expect(server.protocol).toBe(revision);
    expect(await call(server, "echo", { line: "hello" })).toMatchObject({ text: "hello" });
  },
);

test("a server of a protocol that nobody knows is not used", async () => {
  expect(await errorOf(openPipe({ mode: "speaks 1999-01-01" }))).toMatchObject({
    code: "TOOL_UNAVAILABLE",
    effect: "none",
  });
});

test("a server that prints what is no message at its start is understood", async () => {
  const { server } = await openPipe({ mode: "noisy" });
  expect(await call(server, "echo", { line: "hello" })).toMatchObject({ text: "hello" });
});

test("an old server that ends at a question it does not know is started again and spoken to in the older way", async () => {
  const { server, pids } = await openPipe({ mode: "ends-at-what-it-does-not-know" });
  expect(server.protocol).toBe("2025-11-25");
  expect(pids()).toHaveLength(2);
});

test("a server that can't start is unavailable, with its last words", async () => {
  const error = await errorOf(openPipe({ mode: "broken" }));
  expect(error).toMatchObject({ code: "TOOL_UNAVAILABLE", effect: "none" });
  expect(error.message).toContain("ended with code 1; it said: the disk of the server is full");
});

test("a command that is not there is unavailable, with a hint", async () => {
  const error = await errorOf(openMcpServer({ name: "none", command: "/no/such/server" }));
  expect(error).toMatchObject({ code: "TOOL_UNAVAILABLE", effect: "none" });
  expect(error.hint).toContain("command");
});

test("a server that says nothing is given up at its limit, and its process is ended", async () => {
  const world = makeFolder();
  const clock = openManualClock();
  const opening = errorOf(
    openMcpServer({ name: "mute", ...toScript("pipe-server.ts", "mute", world), clock, startTimeoutMs: 5_000 }),
  );
  const { pids } = toWorld(world);
  await untilSeen(() => pids().length === 1 && clock.due.length === 1);
  await clock.advance(5_000);
  const error = await opening;
  expect(error).toMatchObject({ code: "TOOL_UNAVAILABLE", effect: "none" });
  expect(error.message).toContain("did not get ready in 5000 ms");
  expect(pids().map(isAlive)).toEqual([false]);
});

test("a server that is closed while it is reached again ends at once, and its callers are told", async () => {
  const { server, pids, world } = await openPipe();
  await failOf(server, "die-before", { line: "a" });
  writeFileSync(join(world, "mute"), "");
  const calling = failOf(server, "echo", { line: "b" });
  await untilSeen(() => pids().length === 2);
  await server.close();
  expect(pids().filter(isAlive)).toEqual([]);
  expect(await calling).toMatchObject({ code: "TOOL_REFUSED", effect: "none" });
});

test("a server with too many tools is refused, and a tool that is offered twice is taken once", async () => {
  const crowd = await errorOf(openPipe({ mode: "crowd" }));
  expect(crowd).toMatchObject({ code: "TOOL_ANSWER_INVALID", effect: "none" });
  expect(crowd.message).toContain("offers 1001 tools; 1000 are the limit");
  const { server } = await openPipe({ mode: "twice" });
  expect(server.skipped).toContainEqual({ tool: "echo", why: "it is offered twice" });
  expect(server.tools.filter(({ name }) => name === "pipe.echo")).toHaveLength(1);
});

test("a list of tools that can't be read refuses the server as a whole", async () => {
  const error = await errorOf(openPipe({ mode: "bad-list" }));
  expect(error).toMatchObject({ code: "TOOL_ANSWER_INVALID", effect: "none" });
});

test(
  "a server that dies in a call leaves its effect unknown, and is started again at the next",
  verifies("P3"),
  async () => {
    const { server, pids } = await openPipe();
    const error = await failOf(server, "die-before", { line: "a" });
    expect(error).toMatchObject({ code: "TOOL_INTERRUPTED", effect: "unknown", disposition: "retry" });
    expect(error.message).toContain("it ended with code 3");
    expect(await call(server, "echo", { line: "again" })).toMatchObject({ text: "again" });
    expect(pids()).toHaveLength(2);
  },
);

test("what a tool that only reads did is never in doubt", async () => {
  const { server } = await openPipe({ trusted: true });
  expect(await failOf(server, "error", { code: -32603 })).toMatchObject({ code: "TOOL_FAILED", effect: "none" });
  expect(await failOf(server, "flood")).toMatchObject({ code: "TOOL_ANSWER_INVALID", effect: "none" });
});

test("an error result is told to the model; whether something happened is unknown unless the tool is known to promise it", async () => {
  const { server } = await openPipe({ tools: { safe: { failures: "nothing-happened" } } });
  const failed = await failOf(server, "fail");
  expect(failed).toMatchObject({ code: "TOOL_FAILED", disposition: "tell-model", effect: "unknown" });
  expect(failed.message).toBe("pipe.fail: no such page");
  expect(await failOf(server, "safe")).toMatchObject({ code: "TOOL_FAILED", effect: "none" });
});

test("an error of the protocol says whether the server began; what it does not say is unknown", async () => {
  const { server } = await openPipe();
  const outcomes = [];
  for (const sent of [-32_700, -32_600, -32_601, -32_602, -32_020, -32_603, -1]) {
    const { code, effect } = await failOf(server, "error", { code: sent });
    outcomes.push([sent, code, effect]);
  }
  expect(outcomes).toEqual([
    [-32_700, "TOOL_REFUSED", "none"],
    [-32_600, "TOOL_REFUSED", "none"],
    [-32_601, "TOOL_REFUSED", "none"],
    [-32_602, "TOOL_FAILED", "none"],
    [-32_020, "TOOL_UNAVAILABLE", "none"],
    [-32_603, "TOOL_FAILED", "unknown"],
    [-1, "TOOL_FAILED", "unknown"],
  ]);
});

test("an answer that is no result of the protocol is refused as invalid", async () => {
  const { server } = await openPipe();
  expect(await failOf(server, "nonsense")).toMatchObject({ code: "TOOL_ANSWER_INVALID", effect: "unknown" });
});

test("a message over the limit ends the server and is refused; the next call has a new one", async () => {
  const { server, pids } = await openPipe({ messageBytesMax: 100_000 });
  expect(await call(server, "big", { bytes: 90_000 })).toMatchObject({ parts: [] });
  const error = await failOf(server, "big", { bytes: 110_000 });
  expect(error).toMatchObject({ code: "TOOL_ANSWER_INVALID", effect: "unknown" });
  expect(error.message).toContain("over 100000 bytes in one message");
  expect(await call(server, "echo", { line: "again" })).toMatchObject({ text: "again" });
  await untilSeen(() => pids().length === 2 && !isAlive(pids()[0] ?? 0));
});

test("progress that comes in one piece with the answer is told", async () => {
  let told = 0;
  const { server } = await openPipe({ onProgress: () => told++ });
  expect(await call(server, "steps")).toMatchObject({ text: "done" });
  expect(told).toBe(1);
});

test("a server that floods its output is stopped", async () => {
  const { server, pids } = await openPipe();
  const error = await failOf(server, "flood");
  expect(error).toMatchObject({ code: "TOOL_ANSWER_INVALID", effect: "unknown" });
  expect(error.message).toContain("lines that are no messages");
  await untilSeen(() => pids().every((pid) => !isAlive(pid)));
});

test("a call that is stopped is cancelled at the server, and what it did is unknown", async () => {
  const { server, log } = await openPipe();
  const stop = new AbortController();
  const running = errorOf(Promise.resolve(server.tool("hang").run({}, toToolHost({ signal: stop.signal }))));
  await untilSeen(() => log().includes("hanging"));
  stop.abort(new Error("no longer wanted"));
  expect(await running).toMatchObject({ code: "TOOL_INTERRUPTED", effect: "unknown" });
  await untilSeen(() => log().includes("cancelled"));
  expect(await call(server, "echo", { line: "still there" })).toMatchObject({ text: "still there" });
});

test("a call that was stopped before it was sent did nothing", async () => {
  const { server, log } = await openPipe();
  const signal = AbortSignal.abort(new Error("too late"));
  expect(await errorOf(Promise.resolve(server.tool("write").run({ line: "a" }, toToolHost({ signal }))))).toMatchObject(
    { code: "TOOL_UNAVAILABLE", effect: "none" },
  );
  expect(log()).toEqual([]);
});

test("a tool that refers to a schema elsewhere is skipped and said so; nothing is fetched", async () => {
  const { server } = await openPipe();
  expect(server.skipped).toEqual([{ tool: "foreign", why: expect.stringContaining("nothing is fetched") }]);
  expect(server.tools.map((tool) => tool.name)).not.toContain("pipe.foreign");
  expect(() => server.tool("foreign")).toThrow(expect.objectContaining({ code: "DEFINITION_INVALID" }));
});
