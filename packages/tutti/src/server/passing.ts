import type { Progress } from "../contracts/api/ledger.ts";
import type { PassingActivity, Tutti } from "../engine/tutti.ts";

/** What goes on and is not recorded, collected for one reader until it is taken. */
export interface Passing {
  isThere(): boolean;
  /** What came since, in order; words of one step are put together. */
  take(): readonly Progress[];
  close(): void;
}

/** So much is kept for a reader who does not take it; what comes then is left out. */
const piecesMax = 256;
const charactersMax = 64 * 1_024;
/** What one tool says of its work, or one piece of a model's words, is cut off here. */
const pieceCharactersMax = 4_096;

/** Begins to collect, of the runs that concern the reader: what others say leaves them their room. */
export function openPassing(tutti: Pick<Tutti, "watch">, concerns: (run: string) => boolean): Passing {
  let pieces: Progress[] = [];
  let characters = 0;
  /** Where the newest piece of each step is. */
  const placeByStep = new Map<string, number>();
  /** Steps of which something was left out, and nobody was told yet. */
  const cut = new Set<string>();
  const add = (piece: Progress): void => {
    const step = JSON.stringify([piece.run, piece.step]);
    const length = piece.text?.length ?? 0;
    const place = placeByStep.get(step) ?? pieces.length;
    const last = pieces[place];
    const isMore = last !== undefined && !cut.has(step) && goesOn(last, piece);
    if ((pieces.length >= piecesMax && !isMore) || characters + length > charactersMax) {
      if (cut.size < piecesMax) cut.add(step);
      return;
    }
    characters += length;
    if (isMore) {
      pieces[place] = { ...last, text: `${last.text ?? ""}${piece.text ?? ""}` };
      return;
    }
    placeByStep.set(step, pieces.length);
    pieces.push(cut.delete(step) ? { ...piece, isCut: true } : piece);
  };
  const end = tutti.watch((activity) => {
    if (concerns(activity.run)) add(toProgress(activity));
  });
  return {
    isThere: () => pieces.length > 0,
    take() {
      const taken = pieces;
      pieces = [];
      characters = 0;
      placeByStep.clear();
      return taken;
    },
    close: end,
  };
}

/** Whether the next piece is more of what the last one began. */
function goesOn(last: Progress, next: Progress): boolean {
  if (last.kind !== "delta" || next.kind !== "delta") return false;
  const length = (last.text?.length ?? 0) + (next.text?.length ?? 0);
  return last.attempt === next.attempt && last.tool === next.tool && length <= pieceCharactersMax;
}

function toProgress(activity: PassingActivity): Progress {
  if (activity.kind === "step-started") return activity;
  return { ...activity, text: activity.text.slice(0, pieceCharactersMax) };
}
