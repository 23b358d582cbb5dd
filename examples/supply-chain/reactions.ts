import { flow, subscription, type Run, type Subscription } from "tutti";
import { z } from "zod";

import { buyer, carer } from "./agents.ts";
import type { Outbox } from "./outbox.ts";
import {
  Delay,
  delayTopic,
  Shortage,
  shortageTopic,
  situation,
  Stock,
  stockTopic,
  type CustomerOrder,
  type Part,
} from "./shapes.ts";

export interface House {
  readonly parts: readonly Part[];
  readonly orders: readonly CustomerOrder[];
  readonly outbox: Outbox;
}

export const quietMinutes = 5;

/** Who reacts to what. Each subscription has its own place in its topic. */
export function toReactions(house: House): Subscription[] {
  const none = z.object({});
  const watchStock = flow({
    name: "watch-stock",
    input: z.array(Stock).min(1),
    output: none,
    run: (run, readings) => learn(run, house, { stock: readings.toSorted((left, right) => right.at - left.at)[0] }),
  });
  const watchDelays = flow({
    name: "watch-delays",
    input: Delay,
    output: none,
    run: (run, delay) => learn(run, house, { delay }),
  });
  const buy = flow({
    name: "buy",
    input: Shortage,
    output: none,
    async run(run, shortage) {
      const facts = toFacts(house, shortage);
      const { pieces, late } = await run.call(buyer, facts);
      const { part, shipment } = shortage;
      await run.call(house.outbox.purchase, { part, shipment, supplier: facts.part.supplier, pieces });
      await notify(run, house, { shortage, late });
      return {};
    },
  });
  const care = flow({
    name: "care",
    input: Shortage,
    output: none,
    async run(run, shortage) {
      const { late } = await run.call(carer, toFacts(house, shortage));
      await notify(run, house, { shortage, late });
      return {};
    },
  });
  const isKnown = ({ part }: { readonly part: string }): boolean => house.parts.some((each) => each.part === part);
  return [
    subscription({
      name: "watch-stock",
      topic: stockTopic,
      flow: watchStock,
      filter: isKnown,
      collect: { quietMs: quietMinutes * 60_000, windowMs: 30 * 60_000 }, // a burst of readings is looked at once
      input: (readings) => [...readings],
    }),
    subscription({
      name: "watch-delays",
      topic: delayTopic,
      flow: watchDelays,
      filter: isKnown,
      input: (delay) => delay,
    }),
    subscription({ name: "buy", topic: shortageTopic, flow: buy, input: (shortage) => shortage }),
    subscription({ name: "care", topic: shortageTopic, flow: care, input: (shortage) => shortage }),
  ];
}

interface News {
  readonly stock?: Stock | undefined;
  readonly delay?: Delay | undefined;
}

/** Puts news beside what is known of the part. Old news changes nothing; a delay and a low stock together are a shortage, announced once. */
async function learn(run: Run, { parts }: House, { stock, delay }: News): Promise<Record<string, never>> {
  const name = stock?.part ?? delay?.part ?? "";
  const reorderAt = parts.find(({ part }) => part === name)?.reorderAt ?? 0;
  const shortage = await run.transact(async (transaction): Promise<Shortage | null> => {
    const known = transaction.document(situation, name);
    const { value: before } = await known.read();
    const now = { ...before, stock: newest(before.stock, stock), delay: newest(before.delay, delay) };
    const isShort =
      now.stock !== null && now.delay !== null && now.stock.level <= reorderAt && now.delay.shipment !== now.announced;
    await known.write(isShort ? { ...now, announced: now.delay?.shipment ?? null } : now);
    if (!isShort || now.stock === null || now.delay === null) return null;
    return { part: name, shipment: now.delay.shipment, level: now.stock.level, days: now.delay.days };
  });
  if (shortage !== null) await run.publish(shortageTopic, shortage);
  return {};
}

function newest<Reading extends { readonly at: number }>(
  before: Reading | null,
  now: Reading | undefined,
): Reading | null {
  return now === undefined || (before !== null && before.at >= now.at) ? before : now;
}

function toFacts(
  { parts, orders }: House,
  shortage: Shortage,
): { shortage: Shortage; part: Part; orders: CustomerOrder[] } {
  const part = parts.find((each) => each.part === shortage.part);
  if (part === undefined) throw new Error(`no part ${shortage.part}`);
  return { shortage, part, orders: orders.filter((order) => order.part === shortage.part) };
}

async function notify(
  run: Run,
  { orders, outbox }: House,
  { shortage, late }: { readonly shortage: Shortage; readonly late: readonly string[] },
): Promise<void> {
  await run.map(
    orders.filter(({ order }) => late.includes(order)),
    (branch, { order, customer }) =>
      branch.call(outbox.notify, { order, customer, shipment: shortage.shipment, days: shortage.days }),
    { name: "customers" },
  );
}
