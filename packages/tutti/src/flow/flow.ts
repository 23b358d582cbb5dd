import { TuttiError } from "../base/errors.ts";
import { pickTerms } from "../contracts/contract.ts";
import type { Flow, Run, SignalType } from "../contracts/run.ts";
import type { Schema } from "../contracts/schema.ts";
import { findTermProblem } from "../contracts/term-problems.ts";
import type { Terms } from "../contracts/terms.ts";

export interface FlowDefinition<Input, Output> extends Terms {
  readonly name: string;
  /** One sentence: what it is for. Its agents are told, and whoever chooses between flows. */
  readonly does?: string;
  /** Raise it when the steps change while old runs are still open; register both versions until they are done. */
  readonly version?: string;
  readonly input: Schema<Input>;
  readonly output: Schema<Output>;
  /** `undo` takes back what was done, newest first, when the flow fails or is cancelled. */
  readonly onFailure?: "keep" | "undo";
  readonly run: (run: Run, input: Input) => Promise<NoInfer<Output>>;
}

const namePattern = /^[A-Za-z][\w.-]{0,63}$/u;

/**
 * Declares a flow: an ordinary async function whose awaits are durable. Declares and does nothing else.
 * @throws TuttiError DEFINITION_INVALID
 */
export function flow<Input, Output>(definition: FlowDefinition<Input, Output>): Flow<Input, Output> {
  if (!namePattern.test(definition.name)) {
    throw new TuttiError("DEFINITION_INVALID", `"${definition.name}" can't name a flow`, {
      hint: "Start with a letter; then letters, digits, dot, dash or underscore, at most 64.",
    });
  }
  const problem = findTermProblem(definition);
  if (problem !== undefined)
    throw new TuttiError("DEFINITION_INVALID", `flow "${definition.name}": ${problem.what}`, { hint: problem.hint });
  return {
    kind: "flow",
    name: definition.name,
    version: definition.version ?? "1",
    ...(definition.does === undefined ? {} : { does: definition.does }),
    ...pickTerms(definition),
    input: definition.input,
    output: definition.output,
    onFailure: definition.onFailure ?? "keep",
    run: definition.run,
  };
}

/** Declares a signal, so that sender and receiver agree on its payload. */
export function signal<Payload>(definition: {
  readonly name: string;
  readonly payload: Schema<Payload>;
}): SignalType<Payload> {
  if (!namePattern.test(definition.name)) {
    throw new TuttiError("DEFINITION_INVALID", `"${definition.name}" can't name a signal`, {
      hint: "Start with a letter; then letters, digits, dot, dash or underscore, at most 64.",
    });
  }
  return { kind: "signal", name: definition.name, payload: definition.payload };
}
