import { flow, tool } from "tutti";
import { z } from "zod";

const look = tool({
  name: "map.look",
  does: "Looks something up, for money.",
  input: z.object({ place: z.string() }),
  output: z.object({ found: z.boolean() }),
  effect: "read",
  guarantees: { costUsd: 0.4 },
  run: () => ({ found: true }),
});

const ask = tool({
  ...look,
  name: "map.ask",
  guarantees: undefined,
  retry: { attemptsMax: 1 },
  run: () => {
    throw new Error("the line is dead");
  },
});

/** Spends what it has, and one call more. */
export const spending = flow({
  name: "spending",
  input: z.object({}),
  output: z.object({}),
  run: async (run) => {
    await run.call(ask, { place: "there" }).catch(() => {});
    for (const place of ["here", "there", "everywhere"]) await run.call(look, { place });
    return {};
  },
});

export const budgets = { "flow/spending": { usd: 1, calls: 50 } };
export const limits = { "tool/map.ask": { breaker: { failures: 1, openMs: 3_600_000 } } };
