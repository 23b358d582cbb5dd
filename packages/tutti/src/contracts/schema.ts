import type { ErrorCode } from "../base/error-codes.ts";
import { TuttiError } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";

/**
 * Any schema library: the Standard Schema interface, version 1 (standardschema.dev), which zod, valibot and arktype implement.
 * The optional JSON Schema part is the same site's "Standard JSON Schema"; agents need it, flows do not.
 */
export interface Schema<Value = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Validated<Value> | Promise<Validated<Value>>;
    readonly types?: { readonly input: unknown; readonly output: Value } | undefined;
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
      readonly output: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
    };
  };
}

export type Validated<Value> =
  | { readonly value: Value; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Says every problem in one line: `topic: expected string; sources.0: too short`. */
function describeIssues(issues: readonly SchemaIssue[]): string {
  return issues
    .slice(0, 5)
    .map((issue) => {
      const path = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
      return path === "" ? issue.message : `${path}: ${issue.message}`;
    })
    .join("; ");
}

/**
 * The parsed value, at once where the library parses at once (so that no macrotask is spent).
 * @throws TuttiError with the given code, naming `what` and every problem.
 */
export function parseWith<Value>(
  schema: Schema<Value>,
  value: unknown,
  failure: { readonly code: ErrorCode; readonly what: string },
): Value | Promise<Value> {
  const take = (validated: Validated<Value>): Value => {
    if (validated.issues === undefined) return validated.value;
    throw new TuttiError(failure.code, `${failure.what} does not fit its schema: ${describeIssues(validated.issues)}`);
  };
  const validated = schema["~standard"].validate(value);
  return validated instanceof Promise ? validated.then(take) : take(validated);
}

/**
 * The JSON Schema (draft 2020-12) that a model is shown.
 * @throws TuttiError DEFINITION_INVALID when the library can't express it.
 */
export function toJsonSchema(schema: Schema, side: "input" | "output", what: string): Record<string, unknown> {
  const convert = schema["~standard"].jsonSchema?.[side];
  if (convert === undefined) {
    throw new TuttiError(
      "DEFINITION_INVALID",
      `${what}: its schema library (${schema["~standard"].vendor}) gives no JSON Schema`,
      { hint: "Use zod 4.2 or newer, or another library with Standard JSON Schema." },
    );
  }
  return convert({ target: "draft-2020-12" });
}

/** The same, or `undefined` where the library can't say it: no JSON Schema support, or a type that JSON Schema has no word for. */
export function findJsonSchema(schema: Schema, side: "input" | "output"): Record<string, unknown> | undefined {
  try {
    return schema["~standard"].jsonSchema?.[side]({ target: "draft-2020-12" });
  } catch {
    return undefined; // the library's way of saying no
  }
}

/** A Standard Schema made by hand from a shape and the JSON Schema that says the same: a schema library would weigh more than the core. */
export function schemaOf<Value>(shape: Shape<Value>, jsonSchema: Record<string, unknown>): Schema<Value> {
  return {
    "~standard": {
      version: 1,
      vendor: "tutti",
      validate(value) {
        try {
          return { value: shape(value, "") };
        } catch (error) {
          return { issues: [{ message: error instanceof Error ? error.message : String(error) }] };
        }
      },
      jsonSchema: { input: () => jsonSchema, output: () => jsonSchema },
    },
  };
}
