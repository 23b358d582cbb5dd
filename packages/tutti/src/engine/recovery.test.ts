import { expect, onTestFinished, test, vi } from "vitest";

import { restoreLedger } from "../../../../test/crash/restore.ts";
import { openTickClock } from "../../../../test/crash/tick-clock.ts";
import {
  anything,
  errorOf,
  linesOf,
  makeGate,
  makeLedgerFile,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { Agent, Flow } from "../contracts/run.ts";
import { openManualClock, takeTurns } from "../testing/manual-clock.ts";
import { openTutti } from "./open-tutti.ts";

interface TwoLives {
  readonly flow: Flow;
  readonly executed: readonly string[];
  /** Lets the second step of the first life return. */
  readonly late: ReturnType<typeof makeGate>;
}

function twoLives(): TwoLives {
  const executed: string[] = [];
  const late = makeGate();
  let lives = 0;
  const flow = plainFlow("work", async (run) => {
    const life = ++lives;
    const first = await run.step("first", () => {
      executed.push(`first in life ${life}`);
      return 1;
    });
    return run.step("second", async () => {
      executed.push(`second in life ${life}`);
      if (life === 1) await late.opened;
      return `${first + 1} from life ${life}`;
    });
  });
  return { flow, executed, late };
}

const inBothLives = ["first in life 1", "second in life 1", "second in life 2"];

test("a run whose engine was abandoned goes on by itself in the next one", verifies("D1", "D2"), async () => {
  const stage = openStage();
  const { flow, executed } = twoLives();
  const first = await stage.open([flow]);
  await first.start(flow, null, { id: "r" });
  await until(() => executed.length === 2);
  const second = await stage.open([flow]);
  await until(() => stage.entries.at(-1)?.kind === "run-done");
  expect(await (await second.open("r")).result()).toBe("2 from life 2");
  expect(executed).toEqual(inBothLives);
});

test("an engine that lost its run to another can't write any more, and says so", verifies("D1"), async () => {
  const stage = openStage();
  const { flow, executed, late } = twoLives();
  const first = await stage.open([flow]);
  const refused = errorOf((await first.start(flow, null, { id: "r" })).result());
  await until(() => executed.length === 2);
  const second = await stage.open([flow]);
  late.open();
  expect(await (await second.open("r")).result()).toBe("2 from life 2");
  expect(await refused).toMatchObject({ code: "LEDGER_FENCED" });
  expect(linesOf(stage.entries)).toEqual(["run-started", "step-done /first", "step-done /second", "run-done"]);
});

test("a run in a file goes on after its engine was closed in the middle", verifies("D1", "D2"), async () => {
  const ledger = await makeLedgerFile();
  const { flow, executed, late } = twoLives();
  const clock = openManualClock();
  const first = await openTutti({ flows: [flow], ledger, clock });
  await first.start(flow, null, { id: "r" });
  await until(() => executed.length === 2);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const closing = { isOver: false };
  void first.close().then(() => (closing.isOver = true));
  // Nobody waits longer than the grace for a step that hangs.
  for (let turn = 0; !closing.isOver && turn < 10_000; turn++) {
    await takeTurns(5);
    vi.advanceTimersByTime(1_000);
  }
  expect(closing.isOver).toBe(true);
  late.open();
  await takeTurns(5);

  const second = await openTutti({ flows: [flow], ledger, clock });
  expect(await (await second.open("r")).result()).toBe("2 from life 2");
  expect(executed).toEqual(inBothLives);
  await second.close();
});

test(
  "closing lets a step that is going on be recorded, so that it is not done again",
  verifies("D1", "D2"),
  async () => {
    const ledger = await makeLedgerFile();
    const { flow, executed, late } = twoLives();
    const first = await openTutti({ flows: [flow], ledger });
    await first.start(flow, null, { id: "r" });
    await until(() => executed.length === 2);
    const closed = first.close();
    late.open();
    await closed;
    const second = await openTutti({ flows: [flow], ledger });
    expect(await (await second.open("r")).result()).toBe("2 from life 1");
    expect(executed).toEqual(["first in life 1", "second in life 1"]);
    await second.close();
  },
);

test("without `recover` open runs wait until somebody asks for them", verifies("D1"), async () => {
  const stage = openStage();
  const { flow, executed } = twoLives();
  const first = await stage.open([flow]);
  await first.start(flow, null, { id: "r" });
  await until(() => executed.length === 2);
  const second = await stage.open([flow], { recover: false });
  await takeTurns(50);
  expect(executed).toHaveLength(2);
  expect(await (await second.open("r")).result()).toBe("2 from life 2");
});

/** Everything that one life of a run left, and how often each step was executed in it. */
interface Life {
  readonly entries: readonly LedgerEntry[];
  readonly executed: readonly string[];
  readonly output: unknown;
}

async function live(toFlow: (executed: string[]) => Flow, past: readonly LedgerEntry[]): Promise<Life> {
  const clock = openTickClock((past.at(-1)?.at ?? 1_000) + 1);
  const entries: LedgerEntry[] = [];
  const executed: string[] = [];
  const flow = toFlow(executed);
  const ledger = await restoreLedger(past, { clock, onEntry: (entry) => entries.push(entry) });
  const tutti = await openTutti({ flows: [flow], ledger, clock });
  const handle = await tutti.start(flow, null, { id: "r" });
  const output = await handle.result();
  await tutti.close();
  clock.stop();
  return { entries, executed, output };
}

/** Recovers a run at every entry of its past. What a step that was recorded did twice, and every other end, is told. */
async function findWrongs(toFlow: (executed: string[]) => Flow): Promise<readonly string[]> {
  const whole = await live(toFlow, []);
  const wrongs: string[] = [];
  for (let cut = 1; cut <= whole.entries.length; cut++) {
    const past = whole.entries.slice(0, cut);
    const again = await live(toFlow, past);
    const recorded = new Set(past.filter((entry) => entry.kind === "step-done").map((entry) => entry.key));
    const [is, was] = [JSON.stringify(again.output), JSON.stringify(whole.output)];
    if (is !== was) wrongs.push(`recovered at entry ${cut} the output is ${is} instead of ${was}`);
    for (const key of again.executed) if (recorded.has(key)) wrongs.push(`recovered at entry ${cut} ${key} ran again`);
    if (again.executed.length + recorded.size !== whole.executed.length)
      wrongs.push(`recovered at entry ${cut} ${again.executed.length} steps ran, ${recorded.size} were recorded`);
  }
  return whole.entries.length < 5 ? [...wrongs, "the run was too short to prove anything"] : wrongs;
}

const branches = ["a", "b", "c"];

/** Deterministic, and different for each branch and step: later ones often finish first. */
const turnsOf = (branch: string, index: number): number => ((branch.charCodeAt(0) * 7 + index * 11) % 5) * 2;

test(
  "three native branches with the same step names: wherever a recovery comes, no step runs twice and no branch gets another's result",
  verifies("D2"),
  async () => {
    const wrongs = await findWrongs((executed) =>
      plainFlow("branches", (run) =>
        Promise.all(
          branches.map(async (branch) => {
            const outputs: string[] = [];
            for (let index = 0; index < 3; index++) {
              const output = await run.step("callModel", async ({ step }) => {
                executed.push(step);
                await takeTurns(turnsOf(branch, index));
                return `${branch}${index}`;
              });
              outputs.push(output);
            }
            expect(outputs).toEqual([0, 1, 2].map((index) => `${branch}${index}`));
            return outputs;
          }),
        ),
      ),
    );
    expect(wrongs).toEqual([]);
  },
);

test("a sequence and named branches never run a recorded step again", verifies("D2"), async () => {
  const wrongs = await findWrongs((executed) => {
    const work = async ({ step }: { readonly step: string }): Promise<string> => {
      executed.push(step);
      await takeTurns(turnsOf(step, step.length));
      return step;
    };
    return plainFlow("mixed", async (run) => {
      const first = await run.step("same", work);
      const joined = await run.all({
        left: async (left) => [await left.step("same", work), await left.step("same", work)],
        right: async (right) => [await right.step("same", work), await right.step("same", work)],
      });
      const mapped = await run.map(
        [1, 2, 3],
        (inner, item) => inner.step("same", () => work({ step: `${inner.path}/same` }).then(() => item)),
        { concurrency: 2 },
      );
      return [first, joined, [...mapped], await run.step("same", work)];
    });
  });
  expect(wrongs).toEqual([]);
});

test("a turn of an agent that was paid for is never paid for again", verifies("D2"), async () => {
  const wrongs = await findWrongs((executed) => {
    const agent: Agent = {
      kind: "agent",
      name: "thinker",
      version: "1",
      does: "Thinks.",
      input: anything,
      output: anything,
      tools: [],
      async act(run) {
        const turns: unknown[] = [];
        for (let turn = 0; turn < 3; turn++) {
          turns.push(
            await run.step("model", ({ step }) => {
              executed.push(step);
              return `turn ${turn}`;
            }),
          );
        }
        return { output: turns, usage: { modelCalls: 3, inputTokens: 1, outputTokens: 1 } };
      },
    };
    return plainFlow("team", async (run) => {
      const both = await Promise.all([run.result(agent, "one"), run.result(agent, "two")]);
      return both.map(({ output, usage }) => ({ output, usage }));
    });
  });
  expect(wrongs).toEqual([]);
});

const toDraws = (): Flow =>
  plainFlow("draws", async (run) => {
    const drawn = [run.now(), run.random(), run.uuid()];
    run.note("drawn", { count: 3 });
    await run.step("between", () => 1);
    return [...drawn, run.random()];
  });

test("values drawn for a flow and its notes are the same after every recovery", verifies("D2", "O1"), async () => {
  const whole = await live(toDraws, []);
  const complete = 3 + 1 + 1 + 1; // three values, a note, a step, a value
  for (let cut = 1 + complete; cut >= 1; cut--) {
    const past = whole.entries.slice(0, cut);
    const again = await live(toDraws, past);
    expect(linesOf([...again.entries])).toEqual(linesOf(whole.entries));
    const values = past.flatMap((entry) => (entry.kind === "value-drawn" ? [JSON.parse(entry.body).value] : []));
    const seen = JSON.parse(again.entries.at(-1)?.body ?? "{}").out;
    expect(seen.slice(0, Math.min(3, values.length))).toEqual(values.slice(0, 3));
  }
});
