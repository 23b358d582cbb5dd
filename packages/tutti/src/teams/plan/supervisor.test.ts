import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";

import { surviveEveryCrash } from "../../../../../test/agents/agent-fixture.ts";
import { toTeller } from "../../../../../test/plans/plan-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { agent } from "../../agents/agent.ts";
import { systemClock } from "../../base/clock.ts";
import { isTuttiError, TuttiError } from "../../base/errors.ts";
import type { LedgerEntry } from "../../contracts/entry.ts";
import type { Model, ModelRequest } from "../../contracts/model.ts";
import type { Agent, Callable } from "../../contracts/run.ts";
import { openTutti } from "../../engine/open-tutti.ts";
import type { RunHandle } from "../../engine/tutti.ts";
import { flow } from "../../flow/flow.ts";
import { openMemoryLedger } from "../../ledger/memory/memory-ledger.ts";
import { offlineModel } from "../../models/offline/offline-model.ts";
import { scriptedModel, type ScriptedModel, type ScriptedReply } from "../../testing/scripted-model.ts";
import { planner } from "./planner.ts";
import { supervisor, type SupervisorDefinition } from "./supervisor.ts";

const Topic = z.object({ topic: z.string() });
const Report = z.object({ report: z.string() });
const find = toTeller("find");
const write = toTeller("write");
const broken = toTeller("broken", {
  run: () => {
    throw new TuttiError("TOOL_FAILED", "the source is gone");
  },
});

/** A model that is several agents: what each answers, one reply after the other. */
function castModel(replies: Readonly<Record<string, readonly unknown[]>>): ScriptedModel {
  const used = new Map<string, number>();
  return scriptedModel((request): ScriptedReply => {
    const who = roleOf(request);
    const count = used.get(who) ?? 0;
    used.set(who, count + 1);
    const answer = replies[who]?.[count];
    return answer === undefined
      ? { error: new TuttiError("MODEL_REFUSED", `${who} has no reply ${count}`) }
      : { answer };
  });
}

function roleOf({ messages }: ModelRequest): string {
  return /^You are ([\w.-]+)\. /u.exec(textOf(messages[0]))?.[1] ?? "nobody";
}

function textOf(message: ModelRequest["messages"][number] | undefined): string {
  return message !== undefined && "text" in message ? message.text : "";
}

function toChief(change: Partial<SupervisorDefinition<{ topic: string }, { report: string }>> = {}) {
  return supervisor({
    name: "chief",
    does: "Reports on a topic.",
    model: "fast",
    members: [find, write],
    input: Topic,
    output: Report,
    ...change,
  });
}

async function play(
  callee: Agent<{ topic: string }, { report: string }>,
  model: Model,
  during?: (handle: RunHandle) => Promise<void>,
) {
  const asking = flow({
    name: "asking",
    input: Topic,
    output: z.unknown(),
    run: (run, input) => run.result(callee, input),
  });
  const tutti = await openTutti({
    flows: [asking],
    models: { fast: model },
    ledger: openMemoryLedger({ clock: systemClock }),
  });
  onTestFinished(() => tutti.close());
  const handle = await tutti.start(asking, { topic: "tea" }, { id: "run" });
  await during?.(handle);
  const outcome = await handle.result().catch((error: unknown) => {
    if (isTuttiError(error)) return error;
    throw error;
  });
  return { outcome, entries: await handle.entries() };
}

const research = { id: "research", call: "find", input: { text: { $from: "input.topic" } } };
const plan = {
  name: "report",
  tasks: [research, { id: "draft", call: "write", input: { text: { $from: "research.text" } } }],
};

test(
  "a supervisor plans for its members, lets them work, and makes one typed result of it",
  verifies("C4"),
  async () => {
    const model = castModel({ "chief.planner": [plan], "chief.synthesis": [{ report: "all about tea" }] });
    const { outcome, entries } = await play(toChief(), model);
    expect(outcome).toMatchObject({ output: { report: "all about tea" }, usage: { modelCalls: 2 } });
    const [planning, putting] = model.requests.map(({ messages }) => textOf(messages[1]));
    expect(planning).toContain('"goal": "Reports on a topic."');
    expect(planning).toContain("Tells what find knows.");
    expect(putting).toContain("write(find(tea))");
    expect(entries.map(({ key }) => key)).toContain("/chief/report/tasks/draft/try/write");
  },
);

test("a plan that can't be run goes back to the planner with all that is wrong", verifies("C5"), async () => {
  const wrong = {
    name: "report",
    tasks: [
      { id: "a", call: "google", input: {} },
      { id: "b", call: "write", input: { txt: "" } },
    ],
  };
  const model = castModel({ "chief.planner": [wrong, plan], "chief.synthesis": [{ report: "fine" }] });
  expect((await play(toChief(), model)).outcome).toMatchObject({ output: { report: "fine" } });
  const repair = textOf(model.requests[1]?.messages.at(-1));
  expect(repair).toContain(`nobody is called "google". Known are: find, write.`);
  expect(repair).toContain("its input.text is missing, for write");
});

test(
  "a supervisor plans again when a member fails, and is told what came of the plan before",
  verifies("C4", "C5"),
  async () => {
    const first = {
      ...plan,
      tasks: [research, { id: "draft", call: "broken", input: { text: "" }, onFailure: { otherwise: "replan" } }],
    };
    const model = castModel({ "chief.planner": [first, plan], "chief.synthesis": [{ report: "fine" }] });
    const { outcome, entries } = await play(toChief({ members: [find, write, broken] }), model);
    expect(outcome).toMatchObject({ output: { report: "fine" } });
    const again = textOf(model.requests[1]?.messages[1]);
    expect(again).toContain("failure: draft: the source is gone");
    expect(again).toContain('"text": "find(tea)"');
    expect(entries.filter(({ key }) => key.endsWith("/try/find"))).toHaveLength(1);
  },
);

test("a supervisor whose plan fails says so", verifies("C4"), async () => {
  const bad = { ...plan, tasks: [{ id: "draft", call: "broken", input: { text: "" } }] };
  const { outcome } = await play(toChief({ members: [broken] }), castModel({ "chief.planner": [bad] }));
  expect(outcome).toMatchObject({ code: "PLAN_FAILED", message: expect.stringContaining("the source is gone") });
  expect(() => toChief({ members: [] })).toThrow(expect.objectContaining({ code: "DEFINITION_INVALID" }));
});

/** A supervisor under a name, whose plan hands its topic to one member. */
function toTier(name: string, member: Callable) {
  return supervisor({
    name,
    does: `Reports for ${name}.`,
    model: "fast",
    members: [member],
    input: Topic,
    output: Report,
  });
}
function toHandingOn(name: string, call: string) {
  return { name, tasks: [{ id: "below", call, input: { topic: { $from: "input.topic" } } }] };
}

test("supervisors supervise supervisors, three tiers deep", verifies("C6"), async () => {
  const scholar = agent({
    name: "scholar",
    does: "Knows.",
    model: "fast",
    input: Topic,
    output: Report,
    instructions: "",
  });
  const chief = toTier("chief", toTier("head", toTier("lead", scholar)));
  const model = castModel({
    "chief.planner": [toHandingOn("top", "head")],
    "head.planner": [toHandingOn("middle", "lead")],
    "lead.planner": [toHandingOn("low", "scholar")],
    scholar: [{ report: "known" }],
    "lead.synthesis": [{ report: "known, says the lead" }],
    "head.synthesis": [{ report: "known, says the head" }],
    "chief.synthesis": [{ report: "known, says the chief" }],
  });
  const { outcome, entries } = await play(chief, model);
  expect(outcome).toMatchObject({
    output: { report: "known, says the chief" },
    usage: { modelCalls: 7, costUsd: expect.closeTo(0.07) },
  });
  expect(keysOf(entries, "scope-closed")).toContain(
    "/chief/top/tasks/below/try/head/middle/tasks/below/try/lead/low/tasks/below/try/scholar",
  );
});

test("a cancel reaches the tool of the last of three tiers", verifies("C6"), async () => {
  const begun = Promise.withResolvers<undefined>();
  const stopped = Promise.withResolvers<undefined>();
  const slow = toTeller("slow", {
    run: (_input, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          stopped.resolve(undefined);
          reject(new Error("stopped"));
        });
        begun.resolve(undefined);
      }),
  });
  const chief = toTier("chief", toTier("head", toTier("lead", slow)));
  const low = { name: "low", tasks: [{ id: "below", call: "slow", input: { text: "" } }] };
  const model = castModel({
    "chief.planner": [toHandingOn("top", "head")],
    "head.planner": [toHandingOn("middle", "lead")],
    "lead.planner": [low],
  });
  const { outcome } = await play(chief, model, async (handle) => {
    await begun.promise;
    await handle.cancel("enough");
    await stopped.promise;
  });
  expect(outcome).toMatchObject({ code: "RUN_CANCELLED" });
});

/** Three tiers down to a tool; its whole work takes six calls. */
function toBudgeted(calls: number) {
  return supervisor({
    name: "chief",
    does: "Does it.",
    model: "fast",
    synthesis: "plan",
    versionsMax: 1,
    members: [toTier("head", toTier("lead", find))],
    input: Topic,
    output: Report,
    budget: { calls },
  });
}

test(
  "a supervisor's budget is kept by everything that its members do, three tiers down",
  verifies("C6", "G11"),
  async () => {
    const low = { name: "low", tasks: [{ id: "below", call: "find", input: { text: "tea" } }] };
    const model = () =>
      castModel({
        "chief.planner": [{ ...toHandingOn("top", "head"), output: { $from: "below" } }],
        "head.planner": [toHandingOn("middle", "lead")],
        "lead.planner": [low],
        "lead.synthesis": [{ report: "so" }],
        "head.synthesis": [{ report: "so" }],
      });
    const six = await play(toBudgeted(6), model());
    expect(six.outcome).toMatchObject({ output: { report: "so" } });
    const short = await play(toBudgeted(3), model());
    expect(short.outcome).toMatchObject({ code: "PLAN_FAILED", message: expect.stringContaining("3 calls") });
    expect(keysOf(short.entries, "step-done").filter((key) => key.endsWith("/find"))).toEqual([]);
  },
);

function keysOf(entries: readonly LedgerEntry[], kind: LedgerEntry["kind"]): readonly string[] {
  return entries.filter((entry) => entry.kind === kind).map(({ key }) => key);
}

test(
  "tasks are added at run time: one makes a plan, and that is checked and run in its turn",
  verifies("C11"),
  async () => {
    const split = planner({ name: "split", model: "fast", callables: [find, write] });
    const outer = {
      name: "outer",
      tasks: [
        { id: "split", call: "split", input: { goal: "Know it.", input: { $from: "input" } } },
        { id: "work", planFrom: "split", input: { $from: "input" } },
      ],
      output: { report: { $from: "work.draft.text" } },
    };
    const members = [split, find, write];
    const spawning = toChief({ members, synthesis: "plan", versionsMax: 1 });
    const good = await play(spawning, castModel({ "chief.planner": [outer], split: [plan] }));
    expect(good.outcome).toMatchObject({ output: { report: "write(find(tea))" } });
  },
);

test(
  "wherever the process dies, a supervisor ends the same and pays for no answer twice",
  verifies("C4", "D1"),
  async () => {
    const chief = supervisor({
      name: "chief",
      does: "Answers.",
      model: "fast",
      members: [find, write, broken],
      input: z.object({ question: z.string() }),
      output: z.object({ answer: z.string() }),
    });
    const ask = { id: "research", call: "find", input: { text: { $from: "input.question" } } };
    const use = { text: { $from: "research.text" } };
    const draft = { id: "draft", call: "broken", input: use, onFailure: { alternative: "write" } };
    const { points, differences } = await surviveEveryCrash(chief, () =>
      castModel({ "chief.planner": [{ name: "report", tasks: [ask, draft] }], "chief.synthesis": [{ answer: "so" }] }),
    );
    expect(points).toBeGreaterThan(10);
    expect(differences).toEqual([]);
  },
);

test(
  "offline, without a key: a supervisor with a plan at hand lets its members work and sums up what they found",
  verifies("C4"),
  async () => {
    const tea = toTeller("tea.lookup", { run: () => ({ text: "Green tea is brewed at 80 degrees." }) });
    const given = {
      name: "brew",
      tasks: [{ id: "look", call: "tea.lookup", input: { text: { $from: "input.topic" } } }],
    };
    const chief = supervisor({
      name: "chief",
      does: "Says how tea is brewed.",
      model: "fast",
      members: [tea],
      plan: given,
      input: Topic,
      output: z.object({ report: z.string().describe("How green tea is brewed, word for word.") }),
    });
    const { outcome } = await play(chief, offlineModel());
    expect(outcome).toMatchObject({ output: { report: expect.stringContaining("80 degrees") } });
  },
);
