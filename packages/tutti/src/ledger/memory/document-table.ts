import type { DocumentRecord } from "../../contracts/document.ts";
import type { DocumentId } from "../../contracts/ids.ts";
import type { LedgerReader } from "../ledger-reader.ts";
import { createStagedList } from "./staged.ts";

/** Every version of every document, in the order in which they were written. */
export interface DocumentTable {
  /** The newest version, as the transaction sees it. */
  find(document: DocumentId): DocumentRecord | undefined;
  put(record: DocumentRecord): void;
  readonly findCommitted: LedgerReader["findDocument"];
  readonly list: LedgerReader["listDocuments"];
  readonly versions: LedgerReader["listVersions"];
  commit(): void;
  rollback(): void;
}

export function createDocumentTable(): DocumentTable {
  const written = createStagedList<DocumentRecord>();
  const versionsByDocument = new Map<DocumentId, DocumentRecord[]>();
  const versionsOf = (document: DocumentId): readonly DocumentRecord[] => versionsByDocument.get(document) ?? [];
  return {
    find: (document) =>
      written.staged.findLast((record) => record.document === document) ?? versionsOf(document).at(-1),
    put: (record) => void written.staged.push(record),
    findCommitted: (document, version) =>
      version === undefined
        ? versionsOf(document).at(-1)
        : versionsOf(document).find((record) => record.version === version),
    list: ({ under = "", limit }) =>
      [...versionsByDocument.keys()]
        .filter((document) => document.startsWith(under))
        .toSorted((left, right) => (left < right ? -1 : 1))
        .slice(0, limit)
        .flatMap((document) => versionsOf(document).slice(-1)),
    versions: (document, limit) => versionsOf(document).toReversed().slice(0, limit),
    commit() {
      for (const record of written.staged) {
        const present = versionsByDocument.get(record.document);
        if (present === undefined) versionsByDocument.set(record.document, [record]);
        else present.push(record);
      }
      written.rollback();
    },
    rollback: () => written.rollback(),
  };
}
