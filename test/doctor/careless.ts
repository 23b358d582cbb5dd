import { flow, tool } from "tutti";
import { z } from "zod";

/** A shop with faults, for doctor to find: what it declares is computed, so only loading the file shows some of them. */
const usual = { retry: { attemptsMax: 3 } };

const charge = tool({
  ...usual,
  name: "card.charge",
  does: "Charges a card.",
  input: z.object({ order: z.string() }),
  output: z.object({ number: z.string() }),
  effect: "once",
  run: ({ order }) => ({ number: `C-${order}` }),
});

export const tools = [charge];

export const order = flow({
  name: "order",
  input: z.object({ order: z.string() }),
  output: z.object({ number: z.string() }),
  run: async (run, { order: id }) => {
    run.note(`asked at ${Date.now()}`);
    await run.wait("paid");
    return run.call(charge, { order: id });
  },
});
