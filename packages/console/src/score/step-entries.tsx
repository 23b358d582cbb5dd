import { useState, type ReactNode } from "react";

import { useRemote } from "../data/remote.ts";
import { Problem } from "../parts/notices.tsx";
import { Told, ToldBlock } from "../parts/told.tsx";
import { toBytes, toTime } from "../text/figures.ts";
import { toText } from "../text/visible.ts";

interface StepEntriesProps {
  readonly run: string;
  readonly step: string;
  /** The moment that is shown, if it is not now. */
  readonly past: number | undefined;
}

/** What the ledger itself says of a step. */
export function StepEntries({ run, step, past }: StepEntriesProps): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <h3>Entries of the ledger</h3>
      </summary>
      {isOpen ? <Entries {...{ run, step, past }} /> : null}
    </details>
  );
}

const shownMax = 100;

function Entries({ run, step, past = Number.POSITIVE_INFINITY }: StepEntriesProps): ReactNode {
  const page = useRemote("listRunEntries", { params: { run }, query: { key: step, limit: shownMax } });
  if (page.error !== undefined) return <Problem error={page.error} retry={page.refresh} />;
  return (
    <ol className="stack entries">
      {page.value?.entries
        .filter(({ seq }) => seq <= past)
        .map(({ seq, kind, key, at, body, bytes }) => (
          <li key={seq}>
            <p className="row">
              <span className="number muted">{seq}</span> <strong>{kind}</strong>
              <span className="muted">{toTime(at)}</span>
              {key === step ? null : <Told text={key} className="mono muted" />}
            </p>
            {body === undefined ? (
              <p className="muted">{toBytes(bytes)}, too large to show here</p>
            ) : (
              <ToldBlock text={toText(body)} label={kind} />
            )}
          </li>
        ))}
      {page.value?.next === undefined ? null : <li className="muted">More are in the ledger of the run.</li>}
    </ol>
  );
}
