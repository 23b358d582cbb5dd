import { memo, type ReactNode } from "react";

import { isQuestion, toKindWord, toStateWord } from "../parts/marks.tsx";
import { toPercent } from "../text/figures.ts";
import { toVisible } from "../text/visible.ts";
import { cornerOf, type Spot } from "./lay-out.ts";
import { toNodeHeat, toReading, type Lens, type Scale } from "./lens.ts";
import type { ScoreStore } from "./score-store.ts";
import { useScoreNode } from "./use-score.ts";

interface StepCardProps {
  readonly store: ScoreStore;
  readonly path: string;
  readonly spot: Spot;
  readonly lens: Lens;
  readonly scale: Scale;
  readonly isPresent: boolean;
  readonly select: (path: string) => void;
}

/** One step. It hears only of itself, so an entry of another step draws nothing here. */
export const StepCard = memo(function StepCard(props: StepCardProps): ReactNode {
  const { store, path, spot, lens, scale, isPresent, select } = props;
  const node = useScoreNode(store, path);
  if (node === undefined) return null;
  const { x, y } = cornerOf(spot);
  const isRecord = ["message", "decision", "votes", "note"].includes(node.kind);
  const name = toVisible(node.callable ?? node.remark ?? (isRecord ? node.output : undefined) ?? node.name);
  // A question to a model says most by what came of it.
  const kind = toKindWord(node);
  const reading = toReading(node, lens) || (isQuestion(path) ? toVisible(node.output ?? "") : "");
  const state = node.state === "done" ? "" : toStateWord(node.state);
  const confidence = node.confidence === undefined ? "" : `, confidence ${toPercent(node.confidence)}`;
  return (
    <li style={{ transform: `translate(${x}px, ${y}px)` }}>
      <button
        type="button"
        className={`step is-${node.state} of-${node.kind} heat-${toNodeHeat(node, lens, scale)}`}
        aria-label={`${kind} ${name}, ${node.lane}, ${toStateWord(node.state)}${confidence}`}
        aria-pressed={isPresent}
        data-path={path}
        tabIndex={isPresent ? 0 : -1}
        onClick={() => select(path)}
      >
        <span className="step-name">{name}</span>
        <span className="step-facts">
          {kind}
          {state === "" ? "" : ` · ${state}`}
          {node.sharedFrom === undefined ? "" : " · shared"}
          {reading === "" ? "" : ` · ${reading}`}
        </span>
      </button>
    </li>
  );
});
