import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

export interface Played {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A change of one place in a file of the example: another input, or a fault planted in its code. */
export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** A program that hangs is killed, and then fails its test. */
const lifetimeMaxMs = 150_000;
const root = path.resolve(import.meta.dirname, "../..");

/** Runs an example's program as a user does, in a process of its own, on a copy of the example in which things may be changed. */
export async function play(
  example: string,
  changes: readonly Change[] = [],
  words: readonly string[] = [],
): Promise<Played> {
  const folder = await mkdtemp(path.join(tmpdir(), `tutti-${example}-`));
  try {
    for (const name of [example, "stage"])
      await cp(path.join(root, "examples", name), path.join(folder, "examples", name), { recursive: true });
    for (const name of ["node_modules", "packages", "test"])
      await symlink(path.join(root, name), path.join(folder, name));
    for (const change of changes) await apply(path.join(folder, "examples", example, change.file), change);
    return await run(path.join(folder, "examples", example, "main.ts"), words, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function apply(file: string, { from, to }: Change): Promise<void> {
  const parts = (await readFile(file, "utf8")).split(from);
  if (parts.length !== 2) throw new Error(`${file} has ${JSON.stringify(from)} ${parts.length - 1} times`);
  await writeFile(file, parts.join(to));
}

function run(main: string, words: readonly string[], cwd: string): Promise<Played> {
  const flags = ["--conditions=tutti-source", "--disable-warning=ExperimentalWarning"];
  const child = spawn(process.execPath, [...flags, main, ...words], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: lifetimeMaxMs,
    killSignal: "SIGKILL",
  });
  const played = { out: "", err: "" };
  child.stdout.on("data", (chunk) => (played.out += String(chunk)));
  child.stderr.on("data", (chunk) => (played.err += String(chunk)));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ ...played, code }));
  });
}
