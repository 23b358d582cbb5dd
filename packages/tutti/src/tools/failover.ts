import { TuttiError } from "../base/errors.ts";
import type { Tool } from "../contracts/callable.ts";
import { checkProviders, runProviders, undoAtProvider, type FailoverPlan } from "./failover-run.ts";
import type { Provider } from "./provider.ts";
import { tool, type ToolDefinition } from "./tool.ts";

/** A tool that several providers can do the work of. */
export interface FailoverDefinition<Input, Output> extends Omit<
  ToolDefinition<Input, Output>,
  "run" | "check" | "undo"
> {
  /** Who can do it, the first choice first. */
  readonly providers: readonly Provider<Input, Output>[];
  /** An output that is of no use, though nothing failed. Only for tools that change nothing. */
  readonly isEmpty?: (output: Output) => boolean;
  /** Other inputs to try when everybody found nothing, the closest first; at most 4 are. Only for tools that change nothing. */
  readonly reformulate?: (input: Input) => readonly Input[] | Promise<readonly Input[]>;
  /** Asked at each call: who goes first just now, by health, price or place. Whoever it leaves out comes last. */
  readonly order?: (providers: readonly Provider<Input, Output>[]) => readonly Provider<Input, Output>[];
  /**
   * Of an `idempotent` tool: doing it again, also by another provider, is no second effect, as when content is kept under its hash. Then the
   * next provider is asked after every failure.
   */
  readonly harmless?: true;
  /** How long one provider may take; 30 s by default. It is then told to stop, and given another second to say what it knows. */
  readonly providerTimeoutMs?: number;
}

const providerTimeoutMs = 30_000;

/**
 * Makes one tool of several providers. When one fails, the next is asked, if certainly nothing has happened: the `effect` of its error
 * decides, or that the tool changes nothing at all. Otherwise the error is thrown on, and the engine puts the effect in doubt. An
 * empty result is never a success: the next provider is asked, then all of them in other words, then it is TOOL_EMPTY.
 * Who did it, and who was tried before, is in the ledger.
 * @throws TuttiError DEFINITION_INVALID when the declaration contradicts itself.
 */
export function withFailover<Input, Output>(definition: FailoverDefinition<Input, Output>): Tool<Input, Output> {
  const {
    providers,
    isEmpty,
    reformulate,
    order,
    harmless,
    providerTimeoutMs: timeoutMs = providerTimeoutMs,
    ...declared
  } = definition;
  const problem = findProblem(definition, timeoutMs);
  if (problem !== undefined)
    throw new TuttiError("DEFINITION_INVALID", `tool ${JSON.stringify(definition.name)}: ${problem[0]}`, {
      hint: problem[1],
    });
  const plan: FailoverPlan<Input, Output> = {
    name: definition.name,
    output: definition.output,
    harmless: changesNothing(definition) || harmless === true,
    changesNothing: changesNothing(definition),
    providers: [...providers],
    isEmpty: isEmpty ?? (() => false),
    reformulate: reformulate ?? (() => []),
    order: order ?? ((all) => all),
    timeoutMs,
  };
  return tool<Input, Output>({
    ...declared,
    run: (input, host) => runProviders(plan, input, host),
    ...(providers.some((provider) => provider.check !== undefined)
      ? { check: (input, host) => checkProviders(plan, input, host) }
      : {}),
    ...(providers.some((provider) => provider.undo !== undefined)
      ? { undo: (output, host) => undoAtProvider(plan, output, host) }
      : {}),
  });
}

function changesNothing({ effect }: Pick<FailoverDefinition<unknown, unknown>, "effect">): boolean {
  return effect === "read" || effect === "local";
}

type Problem = readonly [what: string, hint: string];

function findProblem<Input, Output>(
  definition: FailoverDefinition<Input, Output>,
  timeoutMs: number,
): Problem | undefined {
  const { providers } = definition;
  const names = providers.map((provider) => provider.name);
  if (names.length === 0) return ["it has no provider", "Give it at least one."];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    return [`two of its providers are called ${twice}`, "The ledger names them: give each a name of its own."];
  if (!(timeoutMs > 0)) return [`its providerTimeoutMs is ${timeoutMs}`, "Give a positive number of milliseconds."];
  if (changesNothing(definition)) return undefined;
  if (definition.harmless === true && definition.effect !== "idempotent")
    return [
      `it is "${definition.effect}" and said to be harmless`,
      'Only an "idempotent" tool can be done again elsewhere without harm.',
    ];
  if (definition.effect === "idempotent" && providers.length > 1 && definition.harmless !== true)
    return [
      `it is "idempotent" and has ${providers.length} providers: they don't know each other's keys, so a repeat could be done by another one`,
      'Declare it "once", give it one provider, or say that it is `harmless` to do it again elsewhere.',
    ];
  if (definition.isEmpty !== undefined || definition.reformulate !== undefined)
    return [
      "an empty result of a tool that changes something can't be asked for again elsewhere",
      "Leave isEmpty and reformulate out; a provider that did nothing throws TOOL_EMPTY.",
    ];
  const undoers = providers.filter((provider) => provider.undo !== undefined).length;
  if (undoers > 0 && undoers < providers.length)
    return ["only some of its providers can undo", "Give all of them an undo, or none."];
  return undefined;
}
