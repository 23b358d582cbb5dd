import { TuttiError } from "../base/errors.ts";
import type { ConflictPolicy, DocumentType } from "../contracts/document.ts";
import { toDocumentId, type DocumentId } from "../contracts/ids.ts";
import type { Schema } from "../contracts/schema.ts";

export interface DocumentDefinition<Value> {
  /** Letters, digits and `_ . -`, at most 64, the first a letter. */
  readonly name: string;
  /** One sentence for the people and models that use it. */
  readonly does?: string;
  readonly value: Schema<Value>;
  /** What a document holds that nobody has written yet. Without it `undefined`, and reading one gives just that. */
  readonly initial?: NoInfer<Value>;
  readonly onConflict?: ConflictPolicy<NoInfer<Value>>;
}

const namePattern = /^[A-Za-z][\w.-]{0,63}$/;

/**
 * Declares a type of document: shared, versioned state, one value under each key. Declares and does nothing else.
 * @throws TuttiError DEFINITION_INVALID
 */
export function document<Value>(definition: DocumentDefinition<Value>): DocumentType<Value> {
  const { name, does = `Shared state: ${definition.name}.`, value, initial, onConflict = {} } = definition;
  const problem = findProblem(name, onConflict);
  if (problem !== undefined) {
    throw new TuttiError("DEFINITION_INVALID", `document ${JSON.stringify(name)}: ${problem.what}`, {
      hint: problem.hint,
    });
  }
  return { kind: "document", name, does, value, initial, onConflict };
}

interface Problem {
  readonly what: string;
  readonly hint: string;
}

function findProblem(name: string, policy: Omit<ConflictPolicy<unknown>, "merge">): Problem | undefined {
  if (typeof name !== "string" || !namePattern.test(name)) {
    return {
      what: "its name can't be used",
      hint: "Start with a letter and use letters, digits and _ . - only, at most 64.",
    };
  }
  const { triesMax, leaseAfter, leaseMs } = policy;
  if (triesMax !== undefined && !isWhole(triesMax, 1))
    return { what: `its triesMax is ${triesMax}`, hint: "Give a whole number from 1 up." };
  if (leaseAfter !== undefined && !isWhole(leaseAfter, 1))
    return { what: `its leaseAfter is ${leaseAfter}`, hint: "Give a whole number from 1 up." };
  if (leaseMs !== undefined && !isWhole(leaseMs, 1))
    return { what: `its leaseMs is ${leaseMs}`, hint: "Give a whole number of milliseconds from 1 up." };
  return undefined;
}

function isWhole(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}

const keyLengthMax = 200;

/** @throws TuttiError INPUT_INVALID */
export function toIdOf(type: Pick<DocumentType, "name">, key: string): DocumentId {
  if (typeof key === "string" && key !== "" && key.length <= keyLengthMax && !/\p{Cc}/u.test(key))
    return toDocumentId(`${type.name}/${key}`);
  throw new TuttiError("INPUT_INVALID", `${JSON.stringify(key)} can't be the key of a document of ${type.name}`, {
    hint: `Use a text of 1 to ${keyLengthMax} characters without control characters.`,
  });
}
