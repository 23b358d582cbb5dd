import { useEffect, useRef, type ReactNode } from "react";
import type { ScoreNode } from "tutti/client";

import { announce } from "../data/announce.ts";
import { changeSearch, toHref } from "../data/place.ts";
import { useRemote } from "../data/remote.ts";
import { Confidence, StateMark } from "../parts/marks.tsx";
import { Empty, Loading, Problem } from "../parts/notices.tsx";
import { Told, ToldBlock } from "../parts/told.tsx";
import { ForkStep } from "../steer/fork-step.tsx";
import { toCount, toDuration, toMoney, toTime } from "../text/figures.ts";
import { Decisions } from "./decisions.tsx";
import { DocumentUses } from "./document-uses.tsx";
import { Reasons } from "./reasons.tsx";
import type { ScoreStore } from "./score-store.ts";
import { StepEntries } from "./step-entries.tsx";
import { useScoreNode } from "./use-score.ts";

interface WhyDrawerProps {
  readonly run: string;
  readonly step: string;
  readonly store: ScoreStore;
  /** The entry up to which the score is shown. */
  readonly seq: number;
  /** The same, if it is not the newest one: then nothing is told that was not known yet. */
  readonly past: number | undefined;
}

/** One step: what it is, what it said, and why. */
export function WhyDrawer({ run, step, store, seq, past }: WhyDrawerProps): ReactNode {
  const node = useScoreNode(store, step);
  const drawer = useRef<HTMLElement>(null);
  useEffect(() => store.find(step), [store, step]);
  useEffect(() => {
    // On a narrow screen it stands in front of everything.
    if (matchMedia("(max-width: 720px)").matches) drawer.current?.focus();
  }, []);
  const link = location.origin + toHref(["runs", run], { step, seq });
  return (
    <aside ref={drawer} className="drawer" aria-label="Why" tabIndex={-1}>
      <header className="drawer-head">
        <div>
          <h2>
            <Told text={node?.callable ?? node?.name ?? step} />
          </h2>
          <p className="mono muted">
            <Told text={step} />
          </p>
        </div>
        <button
          type="button"
          className="quiet"
          aria-label="Close the step"
          onClick={() => changeSearch({ step: undefined })}
        >
          ✕
        </button>
      </header>
      {past === undefined ? null : <p className="muted">What was known after entry {past.toLocaleString("en")}.</p>}
      {node === undefined ? null : <Facts node={node} />}
      <div className="row">
        <button
          type="button"
          onClick={() =>
            void navigator.clipboard.writeText(link).then(
              () => announce("The link to this moment is copied."),
              () => announce(link),
            )
          }
        >
          Copy link to this moment
        </button>
        <ForkStep run={run} step={step} />
      </div>
      {node === undefined ? null : <Said node={node} />}
      <Decisions {...{ run, step, past }} />
      <Why {...{ run, step, past }} seq={node?.changedSeq ?? 0} />
      <DocumentUses {...{ run, step, past }} />
      <StepEntries {...{ run, step, past }} />
    </aside>
  );
}

function Facts({ node }: { readonly node: ScoreNode }): ReactNode {
  const { state, kind, lane, agentVersion, attempt, startedAt, endedAt, spent, confidence, seq, effect } = node;
  const facts: readonly (readonly [string, ReactNode])[] = [
    ["State", <StateMark key="state" state={state} />],
    ["Kind", kind],
    ["Agent", <Told key="lane" text={agentVersion === undefined ? lane : `${lane} ${agentVersion}`} />],
    ["Confidence", confidence === undefined ? undefined : <Confidence key="confidence" value={confidence} />],
    ["Began", startedAt === undefined ? undefined : toTime(startedAt)],
    ["Took", startedAt === undefined || endedAt === undefined ? undefined : toDuration(endedAt - startedAt)],
    ["Cost", spent === undefined ? undefined : toMoney(spent.costUsd)],
    [
      "Tokens",
      spent === undefined ? undefined : `${toCount(spent.inputTokens)} in, ${toCount(spent.outputTokens)} out`,
    ],
    ["Attempt", attempt > 1 ? attempt : undefined],
    ["Effect", effect === undefined ? undefined : <Told key="effect" text={effect} className="mono" />],
    ["Entry", seq],
  ];
  return (
    <dl className="fact-list">
      {facts.map(([name, value]) =>
        value === undefined ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

function Said({ node }: { readonly node: ScoreNode }): ReactNode {
  const { error, output, remark, waitsFor, waitsUntil, sharedFrom, edited } = node;
  return (
    <>
      {error === undefined ? null : (
        <div className="problem">
          <p>
            <strong>
              <Told text={error.message} />
            </strong>{" "}
            <code>{error.code}</code>
          </p>
          {error.hint === undefined ? null : <Told text={error.hint} />}
        </div>
      )}
      {waitsFor === undefined ? null : (
        <p className="warning">
          Waits for {waitsFor}
          {waitsUntil === undefined ? "" : `, until ${toTime(waitsUntil)}`}.
        </p>
      )}
      {sharedFrom === undefined ? null : (
        <p className="warning">
          This was done already: it shares the effect of <Told text={`${sharedFrom.run} ${sharedFrom.step}`} />.
        </p>
      )}
      {edited === true ? <p className="warning">A person edited this result.</p> : null}
      {remark === undefined || remark === output ? null : <ToldBlock text={remark} label="Remark" />}
      {output === undefined ? null : (
        <section className="stack">
          <h3>Result</h3>
          <ToldBlock text={output} label="Result" />
        </section>
      )}
    </>
  );
}

interface WhyProps extends Pick<WhyDrawerProps, "run" | "step" | "past"> {
  /** Asked again when the step has changed. */
  readonly seq: number;
}

function Why({ run, step, seq, past }: WhyProps): ReactNode {
  const why = useRemote("why", { params: { run }, query: { step, depth: 12, seq: past } });
  const { refresh } = why;
  useEffect(() => {
    if (seq > 0) refresh();
  }, [seq, refresh]);
  return (
    <section className="stack">
      <h3>Why</h3>
      {why.error === undefined ? null : <Problem error={why.error} retry={why.refresh} />}
      {why.value === undefined ? (
        why.error === undefined ? (
          <Loading what="the reasons" />
        ) : null
      ) : why.value.reasons.length === 0 ? (
        <Empty title="Nothing is recorded" />
      ) : (
        <Reasons run={run} reasons={why.value.reasons} {...{ step, past }} />
      )}
    </section>
  );
}
