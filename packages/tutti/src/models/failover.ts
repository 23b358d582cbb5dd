import { systemClock, type Clock } from "../base/clock.ts";
import { TuttiError } from "../base/errors.ts";
import type { Model, ModelDelta, ModelReply, ModelRequest } from "../contracts/model.ts";
import { noUsage } from "../contracts/outcome.ts";
import { toSpentFacts } from "../contracts/spent.ts";
import { nameOf, passOver, toPassable, toWholeReply, type Before } from "./ask-next.ts";
import { addWorstCases } from "./worst-case.ts";

export interface FailoverOptions {
  /** How long a model may take as long as there is another one; 60 seconds by default. The last may take what the step has. */
  readonly patienceMs?: number;
  readonly clock?: Clock;
}

const patienceDefaultMs = 60_000;

/**
 * One model of several: the next is asked when one refuses, is out of reach, asks to wait or sends what can't be read. The reply says who gave
 * it and who was passed over; its usage is that of all. What was watched of a call that failed has been seen.
 * @throws TuttiError DEFINITION_INVALID; when none answers, the error that gives most hope: one after which trying again may help
 */
export function failover(models: readonly Model[], options: FailoverOptions = {}): Model {
  if (models.length === 0) {
    throw new TuttiError("DEFINITION_INVALID", "failover was given no model", {
      hint: "Give it models in the order in which they are to be asked.",
    });
  }
  const { patienceMs = patienceDefaultMs, clock = systemClock } = options;
  return {
    provider: "failover",
    id: models.map(nameOf).join(" | "),
    worstCase: (request) => addWorstCases(models, request),
    async generate(request, signal, watch) {
      let before: Before = { spent: noUsage, passedOver: [] };
      const errors: TuttiError[] = [];
      for (const [index, model] of models.entries()) {
        const patience = index === models.length - 1 ? undefined : patienceMs;
        try {
          const reply = await askPatiently(model, { request, signal, watch, patienceMs: patience, clock });
          return toWholeReply(before, model, reply);
        } catch (thrown) {
          const error = toPassable(thrown, signal);
          if (error === undefined) throw thrown;
          errors.push(error);
          before = passOver(before, model, error);
        }
      }
      throw toLastError(errors, before);
    },
  };
}

interface Asking {
  readonly request: ModelRequest;
  readonly signal: AbortSignal;
  readonly watch: ((delta: ModelDelta) => void) | undefined;
  readonly patienceMs: number | undefined;
  readonly clock: Clock;
}

async function askPatiently(model: Model, asking: Asking): Promise<ModelReply> {
  const { request, signal, watch, patienceMs, clock } = asking;
  if (patienceMs === undefined) return model.generate(request, signal, watch);
  const patience = new AbortController();
  const forget = clock.after(patienceMs, () => {
    patience.abort(
      new TuttiError("MODEL_UNAVAILABLE", `${nameOf(model)} did not answer in ${patienceMs} ms`, {
        hint: "The next model is asked; raise patienceMs if answers take longer.",
      }),
    );
  });
  try {
    return await model.generate(request, AbortSignal.any([signal, patience.signal]), watch);
  } catch (error) {
    // A model may answer an abort with an error of its own; who lost patience knows better.
    if (patience.signal.aborted && !signal.aborted) throw patience.signal.reason;
    throw error;
  } finally {
    forget();
  }
}

function toLastError(errors: readonly TuttiError[], { spent, passedOver }: Before): TuttiError {
  const hopeful = errors.filter((error) => error.disposition === "retry");
  const waits = hopeful.map((error) => error.retryAfterMs ?? 0);
  const code =
    hopeful.find((error) => error.code !== "MODEL_RATE_LIMITED")?.code ?? hopeful[0]?.code ?? "MODEL_REFUSED";
  const said = passedOver.map(({ model, why }) => `${model}: ${why}`).join("; ");
  return new TuttiError(code, `none of ${passedOver.length} models answered: ${said}`, {
    hint: hopeful.length > 0 ? "It is tried again." : (errors[0]?.hint ?? "Check the models' keys and settings."),
    facts: { models: passedOver.map(({ model, code: failed }) => `${model} ${failed}`), ...toSpentFacts(spent) },
    cause: errors.at(-1),
    ...(waits.length === 0 ? {} : { retryAfterMs: Math.min(...waits) }),
  });
}
