import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { dyingLedger } from "../../../../test/agents/agent-fixture.ts";
import {
  bodiesOf,
  errorOf,
  linesOf,
  makeGate,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { systemClock } from "../base/clock.ts";
import type { EffectClass, Tool } from "../contracts/callable.ts";
import type { Agent } from "../contracts/run.ts";
import type { Precondition } from "../contracts/terms.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { tool, type ToolDefinition } from "../tools/tool.ts";

interface Draft {
  readonly slug: string;
}
interface Published {
  readonly url: string;
}

/** A publisher of any effect class, and what it did. */
function toPublisher(
  effect: EffectClass,
  change: Partial<ToolDefinition<Draft, Published>> = {},
): { readonly publish: Tool<Draft, Published>; readonly done: string[] } {
  const done: string[] = [];
  const publish = tool<Draft, Published>({
    name: "page.publish",
    does: "Publishes a page.",
    input: z.object({ slug: z.string() }),
    output: z.object({ url: z.string() }),
    effect,
    run({ slug }) {
      done.push(slug);
      return { url: `/${slug}` };
    },
    ...change,
  });
  return { publish, done };
}

const effects: readonly EffectClass[] = ["read", "local", "idempotent", "once"];
const isDraft: Precondition<Draft> = {
  name: "the page is a draft",
  check: ({ slug }) => slug !== "live" || "it is live already",
};

for (const effect of effects) {
  test(
    `a tool that needs what does not hold is not called, and nothing is intended: ${effect}`,
    verifies("P2"),
    async () => {
      const stage = openStage();
      const { publish, done } = toPublisher(effect, { needs: [isDraft] });
      const flow = plainFlow("go", (run) => run.call(publish, { slug: "live" }));
      const tutti = await stage.open([flow]);
      const error = await errorOf(tutti.run(flow, null));
      expect(error).toMatchObject({
        code: "PRECONDITION_FAILED",
        effect: "none",
        disposition: "tell-model",
        message: 'page.publish may not be called: "the page is a draft" does not hold: it is live already',
        facts: { need: "the page is a draft" },
      });
      expect(done).toEqual([]);
      expect(linesOf(stage.entries)).toEqual(["run-started", "step-failed /page.publish", "run-failed"]);
      expect(await tutti.ledger.listEffects({})).toEqual([]);
    },
  );

  test(
    `an output that breaks a guarantee is not handed over, and an effect is done all the same: ${effect}`,
    verifies("P2"),
    async () => {
      const stage = openStage();
      const { publish, done } = toPublisher(effect, {
        ensures: [{ name: "the address is short", check: ({ url }, { slug }) => url.length < 4 || `${slug} is long` }],
      });
      const flow = plainFlow("go", async (run) => [
        await run.call(publish, { slug: "ab" }),
        await run.call(publish, { slug: "abc" }),
      ]);
      const tutti = await stage.open([flow]);
      expect(await errorOf(tutti.run(flow, null))).toMatchObject({
        code: "OUTPUT_INVALID",
        message: expect.stringContaining('"the address is short" does not hold: abc is long'),
      });
      expect(done).toEqual(["ab", "abc"]);
      const isEffect = effect === "idempotent" || effect === "once";
      expect(linesOf(stage.entries).at(-2)).toBe(`${isEffect ? "effect-settled" : "step-failed"} /page.publish#2`);
      const states = (await tutti.ledger.listEffects({})).map((each) => each.state);
      expect(states).toEqual(isEffect ? ["settled", "settled"] : []);
    },
  );

  test(`what a tool needs and ensures costs no entry when it holds: ${effect}`, async () => {
    const lines = [undefined, [isDraft]].map(async (needs) => {
      const stage = openStage();
      const { publish } = toPublisher(effect, { needs, ensures: needs && [{ name: "it is so", check: () => true }] });
      const flow = plainFlow("go", (run) => run.call(publish, { slug: "a" }));
      expect(await (await stage.open([flow])).run(flow, null)).toEqual({ url: "/a" });
      return linesOf(stage.entries);
    });
    const [without, withConditions] = await Promise.all(lines);
    expect(withConditions).toEqual(without);
  });
}

test("what a tool needs is asked again for every call, and told who asks", verifies("P2"), async () => {
  const stage = openStage();
  const asked: string[] = [];
  const needs: Precondition<Draft>[] = [
    {
      name: "it is asked",
      check({ slug }, host) {
        asked.push(`${host.runId}${host.step} ${slug}`);
        return true;
      },
    },
  ];
  const { publish } = toPublisher("once", { needs });
  const flow = plainFlow("go", async (run) => {
    await run.call(publish, { slug: "a" });
    await run.call(publish, { slug: "a" });
  });
  const tutti = await stage.open([flow]);
  await tutti.run(flow, null, { id: "r" });
  expect(asked).toEqual(["r/page.publish a", "r/page.publish#2 a"]);
});

test(
  "a refusal is recorded: whoever goes on after a crash gets it without asking again",
  verifies("P2", "D2"),
  async () => {
    for (const effect of effects) {
      const stage = openStage();
      let isAllowed = false;
      const { publish, done } = toPublisher(effect, {
        needs: [{ name: "it is allowed", check: () => isAllowed || "no" }],
      });
      const flow = plainFlow("go", async (run) => {
        const first = await run.call(publish, { slug: "a" }).catch(() => "refused");
        return [first, await run.wait("go")];
      });
      const tutti = await stage.open([flow]);
      await (await tutti.start(flow, null, { id: "r" })).settled();
      await tutti.close();
      isAllowed = true;
      const handle = await (await stage.open([flow])).open("r");
      await handle.signal("go", 1);
      expect(await handle.result()).toEqual(["refused", 1]);
      expect(done).toEqual([]);
    }
  },
);

test(
  "what a tool needs has to answer in time, and a cancelled call is not begun by a late yes",
  verifies("K4"),
  async () => {
    const stage = openStage();
    const gate = makeGate();
    let asked = 0;
    const needs: Precondition<Draft>[] = [
      {
        name: "somebody answers",
        async check() {
          asked += 1;
          await gate.opened;
          return true;
        },
      },
    ];
    const { publish, done } = toPublisher("once", { needs });
    const flow = plainFlow("go", (run) => run.call(publish, { slug: "a" }));
    const tutti = await stage.open([flow]);
    const slow = await tutti.start(flow, null, { id: "slow" });
    await until(() => asked === 1);
    await stage.clock.advance(60_000);
    expect(await errorOf(slow.result())).toMatchObject({
      code: "PRECONDITION_FAILED",
      message: expect.stringContaining("60000 ms"),
      hint: expect.any(String),
    });
    const cancelled = await tutti.start(flow, null, { id: "cancelled" });
    await until(() => asked === 2);
    await cancelled.cancel();
    gate.open();
    expect(await errorOf(cancelled.result())).toMatchObject({ code: "RUN_CANCELLED" });
    expect(done).toEqual([]);
    expect(bodiesOf(stage.entries, "effect-intended")).toEqual([]);
  },
);

test(
  "what an effect ensures has to answer in time; the effect is recorded as done all the same",
  verifies("K4"),
  async () => {
    const stage = openStage();
    const { publish, done } = toPublisher("once", {
      ensures: [{ name: "somebody answers", check: () => new Promise<boolean>(() => {}) }],
    });
    const flow = plainFlow("go", (run) => run.call(publish, { slug: "a" }));
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null);
    await until(() => done.length === 1);
    await stage.clock.advance(60_000);
    expect(await errorOf(run.result())).toMatchObject({
      code: "OUTPUT_INVALID",
      effect: "done",
      message: expect.stringContaining("60000 ms"),
    });
    expect((await tutti.ledger.listEffects({})).map((effect) => effect.state)).toEqual(["settled"]);
  },
);

test("a flow that ends without waiting for its call waits for what it needs, and for the effect", async () => {
  const stage = openStage();
  const gate = makeGate();
  let asked = 0;
  const { publish, done } = toPublisher("once", {
    needs: [
      {
        name: "the gate is open",
        async check() {
          asked += 1;
          await gate.opened;
          return true;
        },
      },
    ],
  });
  const flow = plainFlow("go", async (run) => {
    void run.call(publish, { slug: "a" });
    return "left";
  });
  const run = await (await stage.open([flow])).start(flow, null);
  await until(() => asked === 1);
  gate.open();
  expect(await run.result()).toBe("left");
  expect(done).toEqual(["a"]);
  expect(linesOf(stage.entries).slice(-2)).toEqual(["effect-settled /page.publish", "run-done"]);
});

test(
  "with conditions that take their time, an effect is done once, wherever the process dies",
  verifies("D1", "D3"),
  async () => {
    for (let appends = 0; appends < 3; appends++) {
      const { publish, done } = toPublisher("once", {
        needs: [{ name: "it may", check: () => Promise.resolve(true) }],
        ensures: [{ name: "it did", check: () => Promise.resolve(true) }],
        check: ({ slug }) => (done.includes(slug) ? { url: `/${slug}` } : undefined),
      });
      const flow = plainFlow("go", (run) => run.call(publish, { slug: "a" }));
      const ledger = openMemoryLedger({ clock: systemClock });
      const { ledger: dying, died } = dyingLedger(ledger, appends);
      const first = await openTutti({ flows: [flow], ledger: dying });
      await first.start(flow, null, { id: "r" });
      await died;
      const second = await openTutti({ flows: [flow], ledger });
      expect(await (await second.open("r")).result()).toEqual({ url: "/a" });
      await second.close();
      expect(done).toEqual(["a"]);
    }
  },
);

/** An agent of another kind than ours: it returns what it is told to, and asks nobody. */
function toForeignAgent(change: Partial<Agent<Draft, Published>>): Agent<Draft, Published> {
  return {
    kind: "agent",
    name: "remote",
    version: "1",
    does: "Publishes elsewhere.",
    input: z.object({ slug: z.string() }),
    output: z.object({ url: z.string() }),
    tools: [],
    act: async (_run, { slug }) => ({ output: { url: `/${slug}` } }),
    ...change,
  };
}

test("any agent's needs and guarantees are enforced by the engine, and asked once", verifies("P2", "G2"), async () => {
  const stage = openStage();
  const asked: string[] = [];
  const agent = toForeignAgent({
    needs: [isDraft],
    ensures: [{ name: "it is short", check: ({ url }) => asked.push(url) > 0 && (url.length < 4 || "it is long") }],
  });
  const flow = plainFlow("go", async (run) => {
    const refused = await run.call(agent, { slug: "live" }).catch((error: unknown) => String(error));
    const broken = await run.call(agent, { slug: "abcd" }).catch((error: unknown) => String(error));
    return [refused, broken, await run.call(agent, { slug: "a" })];
  });
  const [refused, broken, good] = z
    .tuple([z.string(), z.string(), z.unknown()])
    .parse(await (await stage.open([flow])).run(flow, null));
  expect(refused).toContain("the page is a draft");
  expect(broken).toContain('"it is short" does not hold: it is long');
  expect(good).toEqual({ url: "/a" });
  expect(asked).toEqual(["/abcd", "/a"]);
  expect(linesOf(stage.entries)).toEqual([
    "run-started",
    "agent-started /remote",
    "step-failed /remote/needs",
    "scope-closed /remote",
    "agent-started /remote#2",
    "step-done /remote#2/needs",
    "step-done /remote#2/ensures",
    "scope-closed /remote#2",
    "agent-started /remote#3",
    "step-done /remote#3/needs",
    "step-done /remote#3/ensures",
    "scope-closed /remote#3",
    "run-done",
  ]);
});

/** Every way of answering, and whether it is a yes. */
const answers: readonly (readonly [isYes: boolean, answer: () => unknown])[] = [
  [true, () => true],
  [false, () => "no"],
  [true, () => Promise.resolve(true)],
  [false, () => Promise.resolve("no")],
  [false, () => Promise.reject(new Error("broken"))],
  [false, () => undefined],
  [false, () => 1],
  [false, () => false],
  [false, () => ""],
  [
    false,
    () => {
      throw new Error("broken");
    },
  ],
];

test(
  "a call is made if and only if everything that it needs holds; the first that does not is named",
  verifies("P2"),
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...effects),
        fc.array(fc.constantFrom(...answers), { maxLength: 5 }),
        async (effect, asked) => {
          const needs = asked.map(([, check], index) => ({ name: `need ${index}`, check }));
          const stage = openStage();
          // As plain JavaScript would declare it.
          const made: ReturnType<typeof toPublisher> = Reflect.apply(toPublisher, undefined, [effect, { needs }]);
          const { publish, done } = made;
          const flow = plainFlow("go", (run) => run.call(publish, { slug: "a" }));
          const tutti = await stage.open([flow]);
          const outcome = await tutti.run(flow, null).catch((error: unknown) => String(error));
          await tutti.close();
          const first = asked.findIndex(([isYes]) => !isYes);
          const says = typeof outcome === "string" ? /"need \d" does not hold/.exec(outcome)?.[0] : outcome;
          const refused = [`"need ${first}" does not hold`, []];
          expect([says, done]).toEqual(first < 0 ? [{ url: "/a" }, ["a"]] : refused);
        },
      ),
      { numRuns: 60 },
    );
  },
);
