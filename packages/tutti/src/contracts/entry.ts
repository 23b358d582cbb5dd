import { TuttiError } from "../base/errors.ts";
import type { Shape, ShapeOf } from "../base/shape.ts";
import { bodies } from "./entry-bodies.ts";
import type { RunId } from "./ids.ts";

/** The version that this code writes. A change that old readers would misread raises it and keeps the old parser. */
export const entryVersion = 1;

export type EntryKind = keyof typeof bodies;
export type BodyOf<Kind extends EntryKind> = ShapeOf<(typeof bodies)[Kind]>;

/** What agents decided and told each other: written down by `run.record`, changes nothing. */
export type RecordKind = "votes-counted" | "message-sent" | "decision-made";

/** One line of the ledger, as it is stored. */
export interface LedgerEntry {
  /** Position in the whole ledger, from 1, without gaps. */
  readonly lsn: number;
  readonly run: RunId;
  /** Position in its run, from 1, without gaps. */
  readonly seq: number;
  readonly kind: EntryKind;
  /** The step's path; "" for what concerns the run as a whole. */
  readonly key: string;
  /** Milliseconds since 1970. Never smaller than in an earlier entry, even if the system's clock was set back. */
  readonly at: number;
  readonly version: number;
  /** JSON text, parsed by `bodyOf`. */
  readonly body: string;
  /** Links this entry to the run's previous one: see ledger/seal.ts. */
  readonly hash: string;
}

export function isEntryKind(value: unknown): value is EntryKind {
  return typeof value === "string" && Object.hasOwn(bodies, value);
}

/**
 * The parsed body of an entry of one kind.
 * @throws TuttiError LEDGER_CORRUPT if it does not have the shape of its kind, LEDGER_TOO_NEW if its version is not known.
 */
export function bodyOf<Kind extends EntryKind>(
  entry: Pick<LedgerEntry, "version" | "body" | "run" | "seq">,
  kind: Kind,
): BodyOf<Kind> {
  if (entry.version > entryVersion) {
    throw new TuttiError(
      "LEDGER_TOO_NEW",
      `entry ${entry.seq} of ${entry.run} has version ${entry.version}; this Tutti reads up to ${entryVersion}`,
      { hint: "Update Tutti in this process." },
    );
  }
  // Each kind's shape yields that kind's body; TypeScript can't follow the index through the union.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each kind's shape yields that kind's body; the index can't be followed through the union
  const shape = bodies[kind] as Shape<BodyOf<Kind>>;
  try {
    return shape(JSON.parse(entry.body), "");
  } catch (error) {
    throw new TuttiError("LEDGER_CORRUPT", `entry ${entry.seq} of ${entry.run} (${kind}) can't be read`, {
      hint: "Run `tutti verify` to see how far the ledger is intact, and restore it from a backup.",
      facts: { run: entry.run, seq: entry.seq, kind },
      cause: error,
    });
  }
}
