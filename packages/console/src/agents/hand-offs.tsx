import type { ReactNode } from "react";
import type { HandOffLine } from "tutti/client";

import { useRemote } from "../data/remote.ts";
import { Empty, Loading, Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";
import { toAge, toPercent } from "../text/figures.ts";

const refreshEveryMs = 2_000;

/** Who gave work or messages to whom, and what became of it. */
export function HandOffs(): ReactNode {
  const live = { fits: () => true, everyMs: refreshEveryMs };
  const { value, error, refresh } = useRemote("listHandOffs", {}, { live });
  return (
    <>
      {error === undefined ? null : <Problem error={error} retry={refresh} />}
      {value === undefined && error === undefined ? <Loading what="the hand-offs" /> : null}
      {value === undefined ? null : value.handOffs.length === 0 ? (
        <Empty title="Nobody handed anything to anybody yet">
          Calls of agents and flows, and messages between agents, show here.
        </Empty>
      ) : (
        <>
          <Matrix lines={value.handOffs} />
          <Lines lines={value.handOffs} />
          {value.isCut ? <p className="muted">There are more pairs than are counted.</p> : null}
        </>
      )}
    </>
  );
}

/** More names make no matrix that can be read; the list below it has all of them. */
const namesMax = 12;

function Matrix({ lines }: { readonly lines: readonly HandOffLine[] }): ReactNode {
  const givers = [...new Set(lines.map(({ from }) => from))].slice(0, namesMax);
  const takers = [...new Set(lines.map(({ to }) => to))].slice(0, namesMax);
  const lineByPair = new Map(lines.map((line) => [toPair(line.from, line.to), line]));
  return (
    <section className="stack">
      <h2>Who gives to whom</h2>
      <div className="wide card">
        <table className="matrix">
          <thead>
            <tr>
              <th scope="col">from ↓ to →</th>
              {takers.map((to) => (
                <th key={to} scope="col">
                  <Told text={to} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {givers.map((from) => (
              <tr key={from}>
                <th scope="row">
                  <Told text={from} />
                </th>
                {takers.map((to) => (
                  <Cell key={to} line={lineByPair.get(toPair(from, to))} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="muted">
        Calls, with the share of them that was refused or failed; messages alone are told as such.
      </p>
    </section>
  );
}

function toPair(from: string, to: string): string {
  return JSON.stringify([from, to]);
}

function Cell({ line }: { readonly line: HandOffLine | undefined }): ReactNode {
  if (line === undefined)
    return (
      <td className="muted">
        <span aria-hidden="true">·</span>
        <span className="unseen">nothing</span>
      </td>
    );
  const { calls, messages, refused, failed } = line;
  const share = toLostShare(line);
  return (
    <td className={share >= 0.1 ? "is-lossy" : ""}>
      <b>{calls > 0 ? calls.toLocaleString("en") : messages.toLocaleString("en")}</b>{" "}
      <span className="muted">
        {calls === 0
          ? messages === 1
            ? "message"
            : "messages"
          : refused + failed === 0
            ? ""
            : `${toPercent(share)} lost`}
      </span>
    </td>
  );
}

/** Of the calls that are over and were not called off. */
function toLostShare({ done, refused, failed }: HandOffLine): number {
  const over = done + refused + failed;
  return over === 0 ? 0 : (refused + failed) / over;
}

/** So many pairs are listed, those with the most calls first. */
const linesMax = 60;

function Lines({ lines }: { readonly lines: readonly HandOffLine[] }): ReactNode {
  return (
    <section className="stack">
      <h2>Each pair</h2>
      <div className="wide card">
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">To</th>
              {["Calls", "Done", "Refused", "Failed", "Called off", "Lost", "Messages", "Last"].map((name) => (
                <th key={name} scope="col" className="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.slice(0, linesMax).map((line) => (
              <Line key={toPair(line.from, line.to)} line={line} />
            ))}
          </tbody>
        </table>
      </div>
      {lines.length > linesMax ? (
        <p className="muted">
          The first {linesMax} of {lines.length}.
        </p>
      ) : null}
    </section>
  );
}

function Line({ line }: { readonly line: HandOffLine }): ReactNode {
  const { from, to, calls, done, refused, failed, cancelled, messages, lastAt } = line;
  return (
    <tr>
      <th scope="row">
        <Told text={from} />
      </th>
      <td>
        <Told text={to} />
      </td>
      {[calls, done, refused, failed, cancelled].map((count, index) => (
        <td key={index} className={`number${count === 0 ? " muted" : ""}`}>
          {count.toLocaleString("en")}
        </td>
      ))}
      <td className={`number${toLostShare(line) >= 0.1 ? " is-stale" : ""}`}>
        {done + refused + failed === 0 ? "–" : toPercent(toLostShare(line))}
      </td>
      <td className={`number${messages === 0 ? " muted" : ""}`}>{messages.toLocaleString("en")}</td>
      <td className="number muted">{toAge(Date.now() - lastAt)}</td>
    </tr>
  );
}
