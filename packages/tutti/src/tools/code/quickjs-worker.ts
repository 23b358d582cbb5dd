import { parentPort, workerData } from "node:worker_threads";

import type { QuickJSSyncVariant } from "quickjs-emscripten-core";

import type { WorkerJob, WorkerMessage } from "./quickjs-messages.ts";
import { preludeSource } from "./quickjs-prelude.ts";

// Runs one program and ends with the thread: nothing of it is left for the next one.
// Everything imported at run time stays inside this folder and the two QuickJS packages.

const jobsPerTurn = 1_000;

const neverSettled = JSON.stringify({
  kind: "failed",
  name: "NeverSettled",
  message: "the program waits for a promise that nothing can settle any more: there are no timers and no network here",
  stack: "",
});

stopTheClock();
if (parentPort !== null) {
  const port = parentPort;
  const send = (message: WorkerMessage): void => port.postMessage(message);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place that starts this file gives a WorkerJob
  await run(workerData as WorkerJob, send);
}

async function run(job: WorkerJob, send: (message: WorkerMessage) => void): Promise<void> {
  const { newQuickJSWASMModuleFromVariant } = await import("quickjs-emscripten-core");
  const loaded: { readonly default: unknown } = await import("@jitl/quickjs-wasmfile-release-sync");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the package declares its default twice nested, as CommonJS; as a module it is not
  const quickJs = await newQuickJSWASMModuleFromVariant(loaded.default as QuickJSSyncVariant);
  const runtime = quickJs.newRuntime({ memoryLimitBytes: job.memoryBytesMax, maxStackSizeBytes: job.stackBytesMax });
  const context = runtime.newContext();
  let linesLeft = job.limits.lines;
  const print = context.newFunction("print", (line) => {
    linesLeft -= 1;
    if (linesLeft >= 0) send({ kind: "line", text: context.getString(line).slice(0, job.limits.line) });
    else if (linesLeft === -1) send({ kind: "lines-full" });
    return linesLeft >= 0 ? context.true : context.false;
  });
  const limits = context.newObject();
  context.setProp(limits, "line", context.newNumber(job.limits.line));
  context.setProp(limits, "result", context.newNumber(job.limits.result));

  const prelude = context.unwrapResult(context.evalCode(preludeSource, "tutti.js"));

  // From here on it is the program's own time.
  let isInterrupted = false;
  send({ kind: "started" });
  const startedMs = performance.now();
  runtime.setInterruptHandler(() => (isInterrupted ||= performance.now() - startedMs > job.timeoutMs));
  const called = context.callFunction(prelude, context.undefined, print, context.newString(job.job), limits);
  if (called.error !== undefined) {
    send({ kind: "end", text: toStopped(isInterrupted ? "time" : "memory") });
    return;
  }
  let ran = runtime.executePendingJobs(jobsPerTurn);
  while (ran.error === undefined && ran.value > 0 && !isInterrupted) {
    isInterrupted = performance.now() - startedMs > job.timeoutMs;
    ran = runtime.executePendingJobs(jobsPerTurn);
  }
  if (isInterrupted) {
    send({ kind: "end", text: toStopped("time") });
    return;
  }
  const state = context.getPromiseState(called.value);
  if (state.type === "fulfilled") send({ kind: "end", text: context.getString(state.value) });
  else send({ kind: "end", text: state.type === "pending" ? neverSettled : toStopped("memory") });
}

function toStopped(limit: "time" | "memory"): string {
  return JSON.stringify({ kind: "stopped", limit });
}

/**
 * QuickJS asks this thread for the time and the time zone (it seeds `Math.random` by them). Here it is always the first moment of 1970, in
 * UTC, so that the same program with the same input gives the same result on every machine.
 */
function stopTheClock(): void {
  const RealDate = Date;
  const StoppedDate = class extends RealDate {
    constructor(...parts: readonly unknown[]) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- passed on as they came
      super(...((parts.length === 0 ? [0] : parts) as [number]));
    }
    static override now(): number {
      return 0;
    }
    override getTimezoneOffset(): number {
      return 0;
    }
    override getFullYear(): number {
      return this.getUTCFullYear();
    }
    override getMonth(): number {
      return this.getUTCMonth();
    }
    override getDate(): number {
      return this.getUTCDate();
    }
    override getDay(): number {
      return this.getUTCDay();
    }
    override getHours(): number {
      return this.getUTCHours();
    }
    override getMinutes(): number {
      return this.getUTCMinutes();
    }
    override getSeconds(): number {
      return this.getUTCSeconds();
    }
  };
  Object.defineProperty(globalThis, "Date", { value: StoppedDate });
}
