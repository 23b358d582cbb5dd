import { setImmediate as nextTurn } from "node:timers/promises";

import type { RunId } from "../../contracts/ids.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { applyToScore, emptyScore, type ScoreState } from "./score-state.ts";

/** The scores of the runs that are being looked at. */
export interface Scores {
  /** The run as it is now, or as it was after an entry. @throws TuttiError LEDGER_CORRUPT, LEDGER_TOO_NEW */
  read(run: RunId, seq?: number): Promise<ScoreState>;
}

/** Steps of all runs that are kept, the last looked at; about 1 kB each. */
const keptStepsMax = 100_000;
const chunkEntries = 2_000;

export function openScores(ledger: Ledger): Scores {
  /** In the order in which they were last looked at. */
  const kept = new Map<RunId, ScoreState>();
  const reading = new Map<RunId, Promise<ScoreState>>();
  const follow = async (run: RunId): Promise<ScoreState> => {
    const score = kept.get(run) ?? emptyScore();
    await readOn(ledger, score, { run, untilSeq: Number.POSITIVE_INFINITY });
    kept.delete(run);
    kept.set(run, score);
    let steps = [...kept.values()].reduce((sum, { places }) => sum + places.size, 0);
    for (const [other, { places }] of kept) {
      if (steps <= keptStepsMax || other === run) break;
      kept.delete(other);
      steps -= places.size;
    }
    return score;
  };
  return {
    async read(run, seq) {
      if (seq !== undefined) {
        const score = emptyScore();
        await readOn(ledger, score, { run, untilSeq: seq });
        return score;
      }
      // One at a time: two would take the same entries in twice.
      let present = reading.get(run);
      if (present === undefined) {
        present = follow(run).finally(() => reading.delete(run));
        reading.set(run, present);
      }
      return present;
    },
  };
}

interface Range {
  readonly run: RunId;
  readonly untilSeq: number;
}

async function readOn(ledger: Ledger, score: ScoreState, { run, untilSeq }: Range): Promise<void> {
  for (;;) {
    const limit = Math.min(chunkEntries, untilSeq - score.tree.seq);
    const entries = limit <= 0 ? [] : await ledger.read(run, score.tree.seq + 1, limit);
    if (entries.length > 0) applyToScore(score, entries);
    if (entries.length < chunkEntries) return;
    await nextTurn();
  }
}
