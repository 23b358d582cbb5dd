import { toReplayable, toStoredError, type TuttiError } from "../base/errors.ts";
import type { DocumentState } from "../contracts/document.ts";
import type { StepKey } from "../contracts/ids.ts";
import { parseWith } from "../contracts/schema.ts";
import { toStepError } from "./attempts.ts";
import type { ReadDocument } from "./document-host.ts";
import type { Driver } from "./driver.ts";
import { decideDeed, toDecisionEntry, toDenial } from "./govern/policy-decision.ts";
import { labelsAt, learn, noLabels, toLabelField } from "./labels.ts";
import { takeRecorded } from "./recorded.ts";
import type { DocumentPlace } from "./run-documents.ts";
import { openPending, type Pending } from "./scope.ts";
import { toBlobs } from "./step.ts";
import { toBody, toSeen, toStoredValue } from "./stored-value.ts";

export interface Reading extends DocumentPlace {
  /** The path of this reading. */
  readonly key: StepKey;
  /** Which version; the newest by default. */
  readonly version?: number | undefined;
  /** Nothing will be checked against it. */
  readonly peeked?: boolean;
}

/** The path of a reading of its own. Nothing when the code must not go on. */
export function enterReading(driver: Driver, { scope, id }: DocumentPlace): StepKey | undefined {
  return driver.enter(scope, `read-${id.replace("/", ":")}`, "document.read()");
}

/**
 * Reads a document, or hands over what was read before: a replay never sees a newer value than the first execution did.
 * @throws TuttiError POLICY_DENIED, which a replay throws again without asking the policy
 */
export async function readDocument(driver: Driver, reading: Reading): Promise<DocumentState> {
  const { scope, key, type } = reading;
  if (scope.cancelled !== undefined) throw scope.cancelled;
  const state = await (takeRecorded<DocumentState>(driver, scope, {
    key,
    kinds: ["document-read", "step-failed"],
    verb: `a reading of ${reading.id}`,
  }) ?? readLive(driver, reading));
  if (state.version === 0) return state;
  // The type may have changed since it was written.
  const value = await parseWith(type.value, state.value, { code: "INPUT_INVALID", what: `the document ${reading.id}` });
  return { value, version: state.version };
}

function readLive(driver: Driver, reading: Reading): Promise<DocumentState> {
  const pending = openPending<DocumentState>(reading.scope, reading.key);
  driver.delivery.whenLive(() => {
    if (pending.over) return;
    const denial = findDenial(driver, reading);
    if (denial === undefined) look(driver, reading, pending);
    else refuse(driver, { key: reading.key, pending }, denial);
  });
  return pending.promise;
}

/** Why the policy does not let it be read, which the ledger is told; what is allowed leaves no trace. A reading can't wait for people. */
function findDenial(driver: Driver, { key, scope, id }: Reading): TuttiError | undefined {
  const { policy } = driver.host;
  if (policy === undefined) return undefined;
  const resource = { kind: "document", name: id } as const;
  const asked = { key, scope, action: "read-document", resource, input: undefined, costUsd: undefined } as const;
  const decision = decideDeed(driver, policy, { ...asked, labels: labelsAt(scope) });
  const { verdict } = decision;
  if (verdict.kind === "allow") return undefined;
  void driver.append(toDecisionEntry(decision));
  if (verdict.kind === "deny") return toDenial(`reading ${id}`, verdict);
  const why = `${verdict.why} (a reading can't wait for people)`;
  return toDenial(`reading ${id}`, { kind: "deny", rules: verdict.rules, why });
}

function refuse(
  driver: Driver,
  { key, pending }: { readonly key: StepKey; readonly pending: Pending },
  error: TuttiError,
): void {
  const body = toBody({ error: toStoredError(error) });
  driver.hand({ kind: "step-failed", key, body }, "awaited", () => pending.reject(toReplayable(error)));
}

function look(driver: Driver, reading: Reading, pending: Pending): void {
  driver.begin();
  driver.host.documents.read(reading.id, reading.version).then(
    (found) => {
      if (!driver.stopped && !pending.over) record(driver, reading, { pending, found });
      driver.finish();
    },
    (error: unknown) => {
      driver.park(toStepError(reading.key, error), reading.key);
      driver.finish();
    },
  );
}

interface Looked {
  readonly pending: Pending;
  readonly found: ReadDocument | undefined;
}

// Losing it only means to read again, so it may run ahead of the disk.
function record(driver: Driver, reading: Reading, { pending, found }: Looked): void {
  const { key, id, type, peeked } = reading;
  const { version, value } = found ?? { version: 0, value: type.initial };
  const stored = toStoredValue("value", value, `the document ${id}`);
  const labels = found?.labels ?? noLabels;
  const fields = { document: id, version, ...(peeked === true ? { peeked } : {}), ...toLabelField(labels) };
  const body = toBody(fields, stored);
  const state: DocumentState = { value: toSeen(stored.json, value), version };
  driver.hand({ kind: "document-read", key, body, ...toBlobs(stored) }, "lazy", () => {
    learn(reading.scope, labels);
    driver.produced(key, state.value);
    pending.resolve(state);
  });
}
