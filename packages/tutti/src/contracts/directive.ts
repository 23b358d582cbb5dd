import { branded, fields, integer, oneOf, text, anything, type Shape, type ShapeOf } from "../base/shape.ts";
import { amountShape, findBudgetProblem, type Budget } from "./budget.ts";
import { toDocumentId, type DocumentId, type RunId } from "./ids.ts";

/**
 * A person's standing instruction for a run and everything that it started. `pause` and `resume` are what `RunHandle.pause` and `resume` do;
 * a `plan-edit` is checked by the plan that it is for.
 */
export type Directive =
  | { readonly kind: "goal" | "constraint" | "context"; readonly text: string }
  /** What the run may spend from now on, with its children. */
  | { readonly kind: "budget"; readonly budget: Budget }
  /** The most that agents may do by themselves, 0 (nothing) to 5. */
  | { readonly kind: "autonomy"; readonly level: number }
  | { readonly kind: "plan-edit"; readonly plan: string; readonly edit: unknown }
  | { readonly kind: "pause" | "resume" | "stop" }
  /** The agent of that name, or every agent, makes no turns until it is handed back. */
  | { readonly kind: "take-over"; readonly agent?: string }
  /** With an output, that is what the agent, or the run, returns. Without one, they go on themselves. */
  | { readonly kind: "hand-back"; readonly agent?: string; readonly output?: unknown };

/** Those that stand in the run's chain and have a version there. */
export const directiveKinds = [
  "goal",
  "constraint",
  "context",
  "budget",
  "autonomy",
  "plan-edit",
  "stop",
  "take-over",
  "hand-back",
] as const;

const runId: Shape<RunId> = branded(text);

/** `from`: it was given to a run above this one, and has its version there. */
export const directiveShape = fields(
  { version: integer, kind: oneOf(...directiveKinds), by: text },
  {
    reason: text,
    text,
    budget: amountShape,
    level: integer,
    agent: text,
    plan: text,
    from: runId,
    payload: anything,
    payloadRef: fields({ hash: text, bytes: integer }),
  },
);

/** A directive as a run was handed it. */
export type GivenDirective = Omit<ShapeOf<typeof directiveShape>, "payload" | "payloadRef">;

/** What people want of a run, as it stands. */
export interface DirectiveState {
  /** How many directives the run was handed; 0 for none. */
  readonly version: number;
  /** The newest; nothing if no person gave one. */
  readonly goal: string | undefined;
  readonly constraints: readonly string[];
  readonly context: readonly string[];
  /** The most that agents may do by themselves; nothing if no person limited it. */
  readonly autonomyCap: number | undefined;
  /** Every one, in the order in which they came. */
  readonly given: readonly GivenDirective[];
}

/** What came of a directive. */
export interface Directed {
  /** Its version in the run; 0 for `pause` and `resume`, which have none. */
  readonly version: number;
  /** How many questions to models were stopped because of it. */
  readonly stopped: number;
  /** Nobody drives the run now: it counts from when somebody does. */
  readonly isWaiting: boolean;
}

/** The versioned document that a run's directives are. No declared type can have such a name. */
export function toDirectiveDocument(run: RunId): DocumentId {
  return toDocumentId(`${directivePrefix}${run}`);
}

export const directivePrefix = "@directive/";

const directiveTextMax = 4_000;
/** Of one run: what stands has to fit into every question to a model. */
export const directivesMax = 200;
const levelMax = 5;

/** What is wrong with a directive that somebody wants to give, if anything is. */
export function findDirectiveProblem(directive: Directive): string | undefined {
  switch (directive.kind) {
    case "goal":
    case "constraint":
    case "context": {
      const { length } = directive.text.trim();
      if (length === 0) return `the ${directive.kind} is empty`;
      return length > directiveTextMax
        ? `the ${directive.kind} has more than ${directiveTextMax} characters`
        : undefined;
    }
    case "budget": {
      if (Object.keys(directive.budget).length === 0) return "the budget limits nothing";
      return findBudgetProblem(directive.budget);
    }
    case "autonomy": {
      const { level } = directive;
      const fits = Number.isInteger(level) && level >= 0 && level <= levelMax;
      return fits ? undefined : `the level is ${level}, not a whole number from 0 to ${levelMax}`;
    }
    default:
      return undefined;
  }
}

/** A directive in one sentence. */
export function describeDirective(given: GivenDirective): string {
  const why = given.reason === undefined ? "" : ` (${given.reason})`;
  return `${given.by} ${toWords(given)}${why}`;
}

function toWords(given: GivenDirective): string {
  const whom = given.agent ?? "the run";
  switch (given.kind) {
    case "goal":
      return `set the goal: ${given.text}`;
    case "constraint":
      return `set a constraint: ${given.text}`;
    case "context":
      return `added: ${given.text}`;
    case "budget":
      return `set the budget: ${Object.entries(given.budget ?? {})
        .map(([unit, most]) => `${most} ${unit}`)
        .join(", ")}`;
    case "autonomy":
      return `capped autonomy at level ${given.level}`;
    case "plan-edit":
      return `edited the plan ${given.plan}`;
    case "stop":
      return "stopped the run";
    case "take-over":
      return `took over ${whom}`;
    case "hand-back":
      return `handed back ${whom}`;
  }
}
