import { expect, test } from "vitest";
import { z } from "zod";

import { errorOf, openStage, plainFlow, type Stage } from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import type { Tool } from "../contracts/callable.ts";
import type { ConflictPolicy } from "../contracts/document.ts";
import type { ModelRequest } from "../contracts/model.ts";
import type { Tutti } from "../engine/tutti.ts";
import { scriptedModel, type ScriptedModel, type ScriptedReply } from "../testing/scripted-model.ts";
import { tool } from "../tools/tool.ts";
import { documentTools } from "./document-tools.ts";
import { document } from "./document.ts";

const Stock = z.object({ left: z.number() });
const toStock = (onConflict: ConflictPolicy<{ left: number }> = {}) =>
  document({ name: "stock", does: "How much is left.", value: Stock, initial: { left: 10 }, onConflict });
const plain = toStock();

const call = (name: string, input: unknown): ScriptedReply => ({ toolCalls: [{ id: "", tool: name, input }] });

/** The results of the tools that a request shows to the model. */
const resultsIn = (request: ModelRequest | undefined): readonly unknown[] =>
  (request?.messages ?? []).flatMap((message) => (message.role === "tool" ? [message.result] : []));

interface Scene {
  readonly stage: Stage;
  readonly tutti: Tutti;
  readonly model: ScriptedModel;
  run(): Promise<unknown>;
}

/** An agent with the tools of `type` that follows a script; before some of its turns somebody else takes one apple. */
async function openScene(
  script: readonly ScriptedReply[],
  given: { readonly type?: typeof plain; readonly rivalBefore?: number; readonly more?: readonly Tool[] } = {},
): Promise<Scene> {
  const { type = plain, rivalBefore, more = [] } = given;
  const stage = openStage();
  const { read, write } = documentTools(type);
  const model = scriptedModel(async (_, index) => {
    if (index === rivalBefore) await tutti.run(take, null);
    return script[index] ?? { answer: { done: true } };
  });
  const keeper = agent({
    name: "keeper",
    does: "Keeps the stock.",
    model: "fast",
    tools: [read, write, ...more],
    input: z.object({}),
    output: z.object({ done: z.boolean() }),
    instructions: "Keep the stock.",
  });
  const take = plainFlow("take", (run) => run.document(type, "apples").change(({ left }) => ({ left: left - 1 })));
  const keep = plainFlow("keep", (run) => run.call(keeper, {}));
  const tutti = await stage.open([keep, take], { models: { fast: model } });
  return { stage, tutti, model, run: () => tutti.run(keep, null) };
}

test(
  "an agent reads and writes documents with tools, and says on which version it stands",
  verifies("S1"),
  async () => {
    const scene = await openScene([
      call("stock.read", { key: "apples" }),
      call("stock.write", { key: "apples", version: 0, value: { left: 7 } }),
    ]);
    expect(await scene.run()).toEqual({ done: true });
    expect(resultsIn(scene.model.requests[2])).toEqual([
      { key: "apples", version: 0, value: { left: 10 } },
      { written: true, version: 1 },
    ]);
    expect(await scene.tutti.documents.read(plain, "apples")).toEqual({ value: { left: 7 }, version: 1 });
    const [write] = scene.model.requests[0]?.tools.filter(({ name }) => name === "stock.write") ?? [];
    expect(write?.input).toMatchObject({
      properties: { key: { type: "string" }, version: { type: "integer" }, value: { type: "object" } },
      required: ["key", "version", "value"],
    });
  },
);

test(
  "an agent that is late is told the newest value and what has changed, and goes on from there",
  verifies("S2"),
  async () => {
    const scene = await openScene(
      [
        call("stock.read", { key: "apples" }),
        call("stock.write", { key: "apples", version: 0, value: { left: 7 } }),
        call("stock.write", { key: "apples", version: 1, value: { left: 6 } }),
      ],
      { rivalBefore: 1 },
    );
    await scene.run();
    expect(resultsIn(scene.model.requests[3]).slice(1)).toEqual([
      { written: false, version: 1, value: { left: 9 }, changed: [{ path: "left", before: 10, now: 9 }] },
      { written: true, version: 2 },
    ]);
    expect(await scene.tutti.documents.read(plain, "apples")).toEqual({ value: { left: 6 }, version: 2 });
  },
);

test("where documents can be merged, a late write of an agent is", verifies("S2"), async () => {
  const type = toStock({ merge: (base, mine, theirs) => ({ left: theirs.left + (mine.left - base.left) }) });
  const scene = await openScene(
    [call("stock.read", { key: "apples" }), call("stock.write", { key: "apples", version: 0, value: { left: 7 } })],
    { type, rivalBefore: 1 },
  );
  await scene.run();
  expect(resultsIn(scene.model.requests[2])[1]).toEqual({ written: true, version: 2, value: { left: 6 } });
});

test(
  "an agent does not act on what it has read once somebody has written it; told so, it reads again",
  verifies("S2"),
  async () => {
    const office = openPostOffice();
    const mail = toMailTool(office);
    const scene = await openScene(
      [
        call("stock.read", { key: "apples" }),
        call("mail.send", { to: "ten left" }),
        call("stock.read", { key: "apples" }),
        call("mail.send", { to: "nine left" }),
      ],
      { rivalBefore: 1, more: [mail] },
    );
    await scene.run();
    expect(office.sent).toEqual(["nine left"]);
    const [, refused] = resultsIn(scene.model.requests[2]);
    expect(refused).toContain("stock/apples was read in version 0 and is now in version 1");
  },
);

test("an agent that was told what has changed knows it, and may act on it", verifies("S2"), async () => {
  const office = openPostOffice();
  const scene = await openScene(
    [
      call("stock.read", { key: "apples" }),
      call("stock.write", { key: "apples", version: 0, value: { left: 7 } }),
      call("mail.send", { to: "nine left" }),
    ],
    { rivalBefore: 1, more: [toMailTool(office)] },
  );
  await scene.run();
  expect(office.sent).toEqual(["nine left"]);
});

test("a write without a version, or of another shape, is refused before anything is done", async () => {
  const scene = await openScene([
    call("stock.write", { key: "apples", value: { left: 7 } }),
    call("stock.write", { key: "apples", version: 0, value: { left: "seven" } }),
    call("stock.write", { version: 0, value: { left: 7 } }),
    call("stock.read", {}),
  ]);
  await scene.run();
  const results = resultsIn(scene.model.requests[4]).map(String);
  expect(results[0]).toContain("version: expected the version");
  expect(results[1]).toContain("value.left");
  expect(results[2]).toContain("key: expected a text");
  expect(results[3]).toContain("key: expected a text");
  expect(await scene.tutti.documents.list()).toEqual([]);
});

test("inside a transaction the tools are part of it", verifies("S3"), async () => {
  const stage = openStage();
  const { read, write } = documentTools(plain);
  const both = plainFlow("both", (run) =>
    run.transact(async (tx) => {
      const { version, value } = await tx.call(read, { key: "apples" });
      const answer = await tx.call(write, { key: "apples", version, value: { left: 1 } });
      await tx.call(write, { key: "pears", version: 0, value });
      return [answer, await tx.call(read, { key: "apples" })];
    }),
  );
  const tutti = await stage.open([both]);
  expect(await tutti.run(both, null)).toEqual([
    { written: true, version: 1 },
    { key: "apples", version: 0, value: { left: 1 } },
  ]);
  expect(stage.entries.filter((entry) => entry.kind === "document-committed")).toHaveLength(1);
  expect(await tutti.documents.list()).toMatchObject([{ document: "stock/apples" }, { document: "stock/pears" }]);
});

test("a tool of documents says that it needs a run, and a type that can't work is refused", async () => {
  const { read } = documentTools(plain);
  const alone = tool({ ...read, name: "alone", run: (input, host) => read.run(input, host) });
  const outside = plainFlow("outside", (run) => run.call({ ...alone, document: undefined }, { key: "a" }));
  const tutti = await openStage().open([outside]);
  const error = await errorOf(tutti.run(outside, null));
  expect(error.code).toBe("INPUT_INVALID");
  for (const wrong of [
    { name: "two words" },
    { name: "a", onConflict: { triesMax: 0 } },
    { name: "a", onConflict: { leaseAfter: 0 } },
    { name: "a", onConflict: { leaseMs: 0.5 } },
  ]) {
    expect(() => document({ value: Stock, ...wrong })).toThrow(/document "/);
  }
});
