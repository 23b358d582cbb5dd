import type { Schema, Validated } from "../contracts/schema.ts";
import type { Verdict } from "../contracts/terms.ts";
import { findPersonalData, personalKinds, redactPersonalData, sureKinds, type PersonalKind } from "./personal-data.ts";

export interface PersonalTerms<Value = unknown> {
  /** What is looked for; all but phone numbers by default. */
  readonly kinds?: readonly PersonalKind[];
  /** What is looked at; every text in the value by default. */
  readonly of?: (value: Value) => unknown;
}

/** A condition for `needs` and for `ensures`. */
export interface Guardrail<Value> {
  readonly name: string;
  check(value: Value): Verdict;
}

const textsMax = 100_000;
const depthMax = 100;

/** Nothing personal goes in (`needs`) or comes out (`ensures`): a value that holds such data is refused, and the refusal does not repeat it. */
export function noPersonalData<Value = unknown>({
  kinds = sureKinds,
  of,
}: PersonalTerms<Value> = {}): Guardrail<Value> {
  return {
    name: `it holds no personal data (${kinds.join(", ")})`,
    check(value) {
      const found = new Set<PersonalKind>();
      let left = textsMax;
      mapTexts(of === undefined ? value : of(value), 0, (text) => {
        if (left-- <= 0) throw new Error(`more than ${textsMax} texts`);
        for (const { kind } of findPersonalData(text, kinds)) found.add(kind);
        return text;
      });
      if (found.size === 0) return true;
      return `it holds personal data: ${personalKinds.filter((kind) => found.has(kind)).join(", ")}`;
    },
  };
}

/** The same schema, and every text of what it lets pass has `[email]`, `[card]` … in place of personal data. For inputs and for outputs. */
export function redacted<Value>(schema: Schema<Value>, kinds: readonly PersonalKind[] = sureKinds): Schema<Value> {
  const { validate, ...rest } = schema["~standard"];
  const redact = (validated: Validated<Value>): Validated<Value> => {
    if (validated.issues !== undefined) return validated;
    const value = mapTexts(validated.value, 0, (text) => redactPersonalData(text, kinds));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same shape: only texts were changed
    return { value: value as Value };
  };
  return {
    "~standard": {
      ...rest,
      validate(value) {
        const validated = validate(value);
        return validated instanceof Promise ? validated.then(redact) : redact(validated);
      },
    },
  };
}

/** A copy with every text of it, keys included, changed. */
function mapTexts(value: unknown, depth: number, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth > depthMax) throw new Error(`nested deeper than ${depthMax}`);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, depth + 1, change));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [change(name), mapTexts(item, depth + 1, change)]),
  );
}
