import { toStepKey, type DocumentId, type StepKey } from "../contracts/ids.ts";
import type { NewEntry, Unfresh } from "../ledger/ledger.ts";
import type { Driver } from "./driver.ts";
import { takeRecorded } from "./recorded.ts";
import { openPending, type Pending, type Scope } from "./scope.ts";
import { toBody } from "./stored-value.ts";

export interface LeaseRequest {
  readonly documents: readonly DocumentId[];
  readonly leaseMs: number;
  readonly scope: Scope;
  /** The try that shall hold it. */
  readonly attempt: StepKey;
  readonly holder: StepKey;
}

export interface Lease {
  /** Resolves when the documents are held: others wait with their writes until it is left, or its time is over. */
  readonly held: Promise<void>;
  /** Lets the next one in; also before it was held. */
  leave(): void;
}

/**
 * Takes its turn among those who want the same documents, and then has the ledger hold them: a commit of anybody else is refused there, also
 * one that comes from another engine. Whoever is late is still bound by the versions that it read.
 */
export function openLease(driver: Driver, request: LeaseRequest): Lease {
  const key = `${request.attempt}/lease`;
  const recorded = takeRecorded<void>(driver, request.scope, { key, kinds: ["document-leased"], verb: "a lease" });
  // A lease of a process that died holds nobody up; the try that held it goes on without.
  if (recorded !== undefined) return { held: recorded, leave: () => {} };
  const pending = openPending<void>(request.scope, toStepKey(key));
  const asking = { ...request, pending, isLeft: false, onLeft: [] as (() => void)[] };
  driver.delivery.whenLive(() => {
    if (!asking.isLeft && !pending.over) takeTurn(driver, asking);
  });
  return { held: pending.promise, leave: () => leave(driver, asking) };
}

interface Asking extends LeaseRequest {
  readonly pending: Pending;
  readonly onLeft: (() => void)[];
  isLeft: boolean;
}

function leave(driver: Driver, asking: Asking): void {
  if (asking.isLeft) return;
  asking.isLeft = true;
  for (const forget of asking.onLeft.splice(0)) forget();
  for (const document of asking.documents) driver.host.documents.tell(document, 0);
}

function takeTurn(driver: Driver, asking: Asking): void {
  const finish = beginWait(driver, () => leave(driver, asking));
  void driver.host.documents.takeTurn(asking.documents, asking.leaseMs).then((leaveTurn) => {
    if (asking.isLeft || driver.stopped) leaveTurn();
    else {
      asking.onLeft.push(leaveTurn);
      ask(driver, asking);
    }
    finish();
  });
}

/**
 * A wait that is short enough for the run to stay in memory. When the run is paused or let go it ends at once, with `onStopped`; the
 * returned function ends it otherwise.
 */
function beginWait(driver: Driver, onStopped: () => void): () => void {
  driver.begin();
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    release();
    // Not inside of what is stopping it just now.
    void Promise.resolve().then(() => driver.finish());
  };
  const release = driver.whenLeft(() => {
    onStopped();
    end();
  });
  return end;
}

function ask(driver: Driver, asking: Asking): void {
  if (asking.isLeft || driver.stopped) return;
  const { documents, holder, leaseMs, pending } = asking;
  const { leaves } = driver.host.documents;
  const untilMs = driver.host.clock.now() + leaseMs;
  const entry: NewEntry = {
    kind: "document-leased",
    key: pending.key,
    body: toBody({ documents, untilMs }),
    document: { kind: "lease", documents, holder, untilMs },
  };
  driver.propose(entry, (appended) => {
    if (appended.kind === "leased") {
      asking.onLeft.push(waitUntilFree(driver, { ...appended, leaves }, () => ask(driver, asking)));
      return;
    }
    pending.resolve(undefined);
  });
}

interface Refused extends Extract<Unfresh, { readonly kind: "leased" }> {
  /** As it was when the ledger was asked. */
  readonly leaves: number;
}

/** Calls `go` when the holder has left the document, or its time is over; the returned function forgets it. */
export function waitUntilFree(driver: Driver, { document, untilMs, leaves }: Refused, go: () => void): () => void {
  // The holder may have left after the ledger had refused this one and before it heard of that.
  if (leaves !== driver.host.documents.leaves) {
    go();
    return () => {};
  }
  const { clock, documents } = driver.host;
  const forget = (): void => {
    forgetTimer();
    forgetWatch();
    finish();
  };
  const wake = (): void => {
    forget();
    if (!driver.stopped) go();
  };
  const forgetTimer = clock.after(untilMs - clock.now(), wake);
  const forgetWatch = documents.watch(document, wake);
  const finish = beginWait(driver, () => {
    forgetTimer();
    forgetWatch();
  });
  return forget;
}
