import type { ReactNode } from "react";
import type { DecisionLine } from "tutti/client";

import { useRemote } from "../data/remote.ts";
import { Link } from "../parts/link.tsx";
import { Confidence } from "../parts/marks.tsx";
import { Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";

/** What was decided at a step, what else was possible, and on what it leaned. */
export function Decisions({ run, step }: { readonly run: string; readonly step: string }): ReactNode {
  const graph = useRemote("listDecisions", { params: { run } });
  if (graph.error !== undefined) return <Problem error={graph.error} retry={graph.refresh} />;
  const own = graph.value?.decisions.filter((line) => line.step === step || line.ledTo.includes(step)) ?? [];
  if (own.length === 0) return null;
  return (
    <section className="stack">
      <h3>Decisions</h3>
      {own.map((line) => (
        <Decision key={line.seq} run={run} line={line} />
      ))}
    </section>
  );
}

function Decision({ run, line }: { readonly run: string; readonly line: DecisionLine }): ReactNode {
  const { about, chosen, why, basedOn, confidence, lane } = line;
  return (
    <article className="card stack">
      <p className="spread">
        <span>
          <Told text={about} className="muted" />{" "}
          <strong>
            <Told text={chosen} />
          </strong>
        </span>
        <Confidence value={confidence} />
      </p>
      <p>
        <Told text={why} />{" "}
        <span className="muted">
          by <Told text={lane} />
        </span>
      </p>
      <Alternatives line={line} />
      <Votes run={run} line={line} />
      {basedOn.length === 0 ? null : (
        <p className="row">
          <span className="muted">Leaned on</span>
          {basedOn.map((each) => (
            <Link key={each} to={["runs", run]} search={{ step: each }} className="mono">
              <Told text={each} />
            </Link>
          ))}
        </p>
      )}
    </article>
  );
}

function Alternatives({ line: { alternatives } }: { readonly line: DecisionLine }): ReactNode {
  if (alternatives.length === 0) return null;
  return (
    <table>
      <thead>
        <tr>
          <th>Not taken</th>
          <th>Why not</th>
          <th className="number">Score</th>
        </tr>
      </thead>
      <tbody>
        {alternatives.map(({ name, why: against, score }) => (
          <tr key={name}>
            <td>
              <Told text={name} />
            </td>
            <td>
              <Told text={against} />
            </td>
            <td className="number">{score?.toFixed(2) ?? "–"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Votes({ run, line }: { readonly run: string; readonly line: DecisionLine }): ReactNode {
  const { votes = [], silent = [] } = line;
  if (votes.length + silent.length === 0) return null;
  return (
    <ul className="votes">
      {votes.map(({ voter, step, agrees, weight, reason }) => (
        <li key={step}>
          <span aria-hidden="true">{agrees ? "✓" : "✗"}</span>
          <Link to={["runs", run]} search={{ step }}>
            <Told text={voter} />
          </Link>{" "}
          {agrees ? "agrees" : "disagrees"}, weight {weight}
          {reason === undefined ? null : (
            <>
              : <Told text={reason} />
            </>
          )}
        </li>
      ))}
      {silent.map(({ voter, code }) => (
        <li key={voter} className="muted">
          <span aria-hidden="true">–</span>
          <Told text={voter} /> did not vote ({code})
        </li>
      ))}
    </ul>
  );
}
