import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

import { openTutti, type LedgerEntry } from "../../packages/tutti/src/index.ts";

const root = path.join(import.meta.dirname, "../..");
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
  readRuns(): Promise<{ readonly id: string; readonly status: string; readonly entries: readonly LedgerEntry[] }[]>;
  close(): Promise<void>;
}

/** `inputs`: the folder of its input files, inside the example. */
export async function openExample(name: string, inputs: string): Promise<PlayedExample> {
  const folder = await mkdtemp(path.join(tmpdir(), `tutti-${name}-`));
  const given = path.join(folder, inputs);
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
    readRuns: () => readRuns(path.join(folder, ".tutti", `${name}.db`)),
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
      env: { PATH: process.env["PATH"], NODE_OPTIONS: process.env["NODE_OPTIONS"], CI: "1" },
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

async function readRuns(ledger: string): ReturnType<PlayedExample["readRuns"]> {
  const tutti = await openTutti({ flows: [], ledger, recover: false });
  try {
    const runs = await tutti.runs();
    return await Promise.all(
      runs.map(async ({ id, status }) => ({ id, status, entries: await (await tutti.open(id)).entries() })),
    );
  } finally {
    await tutti.close();
  }
}
