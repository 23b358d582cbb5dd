import { flow, signal, tool } from "tutti";
import { z } from "zod";

/** A shop as it should be: doctor has nothing to say of it. */
const paid = signal({ name: "paid", payload: z.object({ amount: z.number() }) });

const charges = new Map<string, { number: string }>();

const charge = tool({
  name: "card.charge",
  does: "Charges a card.",
  input: z.object({ order: z.string(), amount: z.number() }),
  output: z.object({ number: z.string() }),
  effect: "once",
  key: ({ order }) => order,
  check: (_input, { idempotencyKey }) => charges.get(idempotencyKey),
  run: ({ order }, { idempotencyKey }) => {
    const done = { number: `C-${order}` };
    charges.set(idempotencyKey, done);
    return done;
  },
});

const price = tool({
  name: "stock.price",
  does: "Looks a price up.",
  input: z.object({ item: z.string() }),
  output: z.object({ price: z.number() }),
  effect: "read",
  timeoutMs: 5_000,
  run: ({ item }) => ({ price: item.length }),
});

export const order = flow({
  name: "order",
  version: "3",
  input: z.object({ order: z.string(), items: z.array(z.string()) }),
  output: z.object({ number: z.string() }),
  run: async (run, { order: id, items }) => {
    const prices = await run.map(items, (branch, item) => branch.call(price, { item }), {
      concurrency: 4,
      need: "all",
    });
    const amount = prices.reduce((sum, each) => sum + each.price, 0);
    const answer = await run.wait(paid, { timeoutMs: 86_400_000 });
    if (answer === undefined) return { number: "nobody paid" };
    return run.call(charge, { order: id, amount });
  },
});
