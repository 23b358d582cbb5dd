import { Worker } from "node:worker_threads";

import { systemClock, type Clock } from "../../base/clock.ts";
import { describeThrown, TuttiError } from "../../base/errors.ts";
import type { ToolHost } from "../../contracts/callable.ts";
import { checkCodeInput } from "./check-code-input.ts";
import { codeLimits, type CodeInput, type CodeOutput, type CodeProvider } from "./code-provider.ts";
import { openPlaces } from "./places.ts";
import { parseProgramEnd, type ProgramEnd } from "./program-end.ts";
import type { WorkerJob, WorkerMessage } from "./quickjs-messages.ts";

export interface QuickJsOptions {
  /** Of the program alone, without the start of its thread; 5,000 by default. */
  readonly timeoutMs?: number;
  /** What the program may allocate; 64 MB by default. */
  readonly memoryBytesMax?: number;
  /** Programs at a time; 2 by default. Each has a thread of its own; further ones wait. */
  readonly concurrency?: number;
  readonly clock?: Clock;
}

const defaults = { timeoutMs: 5_000, memoryBytesMax: 64_000_000, concurrency: 2 } as const;
const stackBytesMax = 256 * 1_024;
const waitingMax = 256;
/** A program that QuickJS can't interrupt (it allocates, or sits in one long built-in call) loses its thread so much later. */
const graceMs = 250;
const startMsMax = 30_000;
const threadLimits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 } as const;

/**
 * Runs JavaScript in QuickJS, compiled to WebAssembly, in a thread that lives for one program. There is nothing of the host in it: no files,
 * no network, no process, no timers, no clock. The same program with the same input gives the same result.
 */
export function quickJsCode(options: QuickJsOptions = {}): CodeProvider {
  const { timeoutMs, memoryBytesMax, concurrency } = { ...defaults, ...options };
  const clock = options.clock ?? systemClock;
  const places = openPlaces(concurrency, waitingMax);
  return {
    name: "quickjs",
    languages: ["javascript"],
    async run(input: CodeInput, { signal }: ToolHost): Promise<CodeOutput> {
      checkCodeInput(input);
      const job: WorkerJob = {
        job: JSON.stringify({ code: input.code, input: input.input ?? null }),
        timeoutMs,
        memoryBytesMax,
        stackBytesMax,
        limits: {
          lines: codeLimits.consoleLinesMax,
          line: codeLimits.consoleLineCharsMax,
          result: codeLimits.resultCharsMax,
        },
      };
      return places.use(signal, () => runInThread(job, { signal, clock }));
    },
  };
}

interface Around {
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

async function runInThread(job: WorkerJob, { signal, clock }: Around): Promise<CodeOutput> {
  signal.throwIfAborted();
  const worker = new Worker(workerFile(), {
    workerData: job,
    env: {},
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdin: false,
    stdout: true,
    stderr: true,
    resourceLimits: threadLimits,
  });
  const { promise, resolve, reject } = Promise.withResolvers<ProgramEnd>();
  const lines: string[] = [];
  let dropped = 0;
  let forgetTimer = clock.after(startMsMax, () => reject(notStarted("it did not start in time")));
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  let hasStarted = false;
  worker.on("message", (message: WorkerMessage) => {
    switch (message.kind) {
      case "started":
        hasStarted = true;
        forgetTimer();
        forgetTimer = clock.after(job.timeoutMs + graceMs, () => resolve({ kind: "stopped", limit: "time" }));
        return;
      case "line":
        lines.push(message.text);
        return;
      case "lines-full":
        dropped = 1;
        return;
      case "end":
        resolve(parseProgramEnd(message.text));
    }
  });
  worker.on("error", (error) => {
    if (hasStarted) resolve({ kind: "stopped", limit: isOutOfMemory(error) ? "memory" : "crash" });
    else reject(notStarted(describeThrown(error), error));
  });
  worker.on("exit", () => {
    if (hasStarted) resolve({ kind: "stopped", limit: "crash" });
    else reject(notStarted("its thread ended"));
  });
  try {
    return { ...(await promise), console: lines, consoleDropped: dropped };
  } finally {
    forgetTimer();
    signal.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
}

function notStarted(why: string, cause?: unknown): TuttiError {
  return new TuttiError("TOOL_UNAVAILABLE", `the sandbox could not be started: ${why}`, {
    hint: "Look whether memory is short, and whether the packages of QuickJS are installed.",
    cause,
  });
}

// In the repository the TypeScript source runs as it is; an installed package brings it compiled.
function workerFile(): URL {
  const isSource = import.meta.url.endsWith(".ts");
  return isSource ? new URL("./quickjs-worker.ts", import.meta.url) : new URL("./quickjs-worker.js", import.meta.url);
}
