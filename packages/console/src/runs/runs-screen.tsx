import { useEffect, useRef, type ReactNode } from "react";
import type { RunListFilter, RunPage } from "tutti/client";

import { useKeys } from "../data/keys.ts";
import { changeSearch, goTo, toHref } from "../data/place.ts";
import { useRemote } from "../data/remote.ts";
import { Link } from "../parts/link.tsx";
import { Empty, Loading, Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";
import { toNumberOf } from "../text/figures.ts";
import { RunRow } from "./run-row.tsx";

type Words = Readonly<Record<string, string>>;

/** What people look for first; each is a set of states. */
const views = [
  { name: "All", statuses: [] },
  { name: "Needs a look", statuses: ["asking", "in-doubt", "parked", "failed"] },
  { name: "Running", statuses: ["running"] },
  { name: "Waiting", statuses: ["waiting", "paused", "frozen"] },
  { name: "Done", statuses: ["done"] },
  { name: "Cancelled", statuses: ["cancelled"] },
] as const;

const rowsMax = 50;
const refreshEveryMs = 700;

/** What is running, what needs somebody, what goes wrong. */
export function RunsScreen({ search }: { readonly search: Words }): ReactNode {
  const query = toFilter(search);
  const page = useRemote("listRuns", { query }, { live: { fits: () => true, everyMs: refreshEveryMs } });
  const list = useRef<HTMLOListElement>(null);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = "Runs · Tutti";
  }, []);
  const move = (by: number): void => {
    const links = [...(list.current?.querySelectorAll("a") ?? [])];
    const present = links.findIndex((link) => link === document.activeElement);
    links[Math.min(links.length - 1, Math.max(0, present + by))]?.focus();
  };
  useKeys([
    { key: "j", does: "Next run", run: () => move(1) },
    { key: "k", does: "Run before", run: () => move(-1) },
    { key: "/", does: "Search", run: () => box.current?.focus() },
    { key: "c", does: "Compare two runs", run: () => changeSearch({ compare: "choose" }) },
  ]);
  const { value, error } = page;
  const isFiltered = Object.keys(search).some((name) => name !== "compare");
  // The first of two runs that are compared; "choose" before there is one.
  const { compare } = search;
  const first = compare === "choose" ? "" : compare;
  const shown = value?.runs.filter(({ run }) => run !== first) ?? [];
  return (
    <main id="screen" className="page">
      <div className="spread">
        <h1>Runs</h1>
        <input
          ref={box}
          type="search"
          className="search"
          aria-label="Search in names, flows, steps and errors"
          placeholder="Search  /"
          defaultValue={search["q"] ?? ""}
          onChange={({ target }) => changeSearch({ q: target.value, cursor: undefined }, { replace: true })}
          onKeyDown={({ key }) => {
            if (key === "Escape" || key === "Enter" || key === "ArrowDown") move(1);
          }}
        />
      </div>
      <Filters search={search} counts={value?.counts ?? {}} />
      {first === undefined ? null : <Choosing first={first} flow={search["flow"]} />}
      {error === undefined ? null : <Problem error={error} retry={page.refresh} />}
      {value === undefined && error === undefined ? <Loading what="the runs" /> : null}
      {value === undefined ? null : shown.length > 0 ? (
        <>
          <p className="run-row run-columns" aria-hidden="true">
            <span>State</span>
            <span>Run</span>
            <span>Where it is</span>
            <span className="run-confidence">Confidence</span>
            <span className="run-cost">Cost</span>
            <span className="run-age">Time</span>
          </p>
          <ol className="runs" ref={list} aria-label="Runs, the newest first">
            {shown.map((line) => (
              <RunRow key={line.run} line={line} comparedWith={first} />
            ))}
          </ol>
          <More page={value} search={search} shown={shown.length} />
        </>
      ) : (
        <NoRuns isFiltered={isFiltered} />
      )}
    </main>
  );
}

/** The list as a choice: which two runs are compared. */
function Choosing({ first, flow }: { readonly first: string; readonly flow: string | undefined }): ReactNode {
  return (
    <div className="choosing" role="status">
      <p>
        {first === "" ? (
          "Choose the first of two runs of one flow."
        ) : (
          <>
            Choose what to compare <Told text={first} className="mono" /> with
            {flow === undefined ? null : (
              <>
                : another run of <Told text={flow} />
              </>
            )}
            .
          </>
        )}
      </p>
      <Link to={[]} className="button">
        Cancel
      </Link>
    </div>
  );
}

function toFilter(search: Words): RunListFilter {
  const { status, q, flow, agent, parent, cursor, confidenceBelow } = search;
  const filter: Record<string, string | number> = { limit: rowsMax };
  for (const [name, value] of Object.entries({ status, q, flow, agent, parent, cursor })) {
    if (value !== undefined && value !== "") filter[name] = value;
  }
  if (Number(confidenceBelow) > 0) filter["confidenceBelow"] = Number(confidenceBelow);
  return filter;
}

function Filters({ search, counts }: { readonly search: Words; readonly counts: RunPage["counts"] }): ReactNode {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const present = search["status"] ?? "";
  const isUnsure = search["confidenceBelow"] !== undefined;
  return (
    <div className="spread filters">
      <nav className="chips" aria-label="Which runs">
        {views.map(({ name, statuses }) => {
          const status = statuses.join(",");
          const count = status === "" ? all : statuses.reduce((sum, each) => sum + (counts[each] ?? 0), 0);
          return (
            <Link
              key={name}
              to={[]}
              search={{ ...search, status, cursor: undefined }}
              className="chip"
              isCurrent={present === status}
            >
              {name} <b>{count.toLocaleString("en")}</b>
            </Link>
          );
        })}
      </nav>
      <div className="chips">
        {(["flow", "agent", "parent"] as const).map((name) =>
          search[name] === undefined ? null : (
            <Link key={name} to={[]} search={{ ...search, [name]: undefined, cursor: undefined }} className="chip">
              {name}: {search[name]} ✕
            </Link>
          ),
        )}
        <button
          type="button"
          className="chip"
          aria-pressed={isUnsure}
          onClick={() => changeSearch({ confidenceBelow: isUnsure ? undefined : 0.55, cursor: undefined })}
        >
          Unsure results
        </button>
        {search["compare"] === undefined ? (
          <Link to={[]} search={{ ...search, compare: "choose" }} className="chip">
            Compare two
          </Link>
        ) : null}
      </div>
    </div>
  );
}

interface MoreProps {
  readonly page: RunPage;
  readonly search: Words;
  readonly shown: number;
}

function More({ page, search, shown }: MoreProps): ReactNode {
  if (page.cursor === undefined) return <p className="muted">{toNumberOf(shown, "run")}, and that is all.</p>;
  return (
    <div>
      <button type="button" onClick={() => goTo(toHref([], { ...search, cursor: page.cursor }))}>
        Older runs
      </button>
    </div>
  );
}

function NoRuns({ isFiltered }: { readonly isFiltered: boolean }): ReactNode {
  if (isFiltered)
    return (
      <Empty title="No run fits">
        <Link to={[]}>Show all runs</Link>
      </Empty>
    );
  return (
    <Empty title="No runs yet">
      A run is here as soon as it is started, by a program, a schedule, an event, or by hand:
      <pre>tutti run flows/brief.ts</pre>
    </Empty>
  );
}
