import { useState, type ReactNode } from "react";
import type { CallableHistory } from "tutti/client";

import { Told } from "../parts/told.tsx";
import { toTime } from "../text/figures.ts";
import type { Measure } from "./history-chart.tsx";

interface PeriodTableProps {
  readonly history: CallableHistory;
  readonly measures: readonly Measure[];
}

/** The newest are listed; the charts show all of them. */
const rowsMax = 60;

/** What the charts show, as a table: for screen readers, and for whoever wants the numbers. */
export function PeriodTable({ history, measures }: PeriodTableProps): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <h2>The figures of the charts</h2>
      </summary>
      {isOpen ? <Rows {...{ history, measures }} /> : null}
    </details>
  );
}

function Rows({ history, measures }: PeriodTableProps): ReactNode {
  const rows = history.versions
    .flatMap(({ version, periods }) => periods.map((period) => ({ version, ...period })))
    .toSorted((left, right) => right.at - left.at);
  return (
    <div className="wide card">
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">Version</th>
            <th scope="col" className="number">
              Calls
            </th>
            {measures.map(({ name }) => (
              <th key={name} scope="col" className="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, rowsMax).map(({ at, version, measured }) => (
            <tr key={`${at} ${version ?? ""}`}>
              <th scope="row">{toTime(at)}</th>
              <td>
                <Told text={version ?? "–"} className="mono" />
              </td>
              <td className="number">
                {measured.calls.toLocaleString("en")}
                {measured.calls < history.enoughCalls ? <span className="muted few">few</span> : null}
              </td>
              {measures.map(({ name, of, write }) => {
                const read = of(measured);
                return (
                  <td key={name} className="number">
                    {read === undefined ? "–" : write(read.value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > rowsMax ? (
        <p className="muted">
          The newest {rowsMax} of {rows.length}.
        </p>
      ) : null}
    </div>
  );
}
