import { describeThrown, isTuttiError, TuttiError } from "../base/errors.ts";
import { toHandle } from "../base/known-secrets.ts";

/** A variable of the environment, a file, or a function, for a vault for example. */
export type SecretSource =
  | { readonly env: string }
  | { readonly file: string }
  | ((signal: AbortSignal | undefined) => Promise<string> | string);

/** Larger than any key; what is longer is the wrong file. */
const bytesMax = 64 * 1024;

/**
 * The value, as it is now. A TuttiError of a source's function goes through, so that it can ask to be tried again.
 * @throws TuttiError SECRET_MISSING
 */
export async function readSecret(name: string, from: SecretSource, signal: AbortSignal | undefined): Promise<string> {
  if (typeof from === "function") return readFrom(name, () => from(signal));
  if ("env" in from) {
    const value = process.env[from.env];
    if (value !== undefined && value !== "") return value;
    throw toMissing(name, `the environment variable ${from.env} is not set`, {
      hint: `Set ${from.env} for this process.`,
      facts: { variable: from.env },
    });
  }
  return readFileValue(name, from.file);
}

async function readFrom(name: string, read: () => Promise<string> | string): Promise<string> {
  let value: unknown;
  try {
    value = await read();
  } catch (error) {
    if (isTuttiError(error)) throw error;
    throw toMissing(name, `its source failed: ${describeThrown(error)}`, {
      hint: "Put its source right; to be tried again, it can throw TOOL_UNAVAILABLE.",
      cause: error,
    });
  }
  if (typeof value === "string" && value !== "" && value.length <= bytesMax) return value;
  throw toMissing(name, "its source gave no text, an empty one, or far too much", {
    hint: `A value is a text of 1 to ${bytesMax} characters.`,
  });
}

async function readFileValue(name: string, path: string): Promise<string> {
  let text: string | undefined;
  try {
    text = await readBeginning(path);
  } catch (error) {
    throw toMissing(name, `its file can't be read: ${describeThrown(error)}`, {
      hint: `Is ${path} there, and may this process read it?`,
      cause: error,
    });
  }
  // Editors and `echo` end a file with a line break that does not belong to the value.
  const value = text?.replace(/\r?\n$/u, "") ?? "";
  if (value !== "") return value;
  throw toMissing(name, text === undefined ? `its file has more than ${bytesMax} bytes` : "its file is empty", {
    hint: `Put the value, and nothing else, into ${path}.`,
  });
}

/** Nothing, when there is more than a value may have. */
async function readBeginning(path: string): Promise<string | undefined> {
  const { open } = await import("node:fs/promises"); // few programs need it, and loading it takes as long as opening a ledger
  await using file = await open(path);
  const buffer = Buffer.alloc(bytesMax + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    length += bytesRead;
    if (bytesRead === 0 || length > bytesMax) break;
  }
  return length > bytesMax ? undefined : buffer.toString("utf8", 0, length);
}

function toMissing(
  name: string,
  what: string,
  details: { readonly hint: string; readonly facts?: { readonly variable: string }; readonly cause?: unknown },
): TuttiError {
  return new TuttiError("SECRET_MISSING", `${toHandle(name)} has no value: ${what}`, {
    ...details,
    facts: { secret: name, ...details.facts },
  });
}
