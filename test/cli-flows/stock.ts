import { document, flow } from "tutti";
import { z } from "zod";

const Stock = z.object({ left: z.number() });
const stock = document({ name: "stock", value: Stock, initial: { left: 10 } });

export const take = flow({
  name: "take",
  input: z.object({}),
  output: Stock,
  run: (run) => run.document(stock, "apples").change(({ left }) => ({ left: left - 1 })),
});
