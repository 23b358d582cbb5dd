import { TuttiError } from "./errors.ts";

/** What the ledger can hold. `undefined` is stored as nothing at all. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

const depthMax = 32;

/**
 * JSON text of a value that is about to be stored.
 * Refuses what would come back as something else: functions, symbols, bigints, cycles.
 * A Date comes back as its ISO string and a Map as `{}`, as JSON has it.
 * @throws TuttiError VALUE_NOT_STORABLE, naming `where` it was found.
 */
export function toJsonText(value: unknown, where: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "function" || typeof value === "symbol") throw notStorable(where, `a ${typeof value}`);
  try {
    refuseCode(value, 0);
    return JSON.stringify(value);
  } catch (error) {
    throw notStorable(where, error instanceof TypeError ? firstLine(error.message) : String(error), error);
  }
}

// JSON.stringify would drop a nested function in silence; replay would then see another value than the first execution did.
// A walk of its own is several times faster than a replacer function. JSON.stringify itself reports what is deeper, or a cycle.
function refuseCode(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null || depth > depthMax) return;
  // A loop over the names of an array makes texts of its numbers, and takes three times as long.
  if (Array.isArray(value)) {
    value.forEach((item: unknown, at) => refuseItem(item, at, depth));
    return;
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the name comes from this very object
  for (const name in value) refuseItem((value as Record<string, unknown>)[name], name, depth);
}

function refuseItem(item: unknown, name: string | number, depth: number): void {
  if (typeof item === "function") throw new TypeError(`"${name}" holds a function`);
  if (typeof item === "object") refuseCode(item, depth + 1);
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}

function notStorable(where: string, what: string, cause?: unknown): TuttiError {
  return new TuttiError("VALUE_NOT_STORABLE", `${where} returned a value that can't be stored: ${what}`, {
    hint: "Return plain data: objects, arrays, strings, numbers, booleans or null.",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Canonical JSON (RFC 8785, JCS): sorted names, no spaces. Two equal inputs give one text, so they give one key. */
export function toCanonicalJson(value: unknown): string {
  return toSortedText(value) ?? "null";
}

function toSortedText(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => toSortedText(item) ?? "null").join(",")}]`;
  if ("toJSON" in value && typeof value.toJSON === "function") return toSortedText(value.toJSON());
  let text = "";
  const names = Object.keys(value);
  if (!isSorted(names)) names.sort(); // most inputs are, and sorting costs more than all the rest
  for (const name of names) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the name comes from this very object
    const item = toSortedText((value as Record<string, unknown>)[name]);
    if (item !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(name)}:${item}`;
  }
  return `{${text}}`;
}

function isSorted(names: readonly string[]): boolean {
  return names.every((name, at) => at === 0 || (names[at - 1] ?? "") < name);
}
