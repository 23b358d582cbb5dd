import { z } from "zod";

import { agent } from "../../packages/tutti/src/agents/agent.ts";
import { isTuttiError } from "../../packages/tutti/src/base/errors.ts";
import type { Directive } from "../../packages/tutti/src/contracts/directive.ts";
import type { LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import type { ModelRequest } from "../../packages/tutti/src/contracts/model.ts";
import { isOver } from "../../packages/tutti/src/contracts/run-record.ts";
import type { Flow, Run } from "../../packages/tutti/src/contracts/run.ts";
import { openTutti } from "../../packages/tutti/src/engine/open-tutti.ts";
import type { Tutti } from "../../packages/tutti/src/engine/tutti.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import type { Ledger } from "../../packages/tutti/src/ledger/ledger.ts";
import { scriptedModel } from "../../packages/tutti/src/testing/scripted-model.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";
import { pause } from "../crash/interpret.ts";
import { restoreLedger } from "../crash/restore.ts";
import { openChance, openTickClock } from "../crash/tick-clock.ts";
import type { Action, FuzzCase } from "./fuzz-program.ts";

const anything = z.unknown();
const agentTask = z.object({ turns: z.number(), calls: z.number(), name: z.string() });

/** What acts outside, over all lives of one case. */
export interface World {
  /** How often each action was done. */
  readonly done: Map<string, number>;
  readonly wrongs: string[];
}

export interface Past {
  readonly entries: readonly LedgerEntry[];
  readonly seed: number;
  readonly world: World;
}

/** What people do in this life, once so many entries are stored. */
export interface Deed {
  readonly at: number;
  readonly what: (tutti: Tutti) => Promise<unknown>;
}

interface Life {
  readonly fuzzCase: FuzzCase;
  readonly chance: () => number;
  readonly world: World;
  /** Whether something in reach may begin now. */
  readonly isFrozen: (agentWork: boolean) => boolean;
}

/** Everything that a run of a case may do, made anew for each life of the process. */
function toFlows(life: Life): {
  readonly task: Flow;
  readonly model: ReturnType<typeof scriptedModel>;
  readonly act: ReturnType<typeof toTool>;
} {
  const act = toTool(life);
  const model = scriptedModel(async (request) => {
    if (life.isFrozen(true)) life.world.wrongs.push("a question to a model was begun while it was frozen");
    await pause(Math.floor(life.chance() * 4));
    const { turns, calls, name } = agentTask.parse(JSON.parse(inputOf(request)));
    const turn = request.messages.filter((message) => message.role === "assistant").length;
    if (turn >= turns) return { answer: { done: true } };
    const input = (index: number) => ({
      id: `${turn}-${index}`,
      tool: "act",
      input: { name: `${name}/${turn}-${index}`, seen: findSeen(request) },
    });
    return { toolCalls: Array.from({ length: calls }, (_, index) => input(index)) };
  });
  const worker = agent({
    name: "worker",
    does: "Works.",
    model: "fast",
    tools: [act],
    input: anything,
    output: anything,
    instructions: "",
    turnsMax: 40,
  });
  const task: Flow = flow({
    name: "task",
    input: anything,
    output: anything,
    async run(run, input) {
      const codes: string[] = [];
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the case's own program, or a part of it
      for (const action of input as readonly Action[]) codes.push(await codeOf(perform(run, action)));
      return codes;
    },
  });
  const perform = async (run: Run, action: Action): Promise<unknown> => {
    switch (action.kind) {
      case "act":
        return run.call(act, { name: `${run.id}${run.path}` });
      case "step":
        return run.step("step", () => pause(Math.floor(life.chance() * 3)));
      case "agent":
        return run.scope("working", (inner) => inner.call(worker, { ...action, name: `${run.id}${inner.path}` }));
      case "look":
        return run.scope("looking", (inner) => look(inner));
      case "child":
        return run.call(task, action.actions);
      case "both":
        return run.map(action.actions, (inner, each) => perform(inner, each), { need: "bestEffort" });
    }
  };
  const look = async (run: Run): Promise<unknown> => {
    for (let tries = 0; ; tries++) {
      const seen = run.directive().version;
      await run.step("think", () => pause(Math.floor(life.chance() * 3)));
      const code = await codeOf(run.call(act, { name: `${run.id}${run.path}/${tries}`, looked: seen }));
      if (code !== "DIRECTIVE_CHANGED" || tries > 5) return code;
    }
  };
  return { task, model, act };
}

function toTool(life: Life) {
  return tool({
    name: "act",
    does: "Acts outside.",
    input: anything,
    output: anything,
    effect: "once",
    scope: "step",
    check: (_, { idempotencyKey }) => life.world.done.get(idempotencyKey),
    async run(_, { idempotencyKey, step }) {
      if (life.isFrozen(step.includes("/worker"))) life.world.wrongs.push(`${step} was begun while it was frozen`);
      await pause(Math.floor(life.chance() * 3));
      life.world.done.set(idempotencyKey, (life.world.done.get(idempotencyKey) ?? 0) + 1);
      return 1;
    },
  });
}

function inputOf({ messages }: ModelRequest): string {
  const text = messages[1]?.role === "user" ? messages[1].text : "";
  return text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1);
}

/** The newest directive that a model was told of: those in words have a number. */
/** The numbers of all directives that a question shows. */
function findSeen({ messages }: ModelRequest): readonly number[] {
  const last = messages.at(-1);
  return last?.role === "user" ? [...last.text.matchAll(/number (\d+)\./gu)].map((match) => Number(match[1])) : [];
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "done",
    (error: unknown) => (isTuttiError(error) ? error.code : String(error)),
  );
}

const ticksMax = 5_000;

/** Lives a case from the given past until its run is over. */
export async function live(
  fuzzCase: FuzzCase,
  past: Past,
  life: {
    readonly deeds: readonly Deed[];
    readonly isFrozen?: Life["isFrozen"];
    readonly onEntry?: (entry: LedgerEntry) => void;
    readonly sabotage?: (ledger: Ledger) => Ledger;
  },
): Promise<readonly LedgerEntry[]> {
  const clock = openTickClock((past.entries.at(-1)?.at ?? 1_000) + 5);
  const entries: LedgerEntry[] = [];
  const deeds = [...life.deeds];
  const doing: Promise<unknown>[] = [];
  const opened: { tutti?: Tutti } = {};
  const look = (): void => {
    const { tutti } = opened;
    const due = deeds.findIndex(({ at }) => at <= entries.length);
    if (tutti === undefined || due < 0) return;
    for (const deed of deeds.splice(due, 1)) doing.push(deed.what(tutti).catch(onlyOver));
    look();
  };
  const onEntry = (entry: LedgerEntry): void => {
    entries.push(entry);
    life.onEntry?.(entry);
    look();
  };
  const restored = await restoreLedger(past.entries, { clock, onEntry });
  const ledger = life.sabotage?.(restored) ?? restored;
  const chance = openChance(past.seed);
  const { task, model, act } = toFlows({
    fuzzCase,
    chance,
    world: past.world,
    isFrozen: life.isFrozen ?? (() => false),
  });
  const tutti = await openTutti(
    {
      flows: [task],
      tools: [act],
      models: { fast: model },
      ledger,
      clock,
      chance,
      ...(fuzzCase.limited
        ? { limits: { "tool/act": { concurrentMax: 1 }, "model/scripted": { concurrentMax: 1 } } }
        : {}),
    },
    { evictAfterMs: 20, stallMs: 4_000 },
  );
  opened.tutti = tutti;
  await tutti.start(task, fuzzCase.actions, { id: "run" });
  look();
  const isDone = await untilOver(tutti);
  if (!isDone) past.world.wrongs.push("it never ended");
  await Promise.all(doing);
  await pause(10);
  clock.stop();
  return entries;
}

// Who comes too late is told so.
function onlyOver(error: unknown): void {
  if (!isTuttiError(error) || error.code !== "RUN_OVER") throw error;
}

async function untilOver(tutti: Tutti): Promise<boolean> {
  for (let tick = 0; tick < ticksMax; tick++) {
    const runs = await tutti.runs();
    const open = runs.filter((run) => run.flow === "task" && !isOver(run.status));
    if (open.length === 0) return true;
    if (open.some((run) => run.status === "parked")) return false;
    await pause(3);
  }
  return false;
}

/** What a person says the number-th time. */
export function toDirective(kind: Directive["kind"], number: number): Directive {
  if (kind === "autonomy") return { kind, level: number % 6 };
  if (kind === "stop") return { kind };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one of the kinds that are said in words
  return { kind: kind as "goal", text: `This is number ${number}.` };
}
