import { flow, tool } from "tutti";
import { runPlan } from "tutti/plans";
import { z } from "zod";

const Text = z.object({ text: z.string() });

export const find = tool({
  name: "find",
  does: "Finds what is known.",
  input: Text,
  output: Text,
  effect: "read",
  reads: ["site"],
  run: ({ text }) => ({ text: `found ${text}` }),
});

export const publish = tool({
  name: "publish",
  does: "Publishes a text.",
  input: Text,
  output: Text,
  effect: "once",
  writes: ["site"],
  run: ({ text }) => ({ text: `published ${text}` }),
});

/** Waits until it is told to go on. */
const asking = flow({
  name: "asking",
  does: "Asks a person.",
  input: Text,
  output: Text,
  run: async (run) => ({ text: await run.wait<string>("answer") }),
});

const plan = {
  name: "brief",
  goal: "A page about tea",
  tasks: [
    { id: "find", call: "find", input: { text: { $from: "input.topic" } } },
    { id: "cocoa", call: "find", when: { value: "find.text", is: "contains", to: "cocoa" }, input: { text: "cocoa" } },
    { id: "ask", call: "asking", input: { text: { $from: "find.text" } } },
    { id: "publish", call: "publish", input: { text: { $from: "ask.text" } } },
  ],
};

export const planned = flow({
  name: "planned",
  input: z.object({ topic: z.string().default("tea") }),
  output: z.unknown(),
  run: async (run, input) => (await runPlan(run, plan, { callables: [find, publish, asking], input })).output,
});
export { asking };
