import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { Adapter } from "./contestant.ts";

/** Somebody who takes part. Compared only with the neighbour, which promises the same durability and runs right after. */
export interface Contestant {
  readonly name: string;
  /** The adapter's file, from this folder. */
  readonly file: string;
  /** For those that are part of this repository. */
  readonly load?: () => Promise<Adapter>;
  /** The folder in `peers/` that has to be installed. */
  readonly peer?: string;
  /** The package to import for the cost of a start; its first line is what users write. */
  readonly imports?: string;
  readonly variant: string;
  readonly durability: "power" | "process" | "none";
  readonly neighbour: string | undefined;
  readonly needsPostgres?: boolean;
}

const ours = { file: "engines/tutti.ts", load: () => import("./engines/tutti.ts") } as const;
const hand = {
  file: "engines/hand-written.ts",
  load: () => import("./engines/hand-written.ts"),
  neighbour: undefined,
} as const;
const langgraph = { peer: "langgraph", file: "peers/langgraph/adapter.mjs", imports: "@langchain/langgraph" } as const;
const mastra = { peer: "mastra", file: "peers/mastra/adapter.mjs", imports: "@mastra/core" } as const;
const beside = (name: string): { readonly neighbour: string } => ({ neighbour: name });

export const contestants: readonly Contestant[] = [
  { name: "tutti", ...ours, variant: "power", durability: "power", ...beside("hand-written") },
  { name: "tutti-process", ...ours, variant: "process", durability: "process", ...beside("hand-written-process") },
  { name: "tutti-reads", ...ours, variant: "reads", durability: "power", ...beside("hand-written") },
  { name: "hand-written", ...hand, variant: "full", durability: "power" },
  { name: "hand-written-process", ...hand, variant: "normal", durability: "process" },
  { name: "hand-written-grouped", ...hand, variant: "grouped", durability: "power", ...beside("hand-written") },
  {
    name: "hand-written-ledger",
    file: "engines/hand-ledger.ts",
    load: () => import("./engines/hand-ledger.ts"),
    variant: "",
    durability: "power",
    ...beside("hand-written"),
  },
  { name: "langgraph", ...langgraph, variant: "graph", durability: "process", ...beside("hand-written-process") },
  {
    name: "langgraph-functional",
    ...langgraph,
    variant: "functional",
    durability: "process",
    ...beside("hand-written-process"),
  },
  { name: "mastra", ...mastra, variant: "then", durability: "process", ...beside("hand-written-process") },
  { name: "mastra-loop", ...mastra, variant: "loop", durability: "process", ...beside("hand-written-process") },
  {
    name: "dbos",
    peer: "dbos",
    file: "peers/dbos/adapter.mjs",
    imports: "@dbos-inc/dbos-sdk",
    variant: "",
    durability: "power",
    ...beside("hand-written"),
    needsPostgres: true,
  },
  {
    name: "restate",
    peer: "restate",
    file: "peers/restate/adapter.mjs",
    imports: "@restatedev/restate-sdk",
    variant: "",
    durability: "power",
    ...beside("hand-written"),
  },
  {
    name: "ai-sdk",
    peer: "ai-sdk",
    file: "peers/ai-sdk/adapter.mjs",
    imports: "ai",
    variant: "",
    durability: "none",
    ...beside("hand-written-process"),
  },
  {
    name: "openai-agents",
    peer: "openai-agents",
    file: "peers/openai-agents/adapter.mjs",
    imports: "@openai/agents",
    variant: "",
    durability: "none",
    ...beside("hand-written-process"),
  },
];

export function findContestant(name: string): Contestant {
  const found = contestants.find((contestant) => contestant.name === name);
  if (found === undefined) throw new Error(`there is no contestant ${name}`);
  return found;
}

export async function loadAdapter({ file, load }: Contestant): Promise<Adapter> {
  if (load !== undefined) return load();
  // Peers are plain modules whose packages may not be installed, so nothing here can know their types.
  const adapter: Adapter = await import(pathToFileURL(join(import.meta.dirname, file)).href);
  return adapter;
}

/** The note that `bench/setup.ts` leaves where everything was installed and loads. */
export function toReadyFile(peer: string): string {
  return join(import.meta.dirname, "peers", peer, "node_modules", ".ready.json");
}

export function isInstalled({ peer }: Contestant): boolean {
  return peer === undefined || existsSync(toReadyFile(peer));
}
