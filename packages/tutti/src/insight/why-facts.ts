import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import { toStepKey, type StepKey } from "../contracts/ids.ts";

/** What one entry means, said to a person. */
export interface Telling {
  readonly kind: "step" | "agent" | "attempt" | "effect" | "person" | "child" | "policy";
  readonly sentence: string;
}

/** The error that an entry ended something with. */
export function errorOf(entry: LedgerEntry): { readonly code: string; readonly message: string } | undefined {
  switch (entry.kind) {
    case "run-failed":
    case "run-parked":
    case "step-failed":
    case "effect-failed":
    case "effect-settled":
    case "scope-closed":
    case "child-settled":
      return bodyOf(entry, entry.kind).error;
    default:
      return undefined;
  }
}

/** The steps whose results were handed in. */
export function usesOf(entries: readonly LedgerEntry[]): readonly StepKey[] {
  const uses = entries.flatMap((entry) => {
    switch (entry.kind) {
      case "step-done":
      case "effect-intended":
      case "agent-started":
      case "child-started":
        return bodyOf(entry, entry.kind).uses ?? [];
      default:
        return [];
    }
  });
  return [...new Set(uses)];
}

export interface ReadVersion {
  readonly document: string;
  readonly version: number;
}

/** The versions of documents that the entries of a step saw or relied on. */
export function readsOf(entries: readonly LedgerEntry[]): readonly ReadVersion[] {
  const versions = new Map<string, number>();
  for (const entry of entries) {
    if (entry.kind === "document-read") {
      const { document, version } = bodyOf(entry, entry.kind);
      versions.set(document, version);
    }
    if (entry.kind === "effect-intended" || entry.kind === "scope-closed" || entry.kind === "document-committed")
      for (const [document, version] of Object.entries(bodyOf(entry, entry.kind).reads ?? {}))
        versions.set(document, version);
  }
  return [...versions].map(([document, version]) => ({ document, version }));
}

/** The step of this run that wrote a version, if it was one of this run's. */
export function findWriter(entries: readonly LedgerEntry[], read: ReadVersion): StepKey | undefined {
  const wrote = entries.find(
    (entry) =>
      entry.kind === "document-committed" &&
      bodyOf(entry, entry.kind).writes.some(
        ({ document, version }) => document === read.document && version === read.version,
      ),
  );
  return wrote === undefined ? undefined : toStepKey(wrote.key);
}
