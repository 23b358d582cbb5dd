import { sha256 } from "../../base/hash.ts";
import { toCanonicalJson } from "../../base/json.ts";
import { anything, fields, listOf, text } from "../../base/shape.ts";
import { bodyOf, type BodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import { findModelReply } from "../model-reply.ts";

/** What came of a step as the ledger holds it: a name for the whole value, however large, and the entry that says so. */
export interface RecordedResult {
  readonly digest: string;
  readonly seq: number;
}

/** What each step of a run returned or said, by its path; the run's own result stands under "". */
export function toResults(entries: readonly LedgerEntry[]): ReadonlyMap<string, RecordedResult> {
  const results = new Map<string, RecordedResult>();
  for (const entry of entries) {
    const digest = toDigest(entry);
    if (digest !== undefined) results.set(entry.key, { digest, seq: entry.seq });
  }
  return results;
}

function toDigest(entry: LedgerEntry): string | undefined {
  switch (entry.kind) {
    case "step-done": {
      const body = bodyOf(entry, entry.kind);
      return findModelReply(entry.key, body.out) === undefined ? toValueDigest(body) : digestOf(answerOf(body.out));
    }
    case "run-done":
    case "effect-settled":
    case "effect-shared":
    case "scope-closed":
    case "child-settled":
    case "document-committed":
      return toValueDigest(bodyOf(entry, entry.kind));
    case "decision-made":
    case "votes-counted": {
      const { confidence: _, ...said } = bodyOf(entry, entry.kind);
      return digestOf(said);
    }
    case "message-sent":
    case "note-written":
      return digestOf(bodyOf(entry, entry.kind));
    default:
      return undefined;
  }
}

/** A large value has its digest already. */
function toValueDigest({ out, outRef }: Pick<BodyOf<"step-done">, "out" | "outRef">): string {
  return outRef?.hash ?? digestOf(out);
}

function digestOf(value: unknown): string {
  return sha256(toCanonicalJson(value ?? null));
}

/** Of what a model answered only that: ids, and what it cost, are others each time. */
const answer = fields({ text, model: text, toolCalls: listOf(fields({ tool: text }, { input: anything })) });
const answerOf = (out: unknown): unknown => answer(out, "");
