import type { ReactNode } from "react";
import type { Comparison, RunDetail } from "tutti/client";

import { useKeys } from "../data/keys.ts";
import { changeSearch } from "../data/place.ts";
import { useRemote } from "../data/remote.ts";
import { Link } from "../parts/link.tsx";
import { Empty, Loading, Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";
import { toNumberOf } from "../text/figures.ts";
import { ComparedSteps } from "./compared-steps.tsx";
import { toShownRows } from "./shown-rows.ts";
import { Totals } from "./totals.tsx";

interface CompareScreenProps {
  readonly run: string;
  readonly detail: RunDetail;
  readonly search: Readonly<Record<string, string>>;
}

/** Two runs of one flow beside each other; a fork beside its origin, unless another is named. */
export function CompareScreen({ run, detail, search }: CompareScreenProps): ReactNode {
  const origin = detail.forkedAt?.run;
  const other = search["with"] ?? origin;
  const flow = detail.line.flow;
  const choose = (
    <Link to={[]} search={{ compare: run, flow }} className="button">
      Choose {other === undefined ? "a run" : "another run"} of <Told text={flow} />
    </Link>
  );
  if (other === undefined)
    return (
      <Empty title="Compare it with what?">
        <p>Any other run of its flow: where they went different ways, and what each cost.</p>
        <p className="empty-act">{choose}</p>
      </Empty>
    );
  // What a fork changed is read as a change of its origin.
  const [left, right] = other === origin ? [other, run] : [run, other];
  return <Compared key={`${left} ${right}`} {...{ left, right, search, choose }} />;
}

interface ComparedProps {
  readonly left: string;
  readonly right: string;
  readonly search: Readonly<Record<string, string>>;
  readonly choose: ReactNode;
}

/** The server compares the two whole. */
const refreshEveryMs = 5_000;

function Compared({ left, right, search, choose }: ComparedProps): ReactNode {
  const remote = useRemote(
    "compareRuns",
    { params: { run: left }, query: { with: right } },
    { live: { fits: (entries) => entries.some(({ run }) => run === left || run === right), everyMs: refreshEveryMs } },
  );
  if (remote.value === undefined)
    return remote.error === undefined ? (
      <Loading what="the comparison" />
    ) : (
      <>
        <Problem error={remote.error} retry={remote.refresh} />
        <div className="row">{choose}</div>
      </>
    );
  return (
    <>
      {remote.error === undefined ? null : <Problem error={remote.error} retry={remote.refresh} />}
      <Both comparison={remote.value} search={search} choose={choose} />
    </>
  );
}

interface BothProps {
  readonly comparison: Comparison;
  readonly search: Readonly<Record<string, string>>;
  readonly choose: ReactNode;
}

function Both({ comparison, search, choose }: BothProps): ReactNode {
  const { divergesAt, isCut } = comparison;
  const isAll = search["show"] === "all";
  const rows = toShownRows(comparison, isAll);
  const present = rows.findIndex((row) => row.kind === "step" && row.step.path === search["at"]);
  const move = (by: number): void => {
    const steps = rows.slice(by > 0 ? present + 1 : 0, by > 0 || present < 0 ? undefined : present);
    const found = by > 0 ? steps.find(({ kind }) => kind === "step") : steps.findLast(({ kind }) => kind === "step");
    if (found?.kind === "step") goTo(found.step.path);
  };
  useKeys([
    { key: "g", does: "Where they part", run: () => goTo(divergesAt) },
    { key: "j", does: "Next step", run: () => move(1) },
    { key: "k", does: "Step before", run: () => move(-1) },
    {
      key: "s",
      does: "All steps, or only those that differ",
      run: () => changeSearch({ show: isAll ? undefined : "all" }, { replace: true }),
    },
  ]);
  return (
    <>
      <Verdict comparison={comparison} />
      <div className="compare-top">
        <Totals comparison={comparison} />
      </div>
      <div className="spread">
        <h2>Steps</h2>
        <div className="row">
          <button
            type="button"
            className="chip"
            aria-pressed={isAll}
            onClick={() => changeSearch({ show: isAll ? undefined : "all" }, { replace: true })}
          >
            Alike too
          </button>
          {choose}
        </div>
      </div>
      {isCut ? <p className="muted">The runs are long: steps that are alike are counted, and not listed.</p> : null}
      <ComparedSteps comparison={comparison} rows={rows} at={search["at"]} from={search["from"]} />
    </>
  );
}

function goTo(path: string | undefined): void {
  if (path !== undefined) changeSearch({ at: path }, { replace: true });
}

/** In one sentence what there is to know. */
function Verdict({ comparison }: { readonly comparison: Comparison }): ReactNode {
  const { divergesAt, differing, alike, sharedSteps, sharedEntries } = comparison;
  return (
    <div className="verdict">
      {divergesAt === undefined ? (
        <p>
          <strong>They went the same way.</strong>
        </p>
      ) : (
        <p>
          <strong>They part at</strong>{" "}
          <button type="button" className="quiet mono" onClick={() => goTo(divergesAt)}>
            <Told text={divergesAt} /> <kbd>g</kbd>
          </button>
        </p>
      )}
      <p className="muted">
        {toNumberOf(differing, "step")} {differing === 1 ? "differs" : "differ"}, {alike.toLocaleString("en")} alike
        {sharedEntries === 0
          ? ""
          : `, ${sharedSteps.toLocaleString("en")} of them shared (${toNumberOf(sharedEntries, "entry", "entries")})`}
        .
      </p>
    </div>
  );
}
