import type { BodyOf, EntryKind, LedgerEntry } from "../packages/tutti/src/contracts/entry.ts";
import { toRunId } from "../packages/tutti/src/contracts/ids.ts";

/** What a sample says about one entry; the rest follows from its place. */
export type SampleLine = {
  readonly [Kind in EntryKind]: {
    readonly kind: Kind;
    readonly key?: string;
    readonly body: BodyOf<Kind>;
    /** Milliseconds since the run began; one second after the line before by default. */
    readonly atMs?: number;
  };
}[EntryKind];

/** 2026-11-20 10:00:00 UTC, when every sample run begins. */
export const sampleStart = Date.UTC(2026, 10, 20, 10);

/** Entries of one run, for tests of what reads them. Their hashes are not real. */
export function toEntries(lines: readonly SampleLine[], run = "7f3k2m9q0x"): readonly LedgerEntry[] {
  let at = sampleStart - 1_000;
  return lines.map((line, index) => {
    at = line.atMs === undefined ? at + 1_000 : sampleStart + line.atMs;
    return {
      lsn: index + 1,
      run: toRunId(run),
      seq: index + 1,
      kind: line.kind,
      key: line.key ?? "",
      at,
      version: 1,
      body: JSON.stringify(line.body),
      hash: "0".repeat(64),
    };
  });
}
