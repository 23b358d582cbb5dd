import { useState, type ReactNode } from "react";
import type { ReasonLine } from "tutti/client";

import { Link } from "../parts/link.tsx";
import { Told } from "../parts/told.tsx";

interface ReasonsProps {
  readonly run: string;
  readonly step: string;
  readonly reasons: readonly ReasonLine[];
  /** The moment that is shown, if it is not now. */
  readonly past: number | undefined;
}

const shownAtFirst = 12;

/** What led to a step, the nearest first; each line leads to the step that it names. */
export function Reasons({ run, step, reasons, past }: ReasonsProps): ReactNode {
  const [isAll, setAll] = useState(false);
  const shown = isAll ? reasons : reasons.slice(0, shownAtFirst);
  return (
    <>
      <ol className="reasons">
        {shown.map((reason, index) => (
          <li key={index} className={`of-${reason.kind}`} style={{ marginLeft: Math.min(reason.depth, 8) * 14 }}>
            {reason.step === undefined || reason.step === "" || reason.step === step ? null : (
              <>
                <Link to={["runs", run]} search={{ step: reason.step, seq: past }} className="mono">
                  <Told text={reason.step} />
                </Link>{" "}
              </>
            )}
            <Told text={withoutStep(reason)} />
            {reason.seq === undefined ? null : <span className="muted number"> entry {reason.seq}</span>}
          </li>
        ))}
      </ol>
      {shown.length === reasons.length ? null : (
        <button type="button" onClick={() => setAll(true)}>
          Show all {reasons.length} reasons
        </button>
      )}
    </>
  );
}

/** The step stands before the sentence already, as a link. */
function withoutStep({ sentence, step = "" }: ReasonLine): string {
  return step !== "" && sentence.startsWith(`${step}: `) ? sentence.slice(step.length + 2) : sentence;
}
