import { useEffect, useRef, type ReactNode } from "react";
import type { ComparedSide, ComparedStep, Comparison, Difference } from "tutti/client";

import { changeSearch } from "../data/place.ts";
import { Link } from "../parts/link.tsx";
import { Confidence, StateMark, toKindWord } from "../parts/marks.tsx";
import { Told } from "../parts/told.tsx";
import { toDuration, toMoney, toNumberOf } from "../text/figures.ts";
import type { ShownRow } from "./shown-rows.ts";

interface ComparedStepsProps {
  readonly comparison: Comparison;
  readonly rows: readonly ShownRow[];
  /** The step that is looked at. */
  readonly at: string | undefined;
  /** The first row that is drawn. */
  readonly from: string | undefined;
}

/** So many rows are drawn at once. */
const rowsMax = 30;

/** Steps beside each other, in the order in which the runs made them. */
export function ComparedSteps({ comparison, rows, at, from }: ComparedStepsProps): ReactNode {
  const place = rows.findIndex((row) => row.kind === "step" && row.step.path === at);
  const wanted = Math.max(0, Math.min(rows.length - 1, Math.floor(Number(from) || 0)));
  const first = place >= 0 && (place < wanted || place >= wanted + rowsMax) ? Math.max(0, place - 3) : wanted;
  const shown = rows.slice(first, first + rowsMax);
  return (
    <div className="stack">
      <div className="compare-row compare-names" aria-hidden="true">
        <span>Step</span>
        <span className="mono cut">
          <Told text={comparison.left.run} />
        </span>
        <span className="mono cut">
          <Told text={comparison.right.run} />
        </span>
      </div>
      {first === 0 ? null : (
        <div>
          <button type="button" onClick={() => show(first - rowsMax)}>
            Earlier steps
          </button>
        </div>
      )}
      <ol className="compare" aria-label="Steps of both runs">
        {shown.map((row) =>
          row.kind === "alike" ? (
            <li key={`alike ${row.path}`} className="compare-alike muted">
              {toNumberOf(row.steps, "step")} alike
              {row.shared === 0 ? "" : row.shared === row.steps ? ", shared" : `, ${row.shared} of them shared`}
            </li>
          ) : (
            <Row key={row.step.path} step={row.step} comparison={comparison} isPresent={row.step.path === at} />
          ),
        )}
      </ol>
      {first + rowsMax >= rows.length ? null : (
        <div>
          <button type="button" onClick={() => show(first + rowsMax)}>
            Later steps
          </button>
        </div>
      )}
    </div>
  );
}

function show(start: number): void {
  changeSearch({ from: start <= 0 ? undefined : start, at: undefined });
}

interface RowProps {
  readonly step: ComparedStep;
  readonly comparison: Comparison;
  readonly isPresent: boolean;
}

const words: Readonly<Record<Difference, string>> = {
  presence: "in one run only",
  state: "state",
  callable: "who did it",
  output: "result",
  error: "error",
  confidence: "confidence",
  cost: "cost",
};

function Row({ step, comparison, isPresent }: RowProps): ReactNode {
  const { path, lane, differs, isShared, left, right } = step;
  const row = useRef<HTMLLIElement>(null);
  const isParting = path === comparison.divergesAt;
  useEffect(() => {
    if (!isPresent) return;
    row.current?.scrollIntoView({ block: "center" });
    row.current?.focus({ preventScroll: true });
  }, [isPresent]);
  return (
    <li
      ref={row}
      tabIndex={-1}
      className={`compare-row${isParting ? " is-parting" : ""}${isPresent ? " is-present" : ""}`}
      aria-current={isPresent ? "true" : undefined}
    >
      <div className="compare-step">
        {isParting ? <span className="parting">Here they part</span> : null}
        <span className="mono">
          <Told text={path} />
        </span>
        <span className="muted">
          {toKindWord(step)} of <Told text={lane} />
        </span>
        <span className="muted">
          {isShared
            ? "shared"
            : differs.length === 0
              ? "alike"
              : `differs: ${differs.map((each) => words[each]).join(", ")}`}
          {differs.includes("output") && left?.output !== undefined && left.output === right?.output
            ? ", beyond what is shown"
            : ""}
        </span>
      </div>
      <Side side={left} other={right} run={comparison.left.run} path={path} />
      <Side side={right} other={left} run={comparison.right.run} path={path} />
    </li>
  );
}

interface SideProps {
  readonly side: ComparedSide | undefined;
  readonly other: ComparedSide | undefined;
  readonly run: string;
  readonly path: string;
}

/** What one run has of a step; figures that differ are ink, the same ones are pale. */
function Side({ side, other, run, path }: SideProps): ReactNode {
  if (side === undefined)
    return (
      <div className="compare-side is-absent muted">
        <span className="unseen">
          In <Told text={run} />:{" "}
        </span>
        no such step
      </div>
    );
  const { state, output, error, costUsd, tookMs, confidence, attempt, edited, callable, agentVersion } = side;
  const isOther = other !== undefined && (callable !== other.callable || agentVersion !== other.agentVersion);
  return (
    <div className="compare-side">
      <span className="row">
        <span className="unseen">
          In <Told text={run} />:
        </span>
        <StateMark state={state} />
        {edited === true ? <span className="risk">edited by a person</span> : null}
        {isOther ? <Told text={`${callable ?? ""} ${agentVersion ?? ""}`} className="mono" /> : null}
        <Link to={["runs", run]} search={{ step: path }} className="compare-open">
          Why<span className="unseen"> {path} did so</span>
        </Link>
      </span>
      {error === undefined ? null : (
        <span className="is-stale">
          <Told text={`${error.code}: ${error.message}`} />
        </span>
      )}
      {output === undefined ? null : (
        <span className="compare-output">
          <Told text={output} />
        </span>
      )}
      <span className="row muted number">
        {costUsd === undefined ? null : <Figure isSame={costUsd === other?.costUsd}>{toMoney(costUsd)}</Figure>}
        {tookMs === undefined ? null : <span>{toDuration(tookMs)}</span>}
        {confidence === undefined ? null : <Confidence value={confidence} />}
        {attempt > 1 ? <Figure isSame={attempt === other?.attempt}>{`try ${attempt}`}</Figure> : null}
      </span>
    </div>
  );
}

function Figure({ isSame, children }: { readonly isSame: boolean; readonly children: string }): ReactNode {
  return isSame ? <span>{children}</span> : <b>{children}</b>;
}
