import type { OptionSpec } from "./command.ts";

export const ledger: OptionSpec = { value: "path", does: "The ledger's file (.tutti/ledger.db)." };
export const json: OptionSpec = { does: "Prints JSON, one value a line, and nothing else on standard output." };
export const reason: OptionSpec = { value: "text", does: "Why." };
export const by: OptionSpec = { value: "name", does: "Who says so (the user's name)." };
export const priority: OptionSpec = {
  value: "low|normal|high",
  does: "Who goes first where runs or their calls wait (normal).",
};

/** How runs are watched; shared by the commands that drive one. */
export const watching = {
  ledger,
  durability: {
    value: "power|process",
    does: "What acknowledged entries survive: a power cut (default), or the death of the process.",
  },
  json: { does: "Prints the run's entries as JSON, one a line, and nothing else on standard output." },
  quiet: { does: "Shows no progress; only the result." },
  wait: { does: "Stays when the run waits for a signal or a person (default on a terminal)." },
  "no-wait": { does: "Leaves as soon as the run waits for anything, also for a time." },
} as const satisfies Record<string, OptionSpec>;

/** How a server is opened; shared by the two commands that do. */
export const serving = {
  port: { value: "n", does: "The port (4600); 0 for any that is free." },
  ledger,
  durability: watching.durability,
  json: { does: "Prints one line of JSON when it listens, and nothing else on standard output." },
} as const satisfies Record<string, OptionSpec>;
