import type { ReactNode } from "react";
import type { CallableLine } from "tutti/client";

import { Link } from "../parts/link.tsx";
import { Confidence } from "../parts/marks.tsx";
import { Told } from "../parts/told.tsx";
import { toAge, toCount, toDuration, toMoney, toPercent } from "../text/figures.ts";

/** Figures of each version, the last called first. */
export function Figures({ lines }: { readonly lines: readonly CallableLine[] }): ReactNode {
  const sorted = lines.toSorted((left, right) => right.lastAt - left.lastAt);
  return (
    <div className="wide card">
      <table>
        <thead>
          <tr>
            <th>Name</th>
            <th className="number">Calls</th>
            <th className="number">Succeeded</th>
            <th className="number">Retries</th>
            <th className="number">Half within</th>
            <th className="number">95% within</th>
            <th className="number">Cost</th>
            <th className="number">Each success</th>
            <th className="number">Tokens</th>
            <th>Confidence</th>
            <th className="number">Last</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((line) => (
            <Figure key={`${line.name} ${line.version ?? ""}`} line={line} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Figure({ line }: { readonly line: CallableLine }): ReactNode {
  const { kind, name, version, calls, done, failed, retries, spent, latencyMs, confidence, lastAt } = line;
  const over = done + failed;
  return (
    <tr>
      <td>
        <Link to={["agents"]} search={{ kind, name }}>
          <Told text={name} />
        </Link>{" "}
        <Told text={version ?? ""} className="muted" />
      </td>
      <td className="number">{calls.toLocaleString("en")}</td>
      <td className={`number${failed > 0 && done / over < 0.9 ? " is-stale" : ""}`}>
        {over === 0 ? "–" : toPercent(done / over)}
      </td>
      <td className="number">{retries}</td>
      <td className="number">{latencyMs === undefined ? "–" : toDuration(latencyMs.p50)}</td>
      <td className="number">{latencyMs === undefined ? "–" : toDuration(latencyMs.p95)}</td>
      <td className="number">{toMoney(spent.costUsd)}</td>
      <td className="number">{done === 0 ? "–" : toMoney(spent.costUsd / done)}</td>
      <td className="number">{toCount(spent.inputTokens + spent.outputTokens)}</td>
      <td>
        <Confidence value={confidence?.mean} />
      </td>
      <td className="number muted">{toAge(Date.now() - lastAt)}</td>
    </tr>
  );
}
