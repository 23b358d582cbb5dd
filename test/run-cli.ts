import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const bin = path.join(root, "packages/tutti/bin/tutti.mjs");

/** The folder of flows that the tests of the command line run. */
export const cliFlows = path.join(root, "test/cli-flows");

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliCall {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Another Node than this one, or arguments for it. */
  readonly node?: string;
  readonly nodeArgs?: readonly string[];
  /** Another program than the command line. */
  readonly program?: string;
}

/** A command that is still at work. */
export interface RunningCli {
  readonly process: ChildProcess;
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves when the condition holds. Rejects when the process ends before, with what it said. */
  until(condition: () => boolean): Promise<void>;
  readonly result: Promise<CliResult>;
}

/** An empty folder in which commands are run, each in a process of its own. */
export interface CliFolder {
  readonly folder: string;
  run(args: readonly string[], call?: CliCall): Promise<CliResult>;
  start(args: readonly string[], call?: CliCall): RunningCli;
  /** The same on a terminal of 80 columns and 24 rows; what is typed goes to `process.stdin`. */
  startOnTerminal(args: readonly string[], call?: CliCall): RunningCli;
  [Symbol.dispose](): void;
}

const timeoutMs = 45_000;

export function openCliFolder(): CliFolder {
  const folder = mkdtempSync(path.join(tmpdir(), "tutti-cli-"));
  const running = new Set<ChildProcess>();

  const launch = (file: string, args: readonly string[], call: CliCall): RunningCli => {
    const env = { PATH: process.env["PATH"] ?? "", HOME: folder, TERM: "xterm-256color", ...call.env };
    const child = spawn(file, args, { cwd: folder, env, stdio: "pipe", timeout: timeoutMs, killSignal: "SIGKILL" });
    running.add(child);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin.on("error", () => {}); // it may end before it has read everything
    if (call.stdin !== undefined) child.stdin.end(call.stdin);
    const result = new Promise<CliResult>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        running.delete(child);
        resolve({ code, signal, stdout, stderr });
      });
    });
    return {
      process: child,
      get stdout() {
        return stdout;
      },
      get stderr() {
        return stderr;
      },
      async until(condition) {
        while (!condition()) {
          if (child.exitCode !== null || child.signalCode !== null)
            throw new Error(`ended too early:\n${stdout}\n${stderr}`);
          await new Promise((resolve) => void setTimeout(resolve, 20));
        }
      },
      result,
    };
  };

  const start = (args: readonly string[], call: CliCall = {}): RunningCli =>
    launch(call.node ?? process.execPath, toArgs(args, call), call);
  return {
    folder,
    start,
    run: (args, call = {}) => start(args, { stdin: "", ...call }).result,
    startOnTerminal(args, call = {}) {
      const words = [call.node ?? process.execPath, ...toArgs(args, call)].map(
        (word) => `'${word.replaceAll("'", `'\\''`)}'`,
      );
      return launch("script", ["-qec", `stty cols 80 rows 24; exec ${words.join(" ")}`, "/dev/null"], call);
    },
    [Symbol.dispose]() {
      for (const child of running) child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function toArgs(args: readonly string[], call: CliCall): readonly string[] {
  return [...(call.nodeArgs ?? []), "--conditions=tutti-source", call.program ?? bin, ...args];
}
