import { toDifferences } from "../base/difference.ts";
import { TuttiError } from "../base/errors.ts";
import type { DocumentRecord, DocumentVersion } from "../contracts/document.ts";
import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import { toStepKey, type DocumentId } from "../contracts/ids.ts";
import type { Ledger } from "./ledger.ts";
import { toErasedError } from "./personal/personal-ledger.ts";
import { isSealed } from "./personal/sealed-body.ts";

/** One version of a document with the entry that wrote it: a value is stored there, and nowhere else. */
export interface StoredDocument extends DocumentRecord {
  readonly value: unknown;
  readonly labels?: readonly string[] | undefined;
  readonly entry: LedgerEntry;
}

/** @throws TuttiError LEDGER_CORRUPT, DATA_ERASED */
export async function readStoredDocument(ledger: Ledger, record: DocumentRecord): Promise<StoredDocument> {
  const [entry] = await ledger.scan(record.lsn - 1, 1);
  if (entry?.kind === "directive-given") {
    const { payload: _output, payloadRef: _reference, ...value } = bodyOf(entry, entry.kind);
    if (value.version === record.version) return { ...record, entry, value };
  }
  if (entry?.kind === "document-committed") {
    if (isSealed(entry.body)) throw toErasedError(entry.run);
    const { writes, labels } = bodyOf(entry, entry.kind);
    const written = writes.find((write) => write.document === record.document);
    const { valueRef } = written ?? {};
    const content = valueRef === undefined ? undefined : await ledger.readBlob(valueRef.hash);
    if (written?.version === record.version && (valueRef === undefined || content !== undefined)) {
      return { ...record, entry, labels, value: content === undefined ? written.value : JSON.parse(content) };
    }
  }
  throw new TuttiError("LEDGER_CORRUPT", `version ${record.version} of ${record.document} is missing`, {
    hint: "Run `tutti verify`, and restore the ledger from a backup.",
    facts: { document: record.document, version: record.version, lsn: record.lsn },
  });
}

/** The versions of a document, the newest first. */
export async function readHistory(
  ledger: Ledger,
  document: DocumentId,
  { limit, initial }: { readonly limit: number; readonly initial?: unknown },
): Promise<readonly DocumentVersion[]> {
  const records = await ledger.listVersions(document, limit + 1);
  const stored: StoredDocument[] = [];
  for (const record of records) stored.push(await readStoredDocument(ledger, record));
  return stored.slice(0, limit).map((present, index): DocumentVersion => {
    const { value, version, entry } = present;
    const before = version === 1 ? initial : stored[index + 1]?.value;
    return {
      value,
      version,
      run: entry.run,
      step: toStepKey(entry.key),
      at: entry.at,
      diff: toDifferences(before, value),
    };
  });
}
