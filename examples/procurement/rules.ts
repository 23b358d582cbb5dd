import type { Rule, RuleQuestion, RuleReply } from "tutti/models";
import { z } from "zod";

import { Purchase, Task } from "./agents.ts";
import { Delivery, Offer, Opinion, type Decision, type Need } from "./shapes.ts";

const Deliveries = z.object({ deliveries: z.array(Delivery) });
const dayMs = 86_400_000;

/** What a specialist's judgement needs to be: the offer's file, and what the tools say about it. */
type Judge = (need: Need, results: readonly unknown[]) => Omit<Opinion, "by" | "supplier">;

/** Asks all its tools once, then judges. */
function specialist(by: string, tools: readonly string[], judge: Judge): Rule {
  return ({ input, results }: RuleQuestion): RuleReply => {
    const { need, supplier } = Task.parse(input);
    if (results.length < tools.length)
      return { calls: tools.map((tool) => ({ tool, input: { supplier, ...quantityFor(tool, need) } })) };
    const opinion: Opinion = {
      by,
      supplier,
      ...judge(
        need,
        results.map(({ result }) => result),
      ),
    };
    return { answer: opinion };
  };
}

function quantityFor(tool: string, { quantity }: Need): { quantity?: number } {
  return tool === "offer.price" ? { quantity } : {};
}

const price: Judge = ({ budget }, [priced]) => {
  const { total } = z.object({ total: z.number() }).parse(priced);
  return { score: toScore(250 * (1 - total / budget)), veto: total > budget, why: `It costs ${total} of ${budget}.` };
};

const delivery: Judge = ({ latestDays }, [offered, before]) => {
  const { deliveryDays } = Offer.parse(offered);
  const late = meanLateDays(before);
  const days = Math.round(deliveryDays + late);
  return {
    score: toScore(40 + 100 * (1 - days / latestDays)),
    veto: deliveryDays > latestDays,
    why: `It promises ${deliveryDays} days; by its record it takes ${days} of at most ${latestDays}.`,
  };
};

const compliance: Judge = ({ certificates, orderedOn }, [offered]) => {
  const valid = Offer.parse(offered).certificates.filter(({ validUntil }) => validUntil >= orderedOn);
  const missing = certificates.filter((name) => !valid.some((certificate) => certificate.name === name));
  if (missing.length > 0) return { score: 0, veto: true, why: `No valid certificate: ${missing.join(", ")}.` };
  const ends = valid.map(({ validUntil }) => validUntil).toSorted()[0] ?? orderedOn;
  const days = (Date.parse(ends) - Date.parse(orderedOn)) / dayMs;
  return { score: toScore(50 + days / 15), veto: false, why: `All certificates are valid, the first ends on ${ends}.` };
};

const risk: Judge = ({ orderedOn }, [offered, before]) => {
  const { depositPercent, foundedIn } = Offer.parse(offered);
  const late = meanLateDays(before);
  const age = Number(orderedOn.slice(0, 4)) - foundedIn;
  return {
    score: toScore(100 - depositPercent - 4 * late - (age < 3 ? 20 : 0)),
    veto: depositPercent > 50,
    why: `${depositPercent} % deposit, ${age} years old, ${Math.round(late)} days late on average.`,
  };
};

/** Plans a task for each specialist and each offer: none needs another, so all are at work at once. */
const plan: Rule = ({ input }) => {
  const request = z.object({ input: Purchase, callables: z.array(z.object({ name: z.string() })) }).parse(input);
  const tasks = request.input.suppliers.flatMap((supplier) =>
    request.callables.map(({ name }) => ({
      id: `${name}-${supplier}`,
      call: name,
      input: { need: { $from: "input.need" }, supplier },
    })),
  );
  return { answer: { name: "purchase", goal: "Every specialist judges every offer", tasks } };
};

const decide: Rule = ({ input }) => {
  const { results, input: given } = z
    .object({ input: Purchase, results: z.object({ output: z.record(z.string(), Opinion) }) })
    .parse(input);
  const opinions = Object.values(results.output);
  const excluded = opinions.filter(({ veto }) => veto);
  const isOut = (supplier: string): boolean => excluded.some((opinion) => opinion.supplier === supplier);
  const ranking = given.suppliers
    .filter((supplier) => !isOut(supplier))
    .map((supplier) => ({ supplier, score: weigh(opinions, supplier, given.need) }))
    .toSorted((left, right) => right.score - left.score);
  const [best] = ranking;
  const dissent = Object.keys(given.need.weights).flatMap((by) => {
    const favourite = opinions
      .filter((opinion) => opinion.by === by)
      .toSorted((left, right) => right.score - left.score)[0];
    return favourite === undefined || favourite.supplier === best?.supplier ? [] : [favourite];
  });
  const decision: Decision = {
    choice: best?.supplier ?? null,
    why:
      best === undefined
        ? "every offer has a veto"
        : `it has the highest score of those without a veto, ${best.score} of 100`,
    ranking,
    excluded,
    dissent,
    opinions,
  };
  return { answer: decision };
};

export const rules = {
  price: specialist("price", ["offer.price"], price),
  delivery: specialist("delivery", ["offer.read", "deliveries.read"], delivery),
  compliance: specialist("compliance", ["offer.read"], compliance),
  risk: specialist("risk", ["offer.read", "deliveries.read"], risk),
  "buyer.planner": plan,
  "buyer.synthesis": decide,
};

function weigh(opinions: readonly Opinion[], supplier: string, { weights }: Need): number {
  const about = opinions.filter((opinion) => opinion.supplier === supplier);
  return Math.round(about.reduce((sum, { by, score }) => sum + score * (weights[by] ?? 0), 0));
}

function meanLateDays(before: unknown): number {
  const { deliveries } = Deliveries.parse(before);
  const late = deliveries.map(({ promisedDays, tookDays }) => Math.max(0, tookDays - promisedDays));
  return late.length === 0 ? 0 : late.reduce((sum, days) => sum + days, 0) / late.length;
}

function toScore(value: number): number {
  return Math.round(Math.min(100, Math.max(0, value)));
}
