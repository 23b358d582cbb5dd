import type { Disposition } from "../base/error-codes.ts";
import { describeThrown, TuttiError, toTuttiError } from "../base/errors.ts";
import type { ToolHost, ToolReport, UndoHost } from "../contracts/callable.ts";
import { parseWith, type Schema } from "../contracts/schema.ts";
import type { Provider } from "./provider.ts";

/** A tool of several providers, checked. */
export interface FailoverPlan<Input, Output> {
  readonly name: string;
  readonly output: Schema<Output>;
  /** Anybody may be asked again: it changes nothing, or doing it twice does no harm. */
  readonly harmless: boolean;
  readonly changesNothing: boolean;
  readonly providers: readonly Provider<Input, Output>[];
  readonly isEmpty: (output: Output) => boolean;
  readonly reformulate: (input: Input) => readonly Input[] | Promise<readonly Input[]>;
  readonly order: (providers: readonly Provider<Input, Output>[]) => readonly Provider<Input, Output>[];
  readonly timeoutMs: number;
}

/** What is known so far in one call. */
interface Attempt<Input, Output> {
  readonly tried: NonNullable<ToolReport["tried"]>[number][];
  readonly errors: TuttiError[];
  /** Who has not failed yet, in the order to be asked. An empty answer is no failure: other words may help. */
  readonly left: Set<Provider<Input, Output>>;
}

const reformulationsMax = 4;

/**
 * Asks the providers in turn.
 * @throws what a provider threw, when something may have happened; else one error for all of them: the most hopeful one's code.
 */
export async function runProviders<Input, Output>(
  plan: FailoverPlan<Input, Output>,
  input: Input,
  host: ToolHost,
): Promise<Output> {
  const attempt: Attempt<Input, Output> = { tried: [], errors: [], left: new Set(toOrder(plan)) };
  const first = await askInTurn(plan, attempt, { input, host });
  if (first.found) return first.output;
  const others = attempt.left.size === 0 ? [] : await toReformulations(plan, input);
  for (const other of others) {
    const next = await askInTurn(plan, attempt, { input: other, host });
    if (!next.found) continue;
    host.report({ note: `found only when asked differently: ${JSON.stringify(other)}` });
    return next.output;
  }
  host.report({ tried: attempt.tried });
  throw toCommonError(plan, attempt, others.length);
}

/** The configured order, unless the hook knows better; nobody is lost by it. */
function toOrder<Input, Output>(plan: FailoverPlan<Input, Output>): readonly Provider<Input, Output>[] {
  const known = callHook(plan.name, "order", () => plan.order(plan.providers)).filter((provider) =>
    plan.providers.includes(provider),
  );
  return [...known, ...plan.providers];
}

async function toReformulations<Input, Output>(
  plan: FailoverPlan<Input, Output>,
  input: Input,
): Promise<readonly Input[]> {
  const others = callHook(plan.name, "reformulate", () => plan.reformulate(input));
  return (await others).slice(0, reformulationsMax);
}

// A hook runs when nothing has happened yet: its bug must not look like an effect in doubt.
function callHook<Value>(name: string, hook: string, call: () => Value): Value {
  try {
    return call();
  } catch (error) {
    throw new TuttiError("DEFINITION_INVALID", `${name}: its ${hook} failed: ${describeThrown(error)}`, {
      cause: error,
    });
  }
}

type Answer<Output> = { readonly found: true; readonly output: Output } | { readonly found: false };

interface Question<Input> {
  readonly input: Input;
  readonly host: ToolHost;
}

async function askInTurn<Input, Output>(
  plan: FailoverPlan<Input, Output>,
  attempt: Attempt<Input, Output>,
  { input, host }: Question<Input>,
): Promise<Answer<Output>> {
  for (const provider of attempt.left) {
    if (host.signal.aborted)
      throw new TuttiError("RUN_CANCELLED", `${plan.name} was cancelled before it was done`, {
        cause: host.signal.reason,
      });
    try {
      const output = await askOne(plan, provider, { input, host });
      host.report({ provider: provider.name, tried: attempt.tried });
      return { found: true, output };
    } catch (thrown) {
      const error = toTuttiError(thrown, "STEP_FAILED");
      if (!plan.harmless && error.effect !== "none") {
        // The engine has to know whom to ask what became of it.
        host.report({ provider: provider.name, tried: attempt.tried });
        throw error;
      }
      attempt.tried.push({ provider: provider.name, code: error.code });
      attempt.errors.push(error);
      if (error.code !== "TOOL_EMPTY") attempt.left.delete(provider);
    }
  }
  return { found: false };
}

async function askOne<Input, Output>(
  plan: FailoverPlan<Input, Output>,
  provider: Provider<Input, Output>,
  { input, host }: Question<Input>,
): Promise<Output> {
  const output = await callInTime(provider, host, {
    timeoutMs: plan.timeoutMs,
    call: (within) => provider.run(input, within),
  });
  // What an effect returned is its result, fit or not: the engine records it. A read's misfit is a reason to ask somebody else.
  if (!plan.harmless) return output;
  const fit = await parseWith(plan.output, output, {
    code: "TOOL_ANSWER_INVALID",
    what: `what ${provider.name} returned`,
  });
  if (plan.isEmpty(fit)) throw new TuttiError("TOOL_EMPTY", `${provider.name} found nothing`);
  return fit;
}

/** After its time a provider is told to stop; within this it may still say what it knows, for example that it had not begun. */
const graceMs = 1_000;

interface Timed<Output> {
  readonly timeoutMs: number;
  readonly call: (host: ToolHost) => Promise<Output> | Output;
}

async function callInTime<Output>(
  { name }: { readonly name: string },
  host: ToolHost,
  { timeoutMs, call }: Timed<Output>,
): Promise<Output> {
  const late = new TuttiError("TOOL_INTERRUPTED", `${name} did not answer in ${timeoutMs} ms`, {
    facts: { provider: name },
  });
  const limit = new AbortController();
  const { promise: given, reject: giveUp } = Promise.withResolvers<never>();
  let timer = setTimeout(() => {
    limit.abort(late);
    timer = setTimeout(() => giveUp(late), graceMs);
  }, timeoutMs);
  try {
    const within: ToolHost = { ...host, signal: AbortSignal.any([host.signal, limit.signal]) };
    return await Promise.race([call(within), given]);
  } finally {
    clearTimeout(timer);
  }
}

/** So much of each provider's message stands in the common one. */
const saidMax = 300;

const hopeByDisposition: Readonly<Record<Disposition, number>> = {
  retry: 0,
  "tell-model": 1,
  "ask-person": 2,
  "give-up": 3,
  bug: 4,
};

/** Nobody is known to have done it. What follows is what follows from the most hopeful of the errors. */
function toCommonError<Input, Output>(
  plan: FailoverPlan<Input, Output>,
  { errors, tried }: Attempt<Input, Output>,
  reformulations: number,
): TuttiError {
  const [best] = errors.toSorted((left, right) => toHope(left) - toHope(right));
  const code = best?.code ?? "TOOL_FAILED";
  const waits = errors.flatMap((error) => (error.disposition === "retry" ? [error.retryAfterMs ?? 0] : []));
  const names = tried.map((each) => `${each.provider}: ${each.code}`);
  const inOtherWords = reformulations === 0 ? "" : `, also in ${reformulations} other wordings`;
  const message =
    code === "TOOL_EMPTY"
      ? `${plan.name} found nothing${inOtherWords} (${names.join(", ")})`
      : `${plan.name}: ${errors.map((error) => error.message.slice(0, saidMax)).join("; ")}`;
  return new TuttiError(code, message, {
    hint:
      code === "TOOL_EMPTY"
        ? "Ask for something else, use another tool or agent, or ask a person."
        : (best?.hint ?? "Look at each provider's error."),
    facts: { tried: names },
    effect: plan.changesNothing || errors.every(({ effect }) => effect === "none") ? "none" : "unknown",
    ...(waits.length === 0 ? {} : { retryAfterMs: Math.min(...waits) }),
    ...(best === undefined ? {} : { cause: best }),
  });
}

function toHope({ disposition }: TuttiError): number {
  return hopeByDisposition[disposition];
}

/**
 * Whether any provider did it. It certainly did not happen only if each of them says so, for any may have been asked before a crash.
 * @throws TuttiError when one can't tell and none says that it did it.
 */
export async function checkProviders<Input, Output>(
  plan: FailoverPlan<Input, Output>,
  input: Input,
  host: ToolHost,
): Promise<Output | undefined> {
  const unsure: string[] = [];
  for (const provider of plan.providers) {
    try {
      const output = await askCheck(provider, { input, host }, plan.timeoutMs);
      if (output === undefined || output === null) continue;
      host.report({ provider: provider.name });
      return output;
    } catch (error) {
      unsure.push(`${provider.name}: ${describeThrown(error)}`);
    }
  }
  if (unsure.length === 0) return undefined;
  throw new TuttiError("TOOL_FAILED", `not every provider of ${plan.name} can tell: ${unsure.join("; ")}`, {
    hint: "Look at these providers, and settle the effect.",
    effect: "unknown",
  });
}

function askCheck<Input, Output>(
  provider: Provider<Input, Output>,
  { input, host }: Question<Input>,
  timeoutMs: number,
): Promise<Output | undefined> {
  if (provider.check === undefined) throw new Error("it has no check");
  return callInTime(provider, host, { timeoutMs, call: (within) => provider.check?.(input, within) });
}

/** Takes the effect back where it was done. */
export async function undoAtProvider<Input, Output>(
  plan: FailoverPlan<Input, Output>,
  output: Output,
  host: UndoHost<Input>,
): Promise<void> {
  const doer =
    plan.providers.length === 1 ? plan.providers[0] : plan.providers.find(({ name }) => name === host.doneBy);
  if (doer?.undo === undefined) {
    throw new TuttiError("UNDO_IMPOSSIBLE", `${plan.name} does not know who did it: ${host.doneBy ?? "nobody said"}`, {
      hint: "Take it back by hand, or give the tool the provider of that name again, and resume the run.",
    });
  }
  await doer.undo(output, host);
}
