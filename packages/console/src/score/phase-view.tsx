import { memo, type ReactNode } from "react";
import type { PhaseHead, ScoreEdge } from "tutti/client";

import { StateMark } from "../parts/marks.tsx";
import { Told } from "../parts/told.tsx";
import { toDuration, toMoney, toNumberOf, toPercent } from "../text/figures.ts";
import { cornerOf, heightOf, measures, type PhaseLayout } from "./lay-out.ts";
import type { Lens, Scale } from "./lens.ts";
import type { PhaseView as Phase, ScoreStore } from "./score-store.ts";
import { StepCard } from "./step-card.tsx";

/** What of the score is in view, in pixels from its corner. */
export interface Window {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

interface PhaseViewProps {
  readonly store: ScoreStore;
  readonly head: PhaseHead;
  readonly phase: Phase | undefined;
  readonly top: number;
  readonly window: Window;
  readonly lens: Lens;
  readonly scale: Scale;
  readonly present: string | undefined;
  readonly select: (path: string) => void;
  readonly goToPhase: (phase: number) => void;
}

/** One phase: its lanes, its steps as far as they are in view, and what led from one to another. */
export const PhaseView = memo(function PhaseView(props: PhaseViewProps): ReactNode {
  const { store, head, phase, top, window, lens, scale, present, select, goToPhase } = props;
  const rows = phase?.layout.rows ?? head.lanes.map(({ lane }) => lane);
  const first = present !== undefined && phase?.layout.spots.has(present) === true ? present : phase?.nodes[0]?.path;
  return (
    <section
      className="phase"
      aria-label={`Phase ${head.phase + 1}, ${head.name}`}
      style={{ transform: `translateY(${top}px)`, height: heightOf(rows.length) }}
    >
      <PhaseTitle head={head} goToPhase={goToPhase} />
      <ol className="lanes" aria-hidden="true">
        {rows.map((lane, row) => (
          <li key={row} style={{ top: measures.head + row * measures.row, height: measures.row }}>
            <span className="cut">{lane === rows[row - 1] ? "" : <Told text={lane} />}</span>
          </li>
        ))}
      </ol>
      {phase === undefined ? null : (
        <>
          <Edges phase={phase} present={present} />
          <ol aria-label={`Steps of phase ${head.phase + 1}`}>
            {phase.nodes.map(({ path }) => {
              const spot = phase.layout.spots.get(path);
              const isShown = spot !== undefined && (path === present || path === first || isInside(spot, top, window));
              return isShown ? (
                <StepCard key={path} {...{ store, path, spot, lens, scale, select }} isPresent={path === present} />
              ) : null;
            })}
          </ol>
        </>
      )}
    </section>
  );
});

function isInside(spot: { readonly column: number; readonly row: number }, top: number, window: Window): boolean {
  const { x, y } = cornerOf(spot);
  return (
    x + measures.card > window.left &&
    x < window.right &&
    top + y + measures.cardHeight > window.top &&
    top + y < window.bottom
  );
}

function PhaseTitle({ head, goToPhase }: Pick<PhaseViewProps, "head" | "goToPhase">): ReactNode {
  const { phase, name, part, state, steps, costUsd, inputs, documentsWritten, startedAt, endedAt } = head;
  return (
    <header className="phase-title">
      <h2>
        <span className="muted number">{phase + 1}</span> <Told text={name} />
        {part > 1 ? <span className="muted"> part {part}</span> : null}
      </h2>
      <StateMark state={state} isShort={state === "done"} />
      <span className="muted number">
        {toNumberOf(steps, "step")}
        {costUsd > 0 ? ` · ${toMoney(costUsd)}` : ""}
        {startedAt !== undefined && endedAt !== undefined ? ` · ${toDuration(endedAt - startedAt)}` : ""}
        {head.confidenceLowest === undefined ? "" : ` · lowest ${toPercent(head.confidenceLowest)}`}
        {documentsWritten > 0 ? ` · ${toNumberOf(documentsWritten, "document")} written` : ""}
      </span>
      {inputs.map(({ phase: from, edges }) => (
        <button key={from} type="button" className="chip" onClick={() => goToPhase(from)}>
          {toNumberOf(edges, "input")} from {from + 1}
        </button>
      ))}
    </header>
  );
}

const edgeKinds = ["flow", "data", "message"] as const;

/** All edges of a kind are one line to the browser, so there are as many elements for 2 steps as for 200. */
function Edges({ phase, present }: { readonly phase: Phase; readonly present: string | undefined }): ReactNode {
  const { layout, edges } = phase;
  const touched = edges.filter(({ from, to }) => from === present || to === present);
  return (
    <svg
      className="edges"
      width={measures.label + layout.columns * measures.column}
      height={heightOf(layout.rows.length)}
      aria-hidden="true"
    >
      {edgeKinds.map((kind) => (
        <path
          key={kind}
          className={`is-${kind}`}
          d={toLines(
            edges.filter((edge) => edge.kind === kind),
            layout,
          )}
        />
      ))}
      {present === undefined || touched.length === 0 ? null : (
        <path className="is-present" d={toLines(touched, layout)} />
      )}
    </svg>
  );
}

function toLines(edges: readonly ScoreEdge[], layout: PhaseLayout): string {
  return edges
    .map(({ from, to }) => {
      const [start, end] = [layout.spots.get(from), layout.spots.get(to)];
      if (start === undefined || end === undefined) return "";
      const [a, b] = [cornerOf(start), cornerOf(end)];
      const [x1, y1] = [a.x + measures.card, a.y + measures.cardHeight / 2];
      const [x2, y2] = [b.x, b.y + measures.cardHeight / 2];
      const bend = Math.max(12, Math.min(60, Math.abs(x2 - x1) / 2));
      return `M${x1},${y1}C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
    })
    .join("");
}
