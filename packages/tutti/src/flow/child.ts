import { fromStoredError, toReplayable, toStoredError, TuttiError } from "../base/errors.ts";
import type { Budget } from "../contracts/budget.ts";
import { toRunId, type RunId, type StepKey } from "../contracts/ids.ts";
import type { ChildOptions, ChildRun, Flow } from "../contracts/run.ts";
import type { NewRun } from "../ledger/ledger.ts";
import { toStepError } from "./attempts.ts";
import { toCallLevels, toInheritance } from "./budget-levels.ts";
import type { ChildOutcome, Driver } from "./driver.ts";
import { toChildGrant } from "./govern/grants.ts";
import { learn, noLabels, toLabelField } from "./labels.ts";
import { takeRecorded } from "./recorded.ts";
import { openPending, type Pending, type Scope } from "./scope.ts";
import { toBlobs, type Called } from "./step.ts";
import { toBody, toSeen, toStoredValue } from "./stored-value.ts";

export interface ChildRequest {
  readonly key: StepKey;
  readonly scope: Scope;
  readonly flow: Flow;
  readonly called: Called;
  readonly onParentEnd: NonNullable<ChildOptions["onParentEnd"]>;
  /** What the child may spend. */
  readonly budget: Budget | undefined;
}

/** Starts a child in the same transaction as the entry that says so, so it is started exactly once. Its id follows from the step. */
export function startChild(driver: Driver, request: ChildRequest): ChildRun<unknown> {
  const { key } = request;
  const id = driver.history.children.get(key) ?? toChildId(driver.run, key);
  const pending = openPending<unknown>(request.scope, key);
  pending.promise.catch(() => {}); // a child may be started without anybody asking for its result
  const recorded =
    request.scope.cancelled === undefined
      ? takeRecorded<unknown>(driver, request.scope, {
          key,
          kinds: ["child-settled", "step-done"],
          verb: `a run of ${request.flow.name}`,
          digest: request.called.digest,
        })
      : undefined;
  if (recorded !== undefined)
    recorded.then(
      (output) => pending.resolve(output),
      (error: unknown) => pending.reject(toStepError(key, error)),
    );
  else if (request.scope.cancelled !== undefined) pending.reject(request.scope.cancelled);
  else if (isOtherChild(driver, request)) driver.park(toOtherChild(request), key);
  else driver.delivery.whenLive(() => begin(driver, request, { id, pending }), key);
  return { id, result: () => pending.promise };
}

function isOtherChild(driver: Driver, { key, called }: ChildRequest): boolean {
  const recorded = driver.history.digests.get(key);
  return recorded !== undefined && recorded !== called.digest;
}

function toOtherChild({ key, flow }: ChildRequest): TuttiError {
  return new TuttiError(
    "FLOW_DIVERGED",
    `at ${key} the code asks for a run of ${flow.name}; the ledger holds a child with another flow or another input`,
    {
      hint: "The flow's code changed while this run was open. Register the old version beside the new one, or fork the run.",
    },
  );
}

/** Follows from the step, so that a repeated start finds the child. A dot in a name is encoded, because dots part the path here. */
function toChildId(parent: RunId, key: StepKey): RunId {
  return toRunId(`${parent}${key.replaceAll(".", "%2E").replaceAll("/", ".")}`);
}

interface Begun {
  readonly id: RunId;
  readonly pending: Pending;
}

function begin(driver: Driver, request: ChildRequest, child: Begun): void {
  if (child.pending.over) {
    leaveChild(driver, request, child.id);
    return;
  }
  const release = driver.wait({ kind: "child", run: child.id });
  const onSettled = (outcome: ChildOutcome): void => {
    driver.children.delete(child.id);
    release();
    recordSettled(driver, request, { ...child, outcome });
  };
  driver.children.set(child.id, onSettled);
  child.pending.onCancel = () => {
    release();
    driver.children.delete(child.id);
    leaveChild(driver, request, child.id);
  };
  if (driver.history.children.has(request.key)) takeUpChild(driver, child.id);
  else writeStart(driver, request, child.id);
}

/** Nobody waits for the child any more. It may just have been written down, so its start has to be on disk first. */
function leaveChild(driver: Driver, request: ChildRequest, id: RunId): void {
  if (request.onParentEnd !== "cancel" || !driver.openChildren.has(id)) return;
  void driver.log.durable().then(
    () => driver.host.cancelRun(id, `${driver.run} was cancelled`),
    () => {},
  );
}

function writeStart(driver: Driver, request: ChildRequest, id: RunId): void {
  const { flow, called, key } = request;
  const body = toBody(
    {
      flow: flow.name,
      version: flow.version,
      parent: { run: driver.run, step: key, onParentEnd: request.onParentEnd },
      // Whoever started the parent started this: a child is no way around a rule that asks for somebody else.
      ...toLabelField(called.labels),
      ...(driver.history.started.by === undefined ? {} : { by: driver.history.started.by }),
      ancestors: [{ run: driver.run, flow: driver.history.started.flow }, ...driver.ancestors],
      ...toChildGrant(driver, request.scope, { run: id, flow: flow.name }),
      ...toInheritance(driver.admission, request.scope, toCallLevels(driver.run, key, request.budget)),
    },
    called.input,
  );
  const child: NewRun = {
    id,
    flow: flow.name,
    version: flow.version,
    body,
    parent: driver.run,
    ...toBlobs(called.input),
  };
  const fields = {
    child: id,
    flow: flow.name,
    version: flow.version,
    digest: called.digest,
    ...(request.onParentEnd === "keep" ? { onParentEnd: "keep" } : {}),
    ...(called.uses.length === 0 ? {} : { uses: called.uses }),
  };
  driver.begin();
  driver.openChildren.set(id, request.onParentEnd);
  void driver.append({ kind: "child-started", key, body: toBody(fields), starts: child }).then(() => {
    if (!driver.stopped) driver.host.driveChild(id);
    driver.finish();
  });
}

/** Drives the child, unless it has ended while nobody was there to hear it, or its id belongs to somebody else's run. */
function takeUpChild(driver: Driver, id: RunId): void {
  driver.begin();
  void driver.host.childOutcome({ child: id, parent: driver.run }).then((outcome) => {
    if (!driver.stopped) {
      if (outcome === undefined) driver.host.driveChild(id);
      else driver.children.get(id)?.(outcome);
    }
    driver.finish();
  });
}

function recordSettled(
  driver: Driver,
  request: ChildRequest,
  settled: Begun & { readonly outcome: ChildOutcome },
): void {
  const { id, pending, outcome } = settled;
  const labels = outcome.labels ?? noLabels;
  driver.openChildren.delete(id);
  if (pending.over) return;
  if (outcome.kind === "failed") {
    const stored = toStoredError(outcome.error);
    driver.hand(
      { kind: "child-settled", key: request.key, body: toBody({ child: id, ...toLabelField(labels), error: stored }) },
      "lazy",
      () => {
        learn(request.scope, labels);
        pending.reject(toReplayable(fromStoredError(stored)));
      },
    );
    return;
  }
  const out = toStoredValue("out", outcome.output, request.key);
  const seen = toSeen(out.json, outcome.output);
  driver.hand(
    {
      kind: "child-settled",
      key: request.key,
      body: toBody({ child: id, ...toLabelField(labels) }, out),
      ...toBlobs(out),
    },
    "lazy",
    () => {
      learn(request.scope, labels);
      driver.produced(request.key, seen);
      pending.resolve(seen);
    },
  );
}
