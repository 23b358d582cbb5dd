import { isTuttiError } from "../../packages/tutti/src/base/errors.ts";
import type { Tool } from "../../packages/tutti/src/contracts/callable.ts";
import type { Flow, Run, Transaction } from "../../packages/tutti/src/contracts/run.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";
import { pause } from "../crash/interpret.ts";
import { anything } from "../engine/engine-fixture.ts";
import { openNamed, type Action, type DocumentName, type FuzzCase } from "./fuzz-program.ts";

/** What acts in one life of a process. */
export interface Actor {
  readonly fuzzCase: FuzzCase;
  readonly chance: () => number;
  /** Every step that was executed, in order. */
  readonly executed: string[];
}

export interface Agent {
  readonly flow: Flow;
  /** Known to every life, as an effect of a try that was stopped may be in doubt. */
  readonly act: Tool;
}

/** The flow whose run number `index` does what the case says, and returns how each action ended. */
export function toAgent(actor: Actor): Agent {
  const act = tool({
    name: "act",
    does: "Acts outside.",
    input: anything,
    output: anything,
    effect: "once",
    scope: "step",
    check: () => undefined,
    run: () => pause(Math.floor(actor.chance() * 3)),
  });
  const agent = flow({
    name: "agent",
    input: anything,
    output: anything,
    async run(run, index) {
      const codes: string[] = [];
      for (const action of actor.fuzzCase.runs[Number(index)] ?? []) {
        // Each action stands on what it has read itself, not on what an earlier one has.
        const code = await run.scope("action", (inner) =>
          perform({ ...actor, act }, inner, action).then(
            () => "done",
            (error: unknown) => (isTuttiError(error) ? error.code : "?"),
          ),
        );
        codes.push(code);
      }
      return codes;
    },
  });
  return { flow: agent, act };
}

type Acting = Actor & Pick<Agent, "act">;

async function perform(acting: Acting, run: Run, action: Action): Promise<unknown> {
  switch (action.kind) {
    case "transact":
      return transact(acting, run, action);
    case "change":
      return openNamed(run, action.name).change((value) => value + 1);
    case "write":
      return write(acting, run, action);
    case "act":
      for (const name of action.reads) await openNamed(run, name).read();
      await think(acting, run, action.ticks);
      return run.call(acting.act, null);
  }
}

function think({ executed, chance }: Actor, run: Run, ticks: number): Promise<null> {
  return run.step("think", async ({ step }) => {
    executed.push(`${run.id}${step}`);
    await pause(ticks + Math.floor(chance() * 3));
    return null;
  });
}

async function write(
  actor: Actor,
  run: Run,
  { name, ticks }: { readonly name: DocumentName; readonly ticks: number },
): Promise<void> {
  const { value } = await openNamed(run, name).read();
  await think(actor, run, ticks);
  await openNamed(run, name).write(value + 1);
}

type Transact = Extract<Action, { readonly kind: "transact" }>;

/** Returns the versions that its code saw, so that they can be compared with those that its entry says were read. */
function transact(acting: Acting, run: Run, action: Transact): Promise<unknown> {
  return run.transact(async (tx) => {
    const seen: Record<string, number> = {};
    for (const name of action.reads) {
      const onlyRead = !action.writes.includes(name);
      seen[`${name}/one`] = (await openNamed(tx, name).read({ onlyRead })).version;
    }
    await workBetween(acting, tx, action);
    for (const name of action.writes) await openNamed(tx, name).change((value) => value + 1);
    if (action.throws) throw new Error("the code throws");
    return { seen };
  });
}

async function workBetween(acting: Acting, tx: Transaction, { between, reads, ticks }: Transact): Promise<void> {
  if (between === "step") await think(acting, tx, ticks);
  if (between === "effect") await tx.call(acting.act, null);
  if (between !== "branches") return;
  const [first] = reads;
  await tx.all({
    think: (branch) => think(acting, branch, ticks),
    read: async (branch) => (first === undefined ? 0 : (await openNamed(branch, first).read()).value),
  });
}
