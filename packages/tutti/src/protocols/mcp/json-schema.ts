import { createContext, Script } from "node:vm";

import { CfWorkerJsonSchemaValidator } from "@modelcontextprotocol/client/validators/cf-worker";

import { describeThrown } from "../../base/errors.ts";
import type { Schema } from "../../contracts/schema.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

const schemaBytesMax = 256_000;
const depthMax = 64;
/** A schema of a stranger may hold a pattern or a web of references that takes years. */
const validationMsMax = 1_000;
const messageMax = 1_000;

/**
 * A Standard Schema made from a JSON Schema, which models are shown as it is. Values are checked, never changed.
 * Nothing is fetched and no code is generated; what takes over a second to check is refused.
 */
export function fromJsonSchema(jsonSchema: JsonSchema): Schema {
  let validator: ReturnType<typeof toValidator> | undefined;
  const convert = (): Record<string, unknown> => ({ ...jsonSchema });
  return {
    "~standard": {
      version: 1,
      vendor: "json-schema",
      validate(value) {
        const result = inTime(() => (validator ??= toValidator(jsonSchema))(value));
        if (typeof result === "string") return { issues: [{ message: result }] };
        if (result.valid) return { value };
        return { issues: [{ message: result.errorMessage.slice(0, messageMax) }] };
      },
      jsonSchema: { input: convert, output: convert },
    },
  };
}

/** What makes a JSON Schema unusable here; `undefined` when it is fine. */
export function findSchemaProblem(jsonSchema: JsonSchema): string | undefined {
  if (JSON.stringify(jsonSchema).length > schemaBytesMax) return `its schema is over ${schemaBytesMax} characters`;
  const found: Found = { ids: new Set(), references: new Set(), tooDeep: false };
  collect(jsonSchema, found, 0);
  if (found.tooDeep) return `its schema is nested over ${depthMax} levels`;
  const foreign = [...found.references].find((reference) => !isInside(reference, found.ids));
  if (foreign !== undefined) return `its schema refers to ${foreign.slice(0, 200)}, and nothing is fetched`;
  const validator = inTime(() => toValidator(jsonSchema));
  return typeof validator === "string" ? validator : undefined;
}

// One for each schema: with a shared one, two schemas that claim the same `$id` would be one.
function toValidator(jsonSchema: JsonSchema) {
  return new CfWorkerJsonSchemaValidator({ shortcircuit: false }).getValidator<unknown>({ ...jsonSchema });
}

interface Found {
  readonly ids: Set<string>;
  readonly references: Set<string>;
  tooDeep: boolean;
}

/** Keywords whose values are data, not schemas. */
const dataKeywords: ReadonlySet<string> = new Set(["const", "enum", "default", "examples"]);

function collect(value: unknown, found: Found, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth > depthMax) {
    found.tooDeep = true;
    return;
  }
  for (const [name, item] of Object.entries(value)) {
    if (typeof item === "string") {
      if (name === "$id" || name === "id") found.ids.add(item.split("#", 1)[0] ?? item);
      if (name === "$ref" || name === "$dynamicRef" || name === "$recursiveRef") found.references.add(item);
    } else if (!dataKeywords.has(name)) collect(item, found, depth + 1);
  }
}

function isInside(reference: string, ids: ReadonlySet<string>): boolean {
  return reference.startsWith("#") || ids.has(reference.split("#", 1)[0] ?? reference);
}

const script = new Script("work()");
const room: { work?: () => unknown } = {};
createContext(room);

/** The result, or what went wrong. A time limit of the virtual machine also ends a regular expression that goes on for ever. */
function inTime<Value>(work: () => Value): Value | string {
  let result: { readonly value: Value } | undefined;
  room.work = () => {
    result = { value: work() };
  };
  try {
    script.runInContext(room, { timeout: validationMsMax });
  } catch (error) {
    if (isOverTime(error)) return `it takes over ${validationMsMax} ms to check`;
    return `the schema can't be used: ${describeThrown(error).slice(0, messageMax)}`;
  } finally {
    delete room.work;
  }
  return result === undefined ? "the schema can't be used" : result.value;
}

// The error is one of the other context, so it is no Error of this one.
function isOverTime(error: unknown): boolean {
  return (
    typeof error === "object" && error !== null && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT"
  );
}
