import { takesColor, toPaint, toPlainLine, type Paint } from "./terminal-text.ts";

/** Writes a line of a command's own to standard output. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes a line for people that is not part of the result. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function sayJson(value: unknown): void {
  say(JSON.stringify(value));
}

export function stdoutPaint(): Paint {
  return toPaint(takesColor(process.stdout));
}

export function stderrPaint(): Paint {
  return toPaint(takesColor(process.stderr));
}

const columnsInPipes = 120;

export function stdoutColumns(): number {
  return process.stdout.isTTY ? process.stdout.columns : columnsInPipes;
}

/** A result as it is printed: text as it is, everything else as JSON. On a terminal it can't move the cursor or change colours. */
export function toResultText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return process.stdout.isTTY ? text.split("\n").map(toPlainLine).join("\n") : text;
}

/** Waits until everything that was written has left the process. */
export async function drainOutput(): Promise<void> {
  await Promise.all([drain(process.stdout), drain(process.stderr)]);
}

function drain(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve();
    else stream.write("", () => resolve());
  });
}
