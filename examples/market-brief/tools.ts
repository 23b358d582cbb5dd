import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { tool, TuttiError, type Tool } from "tutti";
import { z } from "zod";

export type ReadSource = Tool<{ source: string }, { text: string }>;

/** Fetches a source. One that is down, or too slow, fails by itself: nobody else waits for it longer than this. */
export function toReadSource(url: string, timeoutMs = 3_000): ReadSource {
  return tool({
    name: "source.read",
    does: "Returns the text of a source.",
    input: z.object({ source: z.string() }),
    output: z.object({ text: z.string() }),
    effect: "read",
    timeoutMs,
    retry: { attemptsMax: 2, delayMs: 50 },
    async run({ source }, { signal }) {
      const response = await fetch(`${url}/${encodeURIComponent(source)}`, { signal });
      if (response.ok) return { text: await response.text() };
      await response.body?.cancel();
      const code = response.status >= 500 ? "TOOL_UNAVAILABLE" : "TOOL_FAILED";
      throw new TuttiError(code, `the source ${source} answered ${response.status}`, {
        hint: "Look at `answers` in sources.json.",
      });
    },
  });
}

/** Writes the brief as a file; twice is as good as once. */
export function toPublish(folder: string): Tool<{ name: string; text: string }, { path: string }> {
  return tool({
    name: "brief.publish",
    does: "Writes a brief into the folder of briefs and returns its path.",
    input: z.object({ name: z.string().regex(/^[\w-]+$/), text: z.string() }),
    output: z.object({ path: z.string() }),
    effect: "idempotent",
    async run({ name, text }) {
      const file = path.join(folder, `${name}.md`);
      await mkdir(folder, { recursive: true });
      await writeFile(file, text, { flush: true });
      return { path: file };
    },
  });
}
