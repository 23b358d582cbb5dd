import { redactSecrets } from "../base/known-secrets.ts";
import { takesColor, toPaint, toPlainLine, type Paint } from "./terminal-text.ts";

type Write = (text: string, written?: () => void) => void;

let writeResult: Write = (text, written) => void process.stdout.write(text, written);

/**
 * Keeps the values of known secrets off both streams, whoever prints: a tool's console.log, a stack. For the rest of the process. A value
 * that is printed in two pieces is not seen.
 */
export function guardOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    const guarded = (chunk: string | Uint8Array, ...more: []): boolean => write(toClean(chunk), ...more);
    Object.defineProperty(stream, "write", { value: guarded, configurable: true, writable: true });
  }
}

function toClean(chunk: string | Uint8Array): string | Uint8Array {
  if (typeof chunk === "string") return redactSecrets(chunk);
  const text = Buffer.from(chunk).toString("utf8");
  const clean = redactSecrets(text);
  return clean === text ? chunk : clean;
}

/**
 * Keeps standard output for what the command itself says: whatever else is printed there, by a flow's console.log for example, goes to
 * standard error. For the rest of the process.
 */
export function reserveStandardOutput(): void {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  const divert = stderr.write.bind(stderr);
  writeResult = (text, written) => void write(text, written);
  Object.defineProperty(stdout, "write", { value: divert, configurable: true, writable: true });
}

/** Writes to standard output as it is. */
export function put(text: string): void {
  writeResult(text);
}

/** Writes a line of a command's own to standard output. */
export function say(line: string): void {
  writeResult(`${line}\n`);
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
  await drain(process.stdout, writeResult);
  await drain(process.stderr, (text, written) => void process.stderr.write(text, written));
}

function drain(stream: NodeJS.WriteStream, write: Write): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve();
    else write("", resolve);
  });
}
