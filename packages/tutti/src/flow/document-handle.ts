import type { DocumentHandle, DocumentState, DocumentType } from "../contracts/document.ts";
import { toIdOf } from "./document.ts";
import type { Driver } from "./driver.ts";
import { enterReading, readDocument } from "./read-document.ts";
import type { DocumentPlace } from "./run-documents.ts";
import type { Scope } from "./scope.ts";
import { runTransaction } from "./transact.ts";

const never = new Promise<never>(() => {});

/** `run.document`: one document, seen from one place. Inside a transaction it is part of it; outside, each write is one of its own. */
export function openDocument(
  driver: Driver,
  scope: Scope,
  named: { readonly type: DocumentType; readonly key: string },
): DocumentHandle<unknown> {
  const place: DocumentPlace = { scope, type: named.type, id: toIdOf(named.type, named.key) };
  const attempt = driver.documents.attemptAt(scope);
  if (attempt !== undefined) return attempt.open(place);
  return {
    read: () => read(driver, place, false),
    peek: () => read(driver, place, true),
    async write(value) {
      await commitAlone(driver, place, { verb: "write", work: (handle) => handle.write(value) });
    },
    change: (change) => commitAlone(driver, place, { verb: "change", work: (handle) => handle.change(change) }),
  };
}

async function read(driver: Driver, place: DocumentPlace, peeked: boolean): Promise<DocumentState> {
  const key = enterReading(driver, place);
  if (key === undefined) return never;
  const state = await readDocument(driver, { ...place, key, peeked });
  if (!peeked) driver.documents.reads.read(place.scope.path, place.id, state.version);
  return state;
}

interface Alone {
  readonly verb: "write" | "change";
  readonly work: (handle: DocumentHandle<unknown>) => Promise<unknown>;
}

function commitAlone(driver: Driver, place: DocumentPlace, { verb, work }: Alone): Promise<unknown> {
  const { scope, id } = place;
  const key = driver.enter(scope, `${verb}-${id.replace("/", ":")}`, `document.${verb}()`);
  if (key === undefined) return never;
  return runTransaction(driver, {
    key,
    scope,
    verb: `a ${verb} of ${id}`,
    body: async (attempt) => (await work(attempt.open({ ...place, scope: attempt.place.inner }))) ?? null,
  });
}
