import { agent, type Agent } from "tutti";
import { z } from "zod";

import type { ReadSource } from "./tools.ts";

export const Finding = z.object({
  topic: z.string(),
  source: z.string().describe("The source's name, as it was given."),
  quote: z.string().describe("One sentence, copied word for word."),
});
export type Finding = z.infer<typeof Finding>;

export const Claim = z.object({
  topic: z.string(),
  text: z.string().describe("One statement, which the quotes prove."),
  figures: z.array(z.string()).describe("The figures in it, as the quotes have them."),
  quotes: z.array(Finding).min(1),
});
export type Claim = z.infer<typeof Claim>;

export const ReaderInput = z.object({ market: z.string(), topics: z.array(z.string()), source: z.string() });
export const WriterInput = z.object({ topic: z.string(), findings: z.array(Finding), sources: z.number().int() });

export function toReader(readSource: ReadSource): Agent<z.infer<typeof ReaderInput>, { findings: Finding[] }> {
  return agent({
    name: "reader",
    does: "Reads one source and quotes what it says about each topic.",
    model: "fast",
    tools: [readSource],
    input: ReaderInput,
    output: z.object({ findings: z.array(Finding) }),
    instructions: "Read the source once. Quote at most two sentences for each topic; none is an honest answer.",
  });
}

export const writer: Agent<z.infer<typeof WriterInput>, Claim> = agent({
  name: "writer",
  does: "Makes one claim about a topic from what several sources say.",
  model: "fast",
  input: WriterInput,
  output: Claim,
  instructions: "Say in how many sources it stands, and where they differ. Use every quote that supports the claim.",
});
