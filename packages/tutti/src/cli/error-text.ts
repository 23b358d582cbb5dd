import { toStoredError, type TuttiError } from "../base/errors.ts";
import { toPlainLine, type Paint } from "./terminal-text.ts";

/** An error as one block for people: its code, what happened, what to do. */
export function toErrorText(error: TuttiError, paint: Paint): string {
  const lines = [`${paint("red", `✗ ${error.code}`)}  ${toPlainLine(error.message)}`];
  const causes = toStoredError(error).causes?.filter((cause) => !error.message.includes(cause)) ?? [];
  for (const cause of causes.slice(0, causesMax)) lines.push(`  because: ${toPlainLine(cause)}`);
  // Each line of a hint is something to do.
  for (const hint of error.hint?.split("\n") ?? []) lines.push(`  ${paint("bold", "→")} ${toPlainLine(hint)}`);
  if (process.env["TUTTI_DEBUG"] === "1") lines.push(...toStacks(error));
  return `${lines.join("\n")}\n`;
}

/** The same as one line of JSON, for `--json`. */
export function toErrorLine(error: TuttiError): string {
  return `${JSON.stringify({ error: toStoredError(error) })}\n`;
}

const causesMax = 3;

function toStacks(error: TuttiError): readonly string[] {
  const stacks: string[] = [];
  for (let at: unknown = error; at instanceof Error && stacks.length < 8; at = at.cause)
    stacks.push(...(at.stack ?? "").split("\n").map(toPlainLine));
  return stacks;
}
