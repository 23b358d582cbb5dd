import { flow } from "tutti";
import { z } from "zod";

/** Two steps and an answer: the smallest run there is. */
export const greeting = flow({
  name: "greeting",
  input: z.object({ name: z.string().default("world") }),
  output: z.object({ text: z.string() }),
  run: async (run, { name }) => {
    const word = await run.step("choose", () => "hello");
    return run.step("say", () => ({ text: `${word} ${name}` }));
  },
});
