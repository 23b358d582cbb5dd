import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

import { contestants, toReadyFile } from "./contestants.ts";

// Installs the peers, each in its own folder: `node scripts/run.mjs bench/setup.ts [langgraph …]`. What can't be installed is skipped.
const peersFolder = join(import.meta.dirname, "peers");
const chosen = process.argv.slice(2);
const known = [...new Set(contestants.flatMap(({ peer }) => (peer === undefined ? [] : [peer])))];
for (const peer of chosen.length === 0 ? known : chosen) {
  process.stdout.write(`${peer}: `);
  const problem = install(peer);
  process.stdout.write(problem === undefined ? "ready\n" : `skipped, ${problem}\n`);
}

/** Says why it can't be used, or leaves a note with the versions that were installed. */
function install(peer: string): string | undefined {
  const folder = join(peersFolder, peer);
  if (!existsSync(join(folder, "package.json"))) return "there is no such peer";
  rmSync(toReadyFile(peer), { force: true });
  // LangGraph's packages contradict each other about their peers; its native part is built below.
  const extra = peer === "langgraph" ? ["--legacy-peer-deps", "--ignore-scripts"] : [];
  const installed = npm(folder, ["install", "--no-package-lock", "--no-audit", "--no-fund", ...extra]);
  if (installed.status !== 0) return `npm install failed: ${lastLines(installed)}`;
  const problem = peer === "langgraph" ? buildSqlite(folder) : undefined;
  if (problem !== undefined) return problem;
  const loaded = node(folder, ["--input-type=module", "-e", "await import('./adapter.mjs')"]);
  if (loaded.status !== 0) return `it does not load: ${lastLines(loaded)}`;
  writeFileSync(toReadyFile(peer), JSON.stringify(readVersions(folder)));
  return undefined;
}

/**
 * better-sqlite3 downloads a binary or compiles itself. Compiled with the headers of Node 24.21 it aborts when garbage is collected: the
 * hook that `ObjectWrap` takes out when an object dies needs an environment that is gone. So it is compiled without that hook.
 */
function buildSqlite(folder: string): string | undefined {
  const works = (): boolean => {
    const program = `
      import { createRequire } from "node:module";
      const Database = createRequire(process.cwd() + "/")("better-sqlite3");
      for (let at = 0; at < 2_000; at++) new Database(":memory:").prepare("select 1 as one").get();
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 50));
      globalThis.gc();`;
    return node(folder, ["--expose-gc", "--input-type=module", "-e", program]).status === 0;
  };
  if (works()) return undefined;
  npm(folder, ["rebuild", "better-sqlite3"]);
  if (works()) return undefined;
  const headers = copyHeaders(folder);
  if (headers === undefined)
    return "better-sqlite3 has no binary for this Node, and there are no headers to compile it";
  const built = npm(folder, ["rebuild", "better-sqlite3", "--build-from-source", `--nodedir=${headers}`]);
  return works() ? undefined : `better-sqlite3 could not be compiled: ${lastLines(built)}`;
}

function copyHeaders(folder: string): string | undefined {
  const packages = join(import.meta.dirname, "..", "node_modules", "node", "node_modules");
  const platform = existsSync(packages)
    ? readdirSync(packages).find((name) => name.startsWith("node-linux"))
    : undefined;
  if (platform === undefined) return undefined;
  const headers = join(folder, "node_modules", ".headers");
  cpSync(join(packages, platform, "include"), join(headers, "include"), { recursive: true });
  const file = join(headers, "include", "node", "node_object_wrap.h");
  const text = readFileSync(file, "utf8").replaceAll(/^ {4}(Add|Remove)CleanupHook\(\);$/gm, "");
  writeFileSync(file, text);
  return headers;
}

function readVersions(folder: string): Readonly<Record<string, string>> {
  const { dependencies }: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  return dependencies;
}

function npm(folder: string, args: readonly string[]): SpawnSyncReturns<string> {
  return run("npm", args, folder);
}

function node(folder: string, args: readonly string[]): SpawnSyncReturns<string> {
  return run(process.execPath, args, folder);
}

function run(program: string, args: readonly string[], folder: string): SpawnSyncReturns<string> {
  const env = { ...process.env, PATH: dirname(process.execPath) + delimiter + (process.env["PATH"] ?? "") };
  return spawnSync(program, args, { cwd: folder, env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}

const shownLines = 3;

function lastLines({ stdout, stderr, error }: SpawnSyncReturns<string>): string {
  if (error !== undefined) return error.message;
  return `${stdout}${stderr}`.trim().split("\n").slice(-shownLines).join(" | ");
}
