import { fromStoredError, TuttiError, type StoredError } from "../base/errors.ts";
import type { Acted } from "../contracts/callable.ts";
import type { Refreshed } from "../contracts/document.ts";
import { bodyOf, type BodyOf } from "../contracts/entry.ts";
import { toStepKey } from "../contracts/ids.ts";
import type { Driver } from "./driver.ts";
import type { Delivered, DeliveredKind, DocumentKind } from "./history.ts";
import { learn } from "./labels.ts";
import { openPending, type Pending, type Scope } from "./scope.ts";
import { fromStored } from "./stored-value.ts";

/** What the code wants under a key: which kinds of record would answer it, and the digest of the input that it was called with. */
export interface Wanted {
  readonly verb: string;
  readonly kinds: readonly DeliveredKind[];
  readonly digest?: string;
}

/** The recorded result of a key, handed over in its turn, or `undefined` if there is none. */
export function takeRecorded<Value>(
  driver: Driver,
  scope: Scope,
  wanted: Wanted & { readonly key: string },
): Promise<Value> | undefined {
  const item = driver.history.recorded.get(wanted.key);
  if (item === undefined) return undefined;
  const digest = recordedDigest(driver, item);
  if (
    !wanted.kinds.includes(item.kind) ||
    (digest !== undefined && wanted.digest !== undefined && digest !== wanted.digest)
  ) {
    driver.park(toDivergence(driver, item, wanted), toStepKey(item.key));
    return new Promise<never>(() => {});
  }
  const pending = openPending<Value>(scope, toStepKey(wanted.key));
  driver.delivery.ask(pending);
  return pending.promise;
}

function toDivergence(driver: Driver, item: Delivered, wanted: Wanted): TuttiError {
  const asked = `${wanted.verb}${wanted.digest === undefined ? "" : ` with input ${wanted.digest.slice(0, 12)}`}`;
  const digest = recordedDigest(driver, item);
  const held = `${item.kind}${digest === undefined ? "" : ` for input ${digest.slice(0, 12)}`}`;
  return new TuttiError(
    "FLOW_DIVERGED",
    `at ${item.key} the code asks for ${asked}; the ledger holds ${held} (entry ${item.seq})`,
    {
      hint: "The flow's code changed while this run was open, or it depends on something that is not recorded. Register the old version, or fork the run.",
      facts: { seq: item.seq, recorded: item.key },
    },
  );
}

function recordedDigest(driver: Driver, item: Delivered): string | undefined {
  switch (item.kind) {
    case "step-done":
    case "step-failed":
    case "scope-closed":
    case "effect-shared":
      return bodyOf(item, item.kind).digest;
    default:
      return driver.history.digests.get(item.key);
  }
}

/** Hands a recorded item over: what the code gets is exactly what it got when the entry was new. */
export function handRecorded(driver: Driver, item: Delivered, asked: Pending | undefined): void {
  switch (item.kind) {
    case "signal-received": {
      const body = bodyOf(item, item.kind);
      driver.signals.receive(body.name, {
        seq: item.seq,
        payload: fromStored(body.payload, body.payloadRef, driver.blobs),
        labels: body.labels,
      });
      return;
    }
    case "cancel-requested":
      driver.root.cancel(toCancellation(bodyOf(item, item.kind).reason));
      return;
    case "directive-given": {
      const { payload, payloadRef, ...given } = bodyOf(item, item.kind);
      driver.directive.receive(given, fromStored(payload, payloadRef, driver.blobs));
      return;
    }
    case "timer-fired":
      asked?.resolve(undefined);
      return;
    case "step-failed":
    case "effect-failed":
      asked?.reject(fromStoredError(bodyOf(item, item.kind).error));
      return;
    case "scope-closed": {
      const { out, outRef, error, reads, labels, ...known } = bodyOf(item, item.kind);
      if (asked !== undefined) learn(asked.scope, labels);
      if (reads !== undefined) driver.documents.reads.adopt(item.key, reads);
      settle(driver, asked, { error, value: toActed(fromStored(out, outRef, driver.blobs), known) });
      return;
    }
    case "effect-shared": {
      const { out, outRef, labels } = bodyOf(item, item.kind);
      if (asked !== undefined) learn(asked.scope, labels);
      settle(driver, asked, { value: fromStored(out, outRef, driver.blobs) });
      return;
    }
    case "step-done": {
      const { out, outRef } = bodyOf(item, item.kind);
      settle(driver, asked, { value: fromStored(out, outRef, driver.blobs) });
      return;
    }
    case "document-read":
    case "document-committed":
    case "document-conflicted":
    case "document-leased":
      handDocument(driver, { item, kind: item.kind }, asked);
      return;
    case "child-settled": {
      const { out, outRef, error, labels } = bodyOf(item, item.kind);
      if (asked !== undefined) learn(asked.scope, labels);
      settle(driver, asked, { error, value: fromStored(out, outRef, driver.blobs) });
      return;
    }
    case "effect-settled": {
      const { out, outRef, error } = bodyOf(item, item.kind);
      settle(driver, asked, { error, value: fromStored(out, outRef, driver.blobs) });
      return;
    }
  }
}

/** What a transaction has committed. */
export interface Committed {
  readonly output: unknown;
  readonly writes: BodyOf<"document-committed">["writes"];
}

/** Why a try of a transaction did not commit, and how the next one begins. */
export interface Conflicted {
  readonly leased: BodyOf<"document-conflicted">["leased"];
  readonly refreshed: Refreshed | undefined;
}

function handDocument(
  driver: Driver,
  { item, kind }: { readonly item: Delivered; readonly kind: DocumentKind },
  asked: Pending | undefined,
): void {
  switch (kind) {
    case "document-read": {
      const { value, valueRef, version, labels } = bodyOf(item, kind);
      if (asked !== undefined) learn(asked.scope, labels);
      settle(driver, asked, { value: { value: fromStored(value, valueRef, driver.blobs), version } });
      return;
    }
    case "document-committed": {
      const { out, outRef, error, writes, labels } = bodyOf(item, kind);
      if (asked !== undefined) learn(asked.scope, labels);
      const output = fromStored(out, outRef, driver.blobs);
      if (error !== undefined) asked?.reject(fromStoredError(error));
      else if (asked !== undefined) {
        driver.produced(asked.key, output);
        asked.resolve({ output, writes } satisfies Committed);
      }
      return;
    }
    case "document-conflicted": {
      const { leased, data, dataRef, labels } = bodyOf(item, kind);
      if (asked !== undefined) learn(asked.scope, labels);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- stored by the transaction that found the conflict
      const refreshed = fromStored(data, dataRef, driver.blobs) as Refreshed | undefined;
      asked?.resolve({ leased, refreshed } satisfies Conflicted);
      return;
    }
    case "document-leased":
      asked?.resolve(undefined);
  }
}

function settle(
  driver: Driver,
  asked: Pending | undefined,
  result: { readonly error?: StoredError | undefined; readonly value: unknown },
): void {
  if (asked === undefined) return;
  if (result.error !== undefined) {
    asked.reject(fromStoredError(result.error));
    return;
  }
  driver.produced(asked.key, result.value);
  asked.resolve(result.value);
}

type Known = { readonly [Name in "confidence" | "evidence" | "usage" | "model"]?: Acted<unknown>[Name] | undefined };

/** An output with what is known about it, without fields that would be undefined. */
export function toActed(output: unknown, known: Known): Acted<unknown> {
  return {
    output,
    ...(known.confidence === undefined ? {} : { confidence: known.confidence }),
    ...(known.evidence === undefined ? {} : { evidence: known.evidence }),
    ...(known.usage === undefined ? {} : { usage: known.usage }),
    ...(known.model === undefined ? {} : { model: known.model }),
  };
}

export function toCancellation(reason: string): TuttiError {
  return new TuttiError("RUN_CANCELLED", reason);
}
