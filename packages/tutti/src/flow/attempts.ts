import { describeThrown, fromStoredError, isTuttiError, TuttiError, toStoredError } from "../base/errors.ts";
import type { ModelAsker, Retry } from "../contracts/callable.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { StepKey } from "../contracts/ids.ts";
import type { StepHost } from "../contracts/run.ts";
import type { AttemptGuard, Ticket } from "./admission.ts";
import { toDirectiveChanged } from "./directives.ts";
import type { Driver } from "./driver.ts";
import { isHeld, whenReleased } from "./hold.ts";
import { takeReport, type Reported } from "./report.ts";
import type { Pending, Scope } from "./scope.ts";
import { toBody } from "./stored-value.ts";

/** What one attempt of a tool is told: not the run that it is in. */
export type AttemptHost = Omit<StepHost, "entries">;

export interface Attempts {
  readonly key: StepKey;
  readonly scope: Scope;
  readonly retry: Retry | undefined;
  readonly timeoutMs: number | undefined;
  /** Repeating can't do harm, so a failure that nobody understands may be tried again when a retry was asked for. */
  readonly repeatable: boolean;
  /** Over when nobody wants the result any more; then nothing is tried again. */
  readonly pending: Pending;
  /** Then it is tried once more all the same: only so its outcome can be known. */
  readonly mustKnow?: boolean;
  /** What must be written down before another attempt after the first. Rejects when there may be none, and nothing was done. */
  readonly prepare?: () => Promise<void>;
  /** Writes down that what was just written down is not sent, because of a freeze; it is prepared again afterwards. */
  readonly unsend?: () => void;
  readonly work: (host: StepHost) => unknown;
  /** Where a tool's reports are; those of a try that failed go with its entry. */
  readonly reported?: Reported | undefined;
  /** Lets each attempt begin when it may; absent where nothing is limited. */
  readonly guard?: AttemptGuard | undefined;
  /** What the guard gave to the attempt that begins next. */
  ticket?: Ticket | undefined;
  /** When the last attempt began; absent while it waits for its turn. */
  startedAt?: number | undefined;
  /** Told of every failed try, also of those that are repeated. */
  readonly onTryFailed?: (error: TuttiError) => void;
  /** True when an earlier try may have acted, whatever the last one says; kept with the attempt. */
  readonly isDoubtful?: () => boolean;
  readonly onDone: (value: unknown, attempt: number) => void;
  readonly onFailed: (error: TuttiError, attempt: number) => void;
}

/** For errors that say themselves that trying again may help. */
const defaultRetry: Required<Retry> = { attemptsMax: 3, delayMs: 200, factor: 4, delayMaxMs: 60_000 };

/**
 * Tries until it works or is given up. The one owner of retries: every failed attempt is an entry with the time of the next, so neither
 * the count nor the pause is lost in a crash, and no other layer repeats anything.
 */
export function tryRepeatedly(driver: Driver, attempts: Attempts): void {
  const earlier = driver.history.attempts.get(attempts.key);
  if (earlier === undefined) startAttempt(driver, attempts, 1);
  else
    tryLater(driver, attempts, {
      failed: earlier.attempt,
      nextAt: earlier.nextAt,
      error: fromStoredError(earlier.error),
    });
}

interface Later {
  readonly failed: number;
  readonly nextAt: number;
  readonly error: TuttiError;
}

function tryLater(driver: Driver, attempts: Attempts, later: Later): void {
  // A paused run starts nothing; whoever drives it next finds the attempts in the ledger.
  if (driver.halted) return;
  if (attempts.pending.over && attempts.mustKnow !== true) {
    attempts.onFailed(later.error, later.failed);
    return;
  }
  if (later.nextAt <= driver.host.clock.now()) {
    tryAgain(driver, attempts, later);
    return;
  }
  const { pending } = attempts;
  const forget = driver.at(later.nextAt, () => {
    pending.onCancel = undefined;
    tryAgain(driver, attempts, later);
  });
  pending.onCancel = () => {
    forget();
    attempts.onFailed(later.error, later.failed);
  };
}

function tryAgain(driver: Driver, attempts: Attempts, later: Later): void {
  prepare(driver, attempts, later.failed + 1);
}

function prepare(driver: Driver, attempts: Attempts, attempt: number): void {
  if (isHeld(driver, attempts.scope)) {
    hold(driver, attempts, attempt);
    return;
  }
  if (attempts.prepare === undefined) {
    startAttempt(driver, attempts, attempt);
    return;
  }
  driver.begin();
  void attempts
    .prepare()
    .then(
      () => {
        if (!driver.stopped) startAttempt(driver, attempts, attempt);
      },
      (thrown: unknown) => {
        if (!driver.stopped) onFailed(driver, attempts, { thrown, attempt });
      },
    )
    .then(() => driver.finish());
}

function startAttempt(driver: Driver, attempts: Attempts, attempt: number): void {
  attempts.startedAt = undefined;
  const { guard } = attempts;
  if (guard === undefined) {
    if (isHeld(driver, attempts.scope)) {
      attempts.unsend?.();
      hold(driver, attempts, attempt);
    } else launch(driver, attempts, attempt);
    return;
  }
  if (isHeld(driver, attempts.scope)) {
    hold(driver, attempts, attempt);
    return;
  }
  driver.begin();
  void guard
    .enter(attempt)
    .then(
      (ticket) => {
        if (ticket === "held") {
          if (!driver.stopped) hold(driver, attempts, attempt);
          return;
        }
        attempts.ticket = ticket;
        if (driver.stopped) ticket?.leave({ kind: "left" });
        else if (ticket !== undefined) launchAdmitted(driver, attempts, { ticket, attempt });
      },
      (error: unknown) => {
        if (!driver.stopped) onFailed(driver, attempts, { thrown: error, attempt });
      },
    )
    .then(() => driver.finish());
}

/** It has waited for its turn, and meanwhile it may have been frozen. */
function launchAdmitted(
  driver: Driver,
  attempts: Attempts,
  { ticket, attempt }: { readonly ticket: Ticket; readonly attempt: number },
): void {
  if (!isHeld(driver, attempts.scope)) {
    launch(driver, attempts, attempt);
    return;
  }
  attempts.ticket = undefined;
  ticket.leave({ kind: "left" });
  attempts.unsend?.();
  hold(driver, attempts, attempt);
}

/** Nothing begins here for now. Who leaves meanwhile has done nothing. */
function hold(driver: Driver, attempts: Attempts, attempt: number): void {
  const { scope, pending } = attempts;
  const error = new TuttiError("RUN_CANCELLED", `${attempts.key} was cancelled while it was frozen`);
  whenReleased(driver, {
    scope,
    ...(attempts.mustKnow === true || pending.over ? {} : { pending }),
    go: () => (attempts.mustKnow === true ? startAttempt : prepare)(driver, attempts, attempt),
    leave: () => attempts.onFailed(error, attempt),
  });
}

function launch(driver: Driver, attempts: Attempts, attempt: number): void {
  if (attempts.mustKnow !== true && driver.directiveInUse?.isBehind(attempts.scope) === true) {
    attempts.ticket?.leave({ kind: "left" });
    const thrown = toDirectiveChanged(`${attempts.key} was not begun`, driver.directive.state.given.at(-1));
    onFailed(driver, attempts, { thrown, attempt });
    return;
  }
  driver.begin();
  driver.host.stepStarted?.(driver.run, attempts.key, attempt);
  attempts.startedAt = driver.host.clock.now();
  const one = new Attempt(driver, attempts, attempt);
  let value: unknown;
  try {
    value = attempts.work(one);
  } catch (thrown) {
    one.fail(thrown);
    return;
  }
  if (!isThenable(value)) {
    one.succeed(value);
    return;
  }
  one.limit();
  value.then(
    (output) => one.succeed(output),
    (thrown: unknown) => one.fail(thrown),
  );
}

/** One attempt: ends once, whoever says so first. Most never look at their signal, so what a signal needs is made on first use. */
class Attempt implements StepHost {
  readonly step: StepKey;
  readonly attempt: number;
  private readonly driver: Driver;
  private readonly attempts: Attempts;
  private readonly timeoutMs: number | undefined;
  private forgetLimit: (() => void) | undefined;
  private controller: AbortController | undefined;
  private unfollow: (() => void) | undefined;
  private stopped: TuttiError | undefined;
  private readonly ticket: Ticket | undefined;
  private isOver = false;

  constructor(driver: Driver, attempts: Attempts, attempt: number) {
    this.driver = driver;
    this.attempts = attempts;
    this.step = attempts.key;
    this.attempt = attempt;
    this.ticket = attempts.ticket;
    this.timeoutMs = attempts.ticket?.timeoutMs ?? attempts.timeoutMs;
  }

  /** Its time runs. Work that ends at once needs no timer: none could fire meanwhile. */
  limit(): void {
    const { timeoutMs } = this;
    if (timeoutMs !== undefined)
      this.forgetLimit = this.driver.host.clock.after(timeoutMs, () => this.runOutOfTime(timeoutMs));
  }

  get signal(): AbortSignal {
    if (this.timeoutMs === undefined) return this.attempts.scope.signal();
    this.controller ??= this.openController();
    return this.controller.signal;
  }

  async entries(): Promise<readonly LedgerEntry[]> {
    await this.driver.log.durable(); // what was just recorded may still be on its way
    return this.driver.host.readEntries(this.driver.run);
  }

  succeed(value: unknown): void {
    if (this.isOver) return;
    this.end();
    this.ticket?.leave({ kind: "done" });
    if (!this.driver.stopped) this.attempts.onDone(value, this.attempt);
    this.driver.finish();
  }

  fail(thrown: unknown): void {
    if (this.isOver) return;
    this.end();
    this.ticket?.leave({ kind: "failed", error: thrown });
    if (!this.driver.stopped) onFailed(this.driver, this.attempts, { thrown, attempt: this.attempt });
    this.driver.finish();
  }

  private end(): void {
    this.isOver = true;
    this.forgetLimit?.();
    this.unfollow?.();
  }

  /** As if its work had thrown this. What the work has begun is told by the signal. */
  stop(reason: TuttiError): void {
    if (this.isOver) return;
    this.stopped = reason;
    this.controller?.abort(reason);
    this.fail(reason);
  }

  private runOutOfTime(timeoutMs: number): void {
    const what = `${this.step} took longer than ${timeoutMs} ms`;
    this.stop(new TuttiError("STEP_TIMEOUT", what, { facts: { timeoutMs } }));
  }

  private openController(): AbortController {
    const controller = new AbortController();
    if (this.stopped !== undefined) controller.abort(this.stopped);
    else this.unfollow = this.attempts.scope.follow((reason) => controller.abort(reason));
    return controller;
  }
}

/** The attempt whose work was given this host. @throws TuttiError DEFINITION_INVALID for a host that no step gave: nobody could stop its work */
export function toAttempt(host: ModelAsker["host"]): Pick<Attempt, "stop"> {
  if (host instanceof Attempt) return host;
  throw new TuttiError("DEFINITION_INVALID", "a model was asked for with something else than a step's own host", {
    hint: "Ask within a step, and pass what it gives: run.step(name, (host) => model(tier, { host, timeoutMs })…).",
  });
}

function onFailed(
  driver: Driver,
  attempts: Attempts,
  failure: { readonly thrown: unknown; readonly attempt: number },
): void {
  const error = toStepError(attempts.key, failure.thrown);
  attempts.onTryFailed?.(error);
  const retry = decideRetry(attempts, error);
  if (attempts.pending.over || retry === undefined || failure.attempt >= retry.attemptsMax) {
    attempts.onFailed(error, failure.attempt);
    return;
  }
  const nextAt =
    driver.host.clock.now() +
    Math.max(toDelayMs(retry, failure.attempt, driver.host.chance()), error.retryAfterMs ?? 0);
  void driver.append({
    kind: "attempt-failed",
    key: attempts.key,
    body: toBody({
      error: toStoredError(error),
      attempt: failure.attempt,
      nextAt,
      ...takeReport(attempts.reported),
      ...toTook(driver, attempts),
      ...(attempts.isDoubtful?.() === true ? { doubtful: true } : {}),
    }),
  });
  tryLater(driver, attempts, { failed: failure.attempt, nextAt, error });
}

/** How long the last attempt took, for its entry. */
export function toTook(driver: Driver, { startedAt }: Pick<Attempts, "startedAt">): { readonly tookMs?: number } {
  const tookMs = startedAt === undefined ? 0 : driver.host.clock.now() - startedAt;
  return tookMs > 0 ? { tookMs } : {}; // a clock may be set back
}

/** Who is tried again: what says `retry`, and, when the caller asked for retries, what nobody understands but can't do harm. */
function decideRetry(attempts: Attempts, error: TuttiError): Required<Retry> | undefined {
  if (!attempts.repeatable && error.effect !== "none") return undefined;
  if (error.disposition === "retry") return { ...defaultRetry, ...attempts.retry };
  if (attempts.retry !== undefined && error.code === "STEP_FAILED") return { ...defaultRetry, ...attempts.retry };
  return undefined;
}

/** Exponential backoff with equal jitter: between half of the pause and all of it, so that many failures do not come back together. */
function toDelayMs(retry: Required<Retry>, attempt: number, chance: number): number {
  const fullMs = Math.min(retry.delayMs * retry.factor ** (attempt - 1), retry.delayMaxMs);
  return Math.round(fullMs / 2 + (fullMs / 2) * chance);
}

export function toStepError(key: StepKey, thrown: unknown): TuttiError {
  if (isTuttiError(thrown)) return thrown;
  return new TuttiError("STEP_FAILED", `${key} failed: ${describeThrown(thrown)}`, { cause: thrown });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
