import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import type { ApprovalId } from "../../contracts/ids.ts";
import { toQuestion } from "../../contracts/precedent.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { toShown, type Case } from "./precedent-book.ts";

/** What a flow asked people, and what they have said until now. */
interface Asked {
  readonly kind: "question" | "decision";
  readonly step: string;
  readonly about: string;
  answer: string | undefined;
  note: string | undefined;
}

/** A question or a decision that people have just settled. */
export type Answered = Readonly<Asked> & Pick<LedgerEntry, "lsn" | "run"> & { readonly isNo: boolean };

/** Reads entries of all runs in the ledger's order, and says what people have answered. */
export interface AnswerReader {
  note(entry: LedgerEntry): Answered | undefined;
}

export function openAnswerReader(): AnswerReader {
  const open = new Map<ApprovalId, Asked>();
  return {
    note(entry) {
      switch (entry.kind) {
        case "approval-requested": {
          const { approval, kind, about } = bodyOf(entry, entry.kind);
          if (kind === "question" || kind === "decision")
            open.set(approval, { kind, about, step: entry.key, answer: undefined, note: undefined });
          return undefined;
        }
        case "approval-voted": {
          const { approval, verdict, answer, note } = bodyOf(entry, entry.kind);
          const asked = open.get(approval);
          if (asked === undefined || verdict === "delegate" || verdict === "abstain") return undefined;
          asked.answer = answer;
          asked.note = note;
          return undefined;
        }
        case "approval-decided": {
          const { approval, state, by } = bodyOf(entry, entry.kind);
          const asked = open.get(approval);
          open.delete(approval);
          // What nobody decided says nothing.
          if (asked === undefined || by === undefined || (state !== "granted" && state !== "rejected"))
            return undefined;
          return { ...asked, lsn: entry.lsn, run: entry.run, isNo: state === "rejected" };
        }
        default:
          return undefined;
      }
    },
  };
}

/** Nothing for what belongs to a run about a person, whose data stays in its run. */
export async function toAnswerCase(
  ledger: Pick<Ledger, "read" | "readBlob">,
  answered: Answered,
): Promise<Case | undefined> {
  const { run, lsn, kind, step, about, answer, note, isNo } = answered;
  const [first] = await ledger.read(run, 1, 1);
  if (first === undefined) return undefined;
  const { flow, tenant, personal } = bodyOf(first, "run-started");
  if (personal !== undefined) return undefined;
  const decision = isNo ? "rejected" : kind === "question" ? "answered" : "approved";
  const given = answer === undefined ? undefined : await ledger.readBlob(answer);
  const to = given === undefined ? "" : ` with ${toShown(JSON.parse(given))}`;
  const why = note === undefined ? "" : ` (${note})`;
  const text = `${about} was ${decision}${to}${why}`;
  return {
    id: String(lsn),
    decision,
    text,
    words: text,
    tenant: tenant ?? null,
    matter: toQuestion(flow, step),
    agent: null,
  };
}
