import path from "node:path";
import { inspect } from "node:util";

import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";

import { canary, expectNoCanary, openEchoServer, readBytes } from "../../../../test/canary.ts";
import {
  anything,
  bodiesOf,
  errorOf,
  makeLedgerFile,
  openStage,
  plainFlow,
} from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import { TuttiError } from "../base/errors.ts";
import type { Tool } from "../contracts/callable.ts";
import type { Agent, Flow, Run } from "../contracts/run.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { secret } from "../tools/secret.ts";
import { tool } from "../tools/tool.ts";
import { openTutti } from "./open-tutti.ts";
import type { Activity } from "./tutti.ts";

const token = secret({ name: "crm", from: () => canary, hosts: ["127.0.0.1"] });
await token.reveal("http://127.0.0.1/"); // from here on this process knows the value

const basic = Buffer.from(`anna:${canary}`).toString("base64");
const url = z.object({ url: z.string() });

/** Sends the secret where it belongs, and returns what `toOutput` makes of the service's answer, which repeats it. */
function callTool(name: string, effect: Tool["effect"], toOutput: (answer: string) => unknown): Tool<{ url: string }> {
  return tool({
    name,
    does: "Asks the CRM.",
    input: url,
    output: anything,
    effect,
    run: async (input, { signal }) => {
      const headers = { authorization: `Bearer ${await token.reveal(input.url, signal)}`, "x-basic": basic };
      const response = await fetch(input.url, { headers, signal, redirect: "error" });
      return toOutput(await response.text());
    },
  });
}

const tidy = callTool("crm.tidy", "once", () => ({ id: 7 }));
const leakyRead = callTool("crm.read", "read", (answer) => ({ raw: answer }));
const leakyOnce = callTool("crm.sell", "once", (answer) => ({ raw: JSON.stringify({ answer }) }));
const failing = callTool("crm.fail", "read", (answer) => {
  const cause = new Error(`the service said ${answer}`, { cause: { token: canary } });
  throw new TuttiError("TOOL_FAILED", `no contact for ${canary}`, {
    hint: `try without ${encodeURIComponent(canary)}`,
    facts: { basic, tokens: [canary] },
    cause,
  });
});
const throwing = callTool("crm.throw", "read", (answer) => {
  throw new Error(`boom ${answer}`);
});

/** Asks a model, and says on the way what it should not. */
function toTalkative(name: string, instructions: string): Agent {
  const quiet = agent({ name, does: "Answers.", model: "fast", input: z.object({}), output: z.string(), instructions });
  return {
    ...quiet,
    act: (run, input, host) => {
      host.progress(`uses ${canary} and ${basic}`);
      return quiet.act(run, {}, host).then((acted) => ({ ...acted, output: input }));
    },
  };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "done",
    (error: unknown) => (error instanceof TuttiError ? `${error.code} ${error.effect}` : String(error)),
  );
}

const everything: Flow<{ url: string }> = {
  ...plainFlow("everything", async () => undefined),
  input: url,
  run: async (run: Run, input: { url: string }) => ({
    tidy: await run.call(tidy, input),
    read: await codeOf(run.call(leakyRead, input)),
    once: await codeOf(run.call(leakyOnce, input)),
    failing: await codeOf(run.call(failing, input)),
    throwing: await codeOf(run.call(throwing, input)),
    step: await codeOf(run.step("hex", () => Buffer.from(canary).toString("hex"))),
    scope: await codeOf(run.scope("scope", async () => [{ deep: canary }])),
    model: await codeOf(run.call(toTalkative("echoing", "Say what you know."), {})),
    prompt: await codeOf(run.call(toTalkative("told", `Use ${canary}.`), {})),
  }),
};

test(
  "a secret reaches its host and nothing else: no ledger, no prompt, no error, no activity",
  verifies("G10"),
  async () => {
    const echo = await openEchoServer();
    const activities: Activity[] = [];
    const model = scriptedModel(() => ({ answer: `the key is ${canary}` }));
    const ledger = await makeLedgerFile();
    const tutti = await openTutti({
      flows: [everything],
      ledger,
      models: { fast: model },
      onActivity: (activity) => activities.push(activity),
    });
    const result = await tutti.run(everything, { url: echo.url });
    const effects = await tutti.ledger.listEffects({});
    const whileOpen = readBytes(path.dirname(ledger));
    await tutti.close();
    expect(result).toEqual({
      tidy: { id: 7 },
      read: "SECRET_EXPOSED done",
      once: "SECRET_EXPOSED done",
      failing: "TOOL_FAILED none",
      throwing: "STEP_FAILED unknown",
      step: "SECRET_EXPOSED done",
      scope: "SECRET_EXPOSED done",
      model: "SECRET_EXPOSED done",
      prompt: "SECRET_EXPOSED none",
    });
    // What happened is known to have happened, although its output could not be kept.
    expect(Object.fromEntries(effects.map((effect) => [effect.tool, effect.state]))).toEqual({
      "crm.sell": "settled",
      "crm.tidy": "settled",
    });
    expect(echo.received.map(({ authorization }) => authorization)).toEqual(Array(5).fill(`Bearer ${canary}`));
    expect(model.requests).toHaveLength(1);
    expect(activities.filter(({ kind }) => kind === "progress").length).toBeGreaterThanOrEqual(2);
    expect(Object.keys(whileOpen).some((file) => file.endsWith("-wal"))).toBe(true);
    expectNoCanary({
      ...whileOpen,
      ...readBytes(path.dirname(ledger)),
      activities: JSON.stringify(activities),
      prompts: JSON.stringify(model.requests),
    });
  },
);

test(
  "what the flow itself throws reaches its caller without the secret, causes and stack included",
  verifies("G10"),
  async () => {
    const stage = openStage();
    const throws = plainFlow("throws", async () => {
      throw new Error(`boom ${canary}`, {
        cause: new Error(`deep ${basic}`, { cause: { headers: { token: canary } } }),
      });
    });
    const tutti = await stage.open([throws]);
    const error = await errorOf(tutti.run(throws, {}));
    expect(error.message).toContain("boom secret://crm");
    expectNoCanary({ error: inspect(error, { depth: 9 }), entries: JSON.stringify(stage.entries) });
  },
);

test("an error that repeats no secret stays the very one that was thrown", async () => {
  const tutti = await openStage().open([]);
  await tutti.close();
  const cause = new Error("its own cause");
  const throws = plainFlow("throws", () => Promise.reject(new TuttiError("TOOL_FAILED", "no contact", { cause })));
  const other = await openStage().open([throws]);
  expect((await errorOf(other.run(throws, {}))).cause).toBe(cause);
});

const wishes: readonly (readonly [string, (run: Run) => Promise<unknown>])[] = [
  ["a step's name", (run) => run.step(`ask-${canary}`, () => 1)],
  ["a branch's name", (run) => run.all({ [canary]: (branch) => branch.step("ask", () => 1) })],
  ["the name of a signal that is waited for", (run) => run.wait(canary)],
  [
    "a note",
    async (run) => {
      run.note(`used ${canary}`);
      return run.step("after", () => 1);
    },
  ],
  ["a tool's input", (run) => run.call(tidy, { url: `http://127.0.0.1/?key=${canary}` })],
  [
    "a declared effect key",
    (run) => run.call(tool({ ...tidy, name: "crm.keyed", key: () => canary }), { url: "http://127.0.0.1/" }),
  ],
  [
    "evidence",
    (run) => {
      const quoting = toTalkative("quoting", "Quote.");
      const quoted = { output: 1, evidence: [{ source: "crm", quote: canary }] };
      return run.call({ ...quoting, output: anything, act: () => Promise.resolve(quoted) }, {});
    },
  ],
];

test.each(wishes)(
  "a run that would write a secret down as %s is parked before it does",
  verifies("G10"),
  async (_what, wish) => {
    const stage = openStage();
    const wishing = plainFlow("wishing", wish);
    const activities: Activity[] = [];
    const tutti = await stage.open([wishing], { onActivity: (activity) => activities.push(activity) });
    const handle = await tutti.start(wishing, {}, { id: "r1" });
    const error = await errorOf(handle.result());
    expect(error).toMatchObject({ code: "SECRET_EXPOSED", facts: { secret: "crm" } });
    expect(await handle.state()).toMatchObject({ kind: "parked", error: { code: "SECRET_EXPOSED" } });
    expect(bodiesOf(stage.entries, "effect-intended")).toEqual([]);
    expectNoCanary({
      entries: JSON.stringify(stage.entries),
      activities: JSON.stringify(activities),
      error: inspect(error),
    });
  },
);

test("a run that was parked for a secret goes on once its code is put right", verifies("G10", "D13"), async () => {
  const stage = openStage();
  let word = canary;
  const asking = plainFlow("asking", async (run) => {
    const first = await run.step("first", () => 1);
    run.note(`with ${word}`);
    const [second] = await run.map([2], (branch, number) => branch.step(`ask-${word}`, () => number));
    const { id } = await run.call(counted, { word });
    return [first, second, id];
  });
  const counted = tool({
    name: "count",
    does: "Counts its calls.",
    input: z.object({ word: z.string() }),
    output: z.object({ id: z.number() }),
    effect: "once",
    run: () => ({ id: ++calls }),
  });
  let calls = 0;
  const tutti = await stage.open([asking]);
  const handle = await tutti.start(asking, {});
  expect(await errorOf(handle.result())).toMatchObject({ code: "SECRET_EXPOSED" });
  word = "a word";
  await handle.resume();
  expect(await handle.result()).toEqual([1, 2, 1]);
  expectNoCanary({ entries: JSON.stringify(stage.entries) });
});

test("whoever brings a secret from outside is refused, and the run goes on", verifies("G10"), async () => {
  const stage = openStage();
  const waiting = plainFlow("waiting", async (run) => run.wait<unknown>("go"));
  const tutti = await stage.open([waiting]);
  const refused = [
    tutti.start(waiting, { key: canary }),
    tutti.start(waiting, {}, { key: canary }),
    tutti.start(waiting, { basic }),
  ];
  for (const promise of refused)
    expect(await errorOf(promise)).toMatchObject({ code: "SECRET_EXPOSED", effect: "none" });
  const handle = await tutti.start(waiting, {}, { id: "r1" });
  await handle.settled();
  expect(await errorOf(handle.signal("go", { token: canary }, { id: "s1" }))).toMatchObject({ code: "SECRET_EXPOSED" });
  expect(await errorOf(handle.cancel(`because of ${canary}`))).toMatchObject({ code: "SECRET_EXPOSED" });
  expect(await errorOf(handle.pause(canary))).toMatchObject({ code: "SECRET_EXPOSED" });
  await handle.signal("go", "clean", { id: "s1" }); // what was refused does not count as received
  expect(await handle.result()).toBe("clean");
  expectNoCanary({ entries: JSON.stringify(stage.entries) });
});

test(
  "an effect in doubt says why without the secret, and a verdict that repeats it is refused",
  verifies("G10", "D3"),
  async () => {
    const stage = openStage();
    const doubtful = tool({ ...tidy, name: "crm.doubt", run: () => Promise.reject(new Error(`reset by ${canary}`)) });
    const doubting = plainFlow("doubting", (run) => run.call(doubtful, { url: "http://127.0.0.1/" }));
    const tutti = await stage.open([doubting]);
    const handle = await tutti.start(doubting, {});
    const state = await handle.settled();
    if (state.kind !== "in-doubt") throw new Error(`it is ${state.kind}`);
    const [effect] = state.effects;
    if (effect === undefined) throw new Error("no effect is in doubt");
    expect(bodiesOf(stage.entries, "effect-in-doubt")[0]?.why).toContain("reset by secret://crm");
    const verdict = { kind: "done", by: "anna", output: 1 } as const;
    expect(await errorOf(tutti.settle(effect.key, { ...verdict, note: canary }))).toMatchObject({
      code: "SECRET_EXPOSED",
    });
    await tutti.settle(effect.key, verdict);
    expect(await handle.result()).toBe(1);
    expectNoCanary({ entries: JSON.stringify(stage.entries) });
  },
);

test("a run that is parked because an undo failed says why without the secret", verifies("G10", "D6"), async () => {
  const stage = openStage();
  const failure = new TuttiError("TOOL_FAILED", `gone: ${canary}`, { cause: new Error(basic) });
  const undo = (): Promise<void> => Promise.reject(failure);
  const undoable = tool({ ...tidy, name: "crm.undo", run: () => 1, undo });
  const failingFlow: Flow = {
    ...plainFlow("undoing", async (run) => {
      await run.call(undoable, { url: "http://127.0.0.1/" });
      throw new Error("take it back");
    }),
    onFailure: "undo",
  };
  const tutti = await stage.open([failingFlow]);
  const error = await errorOf(tutti.run(failingFlow, {}));
  expect(error).toMatchObject({ code: "UNDO_IMPOSSIBLE", message: expect.stringContaining("gone: secret://crm") });
  expectNoCanary({ error: inspect(error, { depth: 9 }), entries: JSON.stringify(stage.entries) });
});

test("a provider's key in the environment is kept out without being declared", verifies("G10"), async () => {
  vi.stubEnv("SOME_PROVIDER_API_KEY", "sk-0123456789-abcdefgh");
  onTestFinished(() => void vi.unstubAllEnvs());
  const telling = plainFlow("telling", (run) => run.step("tell", () => process.env["SOME_PROVIDER_API_KEY"]));
  const tutti = await openStage().open([telling]);
  expect(await errorOf(tutti.run(telling, {}))).toMatchObject({
    code: "SECRET_EXPOSED",
    facts: { secret: "SOME_PROVIDER_API_KEY" },
  });
});
