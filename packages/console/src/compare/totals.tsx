import type { ReactNode } from "react";
import type { ComparedRun, Comparison } from "tutti/client";

import { Link } from "../parts/link.tsx";
import { Confidence, StateMark } from "../parts/marks.tsx";
import { Told } from "../parts/told.tsx";
import { toCount, toDuration, toMoney, toPercent } from "../text/figures.ts";

/** One line: what is measured, and how the two read. Without numbers there is no difference to tell. */
interface Measure {
  readonly name: string;
  readonly of: (run: ComparedRun) => number | undefined;
  readonly write: (value: number) => string;
}

const measures: readonly Measure[] = [
  { name: "Cost", of: ({ spent }) => spent.costUsd, write: toMoney },
  { name: "Time", of: ({ tookMs }) => tookMs, write: toDuration },
  { name: "Tokens", of: ({ spent }) => spent.inputTokens + spent.outputTokens, write: toCount },
  { name: "Questions", of: ({ spent }) => spent.modelCalls, write: toCount },
  { name: "Steps", of: ({ steps }) => steps, write: toCount },
  { name: "Failed", of: ({ failed }) => failed, write: toCount },
  { name: "Retries", of: ({ retries }) => retries, write: toCount },
  { name: "Lowest confidence", of: ({ confidenceLowest }) => confidenceLowest, write: toPercent },
];

/** The two runs as wholes. */
export function Totals({ comparison }: { readonly comparison: Comparison }): ReactNode {
  const { left, right, output } = comparison;
  return (
    <div className="wide card">
      <table className="totals">
        <thead>
          <tr>
            <th scope="col">The runs</th>
            {[left, right].map(({ run }, index) => (
              <th scope="col" key={index}>
                <Link to={["runs", run]} className="mono">
                  <Told text={run} />
                </Link>
              </th>
            ))}
            <th scope="col">Difference</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">State</th>
            {[left, right].map(({ status }, index) => (
              <td key={index}>
                <StateMark state={status} />
              </td>
            ))}
            <td className="muted">{left.status === right.status ? "none" : "another end"}</td>
          </tr>
          <tr>
            <th scope="row">Result</th>
            {[left, right].map((run, index) => (
              <td key={index} className="totals-result">
                <Result run={run} />
              </td>
            ))}
            <td className="muted">
              {output === undefined ? "–" : output === "alike" ? "none" : <span className="is-other">another</span>}
            </td>
          </tr>
          <tr>
            <th scope="row">Version</th>
            <td>
              <Told text={left.version} />
            </td>
            <td>
              <Told text={right.version} />
            </td>
            <td className="muted">
              {left.version === right.version ? "none" : <span className="is-other">another</span>}
            </td>
          </tr>
          {measures.map((measure) => (
            <Line key={measure.name} {...{ measure, left, right }} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Result({ run: { output, error } }: { readonly run: ComparedRun }): ReactNode {
  if (error !== undefined) return <Told text={`${error.code}: ${error.message}`} className="is-stale" />;
  return output === undefined ? <span className="muted">–</span> : <Told text={output} />;
}

interface LineProps {
  readonly measure: Measure;
  readonly left: ComparedRun;
  readonly right: ComparedRun;
}

function Line({ measure, left, right }: LineProps): ReactNode {
  const { name, of, write } = measure;
  const [before, after] = [of(left), of(right)];
  if ((before ?? 0) === 0 && (after ?? 0) === 0) return null;
  const cell = (value: number | undefined): ReactNode =>
    value === undefined ? "–" : measure.name === "Lowest confidence" ? <Confidence value={value} /> : write(value);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td className="tabular">{cell(before)}</td>
      <td className="tabular">{cell(after)}</td>
      <td className="tabular muted">{toDifference(before, after, write)}</td>
    </tr>
  );
}

/** `+$0.10 (+31%)`. */
function toDifference(before: number | undefined, after: number | undefined, write: Measure["write"]): ReactNode {
  if (before === undefined || after === undefined) return "–";
  if (before === after) return "none";
  const sign = after > before ? "+" : "−";
  const part = before === 0 || write === toPercent ? "" : ` (${sign}${toPercent(Math.abs(after - before) / before)})`;
  return <span className="is-other">{`${sign}${write(Math.abs(after - before))}${part}`}</span>;
}
