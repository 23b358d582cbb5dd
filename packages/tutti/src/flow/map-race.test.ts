import { expect, test } from "vitest";

import { errorOf, linesOf, makeGate, openStage, plainFlow, until } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import type { Run } from "../contracts/run.ts";
import { takeTurns } from "../testing/manual-clock.ts";

const items = Array.from({ length: 10 }, (_, index) => index);

test.for([1, 3, 10, undefined])(
  "a map with the concurrency %s never has more items at work, and uses what it may",
  verifies("C3"),
  async (concurrency) => {
    const stage = openStage();
    let running = 0;
    let most = 0;
    const flow = plainFlow("mapping", async (run) => {
      const doubled = await run.map(
        items,
        (branch, item) =>
          branch.step("work", async () => {
            most = Math.max(most, ++running);
            await takeTurns(1 + ((item * 7) % 4));
            running--;
            return item * 2;
          }),
        concurrency === undefined ? {} : { concurrency },
      );
      return [...doubled];
    });
    const tutti = await stage.open([flow]);
    expect(await tutti.run(flow, null)).toEqual(items.map((item) => item * 2));
    expect(most).toBe(concurrency ?? 10);
  },
);

test("an empty list is mapped to an empty one, whatever is needed", verifies("C3"), async () => {
  const stage = openStage();
  const flow = plainFlow("mapping", async (run) => {
    const outputs = await run.map([], async () => 1, { concurrency: 2 });
    const tried = await run.map([], async () => 1, { need: "bestEffort" });
    return [outputs.length, outputs.outcomes.length, tried.length];
  });
  const tutti = await stage.open([flow]);
  expect(await tutti.run(flow, null)).toEqual([0, 0, 0]);
  expect(linesOf(stage.entries)).toEqual(["run-started", "run-done"]);
});

test("a map keeps the items' order and tells what became of each", verifies("C2", "C3"), async () => {
  const stage = openStage();
  const flow = plainFlow("mapping", async (run) => {
    const outputs = await run.map(
      [1, 2, 3],
      async (branch, item, index) => {
        await branch.sleep((3 - index) * 1_000);
        if (item === 2) throw new TuttiError("TOOL_FAILED", "two");
        return `item ${item}`;
      },
      { need: "bestEffort", name: "things" },
    );
    return [outputs.length, ...outputs, ...outputs.outcomes.map((outcome) => outcome.kind)];
  });
  const tutti = await stage.open([flow]);
  const result = tutti.run(flow, null);
  await stage.clock.advance(5_000);
  expect(await result).toEqual([2, "item 1", "item 3", "done", "failed", "done"]);
});

test("a map whose item fails starts no further items", verifies("C2", "C3"), async () => {
  const stage = openStage();
  const begun: number[] = [];
  const flow = plainFlow("mapping", (run) =>
    run.map(
      items,
      (branch, item) =>
        branch.step("work", () => {
          begun.push(item);
          if (item === 3) throw new TuttiError("TOOL_FAILED", "three");
        }),
      { concurrency: 2 },
    ),
  );
  const tutti = await stage.open([flow]);
  expect(await errorOf(tutti.run(flow, null))).toMatchObject({ code: "TOOL_FAILED", message: "three" });
  expect(begun.length).toBeLessThanOrEqual(5);
});

test(
  "a race is won by the first, and the losers are told through their signals and do nothing more",
  verifies("C3", "D11"),
  async () => {
    const stage = openStage();
    const gate = makeGate();
    const seen: string[] = [];
    const flow = plainFlow("racing", async (run) => {
      const winner = await run.race({
        quick: (branch) => branch.step("work", () => gate.opened.then(() => "quick")),
        slow: async (branch) => {
          await branch.step("work", ({ signal }) => {
            seen.push("begun");
            return new Promise<void>((resolve) => {
              signal.addEventListener("abort", () => {
                seen.push("told");
                resolve();
              });
            });
          });
          return branch.step("more", () => seen.push("more"));
        },
        sleepy: (branch) => branch.sleep(1_000_000),
      });
      await run.step("after", () => seen.push("after"));
      return winner;
    });
    const tutti = await stage.open([flow]);
    const result = tutti.run(flow, null);
    await until(() => seen.length === 1);
    gate.open();
    expect(await result).toEqual({ name: "quick", value: "quick" });
    await takeTurns(50);
    expect(seen).toEqual(["begun", "told", "after"]);
    expect(stage.clock.due.filter((at) => at > stage.clock.now() + 10_000)).toEqual([]);
  },
);

test("a race that is lost by a failure fails with it", verifies("C3"), async () => {
  const stage = openStage();
  const flow = plainFlow("racing", (run) =>
    run.race({
      bad: (branch) =>
        branch.step("work", () => {
          throw new TuttiError("TOOL_FAILED", "bad was first");
        }),
      slow: (branch) => branch.sleep(1_000),
    }),
  );
  const tutti = await stage.open([flow]);
  expect(await errorOf(tutti.run(flow, null))).toMatchObject({ code: "TOOL_FAILED", message: "bad was first" });
});

test("a loop goes on until its condition, and counts its steps", verifies("C3"), async () => {
  const stage = openStage();
  const flow = plainFlow("looping", async (run) => {
    let quality = 0;
    for (let round = 0; quality < 5 && round < 100; round++) {
      quality = await run.step("improve", () => quality + (round % 2 === 0 ? 2 : 1));
      if (quality === 4) continue;
      await run.sleep(1_000);
    }
    return quality;
  });
  const tutti = await stage.open([flow]);
  const result = tutti.run(flow, null);
  await stage.clock.advance(10_000);
  expect(await result).toBe(5);
  expect(linesOf(stage.entries).filter((line) => line.startsWith("step-done"))).toEqual([
    "step-done /improve",
    "step-done /improve#2",
    "step-done /improve#3",
  ]);
});

interface Native {
  readonly log: readonly string[];
  readonly winner: string;
}

/** Branches that share variables without a thought, in native promises. */
async function native(run: Run, turns: (name: string) => number): Promise<Native> {
  const log: string[] = [];
  let budget = 5;
  const work = async (name: string): Promise<string> => {
    for (let round = 0; budget > 0; round++) {
      budget--;
      const left = budget;
      await run.step(name, () => takeTurns(turns(`${name}${round}`)));
      log.push(`${name} in round ${round} with ${left} left, now ${budget}`);
    }
    return name;
  };
  const branches = ["a", "b", "c"].map(work);
  const winner = await Promise.race(branches);
  log.push(`won by ${winner}`);
  await Promise.all(branches);
  return { log, winner };
}

test(
  "native Promise.race and all with shared variables come to the same on every replay",
  verifies("C3", "D2"),
  async () => {
    const stage = openStage();
    let lives = 0;
    const lived: Native[] = [];
    const flow = plainFlow("native", async (run) => {
      const life = ++lives;
      // Every life is as quick as it likes, in an order of its own: what counts is the ledger's.
      lived.push(await native(run, (name) => ((name.charCodeAt(0) + life) * 5 + name.length * 3) % 7));
      return run.wait("go");
    });
    for (let life = 0; life < 4; life++) {
      const tutti = await stage.open([flow]);
      await (await tutti.start(flow, null, { id: "r" })).settled();
    }
    expect(lived).toHaveLength(4);
    for (const one of lived) expect(one).toEqual(lived[0]);
  },
);
