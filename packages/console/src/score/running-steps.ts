import type { EntryHead, Progress } from "tutti/client";

/** A step that is at work now, and the end of what it says. */
export interface RunningStep {
  readonly step: string;
  readonly attempt: number;
  readonly text: string;
}

/** So much of the words of one step is kept: the newest. */
const charactersKept = 120;
const stepsMax = 200;

/** What follows a step's beginning without ending it. */
const between = new Set([
  "attempt-failed",
  "effect-intended",
  "budget-reserved",
  "approval-requested",
  "policy-decided",
]);

/** The steps that are at work after what was heard: the one that said something last comes last. */
export function hear(
  running: readonly RunningStep[],
  run: string,
  progress: readonly Progress[],
): readonly RunningStep[] {
  let steps = running;
  for (const { run: of, kind, step, attempt = 1, text = "" } of progress) {
    if (of !== run || kind === "progress") continue;
    const before = steps.find((each) => each.step === step);
    const said = before?.attempt === attempt ? before.text : "";
    steps = [
      ...steps.filter((each) => each !== before),
      { step, attempt, text: `${said}${text}`.slice(-charactersKept) },
    ];
  }
  return steps.slice(-stepsMax);
}

/** Without those that these entries end. No entries at all: something was missed, and nobody knows what goes on. */
export function end(
  running: readonly RunningStep[],
  run: string,
  entries: readonly EntryHead[],
): readonly RunningStep[] {
  if (entries.length === 0) return [];
  const own = entries.filter((entry) => entry.run === run && !between.has(entry.kind));
  const ended = new Set(own.map(({ key }) => key));
  return own.length === 0 ? running : running.filter(({ step }) => !ended.has(step));
}
