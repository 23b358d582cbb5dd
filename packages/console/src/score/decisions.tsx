import type { ReactNode } from "react";
import type { DecisionLine } from "tutti/client";

import { useRemote } from "../data/remote.ts";
import { Link } from "../parts/link.tsx";
import { Confidence } from "../parts/marks.tsx";
import { Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";

interface DecisionsProps {
  readonly run: string;
  readonly step: string;
  /** The moment that is shown, if it is not now. */
  readonly past: number | undefined;
}

/** What was decided at a step, what else was possible, and on what it leaned. */
export function Decisions({ run, step, past }: DecisionsProps): ReactNode {
  const graph = useRemote("listDecisions", { params: { run }, query: { seq: past } });
  if (graph.error !== undefined) return <Problem error={graph.error} retry={graph.refresh} />;
  const own = graph.value?.decisions.filter((line) => line.step === step || line.ledTo.includes(step)) ?? [];
  if (own.length === 0) return null;
  return (
    <section className="stack">
      <h3>Decisions</h3>
      {own.map((line) => (
        <Decision key={line.seq} {...{ run, line, past }} />
      ))}
    </section>
  );
}

interface DecisionProps extends Pick<DecisionsProps, "run" | "past"> {
  readonly line: DecisionLine;
}

function Decision({ run, line, past }: DecisionProps): ReactNode {
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
      <Votes {...{ run, line, past }} />
      {basedOn.length === 0 ? null : (
        <p className="row">
          <span className="muted">Leaned on</span>
          {basedOn.map((each) => (
            <Link key={each} to={["runs", run]} search={{ step: each, seq: past }} className="mono">
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

function Votes({ run, line, past }: DecisionProps): ReactNode {
  const { votes = [], silent = [] } = line;
  if (votes.length + silent.length === 0) return null;
  return (
    <ul className="votes">
      {votes.map(({ voter, step, agrees, weight, reason }) => (
        <li key={step}>
          <span aria-hidden="true">{agrees ? "✓" : "✗"}</span>
          <Link to={["runs", run]} search={{ step, seq: past }}>
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
