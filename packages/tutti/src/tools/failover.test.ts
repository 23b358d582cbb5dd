import { describe, expect, test, vi } from "vitest";
import { z } from "zod";

import { bodiesOf, errorOf, openStage, plainFlow, type Stage } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { must } from "../base/assert.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { TuttiError, type ErrorDetails } from "../base/errors.ts";
import type { Tool } from "../contracts/callable.ts";
import { withFailover, type FailoverDefinition } from "./failover.ts";
import type { Provider } from "./provider.ts";

interface Input {
  readonly words: string;
}
interface Output {
  readonly found: readonly string[];
}
type Found = Provider<Input, Output>;

const base = {
  name: "look.up",
  does: "Looks something up.",
  input: z.object({ words: z.string() }),
  output: z.object({ found: z.array(z.string()) }),
  isEmpty: ({ found }: Output) => found.length === 0,
  retry: { attemptsMax: 1 },
} as const;

const finds = (name: string): Found => ({ name, run: ({ words }) => ({ found: [`${name}: ${words}`] }) });
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a provider that breaks its contract
const nonsense = { name: "fourth", run: () => ({ found: "not a list" }) } as unknown as Found;
const findsNothing = (name: string): Found => ({ name, run: () => ({ found: [] }) });
const throws = (name: string, code: ErrorCode, details?: ErrorDetails): Found => ({
  name,
  run() {
    throw new TuttiError(code, `${name} can't`, details);
  },
});

function toReader(
  providers: readonly Found[],
  more: Partial<FailoverDefinition<Input, Output>> = {},
): Tool<Input, Output> {
  return withFailover<Input, Output>({ ...base, effect: "read", providers, ...more });
}

async function callOnce(stage: Stage, tool: Tool<Input, Output>): Promise<unknown> {
  const asking = plainFlow("asking", (run) => run.call(tool, { words: "cats" }));
  const tutti = await stage.open([asking]);
  return tutti.run(asking, {});
}

const reportsOf = (stage: Stage): readonly unknown[] => [
  ...bodiesOf(stage.entries, "step-done").map((body) => body.report),
  ...bodiesOf(stage.entries, "step-failed").map((body) => body.report),
];

test(
  "a read is done by the first provider that can, and the ledger says who that was and who was tried",
  verifies("K3", "D8"),
  async () => {
    const stage = openStage();
    const providers = [
      throws("first", "TOOL_UNAVAILABLE"),
      throws("second", "TOOL_INTERRUPTED"),
      findsNothing("third"),
      nonsense,
      { name: "fifth", run: () => Promise.reject(new Error("a bug")) },
      finds("sixth"),
      finds("seventh"),
    ];
    expect(await callOnce(stage, toReader(providers))).toEqual({ found: ["sixth: cats"] });
    expect(reportsOf(stage)).toEqual([
      {
        provider: "sixth",
        tried: [
          { provider: "first", code: "TOOL_UNAVAILABLE" },
          { provider: "second", code: "TOOL_INTERRUPTED" },
          { provider: "third", code: "TOOL_EMPTY" },
          { provider: "fourth", code: "TOOL_ANSWER_INVALID" },
          { provider: "fifth", code: "STEP_FAILED" },
        ],
      },
    ]);
  },
);

test(
  "a read that finds nothing asks in other words, only whom it is worth asking, and says so",
  verifies("D8"),
  async () => {
    const stage = openStage();
    const asked: string[] = [];
    const onlyPets: Found = {
      name: "pets",
      run({ words }) {
        asked.push(words);
        return { found: words === "pets" ? ["a cat"] : [] };
      },
    };
    const broken = throws("broken", "TOOL_REFUSED");
    const counting: Found = {
      name: "broken",
      run(input, host) {
        asked.push("broken");
        return broken.run(input, host);
      },
    };
    const tool = toReader([counting, onlyPets], {
      reformulate: () => ["dogs", "pets", "animals"].map((words) => ({ words })),
    });
    expect(await callOnce(stage, tool)).toEqual({ found: ["a cat"] });
    expect(asked).toEqual(["broken", "cats", "dogs", "pets"]);
    expect(reportsOf(stage)).toEqual([
      expect.objectContaining({ provider: "pets", note: `found only when asked differently: {"words":"pets"}` }),
    ]);
  },
);

const reformulate = (): Input[] => Array.from({ length: 100 }, (_, index) => ({ words: `other ${index}` }));

test("a read that finds nothing anywhere is TOOL_EMPTY, never an empty success", verifies("D8"), async () => {
  const stage = openStage();
  let asked = 0;
  const counting: Found = {
    name: "second",
    run: () => {
      asked += 1;
      throw new TuttiError("TOOL_EMPTY", "nothing");
    },
  };
  const error = await errorOf(callOnce(stage, toReader([findsNothing("first"), counting], { reformulate })));
  expect(error).toMatchObject({ code: "TOOL_EMPTY", disposition: "tell-model", effect: "none" });
  expect(error.message).toContain("also in 4 other wordings");
  expect(asked).toBe(5);
  expect(reportsOf(stage)).toEqual([{ tried: expect.arrayContaining([{ provider: "first", code: "TOOL_EMPTY" }]) }]);
});

test("a read that nobody can do fails as its most hopeful provider does, and waits no longer than the first needs", async () => {
  const failing = (...providers: readonly Found[]) => errorOf(callOnce(openStage(), toReader(providers)));
  const refused = throws("refused", "TOOL_REFUSED");
  const busy = throws("busy", "TOOL_RATE_LIMITED", { retryAfterMs: 9_000 });
  const busier = throws("busier", "TOOL_RATE_LIMITED", { retryAfterMs: 90_000 });
  expect(await failing(refused, busier, busy, findsNothing("empty"))).toMatchObject({ code: "TOOL_RATE_LIMITED" });
  expect(await failing(refused, findsNothing("empty"))).toMatchObject({ code: "TOOL_EMPTY" });
  expect(await failing(refused)).toMatchObject({ code: "TOOL_REFUSED", facts: { tried: ["refused: TOOL_REFUSED"] } });
  const stage = openStage();
  const retrying = toReader([busier, busy], { retry: { attemptsMax: 2, delayMs: 0 } });
  const failed = errorOf(callOnce(stage, retrying));
  await stage.clock.advance(9_000);
  expect((await failed).code).toBe("TOOL_RATE_LIMITED");
});

const broken = (): never => {
  throw new Error("no idea");
};

test("providers are asked in the order that a hook says, and nobody is lost by it", async () => {
  const order = (all: readonly Found[]): Found[] => [must(all[2], "three"), finds("a stranger")];
  const providers = [finds("first"), finds("second"), throws("third", "TOOL_FAILED")];
  const stage = openStage();
  expect(await callOnce(stage, toReader(providers, { order }))).toEqual({ found: ["first: cats"] });
  expect(reportsOf(stage)).toMatchObject([{ tried: [{ provider: "third" }] }]);
  expect(await errorOf(callOnce(openStage(), toReader(providers, { order: broken })))).toMatchObject({
    code: "DEFINITION_INVALID",
    effect: "none",
  });
});

test("the next provider is not asked for a caller who has left", async () => {
  const caller = new AbortController();
  const leaves: Found = {
    name: "first",
    run() {
      caller.abort();
      throw new TuttiError("TOOL_UNAVAILABLE", "no");
    },
  };
  const asked = vi.fn<Found["run"]>();
  const tool = toReader([leaves, { name: "second", run: asked }]);
  const host = { ...toHost(), signal: caller.signal };
  expect(await errorOf(Promise.resolve(tool.run({ words: "" }, host)))).toMatchObject({ code: "RUN_CANCELLED" });
  expect(asked).not.toHaveBeenCalled();
});

function toHost(): Parameters<Found["run"]>[1] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing here looks at the ids
  return { signal: new AbortController().signal, report: () => {}, attempt: 1 } as unknown as Parameters<
    Found["run"]
  >[1];
}

const hangs = (name: string): Found => ({ name, run: () => new Promise(() => {}) });

test("a provider that takes too long is told to stop, and the next one is asked; an effect is left in doubt", async () => {
  vi.useFakeTimers();
  try {
    const reading = Promise.resolve(toReader([hangs("first"), finds("second")]).run({ words: "cats" }, toHost()));
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await reading).toEqual({ found: ["second: cats"] });
    const { isEmpty: _, ...once } = base;
    const acting = withFailover<Input, Output>({
      ...once,
      effect: "once",
      providers: [hangs("first"), finds("second")],
    });
    const failed = errorOf(Promise.resolve(acting.run({ words: "cats" }, toHost())));
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await failed).toMatchObject({ code: "TOOL_INTERRUPTED", effect: "unknown" });
  } finally {
    vi.useRealTimers();
  }
});

test("a provider whose time is over may still say that it had not begun, and then the next one is asked", async () => {
  const stops: Found = {
    name: "first",
    run: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new TuttiError("TOOL_UNAVAILABLE", "I had not begun")));
      }),
  };
  const { isEmpty: _, ...once } = base;
  const providers = [stops, finds("second")];
  const acting = withFailover<Input, Output>({ ...once, effect: "once", providers, providerTimeoutMs: 1 });
  expect(await acting.run({ words: "cats" }, toHost())).toEqual({ found: ["second: cats"] });
});

describe("a declaration that contradicts itself is refused", () => {
  const { isEmpty, ...once } = base;
  const declare = (change: Partial<FailoverDefinition<Input, Output>>): string => {
    try {
      withFailover<Input, Output>({ ...once, effect: "once", providers: [finds("a"), finds("b")], ...change });
      return "accepted";
    } catch (error) {
      return error instanceof TuttiError ? `${error.code}: ${error.message}` : String(error);
    }
  };

  test.each([
    ["no provider", { providers: [] }, "it has no provider"],
    ["two of one name", { providers: [finds("a"), finds("a")] }, "two of its providers are called a"],
    ["no time", { providerTimeoutMs: 0 }, "providerTimeoutMs is 0"],
    ["repeats by another provider", { effect: "idempotent" as const }, `it is "idempotent" and has 2 providers`],
    ["an empty effect", { isEmpty }, "an empty result"],
    ["an undo of some", { providers: [finds("a"), { ...finds("b"), undo: () => {} }] }, "only some of its providers"],
    ["a wrong tool", { name: "no name" }, "its name can't be used"],
  ])("%s", (_, change, why) => {
    expect(declare(change)).toContain("DEFINITION_INVALID: ");
    expect(declare(change)).toContain(why);
  });

  test("and its good neighbours are not", () => {
    expect(declare({})).toBe("accepted");
    expect(declare({ effect: "idempotent", providers: [finds("a")] })).toBe("accepted");
    expect(declare({ effect: "read", isEmpty })).toBe("accepted");
  });
});
