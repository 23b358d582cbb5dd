import { array, constantFrom, integer, letrec, record, type Arbitrary } from "fast-check";

import type { Directive } from "../../packages/tutti/src/contracts/directive.ts";
import type { FreezeTarget } from "../../packages/tutti/src/contracts/freeze.ts";

/** What one run does, one after the other. */
export type Action =
  | { readonly kind: "act" | "step" }
  /** An agent with so many turns of so many calls each, before it answers. */
  | { readonly kind: "agent"; readonly turns: number; readonly calls: number }
  /** Looks at the directive, and acts under it; again when it has changed. */
  | { readonly kind: "look" }
  | { readonly kind: "child"; readonly actions: readonly Action[] }
  | { readonly kind: "both"; readonly actions: readonly Action[] };

export interface FuzzCase {
  readonly actions: readonly Action[];
  /** Whether calls of the tool wait for each other. */
  readonly limited: boolean;
  readonly seed: number;
  /** When people say something: after so many hundredths of what there would be without them. */
  readonly moments: readonly number[];
  readonly kinds: readonly Directive["kind"][];
  readonly freeze: FreezeTarget;
}

const actions = letrec<{ action: Action; actions: readonly Action[] }>((tie) => ({
  action: integer({ min: 0, max: 9 }).chain((drawn): Arbitrary<Action> => {
    if (drawn < 2) return record({ kind: constantFrom("act" as const, "step" as const) });
    if (drawn < 6)
      return record({
        kind: constantFrom("agent" as const),
        turns: integer({ min: 0, max: 3 }),
        calls: integer({ min: 1, max: 2 }),
      });
    if (drawn < 7) return record({ kind: constantFrom("look" as const) });
    if (drawn < 8) return record({ kind: constantFrom("child" as const), actions: tie("actions") });
    return record({ kind: constantFrom("both" as const), actions: tie("actions") });
  }),
  actions: array(tie("action"), { minLength: 1, maxLength: 3 }),
})).actions;

export const fuzzCase: Arbitrary<FuzzCase> = record({
  actions,
  limited: integer({ min: 0, max: 4 }).map((drawn) => drawn === 0),
  seed: integer({ min: 0, max: 1_000_000 }),
  moments: array(integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 3 }),
  kinds: array(constantFrom<Directive["kind"]>("goal", "goal", "constraint", "context", "autonomy", "stop"), {
    minLength: 3,
    maxLength: 3,
  }),
  freeze: constantFrom<FreezeTarget>(
    { reach: "all" },
    { reach: "agent", name: "worker" },
    { reach: "flow", name: "task" },
    { reach: "run", name: "run" },
  ),
});
