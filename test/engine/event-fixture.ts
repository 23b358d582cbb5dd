import { z } from "zod";

import { openStatuses } from "../../packages/tutti/src/contracts/run-record.ts";
import type { Flow } from "../../packages/tutti/src/contracts/run.ts";
import {
  type SingleReaction,
  subscription,
  type Subscription,
} from "../../packages/tutti/src/engine/events/subscription.ts";
import type { Tutti } from "../../packages/tutti/src/engine/tutti.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import { topic } from "../../packages/tutti/src/flow/topic.ts";
import { takeTurns } from "../../packages/tutti/src/testing/manual-clock.ts";
import type { Stage } from "./engine-fixture.ts";

export const Order = z.object({ number: z.string(), amount: z.number() });
export type OrderPayload = z.infer<typeof Order>;

/** Events about orders, by the order's number. */
export const orders = topic({ name: "orders", payload: Order, key: ({ number }) => number });

export interface Reacting {
  /** The numbers of the orders that the flow was run for, in order. */
  readonly seen: string[];
  readonly flow: Flow<OrderPayload, null>;
  readonly subscription: Subscription;
}

type Choices = Partial<Pick<SingleReaction<OrderPayload, OrderPayload>, "filter" | "from" | "order">>;

/** A flow that notes each order it is run for, and its subscription of the same name. */
export function openOrders(name: string, choices: Choices = {}): Reacting {
  const seen: string[] = [];
  const reacting = flow({
    name,
    input: Order,
    output: z.null(),
    run: async (run, { number }) => run.step("note", () => (seen.push(number), null)),
  });
  return {
    seen,
    flow: reacting,
    subscription: subscription({ name, topic: orders, flow: reacting, input: (order) => order, ...choices }),
  };
}

/** Until every event was looked at and every run of a flow has ended. */
export async function settle({ ledger }: Stage, tutti: Tutti): Promise<void> {
  for (let turn = 0; turn < 400; turn++) {
    await takeTurns(10);
    const open = await ledger.listRuns({ statuses: openStatuses });
    if (open.some(({ flow: name }) => !name.startsWith("@"))) continue;
    const lags = (await tutti.events.subscriptions()).some(({ position, tail }) => position < tail - 1_000);
    if (!lags && turn > 10) return;
  }
  throw new Error("events or runs never came to their end");
}

const ship = flow({ name: "ship", input: Order, output: z.null(), run: async (run) => run.step("ship", () => null) });

/** For processes that are killed, and those that come after them. */
export const shipping = subscription({
  name: "ship",
  topic: orders,
  flow: ship,
  input: (order) => order,
  from: "beginning",
});
