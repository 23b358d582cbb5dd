import type { PhaseHead, ScoreNode } from "tutti/client";

import { toConfidenceLevel } from "../parts/marks.tsx";
import { toDuration, toMoney, toPercent } from "../text/figures.ts";

/** What the colours of the score tell. */
export const lenses = ["confidence", "cost", "time", "retries"] as const;
export type Lens = (typeof lenses)[number];

/** From 0 (nothing) to 3 (most); of confidence, 1 is high and 3 is low: more colour means look here. */
export type Heat = 0 | 1 | 2 | 3;

export function toLens(word: string | undefined): Lens {
  return lenses.find((lens) => lens === word) ?? "confidence";
}

/** What a step says under a lens, in a few characters. */
export function toReading(node: ScoreNode, lens: Lens): string {
  const { confidence, spent, startedAt, endedAt, attempt } = node;
  switch (lens) {
    case "confidence":
      return confidence === undefined ? "" : toPercent(confidence);
    case "cost":
      return spent === undefined ? "" : toMoney(spent.costUsd);
    case "time":
      return startedAt === undefined || endedAt === undefined ? "" : toDuration(endedAt - startedAt);
    case "retries":
      return attempt > 1 ? `try ${attempt}` : "";
  }
}

export interface Scale {
  readonly costUsd: number;
  readonly timeMs: number;
}

/** The most of anything on this score, so that colours compare. */
export function toScale(heads: readonly PhaseHead[]): Scale {
  const lanes = heads.flatMap((head) => head.lanes);
  return {
    costUsd: lanes.reduce((most, { costUsd }) => Math.max(most, costUsd), 0),
    timeMs: lanes.reduce((most, { longestMs }) => Math.max(most, longestMs), 0),
  };
}

export function toNodeHeat(node: ScoreNode, lens: Lens, scale: Scale): Heat {
  const { confidence, spent, startedAt, endedAt, attempt } = node;
  switch (lens) {
    case "confidence":
      return toConfidenceHeat(confidence);
    case "cost":
      return toShare(spent?.costUsd ?? 0, scale.costUsd);
    case "time":
      return startedAt === undefined || endedAt === undefined ? 0 : toShare(endedAt - startedAt, scale.timeMs);
    case "retries":
      return toTries(attempt - 1);
  }
}

export function toLaneHeat(lane: PhaseHead["lanes"][number], lens: Lens, scale: Scale): Heat {
  switch (lens) {
    case "confidence":
      return toConfidenceHeat(lane.confidenceLowest);
    case "cost":
      return toShare(lane.costUsd, scale.costUsd);
    case "time":
      return toShare(lane.longestMs, scale.timeMs);
    case "retries":
      return toTries(lane.retries);
  }
}

function toConfidenceHeat(confidence: number | undefined): Heat {
  return confidence === undefined ? 0 : ({ high: 1, middle: 2, low: 3 } as const)[toConfidenceLevel(confidence)];
}

function toShare(part: number, most: number): Heat {
  if (part <= 0 || most <= 0) return 0;
  return part > most * 0.5 ? 3 : part > most * 0.15 ? 2 : 1;
}

function toTries(retries: number): Heat {
  return retries <= 0 ? 0 : retries === 1 ? 2 : 3;
}

/** What the three colours mean under a lens. */
export const legends: Readonly<Record<Lens, readonly [string, string, string]>> = {
  confidence: ["75% and more", "55–75%", "under 55%"],
  cost: ["a little", "some", "more than half of the dearest"],
  time: ["quick", "slower", "more than half of the longest"],
  retries: ["", "one retry", "several retries"],
};
