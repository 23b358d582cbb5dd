import { appendFileSync, existsSync, readFileSync } from "node:fs";

import { agent, flow, tool, TuttiError, type Flow } from "tutti";
import { z } from "zod";

import { Advice, Finding, Place } from "./shapes.ts";

export const ScoutInput = z.object({ place: z.string() });
export const AdviserInput = z.object({ question: z.string(), findings: z.array(Finding) });
export const Question = z.object({ question: z.string(), places: z.array(z.string()) });

/** Looks at one place after the other, advises, and sends the advice. What people say meanwhile reaches each agent by itself. */
export function toResearch(places: readonly Place[], letters: string): Flow<z.infer<typeof Question>, Advice> {
  const look = tool({
    name: "place.look-up",
    does: "Says what a workshop costs in a place.",
    input: ScoutInput,
    output: Place,
    effect: "read",
    run({ place }) {
      const found = places.find((each) => each.place === place);
      if (found === undefined) throw new TuttiError("TOOL_FAILED", `nothing is known of ${place}`);
      return found;
    },
  });
  const send = tool({
    name: "advice.send",
    does: "Sends an advice to the board.",
    input: Advice,
    output: z.object({ sent: z.boolean() }),
    effect: "once",
    key: (advice) => JSON.stringify(advice), // the same advice is sent once
    check: (advice) =>
      readLetters(letters).some((sent) => JSON.stringify(sent) === JSON.stringify(advice)) ? { sent: true } : undefined,
    run(advice) {
      appendFileSync(letters, `${JSON.stringify(advice)}\n`, { flush: true });
      return { sent: true };
    },
  });
  const scout = agent({
    name: "scout",
    does: "Finds out what a workshop would cost in one place.",
    model: "fast",
    tools: [look],
    input: ScoutInput,
    output: Finding,
    instructions: "Look the place up and add rent and wages. A place that people rule out has no costs.",
  });
  const adviser = agent({
    name: "adviser",
    does: "Chooses the cheapest place that people allow.",
    model: "fast",
    input: AdviserInput,
    output: Advice,
    instructions: "Choose by costs. Name what you passed over, and what people said.",
  });
  return flow({
    name: "research",
    does: "Advises on a place.",
    input: Question,
    output: Advice,
    async run(run, { question, places: asked }) {
      const findings: Finding[] = [];
      for (const place of asked) findings.push(await run.call(scout, { place }));
      const advice = await run.call(adviser, { question, findings });
      // From here on the flow relies on the directive, too: were there a newer one, the advice would not be sent.
      const { constraints } = run.directive();
      if (constraints.join() !== advice.under.join()) throw new Error("the advice was given under another directive");
      await run.call(send, advice);
      return advice;
    },
  });
}

/** What was sent to the board. */
export function readLetters(letters: string): Advice[] {
  if (!existsSync(letters)) return [];
  const lines = readFileSync(letters, "utf8").trim().split("\n");
  return lines.map((line) => Advice.parse(JSON.parse(line)));
}
