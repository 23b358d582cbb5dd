import { spawn } from "node:child_process";
import { once } from "node:events";

import { expect, onTestFinished, test } from "vitest";

import {
  bodiesOf,
  errorOf,
  linesOf,
  makeGate,
  makeLedgerFile,
  openStage,
  plainFlow,
  type Stage,
} from "../../../../../test/engine/engine-fixture.ts";
import { listenAndMisbehave, sendResult } from "../../../../../test/mcp/http-fixture.ts";
import { makeFolder, openPipe, type PipeStage, toWorld, untilSeen } from "../../../../../test/mcp/mcp-fixture.ts";
import { toScript, toWritingFlow } from "../../../../../test/mcp/scripts.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { Tool } from "../../contracts/callable.ts";
import { openTutti } from "../../engine/open-tutti.ts";
import type { McpInput, McpToolSettings } from "./mcp-options.ts";
import { openMcpServer } from "./mcp-server.ts";

/** One key for everyone: what is written. */
const byLine = ({ line }: McpInput): string => String(line);

/** What a server did to the world, looked up without it. */
function findWritten(world: string): NonNullable<McpToolSettings["check"]> {
  return ({ line }) => {
    const found = toWorld(world)
      .log()
      .find((text) => text.includes(`"line":"${String(line)}"`));
    return found === undefined ? undefined : { text: `found ${String(line)}`, parts: [] };
  };
}

test(
  "two runs that decide on one action of a server share it: it is done once, under one key",
  verifies("P3"),
  async () => {
    const { server, log } = await openPipe({ tools: { write: { key: byLine } } });
    const flow = toWritingFlow(server.tool("write"));
    const tutti = await openTutti({ flows: [flow], ledger: await makeLedgerFile() });
    const outputs = await Promise.all([tutti.run(flow, null, { id: "r1" }), tutti.run(flow, null, { id: "r2" })]);
    expect(outputs).toEqual([
      { text: "wrote a", parts: [] },
      { text: "wrote a", parts: [] },
    ]);
    expect(log().map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ line: "a", key: "pipe.write:a" }),
    ]);
    await tutti.close();
  },
);

/** A run of a tool whose server dies in the call, and which has a check. */
async function dieIn(
  name: string,
): Promise<{ readonly world: PipeStage; readonly stage: Stage; readonly output: Promise<unknown> }> {
  const folder = makeFolder();
  const world = await openPipe({ world: folder, tools: { [name]: { key: byLine, check: findWritten(folder) } } });
  const stage = openStage();
  const flow = toWritingFlow(world.server.tool(name));
  const tutti = await stage.open([flow]);
  onTestFinished(() => tutti.close());
  return { world, stage, output: tutti.run(flow, null, { id: "r" }) };
}

test(
  "a server that dies after it did a `once` call: the check finds it, and that is the output",
  verifies("P3"),
  async () => {
    const { world, stage, output } = await dieIn("die-after");
    expect(await output).toEqual({ text: "found a", parts: [] });
    expect(bodiesOf(stage.entries, "effect-settled")).toMatchObject([{ by: "check" }]);
    expect(world.log()).toHaveLength(1);
  },
);

test(
  "a server that dies before it did a `once` call: the check says so, and the flow gets the error",
  verifies("P3"),
  async () => {
    const { world, stage, output } = await dieIn("die-before");
    expect(await errorOf(output)).toMatchObject({ code: "TOOL_INTERRUPTED" });
    expect(linesOf(stage.entries)).toContain("effect-failed /pipe.die-before");
    expect(world.log()).toEqual([]);
  },
);

test(
  "a server that dies in a `once` call without a check leaves it in doubt, for a person",
  verifies("P3"),
  async () => {
    const { server, log } = await openPipe();
    const stage = openStage();
    const flow = toWritingFlow(server.tool("die-after"));
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null, { id: "r" });
    expect(await run.settled()).toMatchObject({ kind: "in-doubt", effects: [{ tool: "pipe.die-after" }] });
    const [effect] = await tutti.inDoubt();
    if (effect === undefined) throw new Error("nothing is in doubt");
    await tutti.settle(effect.key, { kind: "done", output: { text: "seen", parts: [] }, by: "ada" });
    expect(await run.result()).toEqual({ text: "seen", parts: [] });
    expect(log()).toHaveLength(1);
    await tutti.close();
  },
);

test.for([
  ["before", "wrote a"],
  ["after", "found a"],
] as const)(
  "a crash of our own process %s the server did a `once` call is resolved by its check, and nothing is done twice",
  verifies("P3"),
  async ([when, text]) => {
    const { server, world, log } = await openPipe({ tools: { write: { key: byLine } } });
    const stage = openStage();
    const written = server.tool("write");
    let calls = 0;
    const check = findWritten(world);
    // The first life ends with the call: before it is sent, or before its outcome is recorded.
    const doomed: Tool = {
      ...written,
      check,
      async run(input, host) {
        if (when === "after") await written.run(input, host);
        calls++;
        await makeGate().opened;
      },
    };
    const before = toWritingFlow(doomed);
    await (await stage.open([before])).start(before, null, { id: "r" });
    await untilSeen(() => calls === 1);
    const second = await stage.open([toWritingFlow({ ...written, check })]);
    expect(await (await second.open("r")).result()).toEqual({ text, parts: [] });
    expect(log()).toHaveLength(1);
    expect(linesOf(stage.entries).filter((line) => line.startsWith("effect-settled"))).toHaveLength(1);
    await second.close();
  },
);

test.for([{}, { nothing: 1 }])(
  "an output that lies about its schema is refused, and the effect counts as done (%o)",
  verifies("P3"),
  async (input) => {
    const { server } = await openPipe();
    const stage = openStage();
    const flow = plainFlow("lies", (run) => run.call(server.tool("lie"), input));
    const tutti = await stage.open([flow]);
    expect(await errorOf(tutti.run(flow, null))).toMatchObject({ code: "OUTPUT_INVALID" });
    expect(bodiesOf(stage.entries, "effect-settled")).toMatchObject([
      { by: "tool", error: { code: "OUTPUT_INVALID" } },
    ]);
    await tutti.close();
  },
);

test(
  "an input that does not fit the server's schema is refused before there is an intent",
  verifies("P2"),
  async () => {
    const { server, log } = await openPipe();
    const stage = openStage();
    const flow = plainFlow("wrong", (run) => run.call(server.tool("write"), { lines: 7 }));
    const tutti = await stage.open([flow]);
    expect(await errorOf(tutti.run(flow, null))).toMatchObject({ code: "INPUT_INVALID" });
    expect(bodiesOf(stage.entries, "effect-intended")).toEqual([]);
    expect(log()).toEqual([]);
    await tutti.close();
  },
);

test("a call over its time limit is cancelled at the server and comes in doubt", verifies("P3"), async () => {
  const { server, log } = await openPipe({ callTimeoutMs: 60_000 });
  const stage = openStage();
  const flow = plainFlow("hangs", (run) => run.call(server.tool("hang"), {}));
  const tutti = await stage.open([flow]);
  const run = await tutti.start(flow, null);
  await untilSeen(() => log().includes("hanging"));
  await stage.clock.advance(60_000);
  expect(await run.settled()).toMatchObject({ kind: "in-doubt" });
  await untilSeen(() => log().includes("cancelled"));
  await tutti.close();
});

test(
  "a server that asks to wait is asked again by the step, when it said and under the same key",
  verifies("P3"),
  async () => {
    let isBusy = true;
    const { url, calls } = await listenAndMisbehave((outgoing, { id }) => {
      if (isBusy) outgoing.writeHead(503, { "retry-after": "7" }).end();
      else sendResult(outgoing, id, { content: [{ type: "text", text: "written" }] });
      isBusy = false;
    });
    await using server = await openMcpServer({ name: "raw", url });
    const stage = openStage();
    const flow = toWritingFlow(server.tool("write"));
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null);
    expect(await run.settled()).toMatchObject({ kind: "waiting", untilMs: stage.clock.now() + 7_000 });
    await stage.clock.advance(7_000);
    expect(await run.result()).toMatchObject({ text: "written" });
    const keys = calls.map(({ params }) => JSON.stringify(params["_meta"]).match(/raw\.write@[^"]+/)?.[0]);
    expect(keys).toEqual([keys[0], keys[0]]);
    await tutti.close();
  },
);

test(
  "an engine killed while a server was at work leaves an effect that the next one's check resolves",
  verifies("P3"),
  async () => {
    const ledger = await makeLedgerFile();
    const { world, server, log } = await openPipe();
    const { command, args } = toScript("doomed-engine.ts", ledger, world);
    const engine = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
    onTestFinished(() => void engine.kill("SIGKILL"));
    await untilSeen(() => log().length === 1);
    engine.kill("SIGKILL");
    await once(engine, "close");
    const flow = toWritingFlow({ ...server.tool("stall"), check: findWritten(world) });
    const tutti = await openTutti({ flows: [flow], ledger });
    expect(await (await tutti.open("r")).result()).toEqual({ text: "found a", parts: [] });
    expect(log()).toHaveLength(1);
    await tutti.close();
  },
);
