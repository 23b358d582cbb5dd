import { z } from "zod";

import { isTuttiError, TuttiError } from "../../packages/tutti/src/base/errors.ts";
import type { Flow, Run, StepHost } from "../../packages/tutti/src/contracts/run.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import { delay } from "./delay.ts";
import type { SoakTools } from "./tools.ts";

const order = z.object({ number: z.number(), fails: z.boolean() });
type Order = z.infer<typeof order>;

export type SoakFlow = Flow<Order>;

export interface SoakFlows {
  /** The flows that the worker starts, in turn. */
  readonly started: readonly SoakFlow[];
  readonly all: readonly Flow[];
}

export const plannedFailure = "fails as planned";

interface Parts {
  readonly tools: SoakTools;
  /** Told before a step's own work begins. */
  readonly onRan: (run: string, step: string) => void;
}

export function toSoakFlows(parts: Parts): SoakFlows {
  const listener = flow({
    name: "listener",
    input: order,
    output: z.unknown(),
    run: (run, input) => listen(parts, run, input),
  });
  const audit = flow({
    name: "audit",
    input: order,
    output: z.unknown(),
    onFailure: "undo",
    run: (run, input) => auditOrder(parts, run, input),
  });
  const sale = flow({
    name: "sale",
    input: order,
    output: z.unknown(),
    onFailure: "undo",
    run: (run, input) => sell(parts, audit, { run, input }),
  });
  const branches = flow({
    name: "branches",
    input: order,
    output: z.unknown(),
    onFailure: "undo",
    run: (run, input) => branch(parts, run, input),
  });
  const approval = flow({
    name: "approval",
    input: order,
    output: z.unknown(),
    run: (run, input) => approve(parts, listener, { run, input }),
  });
  const badges = flow({
    name: "badges",
    input: order,
    output: z.unknown(),
    run: (run, input) => share(parts, run, input),
  });
  return { started: [sale, branches, approval, badges], all: [listener, audit, sale, branches, approval, badges] };
}

/** Steps, effects in parallel, a retry, a timer, a child; a failure at the end takes all effects back. */
async function sell(
  parts: Parts,
  audit: SoakFlow,
  { run, input }: { readonly run: Run; readonly input: Order },
): Promise<unknown> {
  const { charge, mail, publish } = parts.tools;
  const what = `sale ${input.number}`;
  await work(parts, run, { name: "quote" });
  await outcomeOf(run.call(charge, { what }));
  await run.all({
    mail: (inner) => outcomeOf(inner.call(mail, { what })),
    publish: (inner) => outcomeOf(inner.call(publish, { what })),
    log: (inner) => work(parts, inner, { name: "log" }),
  });
  await run.step("flaky", (host) => fail(parts, run, host), { retry: { attemptsMax: 3, delayMs: 8 } });
  await run.sleep(5 + (input.number % 4) * 10);
  const audited = await run.call(audit, { ...input, fails: false });
  if (input.fails) throw new TuttiError("TOOL_FAILED", plannedFailure);
  return { audited };
}

async function auditOrder(parts: Parts, run: Run, input: Order): Promise<unknown> {
  const seen = await run.scope("look", async (inner) => [
    await work(parts, inner, { name: "log" }),
    await work(parts, inner, { name: "log" }),
  ]);
  await outcomeOf(run.call(parts.tools.publish, { what: `audit ${input.number}` }));
  return seen;
}

/** Native branches whose steps have one name; a race whose loser is an effect; a map of effects. */
async function branch(parts: Parts, run: Run, input: Order): Promise<unknown> {
  const { charge, mail } = parts.tools;
  const lines: string[] = [];
  await Promise.all(
    ["a", "b", "c"].map(async (name) => {
      for (let turn = 0; turn < 3; turn++) {
        const line = await work(parts, run, { name: "look", output: `${name}${turn}` });
        if (line !== `${name}${turn}`) throw new TuttiError("BUG", `branch ${name} got ${line} in turn ${turn}`);
        lines.push(line);
      }
    }),
  );
  const won = await run.race({
    look: (inner) => work(parts, inner, { name: "look" }),
    mail: (inner) => outcomeOf(inner.call(mail, { what: `race ${input.number}` })),
  });
  await run.map([0, 1, 2, 3], (inner, item) => outcomeOf(inner.call(charge, { what: `item ${item}` })), {
    concurrency: 2,
    need: "bestEffort",
  });
  if (input.fails) throw new TuttiError("TOOL_FAILED", plannedFailure);
  return { lines, won: won.name };
}

/** Waits for a person; a second signal of the same id must not come; passes news on to a child. */
async function approve(
  parts: Parts,
  listener: SoakFlow,
  { run, input }: { readonly run: Run; readonly input: Order },
): Promise<unknown> {
  const child = await run.child(listener, { ...input, fails: false });
  const go = await run.scope("ask", async (inner) => inner.wait<number>("go"));
  const again = await run.wait<number>("go", { timeoutMs: 12 });
  if (go !== input.number || again !== undefined) throw new TuttiError("BUG", `got ${go}, then ${again}`);
  await outcomeOf(run.call(parts.tools.mail, { what: `approval ${input.number}` }));
  await run.emit(child.id, "news", input.number);
  const heard = await child.result();
  if (input.fails) throw new TuttiError("TOOL_FAILED", plannedFailure);
  return { heard };
}

async function listen(parts: Parts, run: Run, input: Order): Promise<unknown> {
  const news = await run.wait<number>("news");
  if (news !== input.number) throw new TuttiError("BUG", `heard ${news}`);
  return work(parts, run, { name: "log" });
}

/** Three runs want the same badge, and a letter each. */
async function share(parts: Parts, run: Run, input: Order): Promise<unknown> {
  const { badge, mail } = parts.tools;
  const shared = await outcomeOf(run.call(badge, { what: `badge-${Math.floor(input.number / 12)}` }));
  await run.sleep(new Date(run.now() + 10));
  await outcomeOf(run.call(mail, { what: `badge ${input.number}` }));
  if (input.fails) throw new TuttiError("TOOL_FAILED", plannedFailure);
  return { shared, luck: run.random(), id: run.uuid() };
}

async function work(
  parts: Parts,
  run: Run,
  { name, output = "looked" }: { readonly name: string; readonly output?: string },
): Promise<string> {
  return run.step(name, async (host) => {
    parts.onRan(run.id, host.step);
    await delay((host.step.length * 7 + output.charCodeAt(0)) % 8);
    return output;
  });
}

function fail(parts: Parts, run: Run, host: StepHost): string {
  parts.onRan(run.id, host.step);
  if (host.attempt === 1) throw new TuttiError("TOOL_UNAVAILABLE", "try again");
  return `attempt ${host.attempt}`;
}

const understood: ReadonlySet<string> = new Set(["STEP_FAILED", "TOOL_UNAVAILABLE"]);

/** An effect that did not happen is an answer, too; everything else is not expected here. */
async function outcomeOf(called: Promise<string>): Promise<string> {
  try {
    return await called;
  } catch (error) {
    if (isTuttiError(error) && understood.has(error.code)) return error.code;
    throw error;
  }
}
