import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { tool, type Tool } from "tutti";
import { z } from "zod";

import { Found, type Quote } from "./shapes.ts";

export type SearchLibrary = Tool<{ called: string; aspect: string }, z.infer<typeof Found>>;

/** Searches the documents of a folder. It knows no other names of a product: what is not called so is not found. */
export function toSearchLibrary(folder: string): SearchLibrary {
  return tool({
    name: "library.search",
    does: "Finds sentences about an aspect in the documents that name a product.",
    input: z.object({ called: z.string(), aspect: z.string() }),
    output: Found,
    effect: "read",
    async run({ called, aspect }) {
      const quotes: Quote[] = [];
      for (const source of (await readdir(folder)).filter((file) => file.endsWith(".md")).toSorted()) {
        const text = await readFile(path.join(folder, source), "utf8");
        if (!text.includes(called)) continue;
        const sentences = text.split("\n").flatMap((line) => line.split(/(?<=[.!?])\s+/u));
        const about = sentences.filter((sentence) => new RegExp(`\\b${aspect}\\b`, "iu").test(sentence));
        quotes.push(...about.map((quote) => ({ quote, source })));
      }
      return { quotes };
    },
  });
}
