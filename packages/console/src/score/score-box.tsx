import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type ReactNode,
  type RefObject,
} from "react";

import { cornerOf, heightOf, measures, visiblePhases } from "./lay-out.ts";
import type { Lens, Scale } from "./lens.ts";
import { PhaseView, type Window } from "./phase-view.tsx";
import type { ScoreStore, ScoreView } from "./score-store.ts";

interface ScoreBoxProps {
  readonly store: ScoreStore;
  readonly view: ScoreView;
  readonly lens: Lens;
  readonly scale: Scale;
  readonly present: string | undefined;
  readonly select: (path: string) => void;
  /** Hears which phase is on top of the view. */
  readonly onPhase: (phase: number) => void;
  readonly steering: RefObject<ScoreSteering | null>;
}

/** What others may ask of the box. */
export interface ScoreSteering {
  goToPhase(phase: number): void;
  /** Brings a step into view and, when it is there, puts the focus on it. */
  goToStep(path: string, phase: number): void;
}

/** Drawn around what is in view, so that a slow scroll shows nothing empty. */
const overscan = 240;

/** The scrolling part of the score. Only phases and steps near the view are drawn, however long the run is. */
export function ScoreBox(props: ScoreBoxProps): ReactNode {
  const { store, view, lens, scale, present, select, onPhase, steering } = props;
  const box = useRef<HTMLDivElement>(null);
  const heights = view.heads.map(({ phase, lanes }) =>
    heightOf(store.phase(phase)?.layout.rows.length ?? lanes.length),
  );
  const tops = useMemo(() => toTops(heights), [heights.join()]);
  const area = useArea(box);
  useSteadyView(box, tops, present === undefined ? undefined : store.node(present)?.phase);
  const [from, to] = visiblePhases(tops, area.top - overscan, area.bottom + overscan);
  const [first] = visiblePhases(tops, area.top + measures.head, area.bottom);
  useEffect(() => onPhase(first), [first, onPhase]);
  useEffect(() => {
    for (let phase = from; phase < to; phase++) store.want(phase);
  });
  const goToPhase = useCallback((phase: number): void => box.current?.scrollTo({ top: tops[phase] ?? 0 }), [tops]);
  steering.current = {
    goToPhase,
    goToStep: (path, phase) => {
      const spot = store.phase(phase)?.layout.spots.get(path);
      if (box.current === null) return;
      if (spot === undefined) goToPhase(phase);
      else showCorner(box.current, cornerOf(spot), tops[phase] ?? 0);
      const button = box.current.querySelector<HTMLElement>(`[data-path="${CSS.escape(path)}"]`);
      button?.focus({ preventScroll: true });
    },
  };
  const columns = view.heads.slice(from, to).map(({ phase }) => store.phase(phase)?.layout.columns ?? 1);
  const width = measures.label + Math.max(1, ...columns) * measures.column;
  const window = useMemo(
    (): Window => ({
      left: area.left - overscan,
      right: area.right + overscan,
      top: area.top - overscan,
      bottom: area.bottom + overscan,
    }),
    [area],
  );
  return (
    <div ref={box} className="score" role="region" aria-label="Score" tabIndex={0}>
      <div className="score-all" style={{ height: tops.at(-1) ?? 0, minWidth: width }}>
        {view.heads.slice(from, to).map((head) => (
          <PhaseView
            key={head.phase}
            {...{ store, head, window, lens, scale, present, select, goToPhase }}
            phase={store.phase(head.phase)}
            top={tops[head.phase] ?? 0}
          />
        ))}
      </div>
    </div>
  );
}

function toTops(heights: readonly number[]): readonly number[] {
  const tops = [0];
  for (const height of heights) tops.push((tops.at(-1) ?? 0) + height);
  return tops;
}

/** The part in view, in steps, so that most of scrolling draws nothing anew. */
function useArea(box: RefObject<HTMLDivElement | null>): Window {
  const [area, setArea] = useState<Window>({ left: 0, right: 1_200, top: 0, bottom: 800 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const step = overscan / 2;
    const look = (): void => {
      const { scrollLeft, scrollTop, clientWidth, clientHeight } = element;
      const [left, top] = [Math.floor(scrollLeft / step) * step, Math.floor(scrollTop / step) * step];
      const next = { left, top, right: left + clientWidth + step, bottom: top + clientHeight + step };
      setArea((before) =>
        before.left === next.left &&
        before.top === next.top &&
        before.right === next.right &&
        before.bottom === next.bottom
          ? before
          : next,
      );
    };
    const watch = new ResizeObserver(look);
    watch.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      watch.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [box]);
  return area;
}

/** When phases above turn out higher than was thought, what is looked at stays where it is: the present step, or else the top of the view. */
function useSteadyView(
  box: RefObject<HTMLDivElement | null>,
  tops: readonly number[],
  present: number | undefined,
): void {
  const before = useRef(tops);
  useLayoutEffect(() => {
    const element = box.current;
    const old = before.current;
    before.current = tops;
    if (element === null || old === tops) return;
    const [first, end] = visiblePhases(old, element.scrollTop, element.scrollTop + element.clientHeight);
    const phase = present !== undefined && present >= first && present < end ? present : first;
    const moved = (tops[phase] ?? 0) - (old[phase] ?? 0);
    if (moved !== 0) element.scrollTop += moved;
  }, [box, tops, present]);
}

const margin = 24;

function showCorner(box: HTMLElement, corner: { readonly x: number; readonly y: number }, top: number): void {
  const { scrollTop, scrollLeft, clientHeight, clientWidth } = box;
  const y = top + corner.y;
  if (y - margin - measures.head < scrollTop) box.scrollTop = y - margin - measures.head;
  else if (y + measures.cardHeight + margin > scrollTop + clientHeight)
    box.scrollTop = y + measures.cardHeight + margin - clientHeight;
  if (corner.x - measures.label - margin < scrollLeft) box.scrollLeft = corner.x - measures.label - margin;
  else if (corner.x + measures.card + margin > scrollLeft + clientWidth)
    box.scrollLeft = corner.x + measures.card + margin - clientWidth;
}
