import { spawn } from "node:child_process";
import { Readable, Writable } from "node:stream";

import type { Clock } from "../../base/clock.ts";
import { describeThrown, TuttiError } from "../../base/errors.ts";
import { descriptors } from "./bubblewrap-arguments.ts";
import { codeLimits, type CodeLimit } from "./code-provider.ts";
import { openLines, type Lines } from "./lines.ts";

export interface ProgramToRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly program: string;
  readonly input: string;
  readonly timeoutMs: number;
}

export type Ran = { readonly lines: readonly string[]; readonly linesDropped: number } & (
  | { readonly kind: "ended"; readonly exitCode: number; readonly result: string }
  | { readonly kind: "stopped"; readonly limit: CodeLimit }
);

interface Around {
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

const resultBytesMax = codeLimits.resultCharsMax * 4 + 1;
/** A program that prints more is stopped: reading it all would keep this process from its work. */
const printedBytesMax = 16_000_000;
/** After a kill, until what is left of it is given up. */
const killGraceMs = 5_000;
// The kernel counts nobody's processes, but not root's: without this a root's sandbox could fill the machine with them.
const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/**
 * Runs a sandbox's command in a process group of its own, which does not outlive this call.
 * @throws TuttiError TOOL_UNAVAILABLE when the sandbox could not be made. The signal's reason when it aborts.
 */
export async function runProgram(job: ProgramToRun, { signal, clock }: Around): Promise<Ran> {
  signal.throwIfAborted();
  const child = spawn(job.command, job.args, {
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe"],
    detached: true,
    env: { PATH: process.env["PATH"] },
    ...asNobody,
  });
  const lines = openLines();
  const { promise, resolve, reject } = Promise.withResolvers<Ran>();
  let limit: CodeLimit | undefined;
  let forgetGiveUp: (() => void) | undefined;
  const kill = (): void => {
    killGroup(child.pid);
    forgetGiveUp = clock.after(killGraceMs, () => child.stdio.forEach((stream) => stream?.destroy()));
  };
  const stop = (reached: CodeLimit): void => {
    if (limit !== undefined) return;
    limit = reached;
    kill();
  };
  const forgetTimer = clock.after(job.timeoutMs, () => stop("time"));
  signal.addEventListener("abort", kill, { once: true });
  for (const stream of [child.stdout, child.stderr]) feed(stream, lines, () => stop("output"));
  const pipes: readonly unknown[] = child.stdio; // its type knows five, there are six
  give(pipes[descriptors.program], job.program);
  give(pipes[descriptors.input], job.input);
  const result = collect(pipes[descriptors.result]);
  child.once("error", (error) => reject(notStarted(describeThrown(error), error)));
  child.once("close", (exitCode) => {
    const said = result();
    const printed = lines.close();
    if (limit !== undefined) resolve({ kind: "stopped", limit, ...printed });
    else if (!said.startsWith("+")) reject(notStarted(printed.lines.at(-1) ?? "it said nothing"));
    else if (exitCode === null) resolve({ kind: "stopped", limit: "crash", ...printed });
    else resolve({ kind: "ended", exitCode, result: said.slice(1), ...printed });
  });
  try {
    return await promise.finally(() => signal.throwIfAborted());
  } finally {
    forgetTimer();
    forgetGiveUp?.();
    signal.removeEventListener("abort", kill);
    killGroup(child.pid);
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // It has ended already.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function feed(stream: Readable | null, lines: Lines, onTooMuch: () => void): void {
  let bytes = 0;
  stream?.setEncoding("utf8").on("data", (chunk: string) => {
    bytes += chunk.length;
    lines.add(stream, chunk);
    if (bytes > printedBytesMax) onTooMuch();
  });
}

function give(stream: unknown, content: string): void {
  if (!(stream instanceof Writable)) return;
  stream.on("error", () => undefined); // a sandbox that does not stand reads nothing; its end tells
  stream.end(content);
}

function collect(stream: unknown): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (stream instanceof Readable)
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= resultBytesMax) chunks.push(chunk);
    });
  return () => Buffer.concat(chunks).toString("utf8");
}

function notStarted(why: string, cause?: unknown): TuttiError {
  return new TuttiError("TOOL_UNAVAILABLE", `the sandbox could not be made: ${why}`, {
    hint: "It needs Linux, bubblewrap (on Debian: apt-get install bubblewrap) and leave to make user namespaces.",
    cause,
  });
}
