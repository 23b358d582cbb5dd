import { knowsSecrets } from "../base/known-secrets.ts";
import { refuseSecrets } from "../base/refuse-secrets.ts";
import type { NewEntry, NewRun } from "./ledger.ts";

/**
 * The last gate before the ledger: no text of an entry, or of a run's start, holds the value of a known secret.
 * @throws TuttiError SECRET_EXPOSED
 */
export function refuseExposing(entry: NewEntry | NewRun): void {
  if (!knowsSecrets()) return;
  const where = "kind" in entry ? `${entry.kind} ${entry.key}`.trimEnd() : `the start of ${entry.id}`;
  for (const text of textsOf(entry)) refuseSecrets(text, where);
}

function textsOf(entry: NewEntry | NewRun): readonly (string | undefined)[] {
  const blobs = entry.blobs?.map((blob) => blob.content) ?? [];
  if (!("kind" in entry)) {
    return [entry.id, entry.startKey, entry.body, ...blobs, ...(entry.copied ?? []).flatMap(textsOf)];
  }
  const { key, body, effect, starts } = entry;
  const effectKey = effect?.kind === "intend" ? effect.effect.key : effect?.key;
  return [key, body, ...blobs, effectKey, ...(starts === undefined ? [] : textsOf(starts))];
}
