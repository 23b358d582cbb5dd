import { flow } from "tutti";
import { z } from "zod";

const input = z.object({});

/** Waits for a person. */
export const asking = flow({
  name: "asking",
  input,
  output: z.string(),
  run: async (run) => `answered: ${await run.wait<string>("answer")}`,
});

/** Fails in its second step. */
export const failing = flow({
  name: "failing",
  input,
  output: z.string(),
  run: async (run) => {
    await run.step("fine", () => 1);
    return run.step("bad", () => {
      throw new Error("there is no paper");
    });
  },
});

/** Prints something dangerous wherever it can. */
export const hostile = flow({
  name: "hostile",
  input,
  output: z.string(),
  run: async (run) => {
    run.note("\u001B[2J\u001B]0;owned\u0007note");
    await run.step("title", () => "\u001B]0;owned\u0007\u001B[31mred\u009B2J");
    return "done\u001B[2J";
  },
});

/** Goes on for about ten seconds, in many short steps and several branches. */
export const slow = flow({
  name: "slow",
  input: z.object({ steps: z.number().default(40), pauseMs: z.number().default(100) }),
  output: z.number(),
  run: async (run, { steps, pauseMs }) => {
    const done = await run.map(
      Array.from({ length: steps }, (_, index) => index),
      (branch, index) =>
        branch.step("work", () => new Promise<number>((resolve) => setTimeout(resolve, pauseMs, index))),
      { concurrency: 4 },
    );
    return done.length;
  },
});

/** Sleeps for a time that can be given. */
export const sleeping = flow({
  name: "sleeping",
  input: z.object({ ms: z.number() }),
  output: z.string(),
  run: async (run, { ms }) => {
    await run.sleep(ms);
    return "awake";
  },
});

/** Asks through a child. */
export const parenting = flow({
  name: "parenting",
  input,
  output: z.string(),
  run: async (run) => run.call(asking, {}),
});

/** Prints to the terminal while it is drawn on. */
export const noisy = flow({
  name: "noisy",
  input,
  output: z.string(),
  run: async (run) => {
    for (let index = 0; index < 5; index++) {
      await run.step(`part-${index}`, async () => {
        process.stdout.write(index % 2 === 0 ? `out ${index}\n` : `out ${index}`);
        process.stderr.write(`err ${index}\n`);
        await new Promise((resolve) => setTimeout(resolve, 300));
      });
    }
    return "quiet now";
  },
});

/** Awaits something that the ledger does not know. */
export const careless = flow({
  name: "careless",
  input,
  output: z.string(),
  run: async (run) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return run.step("late", () => "never");
  },
});
