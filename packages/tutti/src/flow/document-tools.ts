import type { Difference } from "../base/difference.ts";
import { TuttiError } from "../base/errors.ts";
import type { Tool } from "../contracts/callable.ts";
import type { DocumentState, DocumentType } from "../contracts/document.ts";
import { toJsonSchema, type Schema, type SchemaIssue, type Validated } from "../contracts/schema.ts";

export interface DocumentToolInput {
  readonly key: string;
  /** The version that was read; 0 for a document that nobody has written yet. */
  readonly version?: number;
  readonly value?: unknown;
}

/** What became of a write. Without `written`, `value` is the newest, and `changed` what others changed in the version that was seen. */
export interface WriteAnswer {
  readonly written: boolean;
  /** The newest version now. */
  readonly version: number;
  readonly value?: unknown;
  readonly changed?: readonly Difference[];
}

/** A document as a tool hands it over. */
export interface KeyedState extends DocumentState {
  readonly key: string;
}

export interface DocumentTools {
  readonly read: Tool<{ readonly key: string }, KeyedState>;
  readonly write: Tool<DocumentToolInput, WriteAnswer>;
}

/**
 * Two tools with which agents use documents of one type: `stock.read` and `stock.write`. What an agent has read is part of what it relies
 * on; a write says on which version it stands, and is told what has changed if that is not the newest.
 */
export function documentTools<Value>(type: DocumentType<Value>): DocumentTools {
  const known: DocumentType = type;
  const base = { kind: "tool", scope: "run", retry: undefined, timeoutMs: undefined, run: refuse } as const;
  return {
    read: {
      ...base,
      name: `${type.name}.read`,
      does: `Reads one document, with its version. ${type.does}`,
      input: readInput,
      output: trusted<KeyedState>(),
      effect: "read",
      document: { type: known, verb: "read" },
    },
    write: {
      ...base,
      name: `${type.name}.write`,
      does: `Writes one document on top of the version that was read (0: a new one). If "written" is false, somebody else was first: look at what changed, and decide again. ${type.does}`,
      input: toWriteInput(known),
      output: trusted<WriteAnswer>(),
      effect: "local",
      document: { type: known, verb: "write" },
    },
  };
}

function refuse(): never {
  throw new TuttiError("INPUT_INVALID", "a tool of documents works only in a run", {
    hint: "Call it with run.call(…), or give it to an agent.",
  });
}

const keyProperty = { type: "string", minLength: 1, maxLength: 200, description: "Which document." };

const readInput: Schema<{ readonly key: string }> = toSchema(
  (given) => (typeof given["key"] === "string" ? { value: { key: given["key"] } } : toIssue("key", "expected a text")),
  () => ({ type: "object", properties: { key: keyProperty }, required: ["key"], additionalProperties: false }),
);

function toWriteInput(type: DocumentType): Schema<DocumentToolInput> {
  return toSchema(
    (given) => {
      const { key, version, value } = given;
      if (typeof key !== "string") return toIssue("key", "expected a text");
      if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 0)
        return toIssue("version", "expected the version that was read, 0 for a new document");
      const take = (validated: Validated<unknown>): Validated<DocumentToolInput> =>
        validated.issues === undefined
          ? { value: { key, version, value: validated.value } }
          : { issues: validated.issues.map(({ message, path = [] }) => ({ message, path: ["value", ...path] })) };
      const validated = type.value["~standard"].validate(value);
      return validated instanceof Promise ? validated.then(take) : take(validated);
    },
    () => ({
      type: "object",
      properties: {
        key: keyProperty,
        version: { type: "integer", minimum: 0, description: "The version that was read." },
        value: withoutDialect(toJsonSchema(type.value, "input", `the documents of ${type.name}`)),
      },
      required: ["key", "version", "value"],
      additionalProperties: false,
    }),
  );
}

// The dialect is said once, by whoever asks for the whole.
function withoutDialect(schema: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== "$schema"));
}

function toIssue(name: string, message: string): { readonly issues: readonly SchemaIssue[] } {
  return { issues: [{ message, path: [name] }] };
}

type Given = Readonly<Record<string, unknown>>;

function toSchema<Value>(
  validate: (given: Given) => Validated<Value> | Promise<Validated<Value>>,
  toSchemaOf: () => Record<string, unknown>,
): Schema<Value> {
  return {
    "~standard": {
      version: 1,
      vendor: "tutti",
      validate: (given) =>
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an object, as this very line asks
        typeof given === "object" && given !== null ? validate(given as Given) : toIssue("", "expected an object"),
      jsonSchema: { input: toSchemaOf, output: toSchemaOf },
    },
  };
}

/** What this file itself returns needs no second look. */
function trusted<Value>(): Schema<Value> {
  return {
    "~standard": {
      version: 1,
      vendor: "tutti",
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made by document-tool-call.ts
      validate: (value) => ({ value: value as Value }),
    },
  };
}
