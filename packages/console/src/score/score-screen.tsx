import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { RunDetail } from "tutti/client";

import { useKeys } from "../data/keys.ts";
import { changeSearch, toMoment } from "../data/place.ts";
import { Empty, Loading, Problem } from "../parts/notices.tsx";
import { Told } from "../parts/told.tsx";
import { RunHead } from "../runs/run-head.tsx";
import { toLens, toScale } from "./lens.ts";
import { Moment } from "./moment.tsx";
import { Now } from "./now.tsx";
import { ScoreBox, type ScoreSteering } from "./score-box.tsx";
import type { ScoreStore, ScoreView } from "./score-store.ts";
import { Strip } from "./strip.tsx";
import { useScoreNode, useScoreStore, useScoreView } from "./use-score.ts";
import { WhyDrawer } from "./why-drawer.tsx";

interface ScoreScreenProps {
  readonly run: string;
  readonly detail: RunDetail;
  readonly search: Readonly<Record<string, string>>;
}

/** Where a run is, who does what, and where it went wrong or became unsure. */
export function ScoreScreen({ run, detail, search }: ScoreScreenProps): ReactNode {
  const seq = toPast(toMoment(search), detail.line.seq);
  const { step } = search;
  const store = useScoreStore(run, seq);
  const view = useScoreView(store);
  const error = store.error();
  const newest = Math.max(detail.line.seq, seq === undefined ? (view?.seq ?? 0) : 0);
  return (
    <main id="screen" className={`score-screen${step === undefined ? "" : " has-drawer"}`}>
      <div className="score-main">
        <div className="score-top">
          <RunHead detail={detail} tab={undefined} search={search} aside={<Moment seq={seq} newest={newest} />} />
          {detail.line.error === undefined ? null : (
            <div className="problem" role="alert">
              <p>
                <strong>
                  <Told text={detail.line.error.message} />
                </strong>{" "}
                <code>{detail.line.error.code}</code>
              </p>
              {detail.line.error.hint === undefined ? null : <Told text={detail.line.error.hint} />}
            </div>
          )}
          {seq === undefined && view?.status === "running" ? <Now run={run} /> : null}
        </div>
        {error === undefined ? null : <Problem error={error} retry={store.ring} />}
        {view === undefined && error === undefined ? <Loading what="the score" /> : null}
        {view === undefined ? null : view.heads.length === 0 ? (
          <Empty title="Nothing has happened yet">Steps show here as soon as the run makes them.</Empty>
        ) : (
          <Score store={store} view={view} search={search} />
        )}
      </div>
      {step === undefined ? null : (
        <WhyDrawer key={step} {...{ run, step, store }} seq={view?.seq ?? newest} past={seq} />
      )}
    </main>
  );
}

/** The newest moment is the present one, which is followed. */
function toPast({ seq }: { readonly seq?: number }, newest: number): number | undefined {
  return seq !== undefined && seq < newest ? seq : undefined;
}

interface ScoreProps {
  readonly store: ScoreStore;
  readonly view: ScoreView;
  readonly search: Readonly<Record<string, string>>;
}

function Score({ store, view, search }: ScoreProps): ReactNode {
  const { step } = search;
  const lens = toLens(search["lens"]);
  const scale = useMemo(() => toScale(view.heads), [view.heads]);
  const [phase, setPhase] = useState(0);
  const [cursor, setCursor] = useState(step);
  const steering = useRef<ScoreSteering>(null);
  const present = step ?? cursor;
  const select = useCallback((path: string): void => {
    setCursor(path);
    changeSearch({ step: path });
  }, []);
  const goToPhase = (next: number): void => {
    steering.current?.goToPhase(Math.min(view.heads.length - 1, Math.max(0, next)));
  };
  const move = (by: number): void => {
    const next = findNext(store, view, { present, phase, by });
    if (next === undefined) return;
    setCursor(next.path);
    if (step !== undefined) changeSearch({ step: next.path }, { replace: true });
    steering.current?.goToStep(next.path, next.phase);
  };
  const isThere = useScoreNode(store, present ?? "") !== undefined;
  useEffect(() => {
    const place = isThere && present !== undefined ? store.node(present) : undefined;
    if (place !== undefined) steering.current?.goToStep(place.path, place.phase);
  }, [present, isThere, store]);
  useKeys([
    { key: "j", does: "Next step", run: () => move(1) },
    { key: "k", does: "Step before", run: () => move(-1) },
    { key: "]", does: "Next phase", run: () => goToPhase(phase + 1) },
    { key: "[", does: "Phase before", run: () => goToPhase(phase - 1) },
    { key: "n", does: "To the newest phase", run: () => goToPhase(view.heads.length - 1) },
    { key: "Enter", does: "Why: open the step", run: () => (present === undefined ? move(1) : select(present)) },
    { key: "Escape", does: "Close the step", run: () => changeSearch({ step: undefined }) },
  ]);
  return (
    <>
      <Strip
        heads={view.heads}
        lanes={view.lanes}
        {...{ lens, scale, goToPhase }}
        present={phase}
        chooseLens={(next) => changeSearch({ lens: next === "confidence" ? undefined : next }, { replace: true })}
      />
      <ScoreBox {...{ store, view, lens, scale, present, select, steering }} onPhase={setPhase} />
    </>
  );
}

interface Move {
  readonly present: string | undefined;
  /** Where to begin when no step is present. */
  readonly phase: number;
  readonly by: number;
}

/** The next step in the order of the ledger, over the borders of phases. */
function findNext(
  store: ScoreStore,
  view: ScoreView,
  { present, phase, by }: Move,
): { readonly path: string; readonly phase: number } | undefined {
  const at = present === undefined ? undefined : store.node(present);
  let number = at?.phase ?? phase;
  let nodes = store.phase(number)?.nodes ?? [];
  let index = at === undefined ? (by > 0 ? -1 : nodes.length) : nodes.findIndex(({ path }) => path === at.path);
  index += by;
  if (index < 0 || index >= nodes.length) {
    number += by;
    if (number < 0 || number >= view.heads.length) return undefined;
    store.want(number);
    nodes = store.phase(number)?.nodes ?? [];
    index = by > 0 ? 0 : nodes.length - 1;
  }
  const found = nodes[index];
  return found === undefined ? undefined : { path: found.path, phase: number };
}
