import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { delay } from "./delay.ts";

/** How one life of the worker goes. */
export interface LifePlan {
  readonly file: string;
  readonly port: number;
  readonly life: number;
  readonly seed: number;
  /** When it is killed; without it, it finishes everything and ends by itself. */
  readonly kill?: { readonly from: "start" | "opened"; readonly afterMs: number };
}

export interface LifeEnd {
  /** What the worker said, whole lines only: the kill may have cut the last. */
  readonly lines: readonly string[];
  readonly wasKilled: boolean;
  readonly exitCode: number | null;
}

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const flags = ["--conditions=tutti-source", "--disable-warning=ExperimentalWarning"] as const;

export async function liveOnce(plan: LifePlan): Promise<LifeEnd> {
  const args = [plan.file, plan.port, plan.life, plan.seed, plan.kill === undefined ? "finish" : "start"].map(String);
  const child = spawn(process.execPath, [...flags, path("worker.ts"), ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const closed = once(child, "close");
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (text.includes("opened\n")) open();
  });
  void closed.then(() => open());
  if (plan.kill !== undefined) {
    if (plan.kill.from === "opened") await opened;
    await delay(plan.kill.afterMs);
    child.kill("SIGKILL");
  }
  await closed;
  return { lines: text.split("\n").slice(0, -1), wasKilled: child.signalCode === "SIGKILL", exitCode: child.exitCode };
}

export interface RecorderProcess extends AsyncDisposable {
  readonly port: number;
}

export async function startRecorder(seed: number): Promise<RecorderProcess> {
  const child = spawn(process.execPath, [...flags, path("recorder.ts"), String(seed)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const port = Number(await Promise.race([readLine(child), once(child, "close").then(() => "0")]));
  if (!(port > 0)) throw new Error("the recorder did not start");
  return {
    port,
    async [Symbol.asyncDispose]() {
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    },
  };
}

async function readLine(child: ChildProcess): Promise<string> {
  for await (const chunk of child.stdout ?? []) return String(chunk).trim();
  return "";
}
