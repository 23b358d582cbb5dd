import { expect, test } from "vitest";

import { errorOf, linesOf, makeGate, openStage, plainFlow, until } from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { isTuttiError, TuttiError } from "../base/errors.ts";
import type { Need, Run, Siblings } from "../contracts/run.ts";

const fail = (name: string): never => {
  throw new TuttiError("TOOL_FAILED", `${name} failed`);
};

interface Case {
  readonly need: Need;
  /** What each branch comes to, in the order in which they settle: first, second, third. */
  readonly fates: readonly [Fate, Fate, Fate];
  readonly cancel: readonly string[] | string;
  readonly keep: readonly string[] | string;
}

type Fate = "ok" | "bad";

/** How a group ends under `siblings: cancel` and `keep`: every outcome, or the code of what it throws. `undo` ends as `cancel`. */
const cases: readonly Case[] = [
  { need: "all", fates: ["ok", "ok", "ok"], cancel: ["done", "done", "done"], keep: ["done", "done", "done"] },
  { need: "all", fates: ["ok", "bad", "bad"], cancel: "TOOL_FAILED", keep: "TOOL_FAILED" },
  {
    need: "any",
    fates: ["ok", "bad", "bad"],
    cancel: ["done", "cancelled", "cancelled"],
    keep: ["done", "failed", "failed"],
  },
  {
    need: "any",
    fates: ["bad", "ok", "bad"],
    cancel: ["failed", "done", "cancelled"],
    keep: ["failed", "done", "failed"],
  },
  { need: "any", fates: ["bad", "bad", "bad"], cancel: "BRANCHES_FAILED", keep: "BRANCHES_FAILED" },
  {
    need: "bestEffort",
    fates: ["ok", "bad", "bad"],
    cancel: ["done", "failed", "failed"],
    keep: ["done", "failed", "failed"],
  },
  {
    need: "bestEffort",
    fates: ["bad", "bad", "bad"],
    cancel: ["failed", "failed", "failed"],
    keep: ["failed", "failed", "failed"],
  },
  {
    need: { atLeast: 1 },
    fates: ["ok", "bad", "bad"],
    cancel: ["done", "failed", "failed"],
    keep: ["done", "failed", "failed"],
  },
  {
    need: { atLeast: 2 },
    fates: ["ok", "bad", "ok"],
    cancel: ["done", "failed", "done"],
    keep: ["done", "failed", "done"],
  },
  { need: { atLeast: 2 }, fates: ["ok", "bad", "bad"], cancel: "BRANCHES_FAILED", keep: "BRANCHES_FAILED" },
  { need: { atLeast: 3 }, fates: ["ok", "ok", "ok"], cancel: ["done", "done", "done"], keep: ["done", "done", "done"] },
];

const names = ["first", "second", "third"];

interface Ended {
  readonly ended: readonly string[] | string;
  /** Which branches came to their own end. */
  readonly left: readonly string[];
  readonly recalled: readonly string[];
}

/** Runs a group whose branches mail somebody and settle one second after the other. */
async function endOf(fates: Case["fates"], need: Need, siblings: Siblings): Promise<Ended> {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office, { undo: (_, { input }) => office.recall(input.to) });
  const left = new Set<string>();
  const branch = (index: number) => async (run: Run) => {
    const name = names[index] ?? "";
    await run.call(mail, { to: name });
    await run.sleep((index + 1) * 1_000);
    left.add(name);
    return fates[index] === "ok" ? name : fail(name);
  };
  const flow = plainFlow("group", async (run) => {
    try {
      const outcomes = await run.all({ first: branch(0), second: branch(1), third: branch(2) }, { need, siblings });
      return Object.values(outcomes).map((outcome: unknown) =>
        typeof outcome === "object" && outcome !== null && "kind" in outcome ? outcome.kind : "done",
      );
    } catch (error) {
      return isTuttiError(error) ? error.code : "another error";
    }
  });
  const tutti = await stage.open([flow]);
  const result = tutti.run(flow, null);
  await stage.clock.advance(10_000);
  const ended = await result;
  return {
    ended: typeof ended === "string" ? ended : Array.isArray(ended) ? ended.map(String) : "",
    left: [...left],
    recalled: office.recalled,
  };
}

const told = cases.map((one) => ({ ...one, name: `${JSON.stringify(one.need)} with ${one.fates.join(", ")}` }));

test.for(told)(
  "what comes of $name is the declaration's answer",
  verifies("C2"),
  async ({ need, fates, cancel, keep }) => {
    const kept = await endOf(fates, need, "keep");
    expect(kept).toEqual({ ended: keep, left: names, recalled: [] });

    const stopped = await endOf(fates, need, "cancel");
    expect(stopped.ended).toEqual(cancel);
    expect(stopped.recalled).toEqual([]);

    const undone = await endOf(fates, need, "undo");
    expect(undone.ended).toEqual(cancel);
    expect(undone.left).toEqual(stopped.left);
    expect(undone.recalled).toEqual(typeof cancel === "string" ? names.toReversed() : []);
  },
);

test.for([
  { need: "all", fates: ["ok", "bad", "bad"], left: 2 },
  { need: "any", fates: ["ok", "bad", "bad"], left: 1 },
  { need: { atLeast: 2 }, fates: ["bad", "bad", "ok"], left: 2 },
  { need: { atLeast: 2 }, fates: ["ok", "ok", "bad"], left: 3 },
  { need: "bestEffort", fates: ["bad", "bad", "ok"], left: 3 },
] as const)(
  "siblings: cancel stops what is still running once $need is decided, and not before",
  verifies("C2"),
  async ({ need, fates, left }) => {
    expect((await endOf(fates, need, "cancel")).left).toEqual(names.slice(0, left));
  },
);

test(
  "one succeeds and two fail: each declaration has its answer, with the values and errors in their places",
  verifies("C2"),
  async () => {
    const stage = openStage();
    const flow = plainFlow("group", async (run) => {
      const outcomes = await run.all(
        {
          good: (branch) => branch.step("work", () => ({ answer: 42 })),
          bad: async () => fail("bad"),
          worse: async () => fail("worse"),
        },
        { need: "bestEffort" },
      );
      return [
        outcomes.good.kind === "done" ? outcomes.good.value.answer : 0,
        outcomes.bad.kind === "failed" ? outcomes.bad.error.message : "",
        outcomes.worse.kind === "failed" ? outcomes.worse.error.code : "",
      ];
    });
    const tutti = await stage.open([flow]);
    expect(await tutti.run(flow, null)).toEqual([42, "bad failed", "TOOL_FAILED"]);
  },
);

test("too few branches: the error says how many, and what the first failure was", verifies("C2", "K4"), async () => {
  const stage = openStage();
  const flow = plainFlow("group", (run) =>
    run.all(
      { good: async () => 1, bad: async () => fail("bad"), worse: async () => fail("worse") },
      { name: "quorum", need: { atLeast: 2 }, siblings: "keep" },
    ),
  );
  const tutti = await stage.open([flow]);
  const error = await errorOf(tutti.run(flow, null));
  expect(error).toMatchObject({
    code: "BRANCHES_FAILED",
    disposition: "give-up",
    facts: {
      done: 1,
      failed: 2,
      needed: 2,
      branches: ["good done", "bad failed TOOL_FAILED", "worse failed TOOL_FAILED"],
    },
    message: "/quorum: 1 of 3 branches succeeded, 2 were needed",
  });
  expect(error.cause).toMatchObject({ message: "bad failed" });
});

test(
  "too few branches with siblings undone: the error says of each whether it was done, failed or taken back, after a crash too",
  verifies("C2", "D6"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const mail = toMailTool(office, { undo: (_, { input }) => office.recall(input.to) });
    const flow = plainFlow("group", async (run) => {
      const error = await errorOf(
        run.all(
          {
            anna: (branch) => branch.call(mail, { to: "anna" }),
            bob: async () => fail("bob"),
            carl: async (branch) => {
              await branch.call(mail, { to: "carl" });
              return fail("carl");
            },
          },
          { need: { atLeast: 2 }, siblings: "undo" },
        ),
      );
      await run.wait("go");
      return error.facts["branches"];
    });
    const first = await stage.open([flow]);
    await (await first.start(flow, null, { id: "r" })).settled();
    const second = await stage.open([flow]);
    const run = await second.open("r");
    await run.signal("go", null);
    expect(await run.result()).toEqual([
      "anna done, undone",
      "bob failed TOOL_FAILED",
      "carl failed TOOL_FAILED, undone",
    ]);
  },
);

test(
  "when all are needed the first failure is the group's own, and the others' steps are told to stop",
  verifies("C2", "D11"),
  async () => {
    const stage = openStage();
    const gate = makeGate();
    const seen: string[] = [];
    const flow = plainFlow("group", (run) =>
      run.all({
        quick: (branch) => branch.step("fail", () => gate.opened.then(() => fail("quick"))),
        slow: (branch) =>
          branch.step("work", ({ signal }) => {
            seen.push("begun");
            return new Promise<void>((resolve) => {
              signal.addEventListener("abort", () => {
                seen.push(branch.signal.aborted ? "told" : "only the step was told");
                resolve();
              });
            });
          }),
      }),
    );
    const tutti = await stage.open([flow]);
    const failed = errorOf(tutti.run(flow, null));
    await until(() => seen.length === 1);
    gate.open();
    expect(await failed).toMatchObject({ code: "TOOL_FAILED", message: "quick failed" });
    expect(seen).toEqual(["begun", "told"]);
  },
);

test("the outcomes are the same after a crash, whichever branch settled first", verifies("C2", "D2"), async () => {
  const stage = openStage();
  const flow = plainFlow("group", async (run) => {
    const outcomes = await run.all(
      {
        slow: (branch) => branch.sleep(5_000).then(() => "slow"),
        quick: (branch) => branch.sleep(1_000).then(() => "quick"),
        bad: (branch) => branch.step("fail", () => fail("bad")),
      },
      { need: "any" },
    );
    await run.wait("go");
    return Object.entries(outcomes).map(([name, outcome]) => `${name} ${outcome.kind}`);
  });
  const expected = ["slow cancelled", "quick done", "bad failed"];
  const first = await stage.open([flow]);
  await first.start(flow, null, { id: "r" });
  await stage.clock.advance(2_000);
  const second = await stage.open([flow]);
  const run = await second.open("r");
  await run.signal("go", null);
  expect(await run.result()).toEqual(expected);
});

test("a group of no branches is done, unless one was needed", verifies("C2"), async () => {
  const stage = openStage();
  const flow = plainFlow("empty", async (run) => [
    await run.all({}),
    await run.all({}, { need: "bestEffort" }),
    (await errorOf(run.all({}, { need: "any" }))).code,
    (await errorOf(run.all({}, { need: { atLeast: 1 } }))).code,
  ]);
  const tutti = await stage.open([flow]);
  expect(await tutti.run(flow, null)).toEqual([{}, {}, "BRANCHES_FAILED", "BRANCHES_FAILED"]);
});

test("a group inside a cancelled group is cancelled with it, down to its effects", verifies("C2", "D11"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office);
  const flow = plainFlow("nested", async (run) => {
    const error = await errorOf(
      run.all({
        outer: (branch) =>
          branch.all({ inner: (leaf) => leaf.sleep(5_000).then(() => leaf.call(mail, { to: "anna" })) }),
        bad: (branch) => branch.sleep(1_000).then(() => fail("bad")),
      }),
    );
    await run.sleep(20_000);
    return error.message;
  });
  const tutti = await stage.open([flow]);
  const result = tutti.run(flow, null);
  await stage.clock.advance(60_000);
  expect(await result).toBe("bad failed");
  expect(office.sent).toEqual([]);
  expect(linesOf(stage.entries)).not.toContain("timer-fired /all/outer/all/inner/sleep");
});
