import { TuttiError } from "../base/errors.ts";
import { addUsage, noUsage, type Usage } from "../contracts/outcome.ts";
import type { Run } from "../contracts/run.ts";

/** How much one call of an agent may take. What is not given is not limited, but for the turns. */
export interface Limits {
  readonly turnsMax: number;
  /** Input and output together, over all turns. */
  readonly tokensMax?: number | undefined;
  /** From the call on, over crashes and pauses; looked at between turns. */
  readonly durationMaxMs?: number | undefined;
  /** Counts what the models report; a model that reports no cost is not limited by it. */
  readonly costMaxUsd?: number | undefined;
}

/** What is counted, and what can therefore come near its end. */
export type MeterName = "turns" | "tokens" | "time" | "cost";
export type LimitName = MeterName | "repeats";

export interface Turn {
  readonly number: number;
  /** Why no other turn follows; the model has to answer now. */
  readonly lastBy: MeterName | undefined;
  /** How long the model may take. */
  readonly leftMs: number | undefined;
  /** What may still be spent. */
  readonly leftUsd: number | undefined;
}

export interface LimitBook {
  /** @throws TuttiError AGENT_LIMIT when nothing is left. */
  nextTurn(): Turn;
  spend(usage: Usage): void;
  readonly usage: Usage;
  over(limit: LimitName, problem?: string): TuttiError;
}

/** What one limit has used, and how much the last turn took of it. */
interface Meter {
  readonly name: MeterName;
  readonly max: number;
  used: number;
  last: number;
}

/**
 * Counts what a call of an agent takes. A turn is the last one when another like the turn before would not fit after it, so that the
 * model can answer with what it has before a limit cuts it off.
 */
export function openLimits(agent: string, limits: Limits, run: Run): LimitBook {
  const turns: Meter = { name: "turns", max: limits.turnsMax, used: 0, last: 1 };
  const tokens = toMeter("tokens", limits.tokensMax);
  const cost = toMeter("cost", limits.costMaxUsd);
  const time = toMeter("time", limits.durationMaxMs);
  const meters = [turns, tokens, time, cost].filter((meter) => meter !== undefined);
  // Drawn from the ledger, so that a replay counts the same; only when somebody asked for the limit.
  const startedAt = time === undefined ? 0 : run.now();
  let usage = noUsage;
  let endedBy: MeterName | undefined;
  const over = (limit: LimitName, problem?: string): TuttiError => toLimitError(agent, { limit, limits, problem });
  return {
    get usage() {
      return usage;
    },
    over,
    nextTurn() {
      if (time !== undefined && turns.used > 0) advance(time, run.now() - startedAt);
      const spent = endedBy ?? meters.find((meter) => meter.used >= meter.max)?.name;
      if (spent !== undefined) throw over(spent);
      endedBy = meters.find((meter) => meter.used + 2 * meter.last > meter.max)?.name;
      turns.used += 1;
      return {
        number: turns.used,
        lastBy: endedBy,
        leftMs: time === undefined ? undefined : Math.max(1, time.max - time.used),
        leftUsd: cost === undefined ? undefined : Math.max(0, cost.max - cost.used),
      };
    },
    spend(more) {
      usage = addUsage(usage, more);
      if (tokens !== undefined) advance(tokens, usage.inputTokens + usage.outputTokens);
      if (cost !== undefined) advance(cost, usage.costUsd ?? 0);
    },
  };
}

function toMeter(name: MeterName, max: number | undefined): Meter | undefined {
  return max === undefined ? undefined : { name, max, used: 0, last: 0 };
}

function advance(meter: Meter, used: number): void {
  meter.last = used - meter.used;
  meter.used = used;
}

interface Over {
  readonly limit: LimitName;
  readonly limits: Limits;
  readonly problem: string | undefined;
}

function toLimitError(agent: string, { limit, limits, problem }: Over): TuttiError {
  const max = {
    turns: limits.turnsMax,
    tokens: limits.tokensMax,
    time: limits.durationMaxMs,
    cost: limits.costMaxUsd,
    repeats: undefined,
  }[limit];
  const said = {
    turns: `${agent} gave no answer in ${limits.turnsMax} turns`,
    tokens: `${agent} gave no answer for ${limits.tokensMax} tokens`,
    time: `${agent} gave no answer in ${limits.durationMaxMs} ms`,
    cost: `${agent} gave no answer for ${limits.costMaxUsd} USD`,
    repeats: `${agent} makes the same call over and over`,
  }[limit];
  const hint = {
    turns: "Raise turnsMax, or give it a smaller task.",
    tokens: "Raise tokensMax, give it a smaller task, or let it compact its conversation.",
    time: "Raise durationMaxMs, or give it a smaller task.",
    cost: "Raise costMaxUsd, or name a cheaper tier.",
    repeats:
      'Try a stronger model for this tier. A tool that is meant to be asked again and again gets the tag "polling".',
  }[limit];
  return new TuttiError(
    "AGENT_LIMIT",
    problem === undefined ? said : `${said}; its last answer can't be used: ${problem}`,
    { hint, facts: { agent, limit, ...(max === undefined ? {} : { max }) } },
  );
}
