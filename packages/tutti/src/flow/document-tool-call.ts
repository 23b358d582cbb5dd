import { toDifferences } from "../base/difference.ts";
import type { DocumentAccess } from "../contracts/callable.ts";
import type { DocumentHandle, DocumentState } from "../contracts/document.ts";
import type { StepKey } from "../contracts/ids.ts";
import type { DocumentToolInput, WriteAnswer } from "./document-tools.ts";
import { toIdOf } from "./document.ts";
import type { Driver } from "./driver.ts";
import { readDocument } from "./read-document.ts";
import type { DocumentPlace } from "./run-documents.ts";
import type { Scope } from "./scope.ts";
import { runTransaction } from "./transact.ts";

export interface DocumentToolCall {
  readonly access: DocumentAccess;
  readonly key: StepKey;
  readonly scope: Scope;
  readonly input: unknown;
}

/** A call of a tool of `documentTools`: a reading, or a transaction of its own that says what became of it. */
export async function callDocumentTool(driver: Driver, call: DocumentToolCall): Promise<unknown> {
  const { access, key, scope } = call;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed by the tool's own input schema
  const input = call.input as DocumentToolInput;
  const place: DocumentPlace = { scope, type: access.type, id: toIdOf(access.type, input.key) };
  const attempt = driver.documents.attemptAt(scope);
  const { reads } = driver.documents;
  if (access.verb === "read") {
    const state = attempt === undefined ? await readDocument(driver, { ...place, key }) : await attempt.read(place);
    if (attempt === undefined) reads.read(scope.path, place.id, state.version);
    return { key: input.key, ...state };
  }
  if (attempt !== undefined) return writeOn(driver, place, { handle: attempt.open(place), input });
  const answer = await runTransaction(driver, {
    key,
    scope,
    verb: `a write of ${place.id}`,
    body: (own) => {
      const inner = { ...place, scope: own.place.inner };
      return writeOn(driver, inner, { handle: own.open(inner), input });
    },
  });
  // Whether it was written or not, whoever asked now knows this version.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- returned by the function above, or by the same one before a crash
  reads.read(scope.path, place.id, (answer as WriteAnswer).version);
  return answer;
}

interface Write {
  readonly handle: DocumentHandle<unknown>;
  readonly input: DocumentToolInput;
}

/** Writes if the version that the caller says it has seen is the newest, or can be merged with it; else tells what has changed. */
async function writeOn(driver: Driver, place: DocumentPlace, { handle, input }: Write): Promise<WriteAnswer> {
  const { value, version: seen = 0 } = input;
  const newest = await handle.read();
  if (newest.version === seen) {
    await handle.write(value);
    return { written: true, version: newest.version + 1 };
  }
  const base = await readVersion(driver, place, seen);
  const { merge } = place.type.onConflict;
  if (merge !== undefined && base !== undefined) {
    const merged = merge(base.value, value, newest.value);
    await handle.write(merged);
    return { written: true, version: newest.version + 1, value: merged };
  }
  const changed = base === undefined ? {} : { changed: toDifferences(base.value, newest.value) };
  return { written: false, version: newest.version, value: newest.value, ...changed };
}

/** The version that a model says it has seen. Nothing if there never was such a one. */
async function readVersion(driver: Driver, place: DocumentPlace, version: number): Promise<DocumentState | undefined> {
  const key = driver.enter(place.scope, `read-${place.id.replace("/", ":")}`, "document.write()");
  if (key === undefined) return new Promise<never>(() => {});
  const state = await readDocument(driver, { ...place, key, version, peeked: true });
  return state.version === version ? state : undefined;
}
