import { fromStoredError, TuttiError } from "../base/errors.ts";
import { directivePrefix } from "../contracts/directive.ts";
import { foldDecision } from "../contracts/policy-decision.ts";
import type { Appended, BudgetChange, NewEntry } from "../ledger/ledger.ts";
import { HeldBack, openGuard, type AttemptGuard } from "./admission.ts";
import { tryRepeatedly } from "./attempts.ts";
import { toConflictError } from "./conflict.ts";
import type { Driver } from "./driver.ts";
import { admitEffect } from "./effect-admission.ts";
import { resolveDoubt } from "./effect-doubt.ts";
import {
  recordNoEffect,
  recordUnasked,
  recordUnsent,
  settleEffect,
  toHosted,
  toToolHost,
  type EffectCall,
} from "./effect-outcome.ts";
import { recordRefused, shareEffect } from "./effect-share.ts";
import { refuseStale } from "./effect-stale.ts";
import { governCall, toUse, type Way } from "./govern/govern-call.ts";
import { toEndEntry } from "./govern/obtain-approval.ts";
import { toDecisionEntry } from "./govern/policy-decision.ts";
import type { OpenIntent } from "./history.ts";
import { isHeld, whenReleased } from "./hold.ts";
import type { DocumentReads } from "./read-sets.ts";
import { takeRecorded } from "./recorded.ts";
import { openPending, type Pending } from "./scope.ts";
import { toBlobs } from "./step.ts";
import { fromStored, toBody, toStoredValue } from "./stored-value.ts";

export type EffectRequest = Omit<EffectCall, "pending" | "unwanted" | "intend" | "dispatch" | "repeat" | "onSettled">;

/**
 * Intent before effect: the intent is durable before the tool is called, and its key has one owner. A second step, agent or run with the
 * same key shares the first's outcome. An outcome that nobody knows is asked for, and then put before a person, never guessed.
 */
export function callEffect<Output>(driver: Driver, request: EffectRequest): Promise<Output> {
  const { key, scope, called } = request;
  if (scope.cancelled !== undefined) return Promise.reject(scope.cancelled);
  const recorded = takeRecorded<Output>(driver, scope, {
    key,
    kinds: ["effect-settled", "effect-failed", "effect-shared", "step-failed", "step-done"],
    digest: called.digest,
    verb: `a call of ${called.call}`,
  });
  if (recorded !== undefined) return recorded;
  const pending = openPending<Output>(scope, key);
  const intent = driver.history.openIntents.get(key);
  if (intent !== undefined && intent.body.digest !== called.digest) {
    driver.park(toChangedIntent(request, intent.body.digest), key);
    return pending.promise;
  }
  driver.delivery.whenLive(() => {
    if (pending.over) return;
    // With an intent in the ledger it was allowed and asked for; now only the outcome counts.
    if (intent !== undefined) takeUp(driver, request, { pending, unwanted: false });
    else admit(driver, request, pending);
  }, key);
  return pending.promise;
}

/** What the policy says comes first, then what people say, then what the tool needs; then the effect is begun. */
function admit(driver: Driver, request: EffectRequest, pending: Pending): void {
  governCall(
    driver,
    { ...request, pending },
    {
      go(way) {
        const { input, effect, called } = way;
        const allowed = { ...request, input, effect, called, way, again: () => admit(driver, request, pending) };
        const go = (): void => takeUp(driver, allowed, { pending, unwanted: false });
        if (request.tool.needs === undefined) go();
        else admitEffect(driver, { ...allowed, pending }, go);
      },
      refuse: (error) => recordRefused(driver, { ...request, pending }, error),
      stale: (documents) => refuseStale(driver, { ...request, pending, onSettled() {} }, documents),
    },
  );
}

/** Starts an effect, or goes on where a crash left it. */
export function takeUp(
  driver: Driver,
  asked: EffectRequest,
  taker: { readonly pending: Pending; readonly unwanted: boolean },
): void {
  const request = toIntended(driver, asked);
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  driver.inFlight.set(request.key, settled);
  driver.taken.add(request.key);
  const call: EffectCall = {
    ...request,
    ...taker,
    intend() {
      if (isHeld(driver, call.scope)) hold(driver, call);
      else if (call.limited !== undefined) sendLimited(driver, call);
      else if (isTriedBefore(driver, call)) dispatch(driver, call);
      else intend(driver, call);
    },
    dispatch: () => dispatch(driver, call),
    repeat() {
      // The process died while the tool was at work: from now on a clean failure does not mean that nothing happened.
      driver.doubtful.add(request.key);
      send(driver, call, { mustKnow: true });
    },
    onSettled() {
      driver.inFlight.delete(request.key);
      driver.host.effectChanged(request.effect);
      resolve();
    },
  };
  const intent = driver.history.openIntents.get(request.key);
  if (intent === undefined) call.intend();
  else goOn(driver, call, intent);
}

/** As it was intended: a person may have changed its input. */
function toIntended(driver: Driver, request: EffectRequest): EffectRequest {
  const body = driver.history.openIntents.get(request.key)?.body;
  if (body?.edited === undefined) return request;
  const input = fromStored(body.input, body.inputRef, driver.blobs);
  const called = { ...request.called, input: toStoredValue("input", input, `the input of ${request.tool.name}`) };
  const way: Way = { input, effect: body.effect, called, digest: body.edited, allowed: undefined, approval: undefined };
  return { ...request, input, effect: body.effect, called, way };
}

function goOn(driver: Driver, call: EffectCall, intent: OpenIntent): void {
  const error = intent.error === undefined ? {} : { error: fromStoredError(intent.error) };
  if (!intent.cleared) resolveDoubt(driver, call, { alreadyTold: intent.inDoubt, ...error });
  else if (error.error !== undefined) recordNoEffect(driver, call, { error: error.error });
  else if (call.unwanted) recordUnasked(driver, call);
  else call.intend();
}

function toChangedIntent(request: EffectRequest, recorded: string): TuttiError {
  const asked = `${request.called.call} with input ${request.called.digest.slice(0, 12)}`;
  return new TuttiError(
    "FLOW_DIVERGED",
    `at ${request.key} the code asks for ${asked}; the ledger holds an intent for input ${recorded.slice(0, 12)}`,
    { hint: "The flow's code changed while an effect was in flight. Register the old version of the flow." },
  );
}

/** Nothing of it is written down as long as something is frozen. */
function hold(driver: Driver, call: EffectCall): void {
  const { scope, pending } = call;
  const leave = (): void => {
    if (driver.history.openIntents.has(call.key)) recordUnasked(driver, call);
    else call.onSettled();
  };
  if (pending.over) leave();
  else whenReleased(driver, { scope, pending, go: call.intend, leave });
}

/** An earlier attempt has its pause and its count; the next one writes its own intent when the pause is over. */
function isTriedBefore(driver: Driver, { key }: EffectCall): boolean {
  return driver.history.openIntents.has(key) && driver.history.attempts.has(key);
}

function intend(driver: Driver, call: EffectCall): void {
  driver.begin();
  void appendIntent(driver, call).then((appended) => {
    if (driver.stopped) return;
    if (appended.kind === "taken") shareEffect(driver, call, appended.effect);
    else if (appended.kind === "unapproved") decideAgain(call);
    else if (appended.kind === "stale") refuseStale(driver, call, appended.documents);
    else call.dispatch();
    driver.finish();
  });
}

// A second attempt is a second dispatch: without an intent of its own, a crash in it would look as if nothing had been sent.
async function intendAgain(driver: Driver, call: EffectCall): Promise<void> {
  const appended = await appendIntent(driver, call);
  if (appended.kind === "stale") throw toConflictError(`${call.tool.name} was not called again`, appended.documents);
}

/** Writes the intent, with what allowed it. A yes that was given on what has changed since is worth nothing. */
async function appendIntent(driver: Driver, call: EffectCall, budget?: BudgetChange): Promise<Appended> {
  const { way, key } = call;
  const intent = toIntent(driver, call);
  const appended = await driver.append(budget === undefined ? intent : { ...intent, budget });
  if (way?.allowed !== undefined) {
    // What has no intent to stand in is an entry of its own.
    if (appended.kind !== "recorded") void driver.append(toDecisionEntry(way.allowed));
    way.allowed = undefined;
  }
  if (appended.kind === "stale" && way?.approval !== undefined)
    await driver.append(
      toEndEntry({ id: way.approval.id, step: key }, "superseded", "a document that it relies on has changed"),
    );
  return appended;
}

/** What it was allowed for is not what would be done now. */
function decideAgain(call: EffectCall): void {
  call.onSettled();
  call.again?.();
}

function toIntent(driver: Driver, call: EffectCall): NewEntry {
  const { tool, called, effect, key, way } = call;
  const digest = way?.digest ?? called.digest;
  // A run that has used no document relies on none.
  const relied = driver.documentsInUse?.reliedAt(call.scope);
  const reads = withTurn(driver, call, relied === undefined || relied.size === 0 ? undefined : relied);
  const body = toBody(
    {
      effect,
      tool: tool.name,
      class: tool.effect,
      digest: called.digest,
      ...(called.uses.length === 0 ? {} : { uses: called.uses }),
      ...(tool.undo === undefined ? {} : { undo: true }),
      ...(reads === undefined ? {} : toShownReads(reads)),
      ...(way?.allowed === undefined ? {} : { decided: foldDecision(way.allowed) }),
      ...(way?.approval === undefined ? {} : { approval: way.approval.id }),
      ...(digest === called.digest ? {} : { edited: digest }),
    },
    called.input,
  );
  const claim = {
    kind: "intend",
    effect: { key: effect, step: key, tool: tool.name, class: tool.effect, digest },
  } as const;
  const blobs = toBlobs(called.input);
  return { kind: "effect-intended", key, body, ...blobs, effect: claim, ...toReliance(reads), ...toUse(way, key) };
}

/** What an agent does in a turn relies on the directives that the turn was made under, as on every document that it has read. */
function withTurn(driver: Driver, { scope }: EffectCall, reads: DocumentReads | undefined): DocumentReads | undefined {
  const directives = driver.directiveInUse?.reliedAt(scope);
  return directives === undefined ? reads : new Map([...(reads ?? []), ...directives]);
}

// That no person has said anything is checked, and need not be said.
function toShownReads(reads: DocumentReads): { readonly reads?: Readonly<Record<string, number>> } {
  const shown = [...reads].filter(([document, version]) => version > 0 || !document.startsWith(directivePrefix));
  return shown.length === 0 ? {} : { reads: Object.fromEntries(shown) };
}

function toReliance(reads: DocumentReads | undefined): Pick<NewEntry, "document"> {
  return reads === undefined ? {} : { document: { kind: "rely", reads } };
}

/** From here on the outcome is recorded even if nobody waits for it any more. */
function dispatch(driver: Driver, call: EffectCall): void {
  if (call.pending.over && !driver.doubtful.has(call.key)) recordUnasked(driver, call);
  else send(driver, call, {});
}

/** Each attempt waits for its turn first, and is written down with what it may cost; while it waits, nothing says that it was ever wanted. */
function sendLimited(driver: Driver, call: EffectCall): void {
  const { limited, pending } = call;
  if (limited === undefined) return;
  let isIntended = driver.history.openIntents.has(call.key);
  const guard = openGuard(driver, limited, {
    pending,
    intent: {
      async append(budget) {
        if (isHeld(driver, call.scope)) throw new HeldBack();
        const appended = await appendIntent(driver, call, budget);
        isIntended ||= appended.kind === "recorded";
        return appended;
      },
      onTaken: (refused) => {
        if (refused.kind === "taken") shareEffect(driver, call, refused.effect);
        else decideAgain(call);
      },
    },
  });
  send(driver, call, { guard, isIntended: () => isIntended });
}

interface Sending {
  readonly mustKnow?: boolean;
  readonly guard?: AttemptGuard;
  /** False as long as nothing of the effect is in the ledger. */
  readonly isIntended?: () => boolean;
}

/** `mustKnow`: it may have happened already, so it is sent again even if nobody waits for it any more. */
function send(driver: Driver, call: EffectCall, { mustKnow = false, guard, isIntended }: Sending): void {
  tryRepeatedly(driver, {
    key: call.key,
    scope: call.scope,
    retry: call.retry,
    timeoutMs: call.timeoutMs,
    repeatable: call.tool.effect === "idempotent",
    pending: call.pending,
    reported: call.called,
    ...(guard === undefined ? { prepare: () => intendAgain(driver, call) } : { guard }),
    unsend: () => {
      if (!mustKnow && !driver.doubtful.has(call.key)) recordUnsent(driver, call);
    },
    mustKnow,
    work: (host) => call.tool.run(call.input, toToolHost(driver, toHosted(call, "run"), host)),
    isDoubtful: () => driver.doubtful.has(call.key),
    onTryFailed: (error) => {
      if (error.effect !== "none") driver.doubtful.add(call.key);
    },
    onDone: (value, attempt) => settleEffect(driver, call, { value, attempt, by: "tool" }),
    onFailed: (error, attempt) => {
      if (isIntended?.() === false) recordRefused(driver, call, error);
      else if (!driver.doubtful.has(call.key)) recordNoEffect(driver, call, { error, attempt });
      else resolveDoubt(driver, call, { alreadyTold: false, error, attempt });
    },
  });
}
