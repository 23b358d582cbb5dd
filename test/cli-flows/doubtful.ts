import { flow, tool } from "tutti";
import { z } from "zod";

/** Nobody can know whether this letter left: it times out, and can't be asked. */
export const letter = tool({
  name: "letter.send",
  does: "Sends a letter.",
  input: z.object({ to: z.string() }),
  output: z.object({ receipt: z.string() }),
  effect: "once",
  key: ({ to }) => to,
  timeoutMs: 50,
  run: () => new Promise<{ receipt: string }>(() => {}),
});

export const mailing = flow({
  name: "mailing",
  input: z.object({ to: z.string() }),
  output: z.string(),
  run: async (run, { to }) => {
    const { receipt } = await run.call(letter, { to });
    return `sent: ${receipt}`;
  },
});
