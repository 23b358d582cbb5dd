import type { Clock } from "../base/clock.ts";
import { TuttiError } from "../base/errors.ts";
import { openBreaker, type BreakerGuard, type Verdict } from "./breaker.ts";
import { FairQueue } from "./fair-queue.ts";
import { toUnavailable, toRateLimited, toRetriesSpent } from "./gate-errors.ts";
import type { GateState } from "./gate-state.ts";
import type { Limits } from "./limit.ts";
import type { Standing } from "./standing.ts";
import { openTokenBucket, type TokenBucket } from "./token-bucket.ts";
import { toPauseMs, toVerdict } from "./verdict.ts";

/** Who wants to pass. */
export interface Caller {
  readonly calls: "tool" | "model";
  /** 1 for the first try; the others take from the retries that were saved up. */
  readonly attempt: number;
  /** It does no harm if it is only done to see whether it works. */
  readonly mayProbe: boolean;
  /** Decides who is next where several wait. */
  readonly standing: Standing;
}

/** The right to make one call. */
export interface Pass {
  /** Says how the call ended: with a value, with an error, or nobody knows because it was left. Only the first time counts. */
  leave(end: CallEnd): void;
}

export type CallEnd =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "left" };

/** Stands in front of one tool, provider, tenant, flow or agent, for all callers of this process. */
export interface Gate {
  /**
   * A pass as soon as it is the caller's turn (fair-queue.ts says whose it is); `abandon` makes it give up its place.
   * @throws TuttiError TOOL_UNAVAILABLE, MODEL_UNAVAILABLE, TOOL_RATE_LIMITED, MODEL_RATE_LIMITED or RETRIES_SPENT, before anything was called.
   */
  enter(caller: Caller): Entering;
  /** Nobody is inside or waiting, and everything is as in a new one. */
  readonly isIdle: boolean;
  /** How many calls may be inside; nothing where that is not limited. */
  readonly slots: number | undefined;
  /** How many are. */
  readonly inUse: number;
  /** Those who wait, in the order in which they came. */
  waiting(): readonly Standing[];
}

export interface Entering {
  readonly passed: Promise<Pass>;
  /** Gives the place up; `passed` stays unsettled if it was not settled yet. A pass that was given already is the caller's to leave. */
  abandon(): void;
}

export interface GateOptions {
  readonly key: string;
  readonly limits: Limits;
  readonly clock: Clock;
  /** It is what may fail itself. A tenant is not: what its calls come to says nothing about it. */
  readonly isFallible: boolean;
  readonly stored: GateState;
  /** Called whenever what has to survive a restart is another. */
  readonly onChange: (state: GateState) => void;
}

const waitMaxDefaultMs = 60_000;
const queueDefault = 1_000;
const retriesDefault = 10;
/** A repetition takes ten tenths, a success gives one back. */
const tenths = 10;

interface Waiter {
  readonly caller: Caller;
  readonly standing: Standing;
  readonly resolve: (pass: Pass) => void;
  readonly reject: (error: TuttiError) => void;
  forgetDeadline: () => void;
}

interface GateParts extends GateOptions {
  readonly breaker: BreakerGuard | undefined;
  readonly bucket: TokenBucket | undefined;
  readonly retriesMax: number;
  readonly queue: FairQueue<Waiter>;
  active: number;
  retryTenths: number;
  pausedUntilMs: number;
  forgetTimer: (() => void) | undefined;
  lastFailure: string | undefined;
}

export function openGate(options: GateOptions): Gate {
  const { limits, stored, clock } = options;
  const { breaker, rate, retriesMax = retriesDefault } = limits;
  const gate: GateParts = {
    ...options,
    breaker: breaker === undefined ? undefined : openBreaker(breaker, stored.breaker),
    bucket:
      rate === undefined ? undefined : openTokenBucket(rate, { usedUntilMs: stored.usedUntilMs, now: clock.now() }),
    retriesMax,
    queue: new FairQueue(),
    active: 0,
    retryTenths: Math.round(Math.min(stored.retries ?? retriesMax, retriesMax) * tenths),
    pausedUntilMs: stored.pausedUntilMs ?? 0,
    forgetTimer: undefined,
    lastFailure: undefined,
  };
  return {
    enter: (caller) => enter(gate, caller),
    get isIdle() {
      return (
        gate.active === 0 &&
        gate.queue.size === 0 &&
        gate.breaker?.open === undefined &&
        gate.retryTenths === retriesMax * tenths &&
        gate.pausedUntilMs <= clock.now() &&
        (gate.bucket?.usedUntilMs ?? 0) <= clock.now()
      );
    },
    slots: limits.concurrentMax,
    get inUse() {
      return gate.active;
    },
    waiting: () => Array.from(gate.queue.values(), (waiter) => waiter.standing),
  };
}

function enter(gate: GateParts, caller: Caller): Entering {
  const { promise: passed, resolve, reject } = Promise.withResolvers<Pass>();
  const waiter: Waiter = { caller, standing: caller.standing, resolve, reject, forgetDeadline: () => {} };
  const refusal = refuse(gate, caller);
  if (refusal !== undefined) reject(refusal);
  else {
    gate.queue.add(waiter);
    pump(gate);
    if (gate.queue.has(waiter)) wait(gate, waiter);
  }
  return { passed, abandon: () => remove(gate, waiter) };
}

/** What nobody needs to wait for: it would not be let through. */
function refuse({ breaker, key, clock, lastFailure, ...gate }: GateParts, caller: Caller): TuttiError | undefined {
  const closedMs = breaker?.refusalMs(clock.now(), caller.mayProbe);
  if (closedMs !== undefined) return toUnavailable(caller, { key, waitMs: closedMs, why: "open", lastFailure });
  return caller.attempt > 1 && gate.retryTenths < tenths ? toRetriesSpent({ key, lastFailure }) : undefined;
}

/** Waiting has an end, and a place for so many only. */
function wait(gate: GateParts, waiter: Waiter): void {
  const { key, queue, limits, clock } = gate;
  const { queueMax = queueDefault, waitMaxMs = waitMaxDefaultMs } = limits;
  const pauseMs = gate.pausedUntilMs - clock.now();
  const refuseWith = (error: TuttiError): void => {
    remove(gate, waiter);
    waiter.reject(error);
  };
  if (pauseMs > waitMaxMs) {
    refuseWith(toRateLimited(waiter.caller, { key, waitMs: pauseMs, why: "asked" }));
    return;
  }
  if (queue.size > queueMax) {
    refuseWith(toUnavailable(waiter.caller, { key, waitMs: waitMaxMs, why: "full", lastFailure: undefined }));
    return;
  }
  waiter.forgetDeadline = clock.after(waitMaxMs, () =>
    refuseWith(toRateLimited(waiter.caller, { key, waitMs: waitMaxMs, why: "waited" })),
  );
}

function remove(gate: GateParts, waiter: Waiter): void {
  if (!gate.queue.has(waiter)) return;
  gate.queue.remove(waiter);
  waiter.forgetDeadline();
  pump(gate);
}

/** Lets in who may pass, in order. The next one, if it has to wait, holds up all behind it. */
function pump(gate: GateParts): void {
  gate.forgetTimer?.();
  gate.forgetTimer = undefined;
  const { queue, clock, limits, bucket } = gate;
  for (let waiter = queue.next(); waiter !== undefined; waiter = queue.next()) {
    if (gate.active >= (limits.concurrentMax ?? Number.POSITIVE_INFINITY)) return;
    const now = clock.now();
    const waitMs = Math.max(gate.pausedUntilMs - now, bucket?.waitMs(now) ?? 0);
    if (waitMs > 0) {
      gate.forgetTimer = clock.after(waitMs, () => pump(gate));
      return;
    }
    waiter.forgetDeadline();
    // It may have stopped working while this one waited. What is refused has had no turn.
    const refusal = refuse(gate, waiter.caller);
    if (refusal === undefined) {
      queue.take();
      letIn(gate, waiter, now);
    } else {
      queue.remove(waiter);
      waiter.reject(refusal);
    }
  }
}

function letIn(gate: GateParts, waiter: Waiter, now: number): void {
  const { breaker, bucket } = gate;
  const isProbe = breaker?.begin(now) ?? false;
  const usedBefore = bucket?.usedUntilMs;
  bucket?.take(now);
  gate.active += 1;
  const isRepeated = waiter.caller.attempt > 1;
  if (isRepeated) gate.retryTenths -= tenths;
  if (isRepeated || bucket?.usedUntilMs !== usedBefore) tellChange(gate);
  let hasLeft = false;
  waiter.resolve({
    leave(end) {
      if (hasLeft) return;
      hasLeft = true;
      gate.active -= 1;
      const isFault = end.kind === "failed" && gate.isFallible;
      const verdict: Verdict = end.kind === "done" ? "worked" : isFault ? toVerdict(end.error) : "unclear";
      if (isFault) noteFailure(gate, end.error);
      if (verdict === "worked") gate.retryTenths = Math.min(gate.retryTenths + 1, gate.retriesMax * tenths);
      const openBefore = breaker?.open;
      breaker?.end(gate.clock.now(), verdict, isProbe);
      if (breaker?.open !== openBefore) tellChange(gate);
      pump(gate);
    },
  });
}

function noteFailure(gate: GateParts, error: unknown): void {
  if (error instanceof TuttiError) gate.lastFailure = `${error.code}: ${error.message}`;
  const pauseMs = toPauseMs(error);
  const until = pauseMs === undefined ? 0 : gate.clock.now() + pauseMs;
  if (until <= gate.pausedUntilMs) return;
  gate.pausedUntilMs = until;
  tellChange(gate);
}

function tellChange({ breaker, bucket, retryTenths, retriesMax, pausedUntilMs, onChange }: GateParts): void {
  const open = breaker?.open;
  const usedUntilMs = bucket?.usedUntilMs;
  onChange({
    ...(open === undefined ? {} : { breaker: open }),
    ...(usedUntilMs === undefined ? {} : { usedUntilMs }),
    ...(retryTenths === retriesMax * tenths ? {} : { retries: retryTenths / tenths }),
    ...(pausedUntilMs === 0 ? {} : { pausedUntilMs }),
  });
}
