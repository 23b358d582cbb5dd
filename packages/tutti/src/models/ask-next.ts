import type { ErrorCode } from "../base/error-codes.ts";
import { isTuttiError, type TuttiError } from "../base/errors.ts";
import type { Model, ModelReply, PassedOver } from "../contracts/model.ts";
import { addUsage, type Usage } from "../contracts/outcome.ts";
import { spentOn } from "../contracts/spent.ts";

/** What was asked before and did not do, while a model that stands for several goes on to the next. */
export interface Before {
  readonly spent: Usage;
  readonly passedOver: readonly PassedOver[];
}

/** After these another model may do: nothing happened outside, and it was the model or its provider who could not. */
const passable: ReadonlySet<ErrorCode> = new Set([
  "MODEL_UNAVAILABLE",
  "MODEL_RATE_LIMITED",
  "MODEL_REFUSED",
  "MODEL_ANSWER_INVALID",
]);

/** The error, if another model may be asked instead. Whoever asked and has gone away wants no other one. */
export function toPassable(thrown: unknown, signal: AbortSignal): TuttiError | undefined {
  return isTuttiError(thrown) && passable.has(thrown.code) && !signal.aborted ? thrown : undefined;
}

export function nameOf(model: Model): string {
  return `${model.provider}/${model.id}`;
}

/** Adds a model that was asked in vain. What it names itself, it passed over before. */
export function passOver(before: Before, model: Model, error: TuttiError): Before {
  return {
    spent: addUsage(before.spent, spentOn(error)),
    passedOver: [...before.passedOver, { model: nameOf(model), code: error.code, why: error.message }],
  };
}

/** The reply, with who gave it, who was asked before, and what all of them cost. */
export function toWholeReply(before: Before, model: Model, reply: ModelReply): ModelReply {
  const passedOver = [...before.passedOver, ...(reply.passedOver ?? [])];
  return {
    ...reply,
    usage: addUsage(before.spent, reply.usage),
    provider: reply.provider ?? model.provider,
    modelId: reply.modelId ?? model.id,
    ...(passedOver.length === 0 ? {} : { passedOver }),
  };
}
