import { TuttiError } from "../base/errors.ts";
import type { EffectClass, Preview, PreviewHost, Retry, Tool, ToolHost, UndoHost } from "../contracts/callable.ts";
import type { Schema } from "../contracts/schema.ts";
import { findTermProblem, type Problem } from "../contracts/term-problems.ts";
import type { Guarantee, Precondition, Terms } from "../contracts/terms.ts";

/** What `tool` is given. The input and output types follow from the two schemas. */
export interface ToolDefinition<Input, Output> extends Terms {
  /** Letters, digits and `_ . : -`, at most 64, the first a letter: `page.publish`. */
  readonly name: string;
  /** One sentence for the people and models that choose it. */
  readonly does: string;
  readonly input: Schema<Input>;
  readonly output: Schema<Output>;
  readonly effect: EffectClass;
  /** Whom the effect key counts for. `everyone` when a key is declared, else `run`. */
  readonly scope?: Tool["scope"];
  readonly retry?: Retry | undefined;
  readonly timeoutMs?: number | undefined;
  /** What must hold before it is called, asked on every call before anything is done. */
  readonly needs?: readonly Precondition<NoInfer<Input>>[] | undefined;
  /** What holds of every output, asked on every call after the schema. */
  readonly ensures?: readonly Guarantee<NoInfer<Input>, NoInfer<Output>>[] | undefined;
  /** What makes two actions the same one. Without it: the whole input. */
  key?(input: Input): string;
  /** What a call would do, for people who are asked for their yes. Must change nothing. */
  preview?(input: Input, host: PreviewHost): Promise<Preview> | Preview;
  /** Asked when a crash left the outcome in doubt: the output if it happened, `undefined` if it certainly did not. */
  check?(input: Input, host: ToolHost): Promise<NoInfer<Output> | undefined> | NoInfer<Output> | undefined;
  /** Takes the effect back; has to bear being called twice. */
  undo?(output: Output, host: UndoHost<Input>): Promise<void> | void;
  run(input: Input, host: ToolHost): Promise<NoInfer<Output>> | NoInfer<Output>;
}

const effectClasses: ReadonlySet<string> = new Set<EffectClass>(["read", "local", "idempotent", "once"]);
const scopes: ReadonlySet<string> = new Set<Tool["scope"]>(["everyone", "run", "step"]);
const namePattern = /^[A-Za-z][\w.:-]{0,63}$/;

/**
 * Declares a tool: a function with a contract. Declaring does nothing else.
 * @throws TuttiError DEFINITION_INVALID when the declaration contradicts itself.
 */
export function tool<Input, Output>(definition: ToolDefinition<Input, Output>): Tool<Input, Output> {
  const problem = findProblem(definition);
  if (problem !== undefined) {
    throw new TuttiError("DEFINITION_INVALID", `tool ${JSON.stringify(definition.name)}: ${problem.what}`, {
      hint: problem.hint,
    });
  }
  return {
    ...definition,
    kind: "tool",
    scope: definition.scope ?? (definition.key === undefined ? "run" : "everyone"),
    retry: definition.retry,
    timeoutMs: definition.timeoutMs,
  };
}

// The types rule most of this out; plain JavaScript and casts do not.
function findProblem(definition: ToolDefinition<unknown, unknown>): Problem | undefined {
  const { name, does, effect, scope } = definition;
  if (typeof name !== "string" || !namePattern.test(name)) {
    return {
      what: "its name can't be used",
      hint: "Start with a letter and use letters, digits and _ . : - only, at most 64.",
    };
  }
  if (typeof does !== "string" || does.trim() === "") {
    return { what: "it does not say what it does", hint: "Give `does` one sentence: models choose tools by it." };
  }
  for (const side of ["input", "output"] as const) {
    if (!isSchema(definition[side])) {
      return { what: `its ${side} is not a schema`, hint: "Use a Standard Schema, for example z.object({ … })." };
    }
  }
  if (!effectClasses.has(effect)) {
    return {
      what: `its effect is ${JSON.stringify(effect)}`,
      hint: 'Say what it does to the world: "read", "local", "idempotent" or "once".',
    };
  }
  if (scope !== undefined && !scopes.has(scope)) {
    return { what: `its scope is ${JSON.stringify(scope)}`, hint: 'Say "everyone", "run" or "step".' };
  }
  if (typeof definition.run !== "function") return { what: "it has no function", hint: "Give it `run`." };
  return findEffectProblem(definition) ?? findLimitProblem(definition) ?? findTermProblem(definition);
}

function findEffectProblem(definition: ToolDefinition<unknown, unknown>): Problem | undefined {
  for (const part of ["key", "check", "undo"] as const) {
    if (definition[part] !== undefined && typeof definition[part] !== "function") return toNoFunction(part);
  }
  if (definition.preview !== undefined && typeof definition.preview !== "function") return toNoFunction("preview");
  if (definition.effect !== "read" && definition.effect !== "local") return undefined;
  for (const part of ["key", "check", "undo"] as const) {
    if (definition[part] === undefined) continue;
    return {
      what: `it declares \`${part}\`, but its effect is "${definition.effect}": it changes nothing outside`,
      hint: `Leave \`${part}\` out, or declare the effect "idempotent" or "once".`,
    };
  }
  return undefined;
}

function toNoFunction(part: string): Problem {
  return { what: `its ${part} is not a function`, hint: `Make \`${part}\` a function, or leave it out.` };
}

function findLimitProblem(definition: ToolDefinition<unknown, unknown>): Problem | undefined {
  const { retry, timeoutMs } = definition;
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    return { what: `its timeoutMs is ${timeoutMs}`, hint: "Give a positive number of milliseconds, or leave it out." };
  }
  if (retry === undefined) return undefined;
  if (!Number.isSafeInteger(retry.attemptsMax) || retry.attemptsMax < 1) {
    return {
      what: `its retry.attemptsMax is ${retry.attemptsMax}`,
      hint: "Count all attempts, the first included: 1 or more.",
    };
  }
  const negative = [retry.delayMs, retry.delayMaxMs].find((delayMs) => delayMs !== undefined && !(delayMs >= 0));
  if (negative !== undefined) return { what: `its retry waits ${negative} ms`, hint: "A delay is 0 or more." };
  if (retry.factor !== undefined && !(retry.factor >= 1)) {
    return {
      what: `its retry.factor is ${retry.factor}`,
      hint: "Each pause is at least as long as the one before: 1 or more.",
    };
  }
  return undefined;
}

function isSchema(value: unknown): value is Schema {
  return (typeof value === "object" || typeof value === "function") && value !== null && "~standard" in value;
}
