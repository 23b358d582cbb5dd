import type { ReactNode } from "react";
import type { CallableHistory, CallableVersion, Measured } from "tutti/client";

import { toDay, toTime } from "../text/figures.ts";
import { toVisible } from "../text/visible.ts";

/** One figure of some calls. `count`: of how many calls it is known. `most`: the upper end of its scale, if that is fixed. */
export interface Measure {
  readonly name: string;
  readonly of: (measured: Measured) => { readonly value: number; readonly count: number } | undefined;
  readonly write: (value: number) => string;
  readonly most?: number;
}

interface HistoryChartProps {
  readonly history: CallableHistory;
  readonly measure: Measure;
}

const width = 560;
const height = 132;
const inset = { left: 44, right: 10, top: 22, bottom: 18 } as const;
const radius = 3;
/** Names of versions are written where they have this much room. */
const nameWidth = 54;

/** A figure over time, with a mark where a version came in. The same stands as a table below the charts. */
export function HistoryChart({ history, measure }: HistoryChartProps): ReactNode {
  const scale = toScale(history, measure);
  const { first, last, most, periodMs } = scale;
  const { name, write } = measure;
  return (
    <figure className="chart card">
      <figcaption>
        <strong>{name}</strong>
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${name} over time; the table below has the figures`}
      >
        <g className="chart-scale">
          {[0, most / 2, most].map((value) => (
            <g key={value}>
              <line x1={inset.left} x2={width - inset.right} y1={scale.y(value)} y2={scale.y(value)} />
              <text x={inset.left - 6} y={scale.y(value) + 3.5} textAnchor="end">
                {write(value)}
              </text>
            </g>
          ))}
          <text x={inset.left} y={height - 4}>
            {toMoment(first, periodMs)}
          </text>
          <text x={width - inset.right} y={height - 4} textAnchor="end">
            {toMoment(last, periodMs)}
          </text>
        </g>
        <Markers history={history} scale={scale} />
        {history.versions.map((version, index) => (
          <Line
            key={version.version ?? ""}
            {...{ version, measure, scale }}
            isNewest={index === history.versions.length - 1}
            enough={history.enoughCalls}
          />
        ))}
      </svg>
    </figure>
  );
}

/** Of periods that are hours long or more, the time of day says nothing. */
function toMoment(at: number, periodMs: number): string {
  return periodMs < hourMs ? toTime(at) : toDay(at);
}

const hourMs = 3_600_000;

interface Scale {
  readonly periodMs: number;
  readonly first: number;
  readonly last: number;
  readonly most: number;
  x(at: number): number;
  y(value: number): number;
}

function toScale({ versions, periodMs }: CallableHistory, { of, most: fixed }: Measure): Scale {
  const ends = versions.flatMap(({ periods }) => periods.map(({ at }) => at));
  const first = ends.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const last = ends.reduce((latest, at) => Math.max(latest, at), 0) + periodMs;
  const values = versions.flatMap(({ periods }) => periods.flatMap(({ measured }) => of(measured)?.value ?? []));
  const most = fixed ?? Math.max(...values, Number.MIN_VALUE) * 1.1;
  const wide = width - inset.left - inset.right;
  const high = height - inset.top - inset.bottom;
  return {
    periodMs,
    first,
    last,
    most,
    x: (at) => inset.left + (wide * (at - first)) / Math.max(1, last - first),
    y: (value) => inset.top + high * (1 - value / most),
  };
}

/** A line where each version came in, the first one aside. */
function Markers({ history, scale }: { readonly history: CallableHistory; readonly scale: Scale }): ReactNode {
  let free = Number.NEGATIVE_INFINITY;
  return (
    <g className="chart-marks">
      {history.versions.slice(1).map(({ version = "", firstAt }) => {
        const x = Math.min(width - inset.right, Math.max(inset.left, scale.x(firstAt)));
        const isNamed = x >= free;
        if (isNamed) free = x + nameWidth;
        const isLeft = x > width - nameWidth;
        return (
          <g key={version}>
            <line x1={x} x2={x} y1={inset.top - 8} y2={height - inset.bottom} />
            {isNamed ? (
              <text x={isLeft ? x - 4 : x + 4} y={inset.top - 10} textAnchor={isLeft ? "end" : "start"}>
                {toVisible(version.slice(0, 8))}
              </text>
            ) : null}
          </g>
        );
      })}
    </g>
  );
}

interface LineProps {
  readonly version: CallableVersion;
  readonly measure: Measure;
  readonly scale: Scale;
  readonly isNewest: boolean;
  readonly enough: number;
}

function Line({ version, measure, scale, isNewest, enough }: LineProps): ReactNode {
  const points = version.periods.flatMap(({ at, measured }) => {
    const read = measure.of(measured);
    return read === undefined
      ? []
      : [{ x: scale.x(at + scale.periodMs / 2), y: scale.y(read.value), isFew: read.count < enough }];
  });
  const toDots = (isFew: boolean): string =>
    points
      .filter((point) => point.isFew === isFew)
      .map(
        ({ x, y }) =>
          `M${x - radius} ${y}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`,
      )
      .join("");
  return (
    <g className={`chart-line${isNewest ? " is-newest" : ""}`}>
      <path className="line" d={points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join("")} />
      <path className="dots" d={toDots(false)} />
      <path className="dots is-few" d={toDots(true)} />
    </g>
  );
}
