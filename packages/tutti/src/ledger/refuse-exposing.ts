import type { TuttiError } from "../base/errors.ts";
import { knowsSecrets } from "../base/known-secrets.ts";
import { findExposure } from "../base/refuse-secrets.ts";
import type { NewEntry, NewRun } from "./ledger.ts";

/** The last gate before the ledger: SECRET_EXPOSED if a text of an entry, or of a run's start, holds the value of a known secret. */
export function findExposing(entry: NewEntry | NewRun): TuttiError | undefined {
  if (!knowsSecrets()) return undefined;
  const where = "kind" in entry ? `${entry.kind} ${entry.key}`.trimEnd() : `the start of ${entry.id}`;
  for (const text of textsOf(entry)) {
    const exposure = text === undefined ? undefined : findExposure(text, where);
    if (exposure !== undefined) return exposure;
  }
  return undefined;
}

/** @throws TuttiError SECRET_EXPOSED */
export function refuseExposing(entry: NewEntry | NewRun): void {
  const exposure = findExposing(entry);
  if (exposure !== undefined) throw exposure;
}

function textsOf(entry: NewEntry | NewRun): readonly (string | undefined)[] {
  const blobs = entry.blobs?.map((blob) => blob.content) ?? [];
  if (!("kind" in entry)) {
    return [entry.id, entry.startKey, entry.body, ...blobs, ...(entry.copied ?? []).flatMap(textsOf)];
  }
  const { key, body, effect, onceKey, starts } = entry;
  const effectKey = effect?.kind === "intend" ? effect.effect.key : effect?.key;
  return [key, body, onceKey, ...blobs, effectKey, ...(starts === undefined ? [] : textsOf(starts))];
}
