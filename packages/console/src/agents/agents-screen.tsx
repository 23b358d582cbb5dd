import { useEffect, type ReactNode } from "react";
import type { CallableLine } from "tutti/client";

import { useRemote } from "../data/remote.ts";
import { Link } from "../parts/link.tsx";
import { Confidence } from "../parts/marks.tsx";
import { Empty, Loading, Problem } from "../parts/notices.tsx";
import { Paged } from "../parts/paged.tsx";
import { Told } from "../parts/told.tsx";
import { toAge, toCount, toDuration, toMoney, toPercent } from "../text/figures.ts";

const kinds = ["agent", "tool", "model", "flow"] as const;
const refreshEveryMs = 2_000;
const shownMax = 60;

/** Which agent helps, fails, costs; the same for tools, models and flows. Each version stands for itself. */
export function AgentsScreen({ search }: { readonly search: Readonly<Record<string, string>> }): ReactNode {
  const kind = kinds.find((each) => each === search["kind"]) ?? "agent";
  const live = { fits: () => true, everyMs: refreshEveryMs };
  const page = useRemote("listCallables", { query: { kind } }, { live });
  useEffect(() => {
    document.title = "Agents · Tutti";
  }, []);
  const lines = page.value?.callables ?? [];
  return (
    <main id="screen" className="page">
      <h1>Agents</h1>
      <nav className="chips" aria-label="What to count">
        {kinds.map((each) => (
          <Link key={each} to={["agents"]} search={{ kind: each }} className="chip" isCurrent={each === kind}>
            {each}s
          </Link>
        ))}
      </nav>
      {page.error === undefined ? null : <Problem error={page.error} retry={page.refresh} />}
      {page.value === undefined && page.error === undefined ? <Loading what="the figures" /> : null}
      {page.value === undefined ? null : lines.length === 0 ? (
        <Empty title={`No ${kind} was called yet`} />
      ) : (
        <Paged word="from" items={lines.toSorted((left, right) => right.lastAt - left.lastAt)} pageMax={shownMax}>
          {(shown) => <Figures kind={kind} lines={shown} />}
        </Paged>
      )}
    </main>
  );
}

function Figures({ kind, lines }: { readonly kind: string; readonly lines: readonly CallableLine[] }): ReactNode {
  return (
    <div className="wide card">
      <table>
        <thead>
          <tr>
            <th>{kind}</th>
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
          {lines.map((line) => (
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
  const search = kind === "agent" ? { agent: name } : kind === "flow" ? { flow: name } : undefined;
  const words = (
    <>
      <Told text={name} /> <Told text={version ?? ""} className="muted" />
    </>
  );
  return (
    <tr>
      <td>
        {search === undefined ? (
          words
        ) : (
          <Link to={[]} search={search}>
            {words}
          </Link>
        )}
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
