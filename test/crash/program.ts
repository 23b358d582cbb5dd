import * as fc from "fast-check";

/** A random flow, as data: what the crash tests run, cut off at every entry, and run again. */
export type Program =
  | {
      readonly kind: "step";
      readonly name: string;
      readonly ticks: number;
      readonly effect: "read" | "local";
      readonly failures: number;
      readonly fatal: boolean;
    }
  /** A tool that changes nothing outside, called. */
  | { readonly kind: "tool"; readonly name: string; readonly effect: "read" | "local"; readonly ticks: number }
  | {
      readonly kind: "effect";
      readonly name: string;
      readonly class: "idempotent" | "once";
      readonly check: boolean;
      readonly undo: boolean;
      readonly ticks: number;
      readonly fault: EffectFault;
    }
  | { readonly kind: "sequence"; readonly parts: readonly Program[] }
  | {
      readonly kind: "all";
      readonly need: "all" | "any" | "bestEffort" | "two";
      readonly siblings: "cancel" | "keep" | "undo";
      readonly parts: readonly Program[];
    }
  | { readonly kind: "native-all"; readonly parts: readonly Program[] }
  | { readonly kind: "race"; readonly parts: readonly Program[] }
  | { readonly kind: "native-race"; readonly parts: readonly Program[] }
  | { readonly kind: "map"; readonly count: number; readonly concurrency: number; readonly body: Program }
  | { readonly kind: "scope"; readonly body: Program }
  | { readonly kind: "agent"; readonly body: Program }
  | { readonly kind: "caught"; readonly body: Program }
  | { readonly kind: "child"; readonly body: Program }
  | { readonly kind: "sleep"; readonly ms: number }
  | { readonly kind: "wait"; readonly limitMs: number | undefined; readonly sentAfter: number | undefined }
  | { readonly kind: "value"; readonly of: "now" | "random" | "uuid" | "note" };

/** What the outside does to a call: works, refuses, or leaves the caller in the dark before or after it acted. */
export type EffectFault = "none" | "refuses" | "dark-before" | "dark-after";

export interface CrashCase {
  readonly program: Program;
  readonly onFailure: "keep" | "undo";
  /** Cancel the run after so many ticks. */
  readonly cancelAfter: number | undefined;
  readonly alwaysEvict: boolean;
  readonly seed: number;
}

const name = fc.constantFrom("a", "b", "c");
const ticks = fc.nat({ max: 3 });

const step = fc.record({
  kind: fc.constant("step" as const),
  name,
  ticks,
  effect: fc.constantFrom("read" as const, "local" as const, "local" as const),
  failures: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
  fatal: fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

const tool = fc.record({
  kind: fc.constant("tool" as const),
  name: fc.constantFrom("look", "count"),
  effect: fc.constantFrom("read" as const, "local" as const, "local" as const),
  ticks: fc.nat({ max: 1 }),
});

const effect = fc.record({
  kind: fc.constant("effect" as const),
  name: fc.constantFrom("mail", "page", "bill"),
  class: fc.constantFrom("idempotent" as const, "once" as const),
  check: fc.boolean(),
  undo: fc.boolean(),
  ticks,
  fault: fc.oneof(
    { weight: 8, arbitrary: fc.constant("none" as const) },
    { weight: 2, arbitrary: fc.constantFrom("refuses" as const, "dark-before" as const, "dark-after" as const) },
  ),
});

const wait = fc.record({
  kind: fc.constant("wait" as const),
  limitMs: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  sentAfter: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
});

const leaf: fc.Arbitrary<Program> = fc.oneof(
  { weight: 7, arbitrary: step },
  { weight: 3, arbitrary: tool },
  { weight: 3, arbitrary: effect },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("sleep" as const), ms: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: wait },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("value" as const),
      of: fc.constantFrom("now" as const, "random" as const, "uuid" as const, "note" as const),
    }),
  },
);

const { program } = fc.letrec<{ program: Program; parts: readonly Program[] }>((tie) => ({
  parts: fc.array(tie("program"), { minLength: 1, maxLength: 3 }),
  program: fc.oneof(
    { maxDepth: 4, depthSize: "small", withCrossShrink: true },
    { weight: 6, arbitrary: leaf },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("sequence" as const), parts: tie("parts") }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("all" as const),
        need: fc.constantFrom("all" as const, "all" as const, "any" as const, "bestEffort" as const, "two" as const),
        siblings: fc.constantFrom("cancel" as const, "keep" as const, "undo" as const),
        parts: tie("parts"),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom("native-all" as const, "race" as const, "native-race" as const),
        parts: tie("parts"),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("map" as const),
        count: fc.integer({ min: 0, max: 4 }),
        concurrency: fc.integer({ min: 1, max: 3 }),
        body: tie("program"),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom("scope" as const, "caught" as const, "child" as const, "agent" as const),
        body: tie("program"),
      }),
    },
  ),
}));

export const crashCase: fc.Arbitrary<CrashCase> = fc.record({
  program: fc.record({
    kind: fc.constant("sequence" as const),
    parts: fc.array(program, { minLength: 1, maxLength: 4 }),
  }),
  onFailure: fc.constantFrom("keep" as const, "undo" as const),
  cancelAfter: fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 }) },
  ),
  alwaysEvict: fc.boolean(),
  seed: fc.integer(),
});
