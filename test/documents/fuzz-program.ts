import { array, constantFrom, integer, oneof, record, uniqueArray, type Arbitrary } from "fast-check";
import { z } from "zod";

import type { ConflictPolicy, DocumentHandle, DocumentType } from "../../packages/tutti/src/contracts/document.ts";
import { document } from "../../packages/tutti/src/flow/document.ts";

/** What one run does, one after the other. Whatever writes a document adds 1 to it, so that its value is its version. */
export type Action =
  | {
      readonly kind: "transact";
      readonly reads: readonly DocumentName[];
      readonly writes: readonly DocumentName[];
      readonly ticks: number;
      /** Between reading and writing: a step, an effect, two branches, or nothing. */
      readonly between: "nothing" | "step" | "effect" | "branches";
      readonly throws: boolean;
    }
  | { readonly kind: "change"; readonly name: DocumentName }
  /** Reads, thinks, writes: without a transaction. */
  | { readonly kind: "write"; readonly name: DocumentName; readonly ticks: number }
  | { readonly kind: "act"; readonly reads: readonly DocumentName[]; readonly ticks: number };

export interface FuzzCase {
  readonly runs: readonly (readonly Action[])[];
  readonly seed: number;
}

const policies = {
  rerun: {},
  eager: { leaseAfter: 1, leaseMs: 40 },
  refresh: { again: "refresh" },
  merge: { merge: (base, mine, theirs) => theirs + (mine - base) },
  strict: { again: "never" },
  parked: { triesMax: 2, leaseAfter: 5, escalate: "park" },
} as const satisfies Record<string, ConflictPolicy<number>>;

export type DocumentName = keyof typeof policies;
const names = ["rerun", "eager", "refresh", "merge", "strict", "parked"] as const satisfies readonly DocumentName[];

const types: ReadonlyMap<DocumentName, DocumentType<number>> = new Map(
  names.map((name) => [name, document({ name, value: z.number(), initial: 0, onConflict: policies[name] })]),
);

/** The one document of a type that the cases fight for. */
export function openNamed(
  run: { document(type: DocumentType<number>, key: string): DocumentHandle<number> },
  name: DocumentName,
): DocumentHandle<number> {
  const type = types.get(name);
  if (type === undefined) throw new Error(`there is no type ${name}`);
  return run.document(type, "one");
}

const oneName: Arbitrary<DocumentName> = constantFrom(...names);
const ticks = integer({ min: 0, max: 6 });
const some = uniqueArray(oneName, { minLength: 1, maxLength: 3 });

const action: Arbitrary<Action> = oneof(
  {
    weight: 5,
    arbitrary: record({
      kind: constantFrom("transact" as const),
      reads: some,
      writes: uniqueArray(oneName, { maxLength: 2 }),
      ticks,
      between: constantFrom("nothing", "step", "step", "effect", "branches"),
      throws: integer({ min: 0, max: 9 }).map((drawn) => drawn === 0),
    }),
  },
  { weight: 2, arbitrary: record({ kind: constantFrom("change" as const), name: oneName }) },
  { weight: 2, arbitrary: record({ kind: constantFrom("write" as const), name: oneName, ticks }) },
  { weight: 2, arbitrary: record({ kind: constantFrom("act" as const), reads: some, ticks }) },
);

export const fuzzCase: Arbitrary<FuzzCase> = record({
  runs: array(array(action, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 5 }),
  seed: integer({ min: 0, max: 1_000_000 }),
});
