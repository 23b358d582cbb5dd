import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Check, Mutation } from "./mutation-table.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const source = "packages/tutti/src";
const copied = [
  source,
  "packages/tutti/package.json",
  "package.json",
  "vitest.config.ts",
  "test/crash",
  "test/ledger",
  "test/mutations",
  "test/requirements.ts",
  "test/verifies.ts",
];

/** A copy of the engine and of its tests, in a folder of its own. Outside node_modules, because Node runs no TypeScript there. */
export interface MutatedCopy extends AsyncDisposable {
  /** @throws Error when the text to replace is not there exactly once: the source has changed, and so must the mutation */
  plant(mutation: Mutation): Promise<void>;
  run(check: Check): Promise<Verdict>;
}

export interface Verdict {
  readonly exitCode: number;
  /** What the check said last, such as `400 points, 12 wrong`. */
  readonly said: string;
}

export async function openMutatedCopy(): Promise<MutatedCopy> {
  const folder = await mkdtemp(join(tmpdir(), "tutti-mutation-"));
  for (const path of copied) await cp(join(root, path), join(folder, path), { recursive: true });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  return {
    plant: (mutation) => plant(folder, mutation),
    run: (check) => run(folder, check),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function plant(folder: string, { file, name, text, replacement }: Mutation): Promise<void> {
  const path = join(folder, source, file);
  const parts = (await readFile(path, "utf8")).split(text);
  if (parts.length !== 2)
    throw new Error(`"${name}": ${file} holds the text to replace ${parts.length - 1} times:\n${text}`);
  await writeFile(path, parts.join(replacement));
}

async function run(folder: string, check: Check): Promise<Verdict> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...toArguments(check)], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  let text = "";
  const take = (chunk: string): void => void (text += chunk);
  child.stdout.setEncoding("utf8").on("data", take);
  child.stderr.setEncoding("utf8").on("data", take);
  await closed;
  const lines = text.split("\n").map((line) => line.trim());
  return {
    exitCode: child.exitCode ?? 1,
    said: lines.findLast((line) => /^(\d+ points|Tests )/u.test(line)) ?? text.slice(-2_000),
  };
}

function toArguments(check: Check): readonly string[] {
  switch (check.kind) {
    case "crash":
      return ["test/crash/main.ts", "--points", String(check.points), "--seed", String(check.seed)];
    case "ledger":
      return [
        "node_modules/vitest/vitest.mjs",
        "run",
        "--typecheck.enabled=false",
        `${source}/ledger/memory/memory-ledger.test.ts`,
      ];
    case "program":
      return ["test/mutations/main.ts", check.name];
  }
}
