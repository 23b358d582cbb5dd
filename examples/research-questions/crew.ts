import { fork, type ChildProcess } from "node:child_process";
import path from "node:path";

import { z } from "zod";

import { Answer } from "./finder.ts";

export const Work = z.object({ id: z.string(), fence: z.number(), question: z.string() });
export type Work = z.infer<typeof Work>;

const Said = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready") }),
  z.object({ kind: z.literal("begun"), id: z.string(), fence: z.number() }),
  z.object({ kind: z.literal("answered"), id: z.string(), fence: z.number(), answer: Answer }),
]);
export type Said = z.infer<typeof Said>;

/** Agents as processes. They hold no ledger: what they say counts only as far as the board accepts it. */
export interface Crew {
  give(name: string, work: Work): void;
  /** Ends one by SIGKILL, wherever it is. */
  kill(name: string): void;
  close(): void;
}

/** Resolves when all have said that they are ready. */
export async function openCrew(
  names: readonly string[],
  { library, onSaid }: { readonly library: string; readonly onSaid: (name: string, said: Said) => void },
): Promise<Crew> {
  const children = new Map<string, ChildProcess>();
  const ready = names.map((name) => {
    const child = fork(path.join(import.meta.dirname, "worker.ts"), [library]);
    children.set(name, child);
    return new Promise<void>((resolve, reject) => {
      child.on("error", reject);
      child.on("message", (message) => {
        const said = Said.parse(message);
        if (said.kind === "ready") resolve();
        else onSaid(name, said);
      });
    });
  });
  await Promise.all(ready);
  return {
    give: (name, work) => void children.get(name)?.send(work),
    kill: (name) => void children.get(name)?.kill("SIGKILL"),
    close() {
      for (const child of children.values()) if (child.connected) child.disconnect();
    },
  };
}
