import { appendFileSync, existsSync, readFileSync } from "node:fs";

import { tool, TuttiError } from "tutti";
import { z } from "zod";

import type { ClerkTools } from "./clerk.ts";
import { Order, Paid, Refund, toEuros, type Order as OrderType } from "./shapes.ts";

const Line = Refund.extend({ receipt: z.string() });
export type Line = z.infer<typeof Line>;

/** Orders to look at, and a bank that is a file of lines: it pays whatever it is told, also twice. */
export function toTools(orders: readonly OrderType[], bank: string): ClerkTools {
  return {
    readOrder: tool({
      name: "order.read",
      does: "Says what was ordered, paid and delivered when.",
      input: z.object({ order: z.string() }),
      output: Order,
      effect: "read",
      run({ order }) {
        const found = orders.find((each) => each.order === order);
        if (found === undefined) throw new TuttiError("TOOL_FAILED", `there is no order ${order}`);
        return found;
      },
    }),
    refund: tool({
      name: "bank.refund",
      does: "Pays money back for an order.",
      input: Refund,
      output: Paid,
      effect: "once",
      key: ({ order }) => order, // an order is paid back once
      preview: ({ order, amountCents, why }) => `${toEuros(amountCents)} euros go back for ${order}: ${why}`,
      run(refund) {
        const receipt = `b-${readBank(bank).length + 1}`;
        appendFileSync(bank, `${JSON.stringify({ ...refund, receipt })}\n`, { flush: true });
        return { receipt, amountCents: refund.amountCents };
      },
      check: ({ order }) => readBank(bank).find((line) => line.order === order),
    }),
  };
}

/** What the bank has paid. */
export function readBank(bank: string): Line[] {
  if (!existsSync(bank)) return [];
  const lines = readFileSync(bank, "utf8").trim().split("\n");
  return lines.map((line) => Line.parse(JSON.parse(line)));
}
