import { appendFileSync } from "node:fs";

import { agent, tool } from "tutti";
import { z } from "zod";

/** Leaves a line in a file, once per slug. */
export const publish = tool({
  name: "page.publish",
  does: "Publishes a page and returns its address.",
  input: z.object({ slug: z.string(), text: z.string().default("") }),
  output: z.object({ url: z.string() }),
  effect: "once",
  key: ({ slug }) => slug,
  needs: [{ name: "the page has a slug", check: ({ slug }) => slug !== "" }],
  ensures: [{ name: "the address is under /pages", check: ({ url }) => url.startsWith("/pages/") }],
  retry: { attemptsMax: 3 },
  timeoutMs: 30_000,
  run: ({ slug }) => {
    appendFileSync("published.txt", `${slug}\n`);
    return { url: `/pages/${slug}` };
  },
});

const search = tool({
  name: "page.search",
  does: "Finds pages.",
  input: z.object({ words: z.string() }),
  // No JSON Schema can say what this is.
  output: z.object({ found: z.date() }),
  effect: "read",
  run: ({ words }) => ({ found: new Date(words) }),
});

export const librarian = agent({
  name: "librarian",
  does: "Finds what there is.",
  model: "fast",
  tools: [search],
  input: z.object({ question: z.string() }),
  output: z.string(),
  instructions: "",
});
