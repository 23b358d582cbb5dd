import { useState, type ReactNode } from "react";
import type { UndoPreview } from "tutti/client";

import { useCommand } from "../data/command.ts";
import { useRemote } from "../data/remote.ts";
import { Link } from "../parts/link.tsx";
import { Loading, Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";
import { toNumberOf } from "../text/figures.ts";
import { Act } from "./run-controls.tsx";

const refreshEveryMs = 500;

/** Takes back what a run did that failed or was stopped; what that is, and what stays, is seen first. */
export function Undo({ run, isAllowed }: { readonly run: string; readonly isAllowed: boolean }): ReactNode {
  const preview = useRemote(
    "showUndo",
    { params: { run } },
    { live: { fits: (entries) => entries.some((entry) => entry.run === run), everyMs: refreshEveryMs } },
  );
  return (
    <section className="card stack" aria-label="Take back">
      <h2>Take back what it did</h2>
      {preview.error === undefined ? null : <Problem error={preview.error} retry={preview.refresh} />}
      {preview.value === undefined ? (
        preview.error === undefined ? (
          <Loading what="what it did" />
        ) : null
      ) : (
        <Offer run={run} preview={preview.value} isAllowed={isAllowed} />
      )}
    </section>
  );
}

interface OfferProps {
  readonly run: string;
  readonly preview: UndoPreview;
  readonly isAllowed: boolean;
}

function Offer({ run, preview, isAllowed }: OfferProps): ReactNode {
  const { takesBack, stays, takenBack, refusal, isCut } = preview;
  const command = useCommand();
  const [reason, setReason] = useState("");
  const body = reason.trim() === "" ? {} : { reason };
  return (
    <>
      {takenBack === 0 ? null : (
        <p>
          {toNumberOf(takenBack, "effect")} of it {takenBack === 1 ? "was" : "were"} taken back.
        </p>
      )}
      {takesBack.length === 0 ? (
        <p className="muted">Nothing is left that could be taken back.</p>
      ) : (
        <Lines run={run} title="Would be taken back, in this order" lines={takesBack} />
      )}
      {stays.length === 0 ? null : <Lines run={run} title="Stays as it is" lines={stays} />}
      {isCut ? <p className="muted">There is more of it than is listed here.</p> : null}
      {refusal === undefined || takesBack.length === 0 ? null : (
        <p className="warning">
          <span>
            Not now: <Told text={refusal.message} />. <Told text={refusal.hint ?? ""} />
          </span>
        </p>
      )}
      {takesBack.length === 0 || refusal !== undefined ? null : (
        <>
          <label>
            Why, for whoever reads this later
            <input value={reason} onChange={({ target }) => setReason(target.value)} />
          </label>
          <ul className="acts">
            <Act
              name="Take back"
              when="Now, the newest first. Each is tried for about 20 minutes; a crash goes on with it."
              isBlocked={!isAllowed || command.isSending}
              isFinal
            >
              {() => command.send("undoRun", { params: { run }, body }, "It is being taken back.")}
            </Act>
          </ul>
        </>
      )}
      {command.error === undefined ? null : <Problem error={command.error} />}
    </>
  );
}

interface LinesProps {
  readonly run: string;
  readonly title: string;
  readonly lines: readonly {
    readonly step: string;
    readonly tool: string;
    readonly output?: string | undefined;
    readonly why?: string;
  }[];
}

const shownMax = 50;

function Lines({ run, title, lines }: LinesProps): ReactNode {
  return (
    <div className="stack">
      <h3>
        {title} <span className="muted">{lines.length}</span>
      </h3>
      <ol className="undo-lines">
        {lines.slice(0, shownMax).map(({ step, tool, output, why }) => (
          <li key={step}>
            <p className="row">
              <strong>
                <Told text={tool} />
              </strong>
              <Link to={["runs", run]} search={{ step }} className="mono">
                <Told text={step} />
              </Link>
            </p>
            {output === undefined && why === undefined ? null : (
              <p className="muted">
                <Told text={output ?? why ?? ""} />
              </p>
            )}
          </li>
        ))}
        {lines.length <= shownMax ? null : <li className="muted">and {lines.length - shownMax} more</li>}
      </ol>
    </div>
  );
}
