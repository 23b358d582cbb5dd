import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

import { openTutti, type LedgerEntry, type RunHandle, type Tutti } from "../../packages/tutti/src/index.ts";

const root = path.join(import.meta.dirname, "../..");
/** Types are stripped once, not in each of many short lives. */
const compiledFolder = path.join(root, "node_modules", ".cache", "tutti", "compiled");
/** A program that hangs is killed, and then fails its test. */
const lifetimeMaxMs = 30_000;

export interface Played {
  /** `null`: it was killed. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** An example in a folder of its own, with a copy of its inputs. */
export interface PlayedExample {
  readonly folder: string;
  /** Runs its program as a user does, in a process of its own; kills it at the first line of progress that fits `killAt`. */
  play(words?: readonly string[], killAt?: RegExp): Promise<Played>;
  /** Runs the command line of Tutti in the same folder. */
  tutti(...words: readonly string[]): Promise<Played>;
  /** Changes an input file. */
  edit(file: string, change: (text: string) => string): Promise<void>;
  /** Lets a test look at its only run, for checks of its own. */
  look<Output>(work: (run: RunHandle, tutti: Tutti) => Promise<Output>): Promise<Output>;
  readRuns(): Promise<{ readonly id: string; readonly status: string; readonly entries: readonly LedgerEntry[] }[]>;
  close(): Promise<void>;
}

/** `inputs`: the folder of its input files, inside the example. */
export async function openExample(name: string, inputs: string): Promise<PlayedExample> {
  const folder = await mkdtemp(path.join(tmpdir(), `tutti-${name}-`));
  const given = path.join(folder, inputs);
  const ledger = path.join(folder, ".tutti", `${name}.db`);
  await cp(path.join(root, "examples", name, inputs), given, { recursive: true });
  return {
    folder,
    play: (words = [], killAt) =>
      playProgram(folder, [path.join(root, "examples", name, "main.ts"), given, ...words], killAt),
    tutti: (...words) => playProgram(folder, [path.join(root, "packages/tutti/bin/tutti.mjs"), ...words]),
    async edit(file, change) {
      const before = await readFile(path.join(given, file), "utf8");
      const after = change(before);
      if (after === before) throw new Error(`${file} was not changed`);
      await writeFile(path.join(given, file), after);
    },
    look: (work) =>
      withLedger(ledger, async (tutti) => {
        const [only, ...others] = await tutti.runs();
        if (only === undefined || others.length > 0) throw new Error(`${ledger} does not have one run`);
        return work(await tutti.open(only.id), tutti);
      }),
    readRuns: () => withLedger(ledger, readRuns),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The keys of a run's steps that the ledger has as done: none twice. */
export function keysDone(entries: readonly LedgerEntry[]): string[] {
  return entries.filter(({ kind }) => kind === "step-done" || kind === "effect-settled").map(({ key }) => key);
}

function playProgram(folder: string, words: readonly string[], killAt?: RegExp): Promise<Played> {
  const child = spawn(
    process.execPath,
    ["--conditions=tutti-source", "--disable-warning=ExperimentalWarning", ...words],
    {
      cwd: folder,
      env: {
        PATH: process.env["PATH"],
        NODE_OPTIONS: process.env["NODE_OPTIONS"],
        NODE_COMPILE_CACHE: compiledFolder,
        CI: "1",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const timer = setTimeout(() => child.kill("SIGKILL"), lifetimeMaxMs);
  const played = { out: "", err: "" };
  createInterface(child.stdout).on("line", (line) => {
    played.out += `${line}\n`;
  });
  createInterface(child.stderr).on("line", (line) => {
    played.err += `${line}\n`;
    if (killAt?.test(line) === true) child.kill("SIGKILL");
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ ...played, code });
    });
  });
}

async function withLedger<Output>(ledger: string, work: (tutti: Tutti) => Promise<Output>): Promise<Output> {
  const tutti = await openTutti({ flows: [], ledger, recover: false });
  try {
    return await work(tutti);
  } finally {
    await tutti.close();
  }
}

async function readRuns(tutti: Tutti): ReturnType<PlayedExample["readRuns"]> {
  const runs = await tutti.runs();
  return Promise.all(
    runs.map(async ({ id, status }) => ({ id, status, entries: await (await tutti.open(id)).entries() })),
  );
}
