import { useState, type ReactNode } from "react";
import type { FreezeLine, RunDetail } from "tutti/client";

import { useCommand } from "../data/command.ts";
import { useRemote } from "../data/remote.ts";
import { useRights } from "../data/session.ts";
import { Link } from "../parts/link.tsx";
import { Empty, Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";
import { toTime } from "../text/figures.ts";
import { toText } from "../text/visible.ts";
import { DirectiveForm } from "./directive-form.tsx";
import { ForkForm } from "./fork-form.tsx";
import { RunControls } from "./run-controls.tsx";
import { SignalForm } from "./signal-form.tsx";
import { Undo } from "./undo.tsx";

/** Changes a run's course now, or starts another from a point of its past. Each act is an entry of the ledger. */
export function SteerScreen({ run, detail }: { readonly run: string; readonly detail: RunDetail }): ReactNode {
  const { maySteer } = useRights();
  const [isForking, setForking] = useState(false);
  const { status } = detail.line;
  const isOver = status === "done" || status === "failed" || status === "cancelled";
  return (
    <div className="steer">
      <div className="stack">
        {maySteer ? null : <p className="warning">Steering takes a token of the role operator.</p>}
        {isOver ? (
          <section className="card stack">
            <h2>This run is over</h2>
            <p>
              {status === "done" ? "What it did stays as it is. " : ""}A fork starts a new run that shares its past:
              steps before the point are taken from the ledger, and effects are not done again.
            </p>
          </section>
        ) : (
          <>
            <RunControls run={run} detail={detail} isAllowed={maySteer} />
            <DirectiveForm run={run} agents={detail.line.agents} isAllowed={maySteer} />
            <SignalForm run={run} isAllowed={maySteer} />
          </>
        )}
        {status === "failed" || status === "cancelled" ? <Undo run={run} isAllowed={maySteer} /> : null}
        <section className="card stack">
          <h2>Fork</h2>
          <p className="muted">
            From the beginning with another input here; from any step with another result in its Why.
          </p>
          <div>
            <button type="button" disabled={!maySteer} onClick={() => setForking(true)}>
              Start again with another input…
            </button>
          </div>
        </section>
      </div>
      <Given run={run} />
      {isForking ? (
        <ForkForm run={run} step="" before={toText(detail.input.value)} close={() => setForking(false)} />
      ) : null}
    </div>
  );
}

const refreshEveryMs = 300;

/** What people told this run so far, and what stands still. */
function Given({ run }: { readonly run: string }): ReactNode {
  const given = useRemote(
    "listDirectives",
    { params: { run } },
    { live: { fits: (entries) => entries.some((entry) => entry.run === run), everyMs: refreshEveryMs } },
  );
  return (
    <section className="stack" aria-label="What people said">
      <h2>What people said</h2>
      {given.error === undefined ? null : <Problem error={given.error} retry={given.refresh} />}
      <Freezes />
      {given.value?.directives.length === 0 ? (
        <Empty title="Nobody has said anything yet">Directives show here with who gave them, when, and why.</Empty>
      ) : (
        <ol className="given">
          {given.value?.directives.toReversed().map(({ version, by, at, seq, sentence, kind }) => (
            <li key={version} className="stack">
              <p>
                <strong>{kind}</strong> <span className="muted">version {version}</span>
              </p>
              <p>
                <Told text={sentence} />
              </p>
              <p className="muted">
                <Told text={by} />, {toTime(at)},{" "}
                <Link to={["runs", run]} search={{ seq }}>
                  entry {seq}
                </Link>
              </p>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

/** Whatever stands still here or elsewhere; it is lifted where it is seen. */
function Freezes(): ReactNode {
  const command = useCommand();
  const { maySteer } = useRights();
  const freezes = useRemote(
    "listFreezes",
    {},
    { live: { fits: (entries) => entries.some(({ kind }) => kind.startsWith("freeze-")), everyMs: refreshEveryMs } },
  );
  const lift = ({ reach, name }: FreezeLine): void => {
    const body = { reach, ...(name === undefined ? {} : { name }) };
    void command.send("liftFreeze", { body }, "The freeze is lifted.").then(freezes.refresh);
  };
  return (
    <>
      {freezes.error === undefined ? null : <Problem error={freezes.error} retry={freezes.refresh} />}
      {freezes.value?.freezes.map((freeze) => (
        <div key={`${freeze.reach} ${freeze.name ?? ""}`} className="warning">
          <p>
            <strong>{freeze.reach === "all" ? "Everything is frozen" : `Frozen: ${freeze.reach}`}</strong>{" "}
            <Told text={freeze.name ?? ""} /> by <Told text={freeze.by} />, {toTime(freeze.at)}
            {freeze.reason === undefined ? "" : ": "}
            <Told text={freeze.reason ?? ""} />
          </p>
          <button type="button" disabled={!maySteer || command.isSending} onClick={() => lift(freeze)}>
            Lift
          </button>
        </div>
      ))}
      {command.error === undefined ? null : <Problem error={command.error} />}
    </>
  );
}
