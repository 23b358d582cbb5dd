import { expect, test } from "vitest";

import { anything, bodiesOf, linesOf, openStage, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { toRunId } from "../contracts/ids.ts";
import type { Agent, Flow, Run } from "../contracts/run.ts";
import { takeTurns } from "../testing/manual-clock.ts";
import { tool } from "../tools/tool.ts";

const look = tool({
  name: "look",
  does: "Looks it up.",
  input: anything,
  output: anything,
  effect: "read",
  run: (input) => ({ found: input, quote: "a quote that is long enough to be known again" }),
});

const thinker: Agent = {
  kind: "agent",
  name: "thinker",
  version: "7",
  does: "Thinks.",
  input: anything,
  output: anything,
  tools: [],
  act: async (run, input) => ({
    output: { thought: await run.step("turn", () => "hm"), about: input },
    confidence: { value: 0.5, source: "rule" },
    usage: { modelCalls: 1, inputTokens: 2, outputTokens: 3 },
  }),
};

const child = plainFlow("child", async () => ({ from: "the child" }));

/** Does one of everything. */
function everything(): { readonly flow: Flow; readonly office: ReturnType<typeof openPostOffice> } {
  const office = openPostOffice();
  const mail = toMailTool(office);
  const flow = plainFlow("everything", async (run: Run) => {
    await run.step("step", () => 1);
    run.note("a note", { for: "people" });
    const values = [run.now(), run.random(), run.uuid()];
    await run.sleep(1_000);
    const found = await run.call(look, values);
    await run.call(mail, { to: "anna" });
    await run.call(mail, { to: "anna" }, { name: "again" });
    const thought = await run.call(thinker, found);
    const started = await run.child(child, thought);
    await run.scope("scope", (scope) => scope.step("inner", () => 1));
    await run.emit(toRunId("listener"), "told", 1);
    const signalled = await run.wait("go");
    return [await started.result(), signalled];
  });
  return { flow, office };
}

const linesOfEverything = [
  "run-started",
  "step-done /step",
  "note-written /note",
  "value-drawn /now",
  "value-drawn /random",
  "value-drawn /uuid",
  "timer-set /sleep",
  "timer-fired /sleep",
  "step-done /look",
  "effect-intended /mail.send",
  "effect-settled /mail.send",
  "effect-shared /again",
  "agent-started /thinker",
  "step-done /thinker/turn",
  "scope-closed /thinker",
  "child-started /child",
  "step-done /scope/inner",
  "scope-closed /scope",
  "step-done /emit-told",
  "signal-received",
  "child-settled /child",
  "run-done",
];

test(
  "whatever a run does leaves exactly one entry, also when it is opened again in the middle",
  verifies("O1"),
  async () => {
    const stage = openStage();
    const { flow, office } = everything();
    const listener = plainFlow("listener", (run) => run.wait("told"));
    for (let life = 0; life < 3; life++) {
      const tutti = await stage.open([flow, child, listener]);
      await tutti.start(listener, null, { id: "listener" });
      await tutti.start(flow, null, { id: "r" });
      await stage.clock.advance(2_000);
      await takeTurns(100);
    }
    const tutti = await stage.open([flow, child, listener]);
    const run = await tutti.open("r");
    await run.signal("go", "went", { id: "s" });
    expect(await run.result()).toEqual([{ from: "the child" }, "went"]);
    expect(linesOf(await run.entries()).toSorted()).toEqual(linesOfEverything.toSorted());
    expect(office.sent).toEqual(["anna"]);
    const times = (await run.entries()).map((entry) => entry.at);
    expect(times).toEqual(times.toSorted((left, right) => left - right));
    expect((await run.entries()).map((entry) => entry.seq)).toEqual(linesOfEverything.map((_, index) => index + 1));
  },
);

test(
  "every entry says what led to it: who was called with what, and where that came from",
  verifies("O1"),
  async () => {
    const stage = openStage();
    const { flow } = everything();
    const listener = plainFlow("listener", (run) => run.wait("told"));
    const tutti = await stage.open([flow, child, listener]);
    await tutti.start(listener, null, { id: "listener" });
    const run = await tutti.start(flow, null, { id: "r" });
    await run.signal("go", "went", { id: "s" });
    const result = run.result();
    await stage.clock.advance(2_000);
    await result;
    const entries = await run.entries();
    const digest = expect.stringMatching(/^[0-9a-f]{64}$/u);
    expect(bodiesOf(entries, "note-written")).toEqual([{ text: "a note", data: { for: "people" } }]);
    expect(bodiesOf(entries, "value-drawn")).toHaveLength(3);
    expect(bodiesOf(entries, "step-done")[1]).toMatchObject({ call: "look", effect: "read", digest });
    expect(bodiesOf(entries, "effect-intended")).toMatchObject([
      { effect: "mail.send:anna", tool: "mail.send", class: "once", input: { to: "anna" }, digest },
    ]);
    expect(bodiesOf(entries, "effect-shared")).toMatchObject([{ from: { run: "r", step: "/mail.send" } }]);
    expect(bodiesOf(entries, "agent-started")).toMatchObject([
      { agent: "thinker", version: "7", does: "Thinks.", uses: ["/look"], digest },
    ]);
    expect(bodiesOf(entries, "scope-closed")[0]).toMatchObject({
      agent: "thinker@7",
      confidence: { value: 0.5, source: "rule" },
      usage: { modelCalls: 1, inputTokens: 2, outputTokens: 3 },
    });
    expect(bodiesOf(entries, "child-started")).toMatchObject([{ child: "r.child", flow: "child", uses: ["/thinker"] }]);
    expect(bodiesOf(entries, "signal-received")).toMatchObject([{ name: "go", id: "s", payload: "went" }]);
    expect(bodiesOf(entries, "run-done")).toMatchObject([{ uses: ["/child"] }]);
  },
);

const longText = "a text of which nobody would say that it came from anywhere else";

/** What the second of two steps is said to have used, with the first one's result put to use in a way. */
async function usesOf(
  output: unknown,
  use: (output: never) => unknown,
  isReopened: boolean,
): Promise<readonly string[]> {
  const stage = openStage();
  const flow = plainFlow("using", async (run) => {
    const made = await run.step("make", () => output);
    await run.step("other", () => ({ other: "an unrelated text that is long enough to be known" }));
    if (isReopened) await run.wait("go");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each use knows its own output
    await run.call(look, use(made as never));
  });
  const first = await stage.open([flow]);
  const run = await first.start(flow, null, { id: "r" });
  await run.settled();
  const next = isReopened ? await stage.open([flow]) : first;
  const again = await next.open("r");
  if (isReopened) await again.signal("go", null);
  await again.result();
  return bodiesOf(stage.entries, "step-done").at(-1)?.uses ?? [];
}

type Made = { readonly list: readonly { readonly name: string }[]; readonly text: string };

const made: Made = { list: [{ name: "one" }, { name: "two" }], text: longText };

const usings: Readonly<Record<string, readonly [unknown, (output: never) => unknown, readonly string[]]>> = {
  "the whole result": [made, (output: Made) => output, ["/make"]],
  "a part that was picked out": [made, (output: Made) => output.list[1], ["/make"]],
  "a part inside something new": [made, (output: Made) => ({ new: [1, { deep: output.list[0] }] }), ["/make"]],
  "a filtered list": [made, (output: Made) => output.list.filter(({ name }) => name === "two"), ["/make"]],
  "a long text": [longText, (output: string) => output, ["/make"]],
  "a long text inside something new": [made, (output: Made) => ({ prompt: output.text }), ["/make"]],
  "a long text put together again": [
    longText,
    () => ["a text of which nobody", longText.slice(22)].join(""),
    ["/make"],
  ],
  "a short text, which may come from anywhere": ["yes", (output: string) => output, []],
  "a number, which may come from anywhere": [{ count: 7 }, ({ count }: { readonly count: number }) => count, []],
  "nothing of it": [made, () => ({ list: [{ name: "one" }] }), []],
};

test.for(Object.keys(usings))("`uses` names where an input came from: %s", verifies("O1"), async (name) => {
  const using = usings[name];
  if (using === undefined) throw new Error(`no use ${name}`);
  const [output, use, uses] = using;
  expect(await usesOf(output, use, false)).toEqual(uses);
  expect(await usesOf(output, use, true)).toEqual(uses);
});

test(
  "`uses` names every step that a value was put together from, through branches, scopes and children",
  verifies("O1"),
  async () => {
    const stage = openStage();
    const flow = plainFlow("using", async (run) => {
      const both = await run.all({
        left: (branch) => branch.step("make", () => ({ made: "left" })),
        right: (branch) => branch.step("make", () => ({ made: "right" })),
      });
      const mapped = await run.map([1, 2], (branch, item) => branch.step("make", () => ({ item })));
      const scoped = await run.scope("scope", (scope) => scope.step("make", () => ({ made: "inside" })));
      const childs = await run.call(child, null);
      await run.call(look, { first: both.right, rest: [mapped[1], scoped, childs], again: both.right });
    });
    const tutti = await stage.open([flow, child]);
    await tutti.run(flow, null);
    const uses = bodiesOf(stage.entries, "step-done").at(-1)?.uses ?? [];
    expect(uses.toSorted()).toEqual(["/all/right/make", "/child", "/map/1/make", "/scope"]);
  },
);
