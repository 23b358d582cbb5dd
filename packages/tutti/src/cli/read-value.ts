import { readFile } from "node:fs/promises";

import { describeThrown, TuttiError } from "../base/errors.ts";
import { toUsage } from "./command-line.ts";

/**
 * A JSON value as it is typed on a command line: the JSON itself, `@file` for a file that holds it, or `-` for standard input.
 * @throws TuttiError USAGE, SOURCE_UNREADABLE
 */
export async function readValue(typed: string, what: string): Promise<unknown> {
  if (typed === "-") return parseJson(await readStandardInput(), `${what} from standard input`);
  if (typed.startsWith("@")) return parseJson(await readSource(typed.slice(1), what), `${what} in ${typed.slice(1)}`);
  return parseJson(typed, what);
}

/** A text as it is typed, or with `@file` what that file holds. @throws TuttiError SOURCE_UNREADABLE */
export async function readText(typed: string, what: string): Promise<string> {
  return typed.startsWith("@") ? readSource(typed.slice(1), what) : typed;
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw toUsage(
      `${what} is not JSON: ${describeThrown(error)}`,
      `Quote it for the shell, for example '{"topic": "tea"}', or put it into a file and name it as @file.`,
    );
  }
}

async function readSource(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new TuttiError("SOURCE_UNREADABLE", `${what} can't be read from ${path}`, {
      hint: "Name an existing file after the @.",
      cause: error,
    });
  }
}

const inputBytesMax = 64 * 1024 * 1024;

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += part.length;
    if (bytes > inputBytesMax)
      throw toUsage(
        `standard input is larger than ${inputBytesMax} bytes`,
        "Store large data in a file of its own and pass its name.",
      );
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Names with commas between them, as they are typed; none if nothing was. */
export function splitNames(typed: string | undefined): readonly string[] {
  return (typed ?? "").split(",").filter((name) => name !== "");
}

/** A whole number from an option. @throws TuttiError USAGE */
export function readCount(typed: string | undefined, option: string): number | undefined {
  if (typed === undefined) return undefined;
  const count = Number(typed);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw toUsage(`--${option} takes a whole number above 0, not "${typed}"`, `--${option} 20`);
}
