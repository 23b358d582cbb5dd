import { spawnSync } from "node:child_process";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

import { describeThrown, TuttiError } from "../base/errors.ts";

/** What the file is to whoever loads it: how it was named, and the code of what is wrong with it. */
interface Loaded {
  readonly path: string;
  readonly code: "FLOW_FILE_INVALID" | "CONFIG_INVALID";
}

/**
 * Loads a TypeScript or JavaScript file and returns what it exports.
 * @throws TuttiError with the given code, saying where and what
 */
export async function importFile(file: string, loaded: Loaded): Promise<Readonly<Record<string, unknown>>> {
  try {
    const exported: unknown = await import(pathToFileURL(file).href);
    return { ...(typeof exported === "object" ? exported : {}) };
  } catch (error) {
    throw toLoadError(file, loaded, error);
  }
}

function toLoadError(file: string, loaded: Loaded, error: unknown): TuttiError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const message = describeThrown(error);
  const place = findPlace(file, error);
  if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") {
    return toInvalid(loaded, `uses TypeScript that Node can't run${place}: ${message}`, {
      hint: "Node only strips types: use a union instead of an enum, a module instead of a namespace.",
      cause: error,
    });
  }
  if (code === "ERR_MODULE_NOT_FOUND") {
    return toInvalid(loaded, `imports something that is not there${place}: ${message}`, {
      hint: "Install the package, or write the file's name with its ending: ./tools.ts",
      cause: error,
    });
  }
  if (error instanceof SyntaxError)
    return toInvalid(loaded, `has a syntax error${place}: ${message}`, {
      hint: "Correct the line and try again.",
      cause: error,
    });
  return toInvalid(loaded, `threw while it was loaded${place}: ${message}`, {
    hint: "Such a file only declares; what does something belongs in a step or a tool.",
    cause: error,
  });
}

/** ` in line 3` of this file, or of the one that it imports. Plain JavaScript's syntax errors only tell Node's own checker. */
function findPlace(file: string, error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const text =
    placePattern.test(stack) || !(error instanceof SyntaxError)
      ? stack
      : spawnSync(process.execPath, ["--check", file], { encoding: "utf8" }).stderr;
  const { source = "", line = "" } = placePattern.exec(text)?.groups ?? {};
  if (line === "") return "";
  return basename(source) === basename(file) ? ` in line ${line}` : ` in line ${line} of ${basename(source)}`;
}

const placePattern = /(?:file:\/\/)?(?<source>\/[^\s()]+?\.[cm]?[jt]s):(?<line>\d+)/u;

function toInvalid(
  { path, code }: Loaded,
  what: string,
  details: { readonly hint: string; readonly cause?: unknown },
): TuttiError {
  return new TuttiError(code, `${path} ${what}`, details);
}
