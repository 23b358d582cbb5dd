import { useEffect, type ReactNode } from "react";
import type { DocumentHistory } from "tutti/client";

import { useRemote } from "../data/remote.ts";
import { Link } from "../parts/link.tsx";
import { Empty, Loading, Problem } from "../parts/notices.tsx";
import { Told, ToldBlock } from "../parts/told.tsx";
import { toBytes, toTime } from "../text/figures.ts";
import { toText } from "../text/visible.ts";

const refreshEveryMs = 1_000;
const shownMax = 200;

/** Shared documents, and what each version changed. */
export function DocumentsScreen({ search }: { readonly search: Readonly<Record<string, string>> }): ReactNode {
  const { document: present, under } = search;
  const live = { fits: () => true, everyMs: refreshEveryMs };
  const query = { limit: shownMax, ...(under === undefined ? {} : { under }) };
  const list = useRemote("listDocuments", { query }, { live });
  useEffect(() => {
    document.title = "Documents · Tutti";
  }, []);
  const documents = list.value?.documents ?? [];
  return (
    <main id="screen" className="page">
      <h1>Documents</h1>
      {list.error === undefined ? null : <Problem error={list.error} retry={list.refresh} />}
      {list.value === undefined && list.error === undefined ? <Loading what="the documents" /> : null}
      {list.value !== undefined && documents.length === 0 && present === undefined ? (
        <Empty title="No documents yet">What runs share shows here, with every version of it.</Empty>
      ) : (
        <div className="inbox">
          <ol className="inbox-list" aria-label="Documents">
            {documents.map(({ document, version, at }) => (
              <li key={document}>
                <Link to={["documents"]} search={{ document }} className="inbox-row" isCurrent={document === present}>
                  <strong>
                    <Told text={document} />
                  </strong>
                  <span className="muted">
                    version {version}, {toTime(at)}
                  </span>
                </Link>
              </li>
            ))}
          </ol>
          {present === undefined ? <Empty title="Choose a document" /> : <History key={present} document={present} />}
        </div>
      )}
    </main>
  );
}

function History({ document }: { readonly document: string }): ReactNode {
  const live = { fits: () => true, everyMs: refreshEveryMs };
  const history = useRemote("showDocument", { query: { document } }, { live });
  if (history.value === undefined)
    return history.error === undefined ? <Loading what="the versions" /> : <Problem error={history.error} />;
  return (
    <section className="stack" aria-label={`Versions of ${document}`}>
      <h2>
        <Told text={document} />
      </h2>
      <ol className="lines">
        {history.value.versions.map((version) => (
          <Version key={version.version} version={version} />
        ))}
      </ol>
    </section>
  );
}

function Version({ version: told }: { readonly version: DocumentHistory["versions"][number] }): ReactNode {
  const { version, run, step, at, diff, value, bytes } = told;
  return (
    <li className="stack">
      <p className="row">
        <strong>version {version}</strong> <span className="muted">{toTime(at)}</span>
        <Link to={["runs", run]} search={{ step }}>
          <Told text={`${run} ${step}`} />
        </Link>
      </p>
      {Array.isArray(diff) && diff.length > 0 ? <ToldBlock text={toText(diff)} label="What it changed" /> : null}
      {value === undefined ? (
        <p className="muted">{toBytes(bytes ?? 0)}, too large to show here</p>
      ) : (
        <details>
          <summary>The whole value</summary>
          <ToldBlock text={toText(value)} label="Value" />
        </details>
      )}
    </li>
  );
}
