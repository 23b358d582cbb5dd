import { useState, type ReactNode } from "react";
import type { AnswerOf, EntryLine } from "tutti/client";

import { changeSearch } from "../data/place.ts";
import { useRemote, type Remote } from "../data/remote.ts";
import { readWords } from "../parts/form-words.ts";
import { Link } from "../parts/link.tsx";
import { Empty, Loading, Problem } from "../parts/notices.tsx";
import { Told, ToldBlock } from "../parts/told.tsx";
import { toBytes, toTime } from "../text/figures.ts";
import { toText } from "../text/visible.ts";

interface EntriesProps {
  /** Nothing: those of all runs. */
  readonly run: string | undefined;
  readonly search: Readonly<Record<string, string>>;
}

const shownMax = 100;
const refreshEveryMs = 500;

/** Entries in their order, a page at a time; the last page grows as they are written. */
export function Entries({ run, search }: EntriesProps): ReactNode {
  const { kind = "", key = "" } = search;
  const after = Number(search["after"]) || 0;
  const query = { limit: shownMax, after, ...(kind === "" ? {} : { kind }), ...(key === "" ? {} : { key }) };
  const page = useEntries(run, query);
  const entries = page.value?.entries ?? [];
  const next = page.value?.next;
  return (
    <>
      <form
        className="row"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          changeSearch({ kind: readWords(form, "kind"), key: readWords(form, "key"), after: undefined });
        }}
      >
        <input name="kind" defaultValue={kind} aria-label="Kinds, separated by commas" placeholder="kind" />
        <input name="key" defaultValue={key} aria-label="The beginning of a step's path" placeholder="/step" />
        <button type="submit">Find</button>
      </form>
      {page.error === undefined ? null : <Problem error={page.error} retry={page.refresh} />}
      {page.value === undefined && page.error === undefined ? <Loading what="the entries" /> : null}
      {page.value !== undefined && entries.length === 0 && next === undefined ? (
        <Empty title="No entries here" />
      ) : (
        <ol className="lines">
          {entries.map((entry) => (
            <Entry key={entry.lsn} entry={entry} isWhole={run === undefined} />
          ))}
        </ol>
      )}
      <div className="row">
        {after > 0 ? (
          <button type="button" onClick={() => changeSearch({ after: undefined })}>
            From the beginning
          </button>
        ) : null}
        {next === undefined ? null : (
          <button type="button" onClick={() => changeSearch({ after: next })}>
            Next {shownMax}
          </button>
        )}
      </div>
    </>
  );
}

interface Query {
  readonly limit: number;
  readonly after: number;
  readonly kind?: string;
  readonly key?: string;
}

function useEntries(run: string | undefined, query: Query): Remote<AnswerOf<"listEntries">> {
  const live = { fits: () => true, everyMs: refreshEveryMs };
  const all = useRemote("listEntries", run === undefined ? { query } : undefined, { live });
  const one = useRemote("listRunEntries", run === undefined ? undefined : { params: { run }, query }, { live });
  return run === undefined ? all : one;
}

function Entry({ entry, isWhole }: { readonly entry: EntryLine; readonly isWhole: boolean }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const { lsn, seq, run, kind, key, at, body, bytes, hash } = entry;
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="entry">
          <span className="muted number">{isWhole ? lsn : seq}</span>
          <strong>{kind}</strong>
          <Told text={key} className="mono cut" />
          <span className="muted number">{toTime(at)}</span>
        </summary>
        {isOpen ? (
          <div className="stack">
            <p className="muted">
              entry {seq} of{" "}
              <Link to={["runs", run]} search={key === "" ? {} : { step: key }}>
                <Told text={run} />
              </Link>
              , hash <span className="mono">{hash}</span>
            </p>
            {body === undefined ? (
              <p className="muted">{toBytes(bytes)}, too large to show here</p>
            ) : (
              <ToldBlock text={toText(body)} label={kind} />
            )}
          </div>
        ) : null}
      </details>
    </li>
  );
}
