import type { ReactNode } from "react";
import type { ApprovalDetail, ShownPackage } from "tutti/client";

import { useNow } from "../data/now.ts";
import { Link } from "../parts/link.tsx";
import { Confidence } from "../parts/marks.tsx";
import { Told, ToldBlock } from "../parts/told.tsx";
import { toDuration, toMoney, toTime } from "../text/figures.ts";
import { Action } from "./approval-action.tsx";

/** Everything that people are shown before they decide, the most important first. */
export function ApprovalPackage({ detail }: { readonly detail: ApprovalDetail }): ReactNode {
  const { approval: line, package: shown } = detail;
  const { run, step, round } = line;
  const { action, risk, details, options, versions, askedBy, summary } = shown;
  return (
    <>
      <header className="stack">
        <p className="row">
          <span className={`risk is-${risk.level}`}>{risk.level} risk</span>
          {action === undefined ? null : (
            <span className={`risk ${action.canBeUndone ? "is-low" : "is-high"}`}>
              {action.canBeUndone ? "can be taken back" : "can't be taken back"}
            </span>
          )}
          <Due at={line.dueAt} />
          {round > 1 ? <span className="muted">asked for the {round}th time: what was asked had changed</span> : null}
        </p>
        <h2>
          <Told text={action === undefined ? summary : `${askedBy} wants to call ${action.tool}`} />
        </h2>
        <p className="muted">
          In{" "}
          <Link to={["runs", run]} search={{ step }}>
            <Told text={run} />
          </Link>{" "}
          at <Told text={step} className="mono" />
        </p>
      </header>
      {action === undefined ? null : <Action action={action} />}
      {details === undefined ? null : <ToldBlock text={details} label="What it is about" />}
      {options === undefined ? null : (
        <p>
          It may be answered: <Told text={options.join(", ")} />
        </p>
      )}
      <Because detail={detail} />
      <Bound versions={versions} />
    </>
  );
}

function Because({ detail }: { readonly detail: ApprovalDetail }): ReactNode {
  const { why, rules, recommendation, reasons, alternatives, risk, confidence } = detail.package;
  return (
    <dl className="because">
      <dt>Why you</dt>
      <dd>
        {why === undefined ? "The flow asks." : <Told text={why} />}
        {rules.length === 0 ? null : <span className="muted"> ({rules.join(", ")})</span>}
      </dd>
      <dt>Risk</dt>
      <dd>
        <Told text={risk.why} />
      </dd>
      <dt>Advice</dt>
      <dd>
        <Said said={recommendation} />
        {reasons.map((reason) => (
          <p key={reason.text}>
            <Said said={reason} />
          </p>
        ))}
      </dd>
      {confidence === undefined ? null : (
        <>
          <dt>How sure</dt>
          <dd>
            <Confidence value={confidence} /> <span className="muted">by the agent's own word</span>
          </dd>
        </>
      )}
      <dt>Instead</dt>
      <dd>
        {alternatives.map((other) => (
          <p key={other.text}>
            <Said said={other} />
          </p>
        ))}
      </dd>
      <Evidence detail={detail} />
    </dl>
  );
}

/** What it leans on, what it costs, and what follows. */
function Evidence({ detail }: { readonly detail: ApprovalDetail }): ReactNode {
  const { approval: line, package: shown } = detail;
  const { run, stage, stages, votes } = line;
  const { evidence, precedents = [], costUsd, otherwise, deciders } = shown;
  return (
    <>
      {evidence.length === 0 ? null : (
        <>
          <dt>Leans on</dt>
          <dd>
            {evidence.map(({ step: from, what }) => (
              <p key={from}>
                <Link to={["runs", run]} search={{ step: from }} className="mono">
                  <Told text={from} />
                </Link>{" "}
                <Told text={what} />
              </p>
            ))}
          </dd>
        </>
      )}
      {precedents.length === 0 ? null : (
        <>
          <dt>Before</dt>
          <dd>
            {precedents.map(({ id, text, similarity }) => (
              <p key={id}>
                <Told text={text} /> <span className="muted">({Math.round(similarity * 100)} % alike)</span>
              </p>
            ))}
          </dd>
        </>
      )}
      {costUsd === undefined ? null : (
        <>
          <dt>Costs</dt>
          <dd>at most {toMoney(costUsd)}</dd>
        </>
      )}
      <dt>If nobody decides</dt>
      <dd>
        <Told text={otherwise} />
      </dd>
      <dt>Who decides</dt>
      <dd>
        <Told text={deciders.join("; ")} />
        {stages.length > 1 ? (
          <span className="muted">
            {" "}
            (stage {stage + 1} of {stages.length})
          </span>
        ) : null}
        {votes.map(({ by, verdict }) => (
          <p key={by}>
            <Told text={by} />: {verdict}
          </p>
        ))}
      </dd>
    </>
  );
}

function Bound({ versions }: Pick<ShownPackage, "versions">): ReactNode {
  return (
    <details>
      <summary className="muted">What a yes is bound to</summary>
      <dl className="because">
        {Object.entries(versions).map(([name, version]) => [
          <dt key={`${name} name`}>{name}</dt>,
          <dd key={name} className="mono">
            <Told text={version} />
          </dd>,
        ])}
      </dl>
    </details>
  );
}

/** An agent's words are nobody's but its own. */
function Said({ said }: { readonly said: ShownPackage["recommendation"] }): ReactNode {
  return (
    <>
      {said.by === "engine" ? null : <span className="muted">the {said.by} says: </span>}
      <Told text={said.text} />
    </>
  );
}

function Due({ at }: { readonly at: number }): ReactNode {
  const now = useNow();
  return (
    <span className="muted number" title={toTime(at)}>
      {at > now ? `${toDuration(at - now)} left` : "its time is over"}
    </span>
  );
}
