import { expect, test } from "vitest";

import { errorOf } from "../../../../../test/engine/engine-fixture.ts";
import { listenWith } from "../../../../../test/mcp/http-fixture.ts";
import { openPipe, textOf } from "../../../../../test/mcp/mcp-fixture.ts";
import { toModernHandler } from "../../../../../test/mcp/modern-server.ts";
import { toScript } from "../../../../../test/mcp/scripts.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { openManualClock } from "../../testing/manual-clock.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import type { McpAnswer, McpProgress, McpQuestion, McpSettings } from "./mcp-options.ts";
import { openMcpServer, type McpServer } from "./mcp-server.ts";

const call = async (server: McpServer, tool: string, input: object = {}): Promise<unknown> =>
  server.tool(tool).run(input, toToolHost());
const failOf = (server: McpServer, tool: string) => errorOf(call(server, tool));

/** The server of today's protocol, over HTTP. */
async function openModern(settings: Partial<McpSettings> = {}): Promise<McpServer> {
  const handler = toModernHandler();
  const url = await listenWith((request) => handler.fetch(request));
  return openMcpServer({ name: "modern", url, ...settings });
}

/** Answers every question with the same, and keeps what was asked. */
function answerWith(answer: McpAnswer): { ask: NonNullable<McpSettings["ask"]>; questions: McpQuestion[] } {
  const questions: McpQuestion[] = [];
  return { questions, ask: (question) => (questions.push(question), Promise.resolve(answer)) };
}

const eras = [
  ["older", async (settings: Partial<McpSettings>) => (await openPipe(settings)).server, "pipe", "ask"],
  ["current", openModern, "modern", "confirm"],
] as const;

test.for(eras)(
  "a tool of the %s protocol asks a person, who is told which server and tool asks, and is answered",
  verifies("P3"),
  async ([, open, name, tool]) => {
    const { ask, questions } = answerWith({ kind: "accept", content: { sure: true } });
    await using server = await open({ ask });
    const output = await call(server, tool);
    expect(JSON.parse(textOf(output))).toEqual({ action: "accept", content: { sure: true } });
    expect(questions).toEqual([
      {
        kind: "form",
        server: name,
        tool,
        message: "Are you sure?",
        schema: expect.objectContaining({ properties: { sure: expect.objectContaining({ type: "boolean" }) } }),
      },
    ]);
  },
);

test.for(eras)(
  "without `ask` a question of the %s protocol is declined, and the error says so",
  async ([, open, , tool]) => {
    await using server = await open({});
    const error = await failOf(server, tool);
    expect(error).toMatchObject({ code: "TOOL_FAILED", effect: "unknown" });
    expect(error.message).toContain('it asked a person "Are you sure?", and no `ask` is configured');
  },
);

test.for(eras)(
  "an answer that does not fit a question of the %s protocol never reaches the server",
  async ([, open, , tool]) => {
    await using server = await open({ ask: answerWith({ kind: "accept", content: { sure: "very" } }).ask });
    const error = await failOf(server, tool);
    expect(error.message).toContain('the answer to "Are you sure?" does not fit');
    expect(error.message).toContain('"action":"cancel"');
  },
);

test.for(eras)(
  "when asking fails, a question of the %s protocol is cancelled, and the error says why",
  async ([, open, , tool]) => {
    await using server = await open({ ask: () => Promise.reject(new Error("nobody is in the office")) });
    const error = await failOf(server, tool);
    expect(error.message).toContain("nobody is in the office");
    expect(error.message).toContain('"action":"cancel"');
  },
);

test("two calls that ask an older server at once do not pretend to know who asks", async () => {
  const gate = Promise.withResolvers<void>();
  const questions: McpQuestion[] = [];
  const { server, log } = await openPipe({
    ask: async (question) => {
      questions.push(question);
      await gate.promise;
      return { kind: "decline" };
    },
  });
  const stop = new AbortController();
  const hanging = errorOf(Promise.resolve(server.tool("hang").run({}, toToolHost({ signal: stop.signal }))));
  const asking = failOf(server, "ask");
  gate.resolve();
  await asking;
  expect(questions).toEqual([expect.objectContaining({ tool: undefined })]);
  stop.abort();
  await hanging;
  expect(log()).toContain("hanging");
});

test("people are not asked more than twenty questions of one server at once", async () => {
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  const { server } = await openPipe({
    ask: async () => {
      asked++;
      await gate.promise;
      return { kind: "accept", content: { sure: true } };
    },
  });
  const calls = Array.from({ length: 22 }, () => call(server, "ask").then(textOf, String));
  await Promise.race(calls.slice(20));
  expect(asked).toBe(20);
  gate.resolve();
  const answers = await Promise.all(calls);
  expect(answers.filter((answer) => answer.includes("accept"))).toHaveLength(20);
  expect(answers.filter((answer) => answer.includes("decline"))).toHaveLength(2);
});

test("a server of today's protocol that asks too much at once is refused", async () => {
  await using server = await openModern();
  expect(await failOf(server, "curious")).toMatchObject({ code: "TOOL_ANSWER_INVALID", effect: "unknown" });
});

test("once a server has begun to ask, a refusal of its next round does not mean that nothing happened", async () => {
  const handler = toModernHandler();
  let rounds = 0;
  const url = await listenWith(async (request) => {
    const isBusy = request.headers.get("mcp-method") === "tools/call" && ++rounds === 2;
    return isBusy ? new Response(null, { status: 503 }) : handler.fetch(request);
  });
  const { ask } = answerWith({ kind: "accept", content: { sure: true } });
  await using server = await openMcpServer({ name: "modern", url, ask });
  expect(await failOf(server, "confirm")).toMatchObject({ code: "TOOL_UNAVAILABLE", effect: "unknown" });
  expect(rounds).toBe(2);
});

test("a page to visit is shown to a person", async () => {
  const { ask, questions } = answerWith({ kind: "accept" });
  await using server = await openModern({ ask });
  expect(await call(server, "visit")).toMatchObject({ text: '{"action":"accept"}' });
  expect(questions).toEqual([
    { kind: "link", server: "modern", tool: "visit", message: "Please sign in.", url: "https://example.org/sign-in" },
  ]);
});

test("a server that wants what is not offered, a model for instance, is refused", async () => {
  await using server = await openModern();
  expect(await failOf(server, "sample")).toMatchObject({ code: "TOOL_REFUSED" });
});

test("a server that asks for ever is given up", async () => {
  const clock = openManualClock();
  await using server = await openModern({ clock });
  const failing = failOf(server, "endless");
  const state = { isOver: false };
  void failing.then(() => {
    state.isOver = true;
  });
  while (!state.isOver) await clock.advance(1_000);
  const error = await failing;
  expect(error).toMatchObject({ code: "TOOL_FAILED", effect: "unknown" });
  expect(error.message).toContain("still asks after 10 rounds");
});

test("a server tells how far it is, with the run and the step that wait", verifies("P3"), async () => {
  const told: McpProgress[] = [];
  const onProgress = (progress: McpProgress): void => void told.push(progress);
  await using server = await openModern({ onProgress });
  await call(server, "slow");
  const whose = { server: "modern", tool: "slow", run: "run-1", step: "/step", total: 2, message: undefined };
  expect(told).toEqual([
    { ...whose, done: 1 },
    { ...whose, done: 2 },
  ]);
});

test(
  "today's protocol is spoken over a pipe and over HTTP, and both carry key and trace",
  verifies("P2", "P3"),
  async () => {
    await using piped = await openMcpServer({ name: "piped", ...toScript("modern-server.ts") });
    await using reached = await openModern();
    for (const server of [piped, reached]) {
      expect(server.protocol).toBe("2026-07-28");
      expect(await call(server, "greet", { name: "Ada" })).toEqual({ greeting: "Hello, Ada" });
      const meta = await call(server, "meta");
      expect(JSON.parse(textOf(meta))).toMatchObject({
        "dev.tutti/idempotency-key": "key-1",
        traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
      });
    }
  },
);
