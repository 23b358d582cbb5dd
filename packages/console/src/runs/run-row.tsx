import type { ReactNode } from "react";
import type { RunLine } from "tutti/client";

import { useNow } from "../data/now.ts";
import type { Search } from "../data/place.ts";
import { Link } from "../parts/link.tsx";
import { Confidence, StateMark } from "../parts/marks.tsx";
import { Told } from "../parts/told.tsx";
import { toAge, toCount, toDuration, toMoney, toNumberOf, toTime } from "../text/figures.ts";
import { toVisible } from "../text/visible.ts";

interface RunRowProps {
  readonly line: RunLine;
  /** Where it leads to when runs are chosen to be compared: the first one, or "" while there is none. */
  readonly comparedWith: string | undefined;
}

/** A run in the list: where it is, whether somebody should look, what it cost. */
export function RunRow({ line, comparedWith }: RunRowProps): ReactNode {
  const { run, flow, status, spent, confidenceLowest } = line;
  const tokens = spent.inputTokens + spent.outputTokens;
  return (
    <li>
      <Link {...toTarget(line, comparedWith)} className="run-row">
        <StateMark state={status} />
        <span className="run-name">
          <strong className="cut">
            <Told text={flow} />
          </strong>
          <span className="muted mono cut">
            <Told text={run} />
          </span>
        </span>
        <span className="run-now">
          <Now line={line} />
        </span>
        <span className="run-confidence">
          <Confidence value={confidenceLowest} />
        </span>
        <span className="number run-cost">
          {toMoney(spent.costUsd)}
          <span className="muted"> {tokens === 0 ? "" : `${toCount(tokens)} tok`}</span>
        </span>
        <Age line={line} />
      </Link>
    </li>
  );
}

interface Target {
  readonly to: readonly string[];
  readonly search?: Search;
}

function toTarget({ run, flow }: RunLine, comparedWith: string | undefined): Target {
  if (comparedWith === undefined) return { to: ["runs", run] };
  if (comparedWith === "") return { to: [], search: { compare: run, flow } };
  return { to: ["runs", comparedWith, "compare"], search: { with: run } };
}

function Now({ line }: { readonly line: RunLine }): ReactNode {
  const { status, now, error, stepsDone, phases, retries, inDoubt, wakeAt, asked = [], frozen } = line;
  if (error !== undefined && (status === "failed" || status === "parked"))
    return (
      <span className="cut is-error">
        <Told text={`${error.code}: ${error.message}`} />
      </span>
    );
  const isOpen = status !== "done" && status !== "cancelled" && status !== "failed";
  const facts = [
    asked[0]?.about ?? "",
    frozen ?? "",
    inDoubt > 0 ? `${toNumberOf(inDoubt, "effect")} in doubt` : "",
    wakeAt !== undefined && status === "waiting" ? `until ${toTime(wakeAt)}` : "",
    `${toNumberOf(stepsDone, "step")} in ${toNumberOf(phases, "phase")}`,
    retries > 0 ? `${retries} ${retries === 1 ? "retry" : "retries"}` : "",
  ];
  return (
    <>
      {isOpen && now !== undefined && now !== "" ? (
        <span className="cut mono">
          <Told text={now} />
        </span>
      ) : null}
      <span className="muted cut">{toVisible(facts.filter(Boolean).join(" · "))}</span>
    </>
  );
}

function Age({ line: { startedAt, endedAt } }: { readonly line: RunLine }): ReactNode {
  const now = useNow();
  return (
    <span className="number muted run-age" title={`Started ${toTime(startedAt)}`}>
      <span className="cut">
        {endedAt === undefined ? "for " : "took "}
        {toDuration((endedAt ?? now) - startedAt)}
      </span>
      <span className="cut">
        {toAge(now - startedAt)}
        {now - startedAt < 5_000 ? "" : " ago"}
      </span>
    </span>
  );
}
