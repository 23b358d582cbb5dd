import { isTuttiError, type Activity, type LedgerEntry, type RunId } from "tutti";
import { openLiveView } from "tutti/terminal";

/** How the job shows what it does. */
export interface View {
  readonly show: (activity: Activity) => void;
  follow(run: RunId, entries: readonly LedgerEntry[]): void;
  close(): void;
}

/** The live tree on a terminal, lines in a pipe; with `json`, a line for everything that happens, for other programs. */
export function openView(json: boolean): View {
  if (!json) return openLiveView();
  return {
    show(activity) {
      if (activity.kind === "entry")
        writeLine({ kind: "entry", entry: activity.entry.kind, key: activity.entry.key, seq: activity.entry.seq });
      else if (activity.kind === "step-started") writeLine({ kind: "step-started", key: activity.step });
    },
    follow() {},
    close() {},
  };
}

/** A line for other programs, on standard output. */
export function writeLine(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** A line for people, on standard error: standard output is for the page's path. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** One error, once, with what to do about it. */
export function sayError(thrown: unknown): void {
  say(
    isTuttiError(thrown)
      ? `\n✗ ${thrown.message} (${thrown.code})${thrown.hint === undefined ? "" : `\n  ${thrown.hint}`}`
      : `\n✗ ${describeThrown(thrown)}`,
  );
}

export function describeThrown(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
