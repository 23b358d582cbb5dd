import type { ReactNode } from "react";
import type { RunDetail, RunLine } from "tutti/client";

import { useNow } from "../data/now.ts";
import { Link } from "../parts/link.tsx";
import { Confidence, StateMark } from "../parts/marks.tsx";
import { Told } from "../parts/told.tsx";
import { toCount, toDuration, toMoney, toNumberOf } from "../text/figures.ts";

interface RunHeadProps {
  readonly detail: RunDetail;
  readonly tab: string | undefined;
  readonly search: Readonly<Record<string, string>>;
  /** Stands beside the tabs. */
  readonly aside?: ReactNode;
}

const tabs = [
  { name: "Score", tab: undefined },
  { name: "Steer", tab: "steer" },
  { name: "Messages and documents", tab: "channels" },
  { name: "Ledger", tab: "ledger" },
  { name: "Compare", tab: "compare" },
] as const;

/** Which run this is, how it stands, what it cost, and what can be done. */
export function RunHead({ detail, tab, search, aside }: RunHeadProps): ReactNode {
  const { line } = detail;
  const { run, flow, version, status, spent } = line;
  const { seq } = search;
  return (
    <header className="run-head">
      <h1>
        <Told text={flow} /> <StateMark state={status} />
      </h1>
      <p className="facts">
        <span className="mono">
          <Told text={run} />
        </span>
        <span>
          version <Told text={version} />
        </span>
        <Took line={line} />
        <span>
          <b>{toMoney(spent.costUsd)}</b>
          {spent.unpricedCalls > 0 ? ` and ${toNumberOf(spent.unpricedCalls, "call")} without a price` : ""}
        </span>
        <span>
          <b>{toCount(spent.inputTokens + spent.outputTokens)}</b> tokens in {toNumberOf(spent.modelCalls, "call")}
        </span>
        {line.confidenceLowest === undefined ? null : (
          <span className="row">
            lowest confidence <Confidence value={line.confidenceLowest} />
          </span>
        )}
        <Origins detail={detail} />
      </p>
      <div className="tab-bar">
        <nav className="tabs" aria-label="This run">
          {tabs.map(({ name, tab: each }) => (
            <Link
              key={name}
              to={each === undefined ? ["runs", run] : ["runs", run, each]}
              search={{ seq }}
              isCurrent={tab === each}
            >
              {name}
            </Link>
          ))}
        </nav>
        {aside}
      </div>
    </header>
  );
}

/** Where it came from, and what came from it. */
function Origins({ detail }: { readonly detail: RunDetail }): ReactNode {
  const { line, forkedAt, startedBy, children, note } = detail;
  const { run, tenant } = line;
  return (
    <>
      {tenant === undefined ? null : (
        <span>
          tenant <Told text={tenant} />
        </span>
      )}
      {forkedAt === undefined ? null : (
        <span>
          forked from{" "}
          <Link to={["runs", forkedAt.run]} search={{ step: forkedAt.step }}>
            <Told text={forkedAt.run} />
          </Link>
          , <Link to={["runs", run, "compare"]}>compare with its origin</Link>
        </span>
      )}
      {startedBy === undefined ? null : (
        <span>
          started by{" "}
          <Link to={["runs", startedBy.run]} search={{ step: startedBy.step }}>
            <Told text={startedBy.run} />
          </Link>
        </span>
      )}
      {children.length === 0 ? null : (
        <Link to={[]} search={{ parent: run }}>
          {children.length} started by it
        </Link>
      )}
      {note === undefined ? null : <Told text={note} />}
    </>
  );
}

function Took({ line: { startedAt, endedAt } }: { readonly line: RunLine }): ReactNode {
  const now = useNow();
  return (
    <span>
      {endedAt === undefined ? "for" : "took"} <b>{toDuration((endedAt ?? now) - startedAt)}</b>
    </span>
  );
}
