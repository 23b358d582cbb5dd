import type { Clock } from "../base/clock.ts";
import type { DocumentRecord, DocumentState, DocumentType, DocumentVersion } from "../contracts/document.ts";
import { toDocumentId, type DocumentId } from "../contracts/ids.ts";
import type { DocumentHost } from "../flow/document-host.ts";
import { toIdOf } from "../flow/document.ts";
import { readHistory, readStoredDocument } from "../ledger/document-value.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { openListeners } from "./listeners.ts";

/** Documents for those who look, from outside of any run. */
export interface SharedDocuments {
  /** The newest value. */
  read<Value>(type: DocumentType<Value>, key: string): Promise<DocumentState<Value>>;
  /** Versions of one document with who wrote them and what each one changed, the newest first; 20 by default. */
  history<Value>(
    type: DocumentType<Value>,
    key: string,
    options?: { readonly limit?: number },
  ): Promise<readonly DocumentVersion<Value>[]>;
  /** The newest version of every document, or of every one of a type, by id. */
  list(type?: DocumentType): Promise<readonly DocumentRecord[]>;
}

const historyDefault = 20;

export function toSharedDocuments(ledger: Ledger): SharedDocuments {
  return {
    async read<Value>(type: DocumentType<Value>, key: string): Promise<DocumentState<Value>> {
      const record = await ledger.findDocument(toIdOf(type, key));
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without an initial value the type says itself that it may be undefined
      if (record === undefined) return { value: type.initial as Value, version: 0 };
      const { value, version } = await readStoredDocument(ledger, record);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed by this type's schema when it was written
      return { value: value as Value, version };
    },
    async history<Value>(type: DocumentType<Value>, key: string, options: { readonly limit?: number } = {}) {
      const versions = await readHistory(ledger, toIdOf(type, key), {
        limit: historyDefault,
        ...options,
        initial: type.initial,
      });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed by this type's schema when they were written
      return versions as readonly DocumentVersion<Value>[];
    },
    list: (type) => ledger.listDocuments(type === undefined ? {} : { under: toDocumentId(`${type.name}/`) }),
  };
}

/** What documents need in one process: who watches which, and whose turn it is to hold them. */
export function openDocuments(ledger: Ledger, clock: Clock, invalidation: "push" | "commit"): DocumentHost {
  const watchers = openListeners<DocumentId, number>();
  const turns = openTurns(clock);
  let leaves = 0;
  return {
    get leaves() {
      return leaves;
    },
    async read(document, version) {
      const record = await ledger.findDocument(document, version);
      return record === undefined ? undefined : readStoredDocument(ledger, record);
    },
    watch: (document, listener) => watchers.add(document, listener),
    tell(document, newest) {
      if (newest === 0) leaves++;
      if (newest === 0 || invalidation === "push") watchers.tell(document, newest);
    },
    takeTurn: turns,
  };
}

interface Turn {
  readonly documents: ReadonlySet<DocumentId>;
  readonly leaseMs: number;
  readonly begin: () => void;
  isHeld: boolean;
}

/** First come, first served; those who want nothing in common do not wait for each other. A turn ends by itself when its lease does. */
function openTurns(clock: Clock): DocumentHost["takeTurn"] {
  const queue: Turn[] = [];
  const advance = (): void => {
    const wanted = new Set<DocumentId>();
    for (const turn of Array.from(queue)) {
      const isFree = ![...turn.documents].some((document) => wanted.has(document));
      for (const document of turn.documents) wanted.add(document);
      if (!isFree || turn.isHeld) continue;
      turn.isHeld = true;
      turn.begin();
    }
  };
  return (documents, leaseMs) =>
    new Promise((resolve) => {
      const leave = (): void => {
        const at = queue.indexOf(turn);
        if (at < 0) return;
        queue.splice(at, 1);
        forget?.();
        advance();
      };
      let forget: (() => void) | undefined;
      const begin = (): void => {
        forget = clock.after(leaseMs, leave);
        resolve(leave);
      };
      const turn: Turn = { documents: new Set(documents), leaseMs, begin, isHeld: false };
      queue.push(turn);
      advance();
    });
}
