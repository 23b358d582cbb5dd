import type { ApprovalRecord } from "../../contracts/approval.ts";
import type { Appended, ApprovalChange } from "../ledger.ts";
import { openWords, sealBlob, type SubjectKey } from "./sealed-body.ts";

type FindKey = (id: string) => Buffer | undefined;

/** In what an approval holds of itself, outside of the entries of its run: the words that may tell of the person. */
const words: ReadonlySet<string> = new Set(["about", "reason"]);
/** In bodies too: what names large values by their hash alone. */
export const references: ReadonlySet<string> = new Set(["package", "answer"]);

/** What an entry does to an approval: its words sealed, and what is stored beside it named by the hash that it has there. */
export function sealChange(
  change: ApprovalChange,
  { key, sealedHashes }: { readonly key: SubjectKey; readonly sealedHashes: ReadonlyMap<string, string> },
): ApprovalChange {
  const sealed: unknown = JSON.parse(JSON.stringify(change), (name, value: unknown) => {
    if (typeof value !== "string") return value;
    if (words.has(name)) return sealBlob(value, key);
    return references.has(name) ? (sealedHashes.get(value) ?? value) : value;
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same shape: only texts were changed
  return sealed as ApprovalChange;
}

export function openApproval(approval: ApprovalRecord, findKey: FindKey): ApprovalRecord {
  const { about, why } = approval;
  return {
    ...approval,
    about: openWords(about, findKey),
    ...(why === undefined ? {} : { why: openWords(why, findKey) }),
  };
}

/** What became of the change, as whoever wrote it sees it. */
export function openAppended(appended: Appended, findKey: FindKey): Appended {
  if (appended.kind === "unapproved") return { ...appended, why: openWords(appended.why, findKey) };
  if (appended.kind !== "recorded" || appended.approval === undefined) return appended;
  return { ...appended, approval: openApproval(appended.approval, findKey) };
}
