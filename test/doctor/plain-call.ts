import { agent, flow } from "tutti";
import { z } from "zod";

const translator = agent({
  name: "translator",
  does: "Translates a text.",
  model: "fast",
  input: z.object({ text: z.string() }),
  output: z.object({ text: z.string() }),
  instructions: "Translate into French.",
});

export const translate = flow({
  name: "translate",
  input: z.object({ text: z.string() }),
  output: z.object({ text: z.string() }),
  run: (run, input) => run.call(translator, input),
});
