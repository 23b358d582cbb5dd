import type { UndoPreview } from "../contracts/api/people.ts";
import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import { toUndoables } from "../flow/rollback.ts";
import { toPreview } from "../insight/preview.ts";

type Stays = UndoPreview["stays"][number];

/** So much of each is listed. */
const listedMax = 200;

/** What undoing a run would take back, as its entries say it now, and what would stay and why. Says nothing of whether the run may be undone. */
export function toUndoPreview(entries: readonly LedgerEntry[]): Omit<UndoPreview, "refusal"> {
  const seqByStep = new Map(entries.map(({ key, seq }) => [key, seq]));
  const undoables = toUndoables(entries, "");
  const takesBack = undoables.map(({ step, intended, settled }) => ({
    step,
    tool: intended.tool,
    seq: seqByStep.get(step) ?? 0,
    output: settled.out === undefined ? undefined : toPreview(settled.out),
  }));
  const stays = toStaying(entries, new Set(undoables.map(({ step }) => step)));
  return {
    takesBack: takesBack.slice(0, listedMax),
    stays: stays.slice(0, listedMax),
    takenBack: entries.filter(({ kind }) => kind === "effect-undone").length,
    isCut: Math.max(takesBack.length, stays.length) > listedMax,
  };
}

function toStaying(entries: readonly LedgerEntry[], takenBack: ReadonlySet<string>): readonly Stays[] {
  const undone = new Set(
    entries.flatMap((entry) => (entry.kind === "effect-undone" ? [bodyOf(entry, entry.kind).effect] : [])),
  );
  const staysByStep = new Map<string, Stays>();
  for (const entry of entries) {
    const { key: step, seq } = entry;
    switch (entry.kind) {
      case "effect-intended": {
        const { tool, effect } = bodyOf(entry, entry.kind);
        if (undone.has(effect) || takenBack.has(step)) break;
        staysByStep.set(step, { step, tool, seq, why: "It was begun; what became of it is found out first." });
        break;
      }
      case "effect-in-doubt": {
        const why = "Nobody knows whether it happened. The undo waits until a person has said so.";
        change(staysByStep, step, { seq, why });
        break;
      }
      case "effect-settled":
        change(staysByStep, step, { seq, why: "Its tool declares no way to take it back." });
        break;
      case "effect-failed":
      case "effect-resolved":
        staysByStep.delete(step); // it never happened
        break;
      case "effect-shared": {
        const { call = "effect", from } = bodyOf(entry, entry.kind);
        staysByStep.set(step, {
          step,
          tool: call,
          seq,
          why: `Run ${from.run} did it, and only that run takes it back.`,
        });
        break;
      }
      case "child-started": {
        const { child, flow } = bodyOf(entry, entry.kind);
        staysByStep.set(step, { step, tool: flow, seq, why: `What run ${child} did is taken back there.` });
        break;
      }
      case "document-committed": {
        const { writes } = bodyOf(entry, entry.kind);
        const [first] = writes;
        if (first !== undefined)
          staysByStep.set(step, { step, tool: first.document, seq, why: "Versions of documents stay as they are." });
        break;
      }
      default:
    }
  }
  return [...staysByStep.values()].toReversed();
}

function change(staysByStep: Map<string, Stays>, step: string, now: Pick<Stays, "seq" | "why">): void {
  const known = staysByStep.get(step);
  if (known !== undefined) staysByStep.set(step, { ...known, ...now });
}
