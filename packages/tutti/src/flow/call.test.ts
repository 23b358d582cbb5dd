import { expect, test } from "vitest";
import { z } from "zod";

import { errorOf, linesOf, openStage, plainFlow, until } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { Agent, Callable, Flow } from "../contracts/run.ts";
import type { Schema } from "../contracts/schema.ts";
import type { Precondition } from "../contracts/terms.ts";
import { tool } from "../tools/tool.ts";
import { flow } from "./flow.ts";

const Question = z.object({ topic: z.string(), depth: z.number().default(3) });
const Finding = z.object({ topic: z.string(), quotes: z.array(z.string().min(3)) });

type Input = z.output<typeof Question>;
type Output = z.output<typeof Finding>;

interface Kit {
  readonly callable: Callable<Input, Output>;
  /** Inputs that reached its function. */
  readonly reached: readonly Input[];
}

const kinds = ["tool that reads", "tool that acts", "agent", "flow"] as const;
type Kind = (typeof kinds)[number];

/** A callable of each kind that answers what a test tells it. */
function makeCallable(kind: Kind, answer: Output, needs: readonly Precondition<Input>[] = []): Kit {
  const reached: Input[] = [];
  const run = async (input: Input): Promise<Output> => {
    reached.push(input);
    return answer;
  };
  const common = { name: "finder", does: "Finds.", input: Question, output: Finding } as const;
  const acting = { ...common, needs };
  switch (kind) {
    case "tool that reads":
      return { reached, callable: tool({ ...acting, effect: "read", run }) };
    case "tool that acts":
      return { reached, callable: tool({ ...acting, effect: "idempotent", run }) };
    case "agent": {
      const agent: Agent<Input, Output> = {
        ...acting,
        kind: "agent",
        version: "1",
        tools: [],
        act: async (_, input) => ({ output: await run(input) }),
      };
      return { reached, callable: agent };
    }
    case "flow":
      return { reached, callable: flow({ ...common, run: (_, input) => run(input) }) };
  }
}

function calling(callable: Callable<Input, Output>, input: Input): readonly Flow[] {
  const caller = flow({
    name: "caller",
    input: z.null(),
    output: Finding,
    run: async (run) => {
      await run.step("before", () => 1);
      return run.call(callable, input);
    },
  });
  return [caller, ...(callable.kind === "flow" ? [callable] : [])];
}

async function callOf(
  kit: Kit,
  input: unknown,
): Promise<{ readonly outcome: Promise<unknown>; readonly lines: () => readonly string[] }> {
  const stage = openStage();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a caller in plain JavaScript, or a model, may hand in
  const flows = calling(kit.callable, input as Input);
  const tutti = await stage.open(flows);
  const [caller] = flows;
  if (caller === undefined) throw new Error("no caller");
  const outcome = tutti.run(caller, null, { id: "r" });
  outcome.catch(() => {});
  return { outcome, lines: () => linesOf(stage.entries) };
}

test.for(kinds)("a %s gets its input parsed, and its caller the output parsed", verifies("C1"), async (kind) => {
  const kit = makeCallable(kind, { topic: "tides", quotes: ["the moon"] });
  const { outcome } = await callOf(kit, { topic: "tides", unknown: true });
  expect(await outcome).toEqual({ topic: "tides", quotes: ["the moon"] });
  expect(kit.reached).toEqual([{ topic: "tides", depth: 3 }]);
});

test.for(kinds)(
  "a %s with an input that does not fit is not called, and every problem is named",
  verifies("C1", "K4"),
  async (kind) => {
    const kit = makeCallable(kind, { topic: "", quotes: [] });
    const { outcome, lines } = await callOf(kit, { topic: 7, depth: "deep" });
    const error = await errorOf(outcome);
    expect(error).toMatchObject({ code: "INPUT_INVALID", disposition: "give-up", effect: "none" });
    expect(error.message).toMatch(/the input of finder .*topic: .*depth: /u);
    expect(kit.reached).toEqual([]);
    expect(lines()).toEqual(["run-started", "step-done /before", "run-failed"]);
  },
);

test.for(kinds)(
  "a %s with an output that does not fit has not returned: nobody is handed it",
  verifies("C1", "K4"),
  async (kind) => {
    const kit = makeCallable(kind, { topic: "tides", quotes: ["the moon", "no"] });
    const { outcome, lines } = await callOf(kit, { topic: "tides", depth: 1 });
    const error = await errorOf(outcome);
    expect(error).toMatchObject({ code: "OUTPUT_INVALID", effect: "done" });
    expect(error.message).toMatch(/the output of finder .*quotes\.1: /u);
    expect(kit.reached).toHaveLength(1);
    expect(lines().join(" ")).not.toContain("run-done");
  },
);

interface Sides<In, Out> {
  readonly input: Schema<In>;
  readonly output: Schema<Out>;
}

function toAgent<In, Out>(name: string, sides: Sides<In, Out>, act: (input: In) => Out): Agent<In, Out> {
  return {
    kind: "agent",
    name,
    version: "1",
    does: "Works.",
    tools: [],
    ...sides,
    act: async (_, input) => ({ output: act(input) }),
  };
}

test("the output of one agent is the input of the next, checked at the hand-over", verifies("C1"), async () => {
  const Count = z.object({ count: z.number().int() });
  const find = toAgent("find", { input: Question, output: Finding }, ({ topic }) => ({
    topic,
    quotes: [`${topic} one`],
  }));
  const count = toAgent("count", { input: Finding, output: Count }, ({ quotes }) => ({ count: quotes.length / 2 }));
  const sequence = flow({
    name: "sequence",
    input: Question,
    output: Count,
    run: async (run, question) => run.call(count, await run.call(find, question)),
  });
  const stage = openStage();
  const tutti = await stage.open([sequence]);
  expect(await errorOf(tutti.run(sequence, { topic: "tides", depth: 1 }))).toMatchObject({
    code: "OUTPUT_INVALID",
    message: expect.stringContaining("the output of count"),
  });
});

test(
  "a flow's own input and output are checked, also when it is started from outside",
  verifies("C1", "K4"),
  async () => {
    const stage = openStage();
    const strict = flow({
      name: "strict",
      input: Question,
      output: Finding,
      run: async () => ({ topic: "", quotes: ["no"] }),
    });
    const tutti = await stage.open([strict]);
    // @ts-expect-error a topic is a text
    expect(await errorOf(tutti.start(strict, { topic: 1, depth: 1 }))).toMatchObject({ code: "INPUT_INVALID" });
    expect(stage.entries).toEqual([]);
    expect(await errorOf(tutti.run(strict, { topic: "tides", depth: 1 }))).toMatchObject({ code: "OUTPUT_INVALID" });
  },
);

test("a signal's payload is checked where it is sent and where it is received", verifies("C1"), async () => {
  const stage = openStage();
  const decision = { kind: "signal", name: "decision", payload: z.object({ yes: z.boolean() }) } as const;
  const waiting = flow({
    name: "waiting",
    input: z.null(),
    output: z.array(z.string()),
    run: async (run) => {
      const refused = await errorOf(run.wait(decision));
      return [refused.code, String((await run.wait(decision)).yes)];
    },
  });
  const tutti = await stage.open([waiting]);
  const run = await tutti.start(waiting, null);
  // @ts-expect-error yes is a boolean
  expect(await errorOf(run.signal(decision, { yes: "perhaps" }))).toMatchObject({ code: "INPUT_INVALID" });
  await run.signal("decision", { yes: "by name alone" });
  await run.signal(decision, { yes: true });
  expect(await run.result()).toEqual(["INPUT_INVALID", "true"]);
});

test.for(["tool that reads", "tool that acts", "agent"] as const)(
  "a cancelled call stops the check of what it needs: %s",
  verifies("D11", "P2"),
  async (kind) => {
    const stage = openStage();
    const reasons: unknown[] = [];
    let isAsked = false;
    const waits: Precondition<Input> = {
      name: "somebody answers",
      check(_, { signal }) {
        isAsked = true;
        return new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            reasons.push(signal.reason);
            resolve(false);
          });
        });
      },
    };
    const { callable, reached } = makeCallable(kind, { topic: "tides", quotes: [] }, [waits]);
    const caller = plainFlow("caller", (run) => run.call(callable, { topic: "tides", depth: 1 }));
    const handle = await (await stage.open([caller])).start(caller, null);
    await until(() => isAsked);
    await handle.cancel("enough");
    expect(await errorOf(handle.result())).toMatchObject({ code: "RUN_CANCELLED" });
    expect(reasons).toMatchObject([{ code: "RUN_CANCELLED" }]);
    expect(reached).toEqual([]);
  },
);
