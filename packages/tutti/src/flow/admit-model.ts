import type { ErrorCode } from "../base/error-codes.ts";
import { isTuttiError, TuttiError } from "../base/errors.ts";
import { roundUp, type Amount, type BudgetLevel } from "../contracts/budget.ts";
import type { ModelAsker } from "../contracts/callable.ts";
import type { Model, ModelReply, ModelRequest, WorstCase } from "../contracts/model.ts";
import { estimateInputTokens, outputTokensDefault } from "../limits/estimate-tokens.ts";
import type { Gate } from "../limits/gate.ts";
import { toBudgetSpent, toSettlement } from "./admission.ts";
import { isUnasked } from "./directed-model.ts";
import type { Driver } from "./driver.ts";
import { passGates, untilStopped } from "./pass-gates.ts";
import type { Scope } from "./scope.ts";

/**
 * The model as a step of this scope may use it: each call waits for its turn, and what it may cost at most is reserved, durably, before it
 * is made. The model itself where nothing is limited.
 */
export function admitModel(
  driver: Driver,
  scope: Scope,
  asked: { readonly model: Model; readonly asker: ModelAsker },
): Model {
  const { admission } = driver;
  if (admission.isFree) return asked.model;
  const { model, asker } = asked;
  const { tenant, flow } = admission;
  const agent = admission.agentAt(scope);
  const gates = admission.gates?.of({ tenant, flow, agent, kind: "model", name: model.provider }) ?? [];
  const levels = admission.levelsAt(scope);
  if (gates.length === 0 && levels.length === 0) return model;
  return {
    ...model,
    provider: model.provider,
    id: model.id,
    generate: (request, signal, watch) => generate(driver, { model, asker, gates, levels }, { request, signal, watch }),
  };
}

interface Limited {
  readonly model: Model;
  readonly asker: ModelAsker;
  readonly gates: readonly Gate[];
  readonly levels: readonly BudgetLevel[];
}

interface Question {
  readonly request: ModelRequest;
  readonly signal: AbortSignal;
  readonly watch: Parameters<Model["generate"]>[2];
}

async function generate(driver: Driver, limited: Limited, question: Question): Promise<ModelReply> {
  const { gates, asker, levels, model } = limited;
  const amount = levels.length === 0 ? undefined : toWorstCase(limited, question.request);
  const caller = {
    calls: "model",
    attempt: asker.host.attempt,
    mayProbe: true,
    standing: driver.admission.standing,
  } as const;
  const pass = await passGates(driver, { gates, caller, signal: question.signal });
  let granted: Amount | undefined;
  try {
    granted = amount === undefined ? undefined : await reserve(driver, limited, amount);
  } catch (error) {
    pass.leave({ kind: "left" });
    throw error;
  }
  const startedAt = driver.host.clock.now();
  const settle = (actual: Amount | undefined): void => {
    if (granted !== undefined) void driver.append(toSettlement(asker.host.step, actual));
  };
  const elapsed = (): number => Math.min(driver.host.clock.now() - startedAt, granted?.timeMs ?? 0);
  try {
    const reply = await callWithin(driver, model, { ...question, timeMs: granted?.timeMs });
    pass.leave({ kind: "done" });
    settle(toSpent(reply, granted ?? {}, elapsed()));
    return reply;
  } catch (error) {
    const isOurs = isPersons(error) || (question.signal.aborted && !isTimeout(question.signal));
    pass.leave(isOurs ? { kind: "left" } : { kind: "failed", error });
    settle(costsNothing(error) ? { calls: 1, timeMs: elapsed() } : undefined);
    throw error;
  }
}

async function reserve(driver: Driver, { asker, levels }: Limited, amount: Amount): Promise<Amount | undefined> {
  const budget = { kind: "reserve", levels, amount } as const;
  const appended = await untilStopped(
    driver,
    driver.append({ kind: "budget-reserved", key: asker.host.step, body: "", budget }),
  );
  if (appended.kind === "spent") throw toBudgetSpent(appended.shortage);
  return appended.kind === "recorded" ? appended.reserved : undefined;
}

function toWorstCase({ model, levels, asker }: Limited, request: ModelRequest): Amount {
  const worst: WorstCase = model.worstCase?.(request) ?? { tokens: estimateInputTokens(request) + outputTokensDefault };
  if (worst.costUsd === undefined && levels.some((level) => level.limit.usd !== undefined)) {
    throw new TuttiError(
      "DEFINITION_INVALID",
      `${model.provider}/${model.id} does not say what it costs, so a budget in US dollars can't be kept`,
      {
        hint: "Wrap it: withPrice(model, { input, output }), in US dollars per million tokens. Or limit tokens instead.",
      },
    );
  }
  return roundUp({ usd: worst.costUsd ?? 0, tokens: worst.tokens, calls: worst.calls ?? 1, timeMs: asker.timeoutMs });
}

function toSpent({ usage }: ModelReply, granted: Amount, timeMs: number): Amount {
  const usd = usage.costUsd ?? granted.usd ?? 0;
  const tokens = usage.inputTokens + usage.outputTokens;
  return roundUp({ usd, tokens, calls: usage.modelCalls, timeMs });
}

/** Codes of requests that were not sent, or have to wait. */
const unpaid: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "MODEL_RATE_LIMITED",
  "MODEL_FORBIDDEN",
  "MODEL_UNKNOWN",
  "SECRET_EXPOSED",
  "SECRET_MISSING",
  "SECRET_MISPLACED",
]);

/** Nor do providers charge for a request that they answer with an error's status. Of several models, others may have been paid before. */
function costsNothing(error: unknown): boolean {
  if (isUnasked(error)) return true;
  if (!isTuttiError(error) || error.facts["passedOver"] !== undefined) return false;
  const { status } = error.facts;
  return unpaid.has(error.code) || (typeof status === "number" && status >= 400);
}

/** A person has frozen it or given another directive: nothing that its provider is to blame for. */
function isPersons(error: unknown): boolean {
  return isUnasked(error) || (isTuttiError(error) && error.code === "DIRECTIVE_CHANGED");
}

function isTimeout(signal: AbortSignal): boolean {
  return isTuttiError(signal.reason) && signal.reason.code === "STEP_TIMEOUT";
}

/** Ends when the signal or the granted time does, whatever the model makes of it: its place is another's then. */
async function callWithin(
  driver: Driver,
  model: Model,
  { request, signal, watch, timeMs }: Question & { readonly timeMs: number | undefined },
): Promise<ModelReply> {
  const controller = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const stop = (reason: unknown): void => {
    controller.abort(reason);
    reject(reason);
  };
  const onAbort = (): void => stop(signal.reason);
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  const forget =
    timeMs === undefined ? undefined : driver.host.clock.after(timeMs, () => stop(toTimeout(model, timeMs)));
  try {
    return await Promise.race([model.generate(request, controller.signal, watch), over]);
  } finally {
    forget?.();
    signal.removeEventListener("abort", onAbort);
  }
}

function toTimeout(model: Model, timeMs: number): TuttiError {
  return new TuttiError(
    "STEP_TIMEOUT",
    `${model.provider}/${model.id} took longer than the ${timeMs} ms that were left`,
    { facts: { timeoutMs: timeMs } },
  );
}
