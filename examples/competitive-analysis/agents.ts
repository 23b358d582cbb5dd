import { agent, type Agent } from "tutti";
import type { z } from "zod";

import { CompareTask, Comparison, Found, SearchTask } from "./shapes.ts";
import type { SearchLibrary } from "./tools.ts";

export function toResearcher(search: SearchLibrary): Agent<z.infer<typeof SearchTask>, z.infer<typeof Found>> {
  return agent({
    name: "researcher",
    does: "Finds what the library says about one aspect of one product.",
    model: "fast",
    tools: [search],
    input: SearchTask,
    output: Found,
    instructions:
      "Search under the name that you are given. Keep the one quote with a figure that says most; none is an honest answer.",
  });
}

export const comparer: Agent<z.infer<typeof CompareTask>, Comparison> = agent({
  name: "comparer",
  does: "Compares products in one aspect, by what was found.",
  model: "fast",
  input: CompareTask,
  output: Comparison,
  instructions: "One cell for each product, with the figure and the quote that it stands in. Leave out who has none.",
});
