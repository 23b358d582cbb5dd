import { isTuttiError, TuttiError } from "../../packages/tutti/src/base/errors.ts";
import type { Tool } from "../../packages/tutti/src/contracts/callable.ts";
import type { Agent, Flow, Run } from "../../packages/tutti/src/contracts/run.ts";
import type { Schema } from "../../packages/tutti/src/contracts/schema.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import type { CrashCase, Program } from "./program.ts";
import type { World } from "./world.ts";

/** One life of a process: what it executed, and what its flows saw, in order. */
export interface Life {
  readonly world: World;
  /** The step bodies that were really executed: run and key. */
  readonly executed: string[];
  /** Whether a step's result is in the ledger: run and key. */
  readonly isRecorded: (step: string) => boolean;
  /** What a flow heard of before it was in the ledger. */
  readonly heardTooSoon: string[];
  /** What each run's code saw, by run. */
  readonly seenByRun: Map<string, string[]>;
  readonly chance: () => number;
}

const anything: Schema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };

/** The flow of a case: `main`, and `child` for what runs as a child. */
export function toFlows(life: Life, crashCase: CrashCase): { readonly main: Flow; readonly child: Flow } {
  const child: Flow = flow({
    name: "child",
    input: anything,
    output: anything,
    onFailure: crashCase.onFailure,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the program is the input that this test gave
    run: (run, program) => start(run, program as Program),
  });
  const main: Flow = flow({
    name: "main",
    input: anything,
    output: anything,
    onFailure: crashCase.onFailure,
    run: (run) => start(run, crashCase.program),
  });
  const start = (run: Run, program: Program): Promise<unknown> => {
    const seen: string[] = [];
    // Code that is let go and taken up again begins anew; its first beginning is what is compared.
    if (!life.seenByRun.has(run.id)) life.seenByRun.set(run.id, seen);
    // What a branch sees after the flow has ended decides nothing.
    return interpret(
      { life, child, seen, namesByWait: toWaitNames(program), isChild: run.id !== "run" },
      run,
      program,
    ).finally(() => Object.freeze(seen));
  };
  return { main, child };
}

interface Scene {
  readonly life: Life;
  readonly child: Flow;
  readonly seen: string[];
  /** Signals are named by their place in the program, not by the order of waiting: code inside a closed scope does not run again. */
  readonly namesByWait: ReadonlyMap<Program, string>;
  readonly isChild: boolean;
  /** Within an agent: the local tools that it has heard of so far. */
  readonly heardByAgent?: string[];
}

async function interpret(scene: Scene, run: Run, program: Program): Promise<unknown> {
  switch (program.kind) {
    case "step": {
      const output = await run.step(program.name, (host) => perform({ ...scene, run }, program, host), {
        effect: program.effect,
        retry: { attemptsMax: 2, delayMs: 2 },
      });
      if (program.effect === "local") hear(scene, `${run.id}${output.split("=", 1)[0] ?? ""}`);
      return see(scene, run, output);
    }
    case "tool": {
      const { output, step } = await run.result(toLocalTool(scene.life, program), null);
      if (program.effect === "local") hear(scene, `${run.id}${step}`);
      return see(scene, run, output);
    }
    case "effect":
      return see(scene, run, await run.call(toTool(scene.life, program), { what: program.name }));
    case "sequence": {
      const outputs: unknown[] = [];
      for (const part of program.parts) outputs.push(await interpret(scene, run, part));
      return outputs;
    }
    case "all":
      return all(scene, run, program);
    case "native-all":
      return Promise.all(program.parts.map((part) => interpret(scene, run, part)));
    case "race":
      return run.race(toBranches(scene, program.parts));
    case "native-race":
      return Promise.race(program.parts.map((part) => interpret(scene, run, part)));
    case "map":
      return run.map(Array.from({ length: program.count }), (inner) => interpret(scene, inner, program.body), {
        concurrency: program.concurrency,
      });
    case "scope":
      return run.scope("scope", (inner) => interpret(scene, inner, program.body));
    case "agent":
      return callAgent(scene, run, program.body);
    case "caught":
      return interpret(scene, run, program.body).catch(
        (error: unknown) => `caught ${isTuttiError(error) ? error.code : "?"}`,
      );
    case "child":
      return see(scene, run, JSON.stringify(await run.call(scene.child, program.body)));
    case "sleep":
      return run.sleep(program.ms);
    case "wait":
      return wait(scene, run, program);
    case "value":
      return drawValue(run, program.of);
  }
}

function see(scene: Scene, run: Run, value: unknown): unknown {
  if (!Object.isFrozen(scene.seen)) scene.seen.push(`${run.path} ${String(value)}`);
  return value;
}

/** An agent may hear of its own tools before they are on disk; whoever called it may not. */
async function callAgent(scene: Scene, run: Run, body: Program): Promise<unknown> {
  const heardByAgent: string[] = [];
  const worker: Agent = {
    kind: "agent",
    name: "agent",
    version: "1",
    does: "does a part of the program",
    input: anything,
    output: anything,
    tools: [],
    act: async (inner) => ({ output: await interpret({ ...scene, heardByAgent }, inner, body) }),
  };
  try {
    return await run.call(worker, null);
  } finally {
    for (const step of heardByAgent) hear(scene, step);
  }
}

function hear(scene: Scene, step: string): void {
  if (scene.heardByAgent !== undefined) scene.heardByAgent.push(step);
  else if (!scene.life.isRecorded(step)) scene.life.heardTooSoon.push(step);
}

// The output names how much the code had seen when the step began: another interleaving gives another output.
async function perform(
  scene: Scene & { readonly run: Run },
  program: Extract<Program, { kind: "step" }>,
  host: { readonly step: string; readonly attempt: number },
): Promise<string> {
  const seenBefore = scene.seen.length;
  scene.life.executed.push(`${scene.run.id}${host.step}`);
  await pause(program.ticks + Math.floor(scene.life.chance() * 3));
  if (program.fatal) throw new Error("fatal");
  if (host.attempt <= program.failures) throw new TuttiError("TOOL_UNAVAILABLE", "try again");
  return `${host.step}=${seenBefore}`;
}

export async function pause(ticks: number): Promise<void> {
  for (let tick = 0; tick < ticks; tick++) await new Promise<void>((resolve) => setImmediate(resolve));
}

async function all(scene: Scene, run: Run, program: Extract<Program, { kind: "all" }>): Promise<unknown> {
  const branches = toBranches(scene, program.parts);
  const need = program.need === "two" ? { atLeast: Math.min(2, program.parts.length) } : program.need;
  const outcomes = await run.all(branches, { need, siblings: program.siblings });
  return JSON.stringify(outcomes);
}

function toBranches(scene: Scene, parts: readonly Program[]): Readonly<Record<string, (run: Run) => Promise<unknown>>> {
  return Object.fromEntries(parts.map((part, index) => [`b${index}`, (inner: Run) => interpret(scene, inner, part)]));
}

async function wait(scene: Scene, run: Run, program: Extract<Program, { kind: "wait" }>): Promise<unknown> {
  const name = scene.namesByWait.get(program) ?? "?";
  // Without a limit and without a sender the run would wait for ever, rightly.
  const limitMs = program.limitMs ?? (program.sentAfter === undefined || scene.isChild ? 3 : undefined);
  return limitMs === undefined ? run.wait(name) : run.wait(name, { timeoutMs: limitMs });
}

function drawValue(run: Run, of: Extract<Program, { kind: "value" }>["of"]): unknown {
  if (of === "note") return run.note("a note", { at: run.path });
  return of === "now" ? run.now() : of === "random" ? run.random() : run.uuid();
}

type EffectProgram = Extract<Program, { kind: "effect" }>;

function toToolName({ name, class: class_, check, undo, fault, ticks }: EffectProgram): string {
  return [name, class_, check ? "check" : "blind", undo ? "undo" : "final", fault, ticks].join("-");
}

/** Every tool of a program: one whose calls lie in a closed scope is known to nobody else after a crash. */
export function toTools(life: Life, program: Program): readonly Tool[] {
  if (program.kind === "effect") return [toTool(life, program)];
  if ("parts" in program) return program.parts.flatMap((part) => toTools(life, part));
  return "body" in program ? toTools(life, program.body) : [];
}

function toLocalTool(life: Life, { name, effect, ticks }: Extract<Program, { kind: "tool" }>): Tool {
  return {
    kind: "tool",
    name: `${name}-${effect}-${ticks}`,
    does: "changes nothing outside",
    input: anything,
    output: anything,
    effect,
    scope: "step",
    retry: undefined,
    timeoutMs: undefined,
    async run(_, host) {
      life.executed.push(`${host.runId}${host.step}`);
      await pause(ticks);
      return `${host.step} told`;
    },
  };
}

function toTool(life: Life, program: EffectProgram): Tool {
  const { world } = life;
  return {
    kind: "tool",
    name: toToolName(program),
    does: "acts outside",
    input: anything,
    output: anything,
    effect: program.class,
    scope: "step",
    retry: undefined,
    timeoutMs: undefined,
    async run(_, host) {
      await pause(program.ticks);
      if (program.fault === "refuses") throw new TuttiError("TOOL_FAILED", "refused");
      if (program.fault === "dark-before") throw new Error("no answer");
      const receipt = world.act(host.idempotencyKey, program.class);
      await pause(program.ticks);
      if (program.fault === "dark-after") throw new Error("no answer");
      return receipt;
    },
    ...(program.check
      ? {
          check: (_: unknown, host: { readonly idempotencyKey: Parameters<World["receipt"]>[0] }) =>
            world.receipt(host.idempotencyKey),
        }
      : {}),
    ...(program.undo
      ? {
          undo: (_: unknown, host: { readonly idempotencyKey: Parameters<World["receipt"]>[0] }) =>
            world.takeBack(host.idempotencyKey),
        }
      : {}),
  };
}

/** Every wait of a program, with how often it may be reached. */
function collectWaits(
  program: Program,
  times: number,
): readonly { readonly place: Extract<Program, { kind: "wait" }>; readonly times: number }[] {
  if (program.kind === "wait") return [{ place: program, times }];
  if ("parts" in program) return program.parts.flatMap((part) => collectWaits(part, times));
  if ("body" in program) return collectWaits(program.body, program.kind === "map" ? times * program.count : times);
  return [];
}

function toWaitNames(program: Program): ReadonlyMap<Program, string> {
  return new Map(collectWaits(program, 1).map(({ place }, index) => [place, `w${index}`]));
}

/** Every signal that is sent to the main run, and after how many ticks. */
export function toSignals(
  program: Program,
): readonly { readonly name: string; readonly id: string; readonly after: number }[] {
  return collectWaits(program, 1).flatMap(({ place, times }, index) =>
    place.sentAfter === undefined
      ? []
      : Array.from({ length: times }, (_, time) => ({
          name: `w${index}`,
          id: `w${index}.${time}`,
          after: place.sentAfter ?? 0,
        })),
  );
}
