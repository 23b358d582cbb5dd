import type { Rule, RuleQuestion } from "tutti/models";
import type { Packet, PeerReply } from "tutti/teams";
import { z } from "zod";

import { Order, type Answer } from "./shapes.ts";

/** What a rule needs of the packet that its peer got. */
const Given = z.object({
  goal: z.string(),
  known: z.array(z.object({ topic: z.string(), fact: z.string() })),
  refusals: z.array(z.object({ by: z.string(), reason: z.string() })),
});
const Orders = z.object({ orders: z.array(Order) });

type Reply = { readonly answer: PeerReply<Answer> };

/** Finds the topic by its words. After a refusal, finds the order by the customer, or asks for it. */
const reception: Rule = ({ input, results }) => {
  const { goal, refusals } = Given.parse(input);
  const to = toTopic(goal);
  const order = /\b[A-Z]-\d{4}\b/u.exec(goal)?.[0];
  const customer = /From: (\S+)/u.exec(goal)?.[1] ?? "";
  if (refusals.length === 0) {
    const known = order === undefined ? [] : [{ topic: "order", fact: order, confidence: 1 }];
    return handOff({ to, reason: `It is about ${to}.`, done: ["read the ticket"], known });
  }
  const [found] = results;
  if (found === undefined) return { calls: [{ tool: "orders.find", input: { customer } }] };
  const { orders } = Orders.parse(found.result);
  const [only] = orders;
  if (only === undefined || orders.length > 1)
    return answer("reception", "Please tell us the number of your order: it begins with A.", []);
  const known = [{ topic: "order", fact: only.order, confidence: 0.8 }];
  return handOff({ to, reason: `The customer has one order, ${only.order}.`, done: ["looked the customer up"], known });
};

const billing: Rule = (question) => {
  const asked = askForOrder(question);
  if ("calls" in asked) return asked;
  const { goal, order } = asked;
  if (order === undefined) return answer("billing", "We have no order of that number. Please look again.", []);
  if (/\bapp\b/iu.test(goal))
    return handOff({
      to: "technical",
      reason: `${order.payments.length} payment is booked; the app is not ours.`,
      done: ["looked at the payments"],
      known: [],
    });
  if (/refund/iu.test(goal))
    return order.refund === null
      ? answer("billing", "Your refund is not booked yet; we will see to it.", [])
      : answer("billing", `Your refund: ${order.refund}.`, [order.refund]);
  return order.invoice === null
    ? answer("billing", "There is no invoice yet.", [])
    : answer("billing", `Your invoice for the ${order.item} is ${order.invoice}.`, [order.invoice]);
};

const shipping: Rule = (question) => {
  const asked = askForOrder(question);
  if ("calls" in asked) return asked;
  const parcel = asked.order?.parcel;
  return typeof parcel === "string"
    ? answer("shipping", `Your parcel is ${parcel}.`, [parcel])
    : answer("shipping", "Your parcel has not left us yet.", []);
};

const technical: Rule = ({ input, results }) => {
  const { goal } = Given.parse(input);
  if (/payment|charged/iu.test(goal))
    return handOff({ to: "billing", reason: "It is about a payment.", done: ["looked at the app"], known: [] });
  const [searched] = results;
  if (searched === undefined) return { calls: [{ tool: "manual.search", input: { text: goal } }] };
  const [advice] = z.object({ answers: z.array(z.string()) }).parse(searched.result).answers;
  return advice === undefined
    ? handOff({
        to: "reception",
        reason: "No manual says anything about it.",
        done: ["searched the manuals"],
        known: [],
      })
    : answer("technical", advice, [advice]);
};

export const rules = { reception, billing, shipping, technical };

function toTopic(goal: string): string {
  if (/parcel|deliver/iu.test(goal)) return "shipping";
  return /invoice|refund|charged|payment/iu.test(goal) ? "billing" : "technical";
}

type Asked =
  | { readonly calls: readonly { readonly tool: string; readonly input: unknown }[] }
  | { readonly goal: string; readonly order: Order | undefined };

/** Looks the order up that the packet names. */
function askForOrder({ input, results }: RuleQuestion): Asked {
  const { goal, known } = Given.parse(input);
  const [found] = results;
  if (found !== undefined) return { goal, order: Orders.parse(found.result).orders[0] };
  const order = known.find(({ topic }) => topic === "order")?.fact ?? "";
  return { calls: [{ tool: "orders.read", input: { order } }] };
}

function answer(by: string, text: string, leansOn: string[]): Reply {
  return { answer: { answer: { by, text, leansOn }, handOff: null } };
}

function handOff(passed: {
  readonly to: string;
  readonly reason: string;
  readonly done: readonly string[];
  readonly known: Packet["known"];
}): Reply {
  return { answer: { answer: null, handOff: { ...passed, assumed: [], missing: [] } } };
}
