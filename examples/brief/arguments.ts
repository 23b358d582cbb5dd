import { parseArgs } from "node:util";

import { describeThrown } from "./say.ts";

export interface Arguments {
  readonly topic: string;
  readonly folders: readonly string[] | undefined;
  readonly out: string;
  readonly again: boolean;
  readonly crash: boolean;
  readonly json: boolean;
  readonly approve: boolean;
  readonly stay: boolean;
  readonly help: boolean;
}

const defaultTopic = "Errors, performance, memory use and browser support";

export const usage = `Researches a topic in documents and publishes a page with verbatim quotes.

  npm start                                    a topic over this project's documents and installed packages
  npm start -- --topic "…" --sources <folder>  your topic over your documents (repeat --sources for more)

  --out <folder>   where the page goes; "out" by default
  --again          makes a new page although there is one of this topic and these documents
  --crash          kills the job in the middle, starts it again, and proves that nothing ran twice
  --approve        asks before it publishes, also where nobody is at a terminal; the answer is read from standard input
  --stay           serves the console until Ctrl-C, also when the page is there; asks in it before it publishes
  --json           prints what happens as lines of JSON
`;

/** Reads the command line; what is wrong with it comes back as a sentence. */
export function readArguments(words: readonly string[]): Arguments | { readonly problem: string } {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        topic: { type: "string" },
        sources: { type: "string", multiple: true },
        out: { type: "string" },
        again: { type: "boolean" },
        crash: { type: "boolean" },
        json: { type: "boolean" },
        approve: { type: "boolean" },
        stay: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    const {
      topic = defaultTopic,
      sources,
      out = "out",
      again = false,
      crash = false,
      json = false,
      approve = false,
      stay = false,
      help = false,
    } = values;
    if (stay && (json || crash)) return { problem: "--stay serves people; --json and --crash do not" };
    if (topic.trim() === "") return { problem: "--topic is empty" };
    return { topic: topic.trim(), folders: sources, out, again, crash, json, approve, stay, help };
  } catch (error) {
    return { problem: describeThrown(error) };
  }
}
