import { toReplayable, toStoredError, TuttiError } from "../base/errors.ts";
import type { Refreshed, StaleRead } from "../contracts/document.ts";
import { toStepKey, type DocumentId, type StepKey } from "../contracts/ids.ts";
import type { Run, Transaction } from "../contracts/run.ts";
import type { Appended, NewEntry } from "../ledger/ledger.ts";
import { toStepError } from "./attempts.ts";
import { decideConflict, toConflictError, type ConflictStep } from "./conflict.ts";
import type { Driver } from "./driver.ts";
import { governWrites } from "./govern/govern-writes.ts";
import { labelsAt, toLabelField } from "./labels.ts";
import { openLease, waitUntilFree, type Lease } from "./lease.ts";
import { takeRecorded, type Committed, type Conflicted } from "./recorded.ts";
import { openPending, type Pending, type Scope } from "./scope.ts";
import { toBlobs } from "./step.ts";
import { toBody, toSeen, toStoredValue } from "./stored-value.ts";
import { TransactionAttempt, type AttemptEnd } from "./transaction-attempt.ts";

/** A part of a run whose documents change together or not at all. */
export interface TransactionRequest {
  readonly key: StepKey;
  readonly scope: Scope;
  /** For people: what is asked for. */
  readonly verb: string;
  readonly body: (attempt: TransactionAttempt, refreshed: Refreshed | undefined) => Promise<unknown>;
}

const never = new Promise<never>(() => {});

/** `run.transact`. */
export function transact(
  driver: Driver,
  scope: Scope,
  asked: {
    readonly name: string;
    readonly body: (transaction: Transaction) => Promise<unknown>;
    readonly openRun: (driver: Driver, scope: Scope) => Run;
  },
): Promise<unknown> {
  const key = driver.enter(scope, asked.name, "run.transact()");
  if (key === undefined) return never;
  const body: TransactionRequest["body"] = async (attempt, refreshed) => {
    const run: Run = asked.openRun(driver, attempt.place.inner);
    return asked.body(Object.assign(run, { attempt: attempt.place.number, refreshed }));
  };
  return runTransaction(driver, { key, scope, verb: "a transaction", body });
}

/** Tries the function until what it read is still the newest when it commits, or hands over what it returned before. */
export function runTransaction(driver: Driver, request: TransactionRequest): Promise<unknown> {
  const { key, scope, verb } = request;
  if (scope.cancelled !== undefined) return Promise.reject(scope.cancelled);
  if (driver.documents.attemptAt(scope) !== undefined) return Promise.reject(toNested(key));
  const kinds = ["document-committed", "scope-closed"] as const;
  const recorded = takeRecorded<Committed>(driver, scope, { key, kinds, verb });
  if (recorded !== undefined) {
    return recorded.then(({ output, writes }) => {
      noteWrites(driver, scope, writes);
      return output;
    });
  }
  const pending = openPending<unknown>(scope, key);
  new OpenTransaction(driver, request, pending).begin(1, { leased: undefined, refreshed: undefined });
  return pending.promise;
}

function toNested(key: StepKey): TuttiError {
  return new TuttiError("INPUT_INVALID", `${key}: a transaction can't hold another one`, {
    hint: "Use the documents of the transaction that is open; it commits all of them together.",
  });
}

/** What this place knew of a document goes on with what it has written itself. */
function noteWrites(driver: Driver, scope: Scope, writes: Committed["writes"]): void {
  const { reads } = driver.documents;
  for (const { document, version } of writes)
    if (reads.find(scope.path, document) !== undefined) reads.read(scope.path, document, version);
}

/** How a try begins. */
interface Beginning {
  readonly leased: { readonly documents: readonly DocumentId[]; readonly leaseMs: number } | undefined;
  readonly refreshed: Refreshed | undefined;
}

interface Try {
  readonly attempt: TransactionAttempt;
  readonly end: AttemptEnd | undefined;
}

/** A try that has asked the ledger to commit it. */
interface Asked extends Try {
  readonly end: AttemptEnd;
  /** See `DocumentHost.leaves`. */
  readonly leaves: number;
}

class OpenTransaction {
  private readonly driver: Driver;
  private readonly request: TransactionRequest;
  private readonly pending: Pending;
  private lease: Lease | undefined;
  private merges = 0;

  constructor(driver: Driver, request: TransactionRequest, pending: Pending) {
    this.driver = driver;
    this.request = request;
    this.pending = pending;
  }

  begin(number: number, beginning: Beginning): void {
    const { driver, request, pending } = this;
    if (pending.over) return;
    const key = toStepKey(`${request.key}/${number}`);
    const { scope, verb } = request;
    const reject = (error: unknown): void => pending.reject(toStepError(key, error));
    const recorded = takeRecorded<Conflicted>(driver, scope, { key, kinds: ["document-conflicted"], verb });
    if (recorded !== undefined) {
      recorded.then((conflicted) => this.begin(number + 1, conflicted), reject);
      return;
    }
    if (beginning.leased === undefined) {
      this.start({ key, number }, beginning);
      return;
    }
    const lease = openLease(driver, { ...beginning.leased, scope, attempt: key, holder: request.key });
    this.lease = lease;
    pending.onCancel = () => lease.leave();
    lease.held.then(() => this.start({ key, number }, beginning), reject);
  }

  private start({ key, number }: { readonly key: StepKey; readonly number: number }, { refreshed }: Beginning): void {
    const { driver, request, pending } = this;
    if (pending.over) return;
    this.merges = 0;
    const place = { key, number, outer: request.scope, inner: request.scope.open(key) };
    const attempt = new TransactionAttempt(driver, place, (stale) => this.onStale({ attempt, end: undefined }, stale));
    pending.onCancel = () => this.leave(attempt);
    const close = (end: AttemptEnd): void => {
      if (attempt.over) return;
      attempt.ended = true;
      place.inner.close();
      driver.delivery.whenLive(() => this.propose(attempt, end));
    };
    request.body(attempt, refreshed).then(
      (output) => close({ kind: "returned", output }),
      (error: unknown) => close({ kind: "threw", error: toStepError(key, error) }),
    );
  }

  /** Asks the ledger for all of it. */
  private propose(attempt: TransactionAttempt, end: AttemptEnd): void {
    const { driver, request, pending } = this;
    if (pending.over || attempt.over) return;
    let entry: NewEntry;
    try {
      entry = attempt.toEntry(request.key, end);
    } catch (thrown) {
      this.propose(attempt, { kind: "threw", error: toStepError(request.key, thrown) });
      return;
    }
    const send = (use: Pick<NewEntry, "approval">): void => {
      const { leaves } = driver.host.documents;
      driver.propose({ ...entry, ...use }, (appended) => this.onAnswer({ attempt, end, leaves }, appended));
    };
    const { scope, key } = request;
    governWrites(
      driver,
      { key, scope, pending, writes: end.kind === "returned" ? attempt.toWritten() : [], reads: attempt.reliedOn() },
      {
        go: (use) => !attempt.over && send(use),
        refuse: (error) => !attempt.over && this.propose(attempt, { kind: "threw", error }),
        stale: (documents) => !attempt.over && this.onStale({ attempt, end }, documents),
      },
    );
  }

  private onAnswer({ attempt, end, leaves }: Asked, appended: Appended): void {
    switch (appended.kind) {
      case "recorded":
        this.finish(attempt, end);
        return;
      case "stale":
        if (!this.pending.over) this.onStale({ attempt, end }, appended.documents);
        return;
      case "leased": {
        if (this.pending.over) return;
        const refused = { ...appended, leaves };
        const forget = waitUntilFree(this.driver, refused, () => this.propose(attempt, end));
        this.pending.onCancel = () => {
          forget();
          this.leave(attempt);
        };
        return;
      }
      case "unapproved":
        this.propose(attempt, end); // what it was granted for has changed, or is granted no more
        return;
      case "taken":
      case "spent":
      case "repeated":
      case "incomplete":
        throw new TuttiError("BUG", "a transaction takes no key, reserves nothing and stands in no group");
    }
  }

  private finish(attempt: TransactionAttempt, end: AttemptEnd): void {
    const { driver, request, pending } = this;
    const writes = end.kind === "returned" ? attempt.toWrites() : [];
    this.leave(attempt);
    noteWrites(driver, request.scope, writes);
    if (end.kind === "threw") pending.reject(toReplayable(end.error));
    else {
      const { json } = toStoredValue("out", end.output, request.key);
      const seen = toSeen(json, end.output);
      driver.produced(request.key, seen);
      pending.resolve(seen);
    }
    for (const { document, version } of writes) driver.host.documents.tell(document, version);
  }

  /** What it has read has newer versions: found by the ledger, or told by whoever wrote them. */
  onStale(tried: Try, stale: readonly StaleRead[]): void {
    const { attempt, end } = tried;
    const conflicting = attempt.toConflicting(stale);
    const hasResult = end?.kind === "returned";
    const step = decideConflict(conflicting, { attempt: attempt.place.number, merges: this.merges, hasResult });
    switch (step.kind) {
      case "merge":
        if (end !== undefined) this.merge(attempt, end, stale);
        return;
      case "again":
        this.tryAgain(tried, stale, step);
        return;
      case "give-up":
        this.giveUp(attempt, stale, step.escalate);
    }
  }

  private merge(attempt: TransactionAttempt, end: AttemptEnd, stale: readonly StaleRead[]): void {
    this.merges++;
    this.beside(attempt.merge(stale), {
      done: () => this.propose(attempt, end),
      failed: (error) => this.fail(attempt, error),
    });
  }

  private tryAgain(
    { attempt, end }: Try,
    stale: readonly StaleRead[],
    step: ConflictStep & { readonly kind: "again" },
  ): void {
    const again = { attempt, stale, step };
    if (!step.refresh || end?.kind !== "returned") {
      this.recordConflict({ ...again, refreshed: undefined });
      return;
    }
    this.beside(attempt.toChanges(stale), {
      done: (changes) => this.recordConflict({ ...again, refreshed: { result: end.output, changes } }),
      failed: (error) => this.fail(attempt, error),
    });
  }

  private recordConflict({ attempt, stale, step, refreshed }: Again): void {
    const { driver, pending } = this;
    if (pending.over || attempt.over) return;
    const { key, number, inner } = attempt.place;
    const next = step.leaseMs !== undefined ? "lease" : step.refresh ? "refresh" : "rerun";
    const data = toStoredValue("data", refreshed, key);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a copy of what stands in front of it
    const seen = data.json === undefined ? undefined : (toSeen(data.json, refreshed) as Refreshed);
    const documents = [...attempt.versions().keys()];
    const leased = step.leaseMs === undefined ? undefined : { documents, leaseMs: step.leaseMs };
    const entry = { ...this.toConflicted(attempt, stale, { next, leased }), ...toBlobs(data) };
    const leave = this.end(attempt);
    // What is stopped here is not waited for; losing this entry only means to find the conflict again.
    driver.hand({ ...entry, body: toBody(entry.fields, data) }, "lazy", () => {
      inner.cancel(toConflictError(`${key} was stopped`, stale));
      this.begin(number + 1, { leased, refreshed: seen });
    });
    leave();
  }

  private toConflicted(
    { place }: TransactionAttempt,
    stale: readonly StaleRead[],
    after: { readonly next: string; readonly leased?: Beginning["leased"] },
  ): Omit<NewEntry, "body"> & { readonly fields: Readonly<Record<string, unknown>> } {
    const { leased, next } = after;
    return {
      kind: "document-conflicted",
      key: place.key,
      fields: {
        stale,
        next,
        ...toLabelField(labelsAt(place.outer)),
        ...(leased === undefined ? {} : { leased }),
        ...(place.inner.consumed.length === 0 ? {} : { consumed: place.inner.consumed }),
      },
      document: { kind: "release", holder: this.request.key },
    };
  }

  private giveUp(attempt: TransactionAttempt, stale: readonly StaleRead[], escalate: "throw" | "park"): void {
    const { driver, request } = this;
    const { key, number } = attempt.place;
    const error = toConflictError(
      `${request.key} was not committed in ${number} ${number === 1 ? "try" : "tries"}`,
      stale,
    );
    if (escalate === "park") {
      const leave = this.end(attempt);
      // Recorded as a conflict, so that the run goes on with a fresh try when a person resumes it.
      const { fields, ...entry } = this.toConflicted(attempt, stale, { next: "park" });
      void driver.append({ ...entry, body: toBody(fields) });
      leave();
      driver.park(error, key);
      return;
    }
    this.fail(attempt, error);
  }

  /** Nothing is committed, and the code around is told why. */
  private fail(attempt: TransactionAttempt, error: TuttiError): void {
    const { driver, request, pending } = this;
    if (pending.over) return;
    const { inner } = attempt.place;
    const leave = this.end(attempt);
    const consumed = inner.consumed.length === 0 ? {} : { consumed: inner.consumed };
    const labels = toLabelField(labelsAt(request.scope));
    const body = toBody({ error: toStoredError(error), ...labels, ...consumed });
    const document = { kind: "release", holder: request.key } as const;
    driver.hand({ kind: "scope-closed", key: request.key, body, document }, "awaited", () => {
      inner.cancel(error);
      pending.reject(toReplayable(error));
    });
    leave();
  }

  /** The try is over, and with it whatever it held. */
  private leave(attempt: TransactionAttempt): void {
    this.end(attempt)();
  }

  /**
   * The try is over; the returned function gives back what it held. Others are told then, and ask the ledger: the entry that gives the lease
   * back has to stand in front of what they ask.
   */
  private end(attempt: TransactionAttempt): () => void {
    attempt.end();
    const { lease } = this;
    this.lease = undefined;
    return () => lease?.leave();
  }

  /** Work between the function's end and the commit. */
  private beside<Value>(
    work: Promise<Value>,
    then: { readonly done: (value: Value) => void; readonly failed: (error: TuttiError) => void },
  ): void {
    const { driver, request } = this;
    driver.begin();
    work
      .then(
        (value) => {
          if (!driver.stopped) then.done(value);
        },
        (error: unknown) => {
          if (!driver.stopped) then.failed(toStepError(request.key, error));
        },
      )
      .finally(() => driver.finish());
  }
}

interface Again {
  readonly attempt: TransactionAttempt;
  readonly stale: readonly StaleRead[];
  readonly step: ConflictStep & { readonly kind: "again" };
  readonly refreshed: Refreshed | undefined;
}
