import type { ReactNode } from "react";
import type { CallableHistory as History, CallableVersion, Measured } from "tutti/client";

import { useRemote } from "../data/remote.ts";
import { Link } from "../parts/link.tsx";
import { Confidence } from "../parts/marks.tsx";
import { Empty, Loading, Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";
import { toDuration, toMoney, toPercent, toTime } from "../text/figures.ts";
import { HistoryChart, type Measure } from "./history-chart.tsx";
import { PeriodTable } from "./period-table.tsx";

interface CallableHistoryProps {
  readonly kind: History["kind"];
  readonly name: string;
}

const refreshEveryMs = 5_000;

/** How an agent, tool, model or flow went over time, and when it changed. It shows; it does not judge. */
export function CallableHistory({ kind, name }: CallableHistoryProps): ReactNode {
  const live = { fits: () => true, everyMs: refreshEveryMs };
  const history = useRemote("showCallable", { query: { kind, name } }, { live });
  const { value, error } = history;
  return (
    <main id="screen" className="page">
      <p className="crumbs">
        <Link to={["agents"]} search={{ kind }}>
          All {kind}s
        </Link>
      </p>
      <div className="spread">
        <h1>
          <Told text={name} />
        </h1>
        {kind === "agent" || kind === "flow" ? (
          <Link to={[]} search={{ [kind]: name }} className="button">
            Its runs
          </Link>
        ) : null}
      </div>
      {error === undefined ? null : <Problem error={error} retry={history.refresh} />}
      {value === undefined && error === undefined ? <Loading what="its history" /> : null}
      {value === undefined ? null : value.versions.length === 0 ? (
        <Empty title={`No ${kind} of this name was called yet`}>
          <Link to={["agents"]} search={{ kind }}>
            See all {kind}s
          </Link>
        </Empty>
      ) : (
        <Figures history={value} />
      )}
    </main>
  );
}

const measures: readonly Measure[] = [
  {
    name: "Success",
    of: ({ done, failed }) =>
      done + failed === 0 ? undefined : { value: done / (done + failed), count: done + failed },
    write: toPercent,
    most: 1,
  },
  {
    name: "Cost of a call",
    of: ({ costUsd, calls }) => (costUsd === 0 ? undefined : { value: costUsd / calls, count: calls }),
    write: toMoney,
  },
  {
    name: "Time, mean",
    of: ({ tookMs }) => (tookMs === undefined ? undefined : { value: tookMs.mean, count: tookMs.count }),
    write: toDuration,
  },
  {
    name: "Confidence, mean",
    of: ({ confidence }) =>
      confidence === undefined ? undefined : { value: confidence.mean, count: confidence.count },
    write: toPercent,
    most: 1,
  },
];

function Figures({ history }: { readonly history: History }): ReactNode {
  const { versions, enoughCalls } = history;
  const shown = measures.filter(({ of }) => versions.some(({ all }) => of(all) !== undefined));
  return (
    <>
      <Versions history={history} />
      <div className="charts">
        {shown.map((measure) => (
          <HistoryChart key={measure.name} history={history} measure={measure} />
        ))}
      </div>
      <p className="muted">
        A point is what ended within {toDuration(history.periodMs)}; a line down is the first call of a version. Hollow
        points stand for fewer than {enoughCalls} calls and say little.
      </p>
      <PeriodTable history={history} measures={shown} />
    </>
  );
}

/** What each version comes to, beside the one before it. */
function Versions({ history }: { readonly history: History }): ReactNode {
  const { versions, enoughCalls, kind } = history;
  const newestFirst = versions.map((version, index) => ({ version, before: versions[index - 1] })).toReversed();
  return (
    <div className="wide card">
      <table>
        <thead>
          <tr>
            <th scope="col">{versions.some(({ version }) => version !== undefined) ? "Version" : kind}</th>
            <th scope="col">First call</th>
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
          {newestFirst.map(({ version, before }) => (
            <tr key={version.version ?? ""}>
              <th scope="row">
                <Told text={version.version ?? history.name} className="mono" />
              </th>
              <td>{toTime(version.firstAt)}</td>
              <td className="number">
                {version.all.calls.toLocaleString("en")}
                {before !== undefined && Math.min(before.all.calls, version.all.calls) < enoughCalls ? (
                  <span className="muted few">too few to compare</span>
                ) : null}
              </td>
              {measures.map((measure) => (
                <Reading key={measure.name} {...{ measure, version, before, enoughCalls }} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface ReadingProps {
  readonly measure: Measure;
  readonly version: CallableVersion;
  readonly before: CallableVersion | undefined;
  readonly enoughCalls: number;
}

function Reading({ measure, version, before, enoughCalls }: ReadingProps): ReactNode {
  const { of, write, name } = measure;
  const now = of(version.all);
  if (now === undefined) return <td className="number muted">–</td>;
  return (
    <td className="number">
      {name.startsWith("Confidence") ? <Confidence value={now.value} /> : write(now.value)}
      <span className="muted change">{toChange(measure, [before?.all, version.all], enoughCalls)}</span>
    </td>
  );
}

/** How it reads beside the version before. Of few calls nothing is said: the next one could turn it around. */
function toChange(
  { of, write }: Measure,
  [before, after]: readonly [Measured | undefined, Measured],
  enoughCalls: number,
): string {
  const was = before === undefined ? undefined : of(before);
  const is = of(after);
  if (was === undefined || is === undefined) return "";
  if (Math.min(was.count, is.count) < enoughCalls) return "";
  if (write(was.value) === write(is.value)) return "as before";
  const by = write(Math.abs(is.value - was.value));
  return `${is.value > was.value ? "+" : "−"}${write === toPercent ? by.replace("%", " points") : by}`;
}
