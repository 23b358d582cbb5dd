import type { ReactNode } from "react";
import type { RunLine, ScoreNode } from "tutti/client";

import { toPercent } from "../text/figures.ts";

type State = RunLine["status"] | ScoreNode["state"];

const words: Readonly<Record<State, string>> = {
  running: "running",
  waiting: "waiting",
  asking: "asks you",
  frozen: "frozen",
  paused: "paused",
  "in-doubt": "in doubt",
  parked: "parked",
  done: "done",
  undone: "undone",
  failed: "failed",
  cancelled: "cancelled",
};

/** A state as a shape and a word; the shape alone says it too, so colour never does. */
export function StateMark({
  state,
  isShort = false,
}: {
  readonly state: State;
  readonly isShort?: boolean;
}): ReactNode {
  return (
    <span className={`state is-${state}`}>
      <i aria-hidden="true" />
      {isShort ? <span className="unseen">{words[state]}</span> : words[state]}
    </span>
  );
}

export function toStateWord(state: State): string {
  return words[state];
}

/** What a step is, in a word; a question to a model is recorded as a step like others. */
export function toKindWord({ path, kind }: { readonly path: string; readonly kind: string }): string {
  return isQuestion(path) ? "model" : kind;
}

export function isQuestion(path: string): boolean {
  return /\/model(?:#\d+)?$/u.test(path);
}

/** Low, middling or high; the colours of a confidence follow from it. */
export function toConfidenceLevel(confidence: number): "low" | "middle" | "high" {
  if (confidence < 0.55) return "low";
  return confidence < 0.75 ? "middle" : "high";
}

/** A confidence as a bar and a number. */
export function Confidence({ value }: { readonly value: number | undefined }): ReactNode {
  if (value === undefined) return <span className="muted">–</span>;
  return (
    <span className={`confidence is-${toConfidenceLevel(value)}`} title="Confidence, from 0 to 100%">
      <span className="bar" aria-hidden="true">
        <i style={{ width: `${value * 100}%` }} />
      </span>
      {toPercent(value)}
    </span>
  );
}
