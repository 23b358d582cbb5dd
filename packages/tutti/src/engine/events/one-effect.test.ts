import { expect, test } from "vitest";
import { z } from "zod";

import { bodiesOf, openStage } from "../../../../../test/engine/engine-fixture.ts";
import { Order, orders, settle } from "../../../../../test/engine/event-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { Flow } from "../../contracts/run.ts";
import { flow } from "../../flow/flow.ts";
import { tool } from "../../tools/tool.ts";
import { subscription } from "./subscription.ts";

test("two flows that react to one event with the same action share one effect", verifies("C9", "D4"), async () => {
  const stage = openStage();
  const sent: string[] = [];
  const notify = tool({
    name: "customer.notify",
    does: "Tells a customer that an order is late.",
    input: z.object({ number: z.string() }),
    output: z.object({ sent: z.string() }),
    effect: "once",
    key: ({ number }) => number,
    run: ({ number }) => (sent.push(number), { sent: number }),
  });
  const reacting = (name: string): Flow<z.infer<typeof Order>, string> =>
    flow({
      name,
      input: Order,
      output: z.string(),
      run: async (run, { number }) => (await run.call(notify, { number })).sent,
    });
  const on = ["support", "logistics"].map((name) =>
    subscription({ name, topic: orders, flow: reacting(name), input: (order) => order }),
  );
  const tutti = await stage.open([], { on });
  await tutti.publish(orders, { number: "late", amount: 1 });
  await settle(stage, tutti);
  expect(sent).toEqual(["late"]);
  expect(bodiesOf(stage.entries, "effect-shared")).toMatchObject([{ out: { sent: "late" } }]);
  expect((await tutti.runs({ statuses: ["done"] })).map(({ flow: name }) => name).toSorted()).toEqual([
    "logistics",
    "support",
  ]);
});

test("a run that an event from outside has started is not trusted", verifies("G16"), async () => {
  const stage = openStage();
  const reaction = flow({ name: "reaction", input: Order, output: Order, run: async (_, order) => order });
  const one = subscription({ name: "one", topic: orders, flow: reaction, input: (order) => order });
  const tutti = await stage.open([], { on: [one] });
  await tutti.publish(orders, { number: "a", amount: 1 });
  await settle(stage, tutti);
  const started = bodiesOf(stage.entries, "run-started").filter((body) => body.flow === "reaction");
  expect(started).toMatchObject([{ labels: ["untrusted"] }]);
});
