import { isTuttiError, TuttiError } from "../base/errors.ts";
import { estimateTokens } from "../base/token-estimate.ts";
import type { ModelAsker } from "../contracts/callable.ts";
import type { GivenDirective } from "../contracts/directive.ts";
import type { Model, ModelRequest } from "../contracts/model.ts";
import { toSpentFacts } from "../contracts/spent.ts";
import { estimateInputTokens } from "../limits/estimate-tokens.ts";
import { toAttempt } from "./attempts.ts";
import { toDirectiveChanged } from "./directives.ts";
import type { Driver } from "./driver.ts";
import { isHeld } from "./hold.ts";
import type { Scope } from "./scope.ts";

/**
 * The model as an agent's turn may use it: a question is not begun where something is frozen, and is stopped as soon as a person gives another
 * directive. What it has cost until then is in the error, as far as it can be known.
 */
export function directModel(driver: Driver, scope: Scope, { model, asker }: Asked): Model {
  const attempt = toAttempt(asker.host);
  return withGenerate(model, async (request, signal, watch) => {
    refuseUnasked(driver, scope, model);
    let said = "";
    const onDelta: typeof watch = (delta) => {
      said += delta.text;
      watch?.(delta);
    };
    const forget = driver.directive.onWritten((given) => attempt.stop(toAborted(model, { given, request, said })));
    try {
      return await model.generate(request, signal, watch === undefined ? undefined : onDelta);
    } finally {
      forget();
    }
  });
}

interface Asked {
  readonly model: Model;
  readonly asker: ModelAsker;
}

/** The same model, asked in another way. */
export function withGenerate(model: Model, generate: Model["generate"]): Model {
  return new Proxy(model, {
    get: (target, name): unknown => (name === "generate" ? generate : Reflect.get(target, name, target)),
  });
}

/** A question that may not be begun now. Nothing was sent, and the attempt is made again when it may. */
function refuseUnasked(driver: Driver, scope: Scope, { provider, id }: Model): void {
  const facts = { unasked: true };
  if (isHeld(driver, scope))
    throw new TuttiError("MODEL_UNAVAILABLE", `${provider}/${id} was not asked: it was frozen meanwhile`, { facts });
  if (driver.directiveInUse?.isBehind(scope) !== true) return;
  const { message, hint } = toDirectiveChanged(`${provider}/${id} was not asked`, undefined);
  throw new TuttiError("DIRECTIVE_CHANGED", message, { ...(hint === undefined ? {} : { hint }), facts });
}

/** Whether the model has never heard of the question. */
export function isUnasked(error: unknown): boolean {
  return isTuttiError(error) && error.facts["unasked"] === true;
}

interface Aborted {
  readonly given: GivenDirective;
  readonly request: ModelRequest;
  readonly said: string;
}

/** Providers do not say what a question cost that was stopped, so it is estimated from what was sent and what has come. */
function toAborted(model: Model, { given, request, said }: Aborted): TuttiError {
  const { message, hint, facts } = toDirectiveChanged(`${model.provider}/${model.id} was stopped`, given);
  const spent = toSpentFacts({
    modelCalls: 1,
    inputTokens: estimateInputTokens(request),
    outputTokens: estimateTokens(said),
    unpricedCalls: 1,
  });
  return new TuttiError("DIRECTIVE_CHANGED", message, {
    ...(hint === undefined ? {} : { hint }),
    facts: { ...facts, ...spent },
  });
}
