import { agent, flow, type Flow, type Tool } from "tutti";
import type { Rule } from "tutti/models";
import { z } from "zod";

import { Order, Outcome, Paid, Request, toEuros, type Refund } from "./shapes.ts";

const daysMax = 30;
const dayMs = 86_400_000;

export interface ClerkTools {
  readonly readOrder: Tool<{ order: string }, Order>;
  readonly refund: Tool<Refund, Paid>;
}

/** One request: the clerk looks, decides, and pays back, as far as the policy lets it. */
export function toRefundFlow({ readOrder, refund }: ClerkTools): Flow<Request, Outcome> {
  const clerk = agent({
    name: "clerk",
    does: "Answers requests for refunds.",
    model: "fast",
    tools: [readOrder, refund],
    turnsMax: 4,
    durationMaxMs: 60_000,
    input: Request,
    output: Outcome,
    instructions: `What is broken is paid back whole, what came late its shipping, what is unwanted all but that, for ${daysMax} days. Read the order first.`,
  });
  return flow({
    name: "refund",
    does: "Answers a request for a refund.",
    input: Request,
    output: Outcome,
    run: (run, request) => run.call(clerk, request),
  });
}

/** How the clerk thinks without a language model. */
export const decide: Rule = ({ input, results }) => {
  const request = Request.parse(input);
  const [read, paid] = results;
  if (read === undefined) return { calls: [{ tool: "order.read", input: { order: request.order } }] };
  const refund = toRefund(request, Order.parse(read.result));
  if (paid === undefined && refund.amountCents > 0) return { calls: [{ tool: "bank.refund", input: refund }] };
  if (paid?.isError === true) {
    return { answer: { paidBackCents: 0, why: z.string().parse(paid.result) } satisfies Outcome };
  }
  // A person may have changed it.
  const paidBackCents = paid === undefined ? 0 : Paid.parse(paid.result).amountCents;
  return { answer: { paidBackCents, why: refund.why } satisfies Outcome };
};

function toRefund({ order, on, words }: Request, { paidCents, shippingCents, deliveredOn }: Order): Refund {
  const days = (Date.parse(on) - Date.parse(deliveredOn)) / dayMs;
  const is = (amountCents: number, why: string): Refund => ({ order, amountCents, why });
  if (days > daysMax) return is(0, `${days} days are more than ${daysMax}`);
  if (/broken|damaged|scratched/u.test(words)) return is(paidCents, `all of ${toEuros(paidCents)}: it is broken`);
  if (/late/u.test(words)) return is(shippingCents, "the shipping: it came late");
  return is(paidCents - shippingCents, "all but the shipping: it is not wanted");
}
