// Every gate in order, the quickest first; stops at the first that fails and shows what it said.
// `npm run check` runs all of them, `npm run check -- lint types` some.
import { spawnSync } from "child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "fs";
import path from "path";

import { buildConsole } from "./build-console.mjs";
import { pinnedNode, root, setup, toolEnvironment } from "./setup.mjs";

const packages = ["packages/tutti"];

/** @type {Record<string, () => void>} */
const stages = {
  format: () => tool("oxfmt", ["--check", "."]),
  lint: () => tool("oxlint", []),
  types: () => ["tsconfig.json", "packages/console/tsconfig.json"].forEach((file) => tool("tsc", ["-p", file])),
  tidy: () => tool("vitest", ["run", "--typecheck.enabled=false", "test/tidy.test.ts", "test/gates.test.ts"]),
  unused: () => tool("knip", []),
  build: () => packages.forEach(build),
  package: () => packages.forEach(checkTarball),
  size: () => packages.forEach((folder) => tool("size-limit", [], folder)),
};

setup();
buildConsole();
process.exit(runStages(process.argv.length > 2 ? process.argv.slice(2) : Object.keys(stages)));

/**
 * Runs the stages and returns the exit code of the whole.
 * @param {readonly string[]} names
 */
function runStages(names) {
  const startedMs = Date.now();
  for (const name of names) {
    const stage = stages[name];
    if (stage === undefined) {
      process.stderr.write("There is no stage " + name + "; there are: " + Object.keys(stages).join(", ") + ".\n");
      return 2;
    }
    const stageStartedMs = Date.now();
    try {
      stage();
    } catch (error) {
      process.stdout.write(
        toLine("FAILED", name, stageStartedMs) + (error instanceof Error ? error.message : error) + "\n",
      );
      return 1;
    }
    process.stdout.write(toLine("ok", name, stageStartedMs));
  }
  process.stdout.write(toLine("ok", "in all", startedMs));
  return 0;
}

/**
 * @param {string} verdict
 * @param {string} name
 * @param {number} sinceMs
 */
function toLine(verdict, name, sinceMs) {
  return verdict.padEnd(7) + name.padEnd(8) + ((Date.now() - sinceMs) / 1000).toFixed(1).padStart(6) + " s\n";
}

/** Emits dist afresh, with the console in it, so that nothing of an earlier build is published. */
function build(/** @type {string} */ folder) {
  const dist = path.join(root, folder, "dist");
  rmSync(dist, { recursive: true, force: true });
  tool("tsc", ["-p", path.join(folder, "tsconfig.build.json")]);
  run(pinnedNode, [path.join(root, "scripts", "bundle.ts"), dist]);
  cpSync(path.join(root, "packages", "console", "dist"), path.join(dist, "console"), { recursive: true });
}

/** Packs the package as it would be published and checks that tarball, not the working tree. */
function checkTarball(/** @type {string} */ folder) {
  const cache = path.join(root, "node_modules", ".cache", "tutti");
  mkdirSync(cache, { recursive: true });
  const target = mkdtempSync(path.join(cache, "pack-"));
  try {
    npm(["pack", "--silent", "--pack-destination", target], folder);
    const tarballs = readdirSync(target).map((name) => path.join(target, name));
    for (const tarball of tarballs) {
      tool("publint", ["run", tarball, "--strict"]);
      tool("attw", [tarball, "--profile", "esm-only", "--no-emoji"]);
    }
    if (tarballs.length !== 1) throw new Error("npm pack left " + tarballs.length + " tarballs, one was expected");
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

/**
 * Runs an installed tool on the pinned Node and throws its output if it fails.
 * @param {string} name
 * @param {readonly string[]} args
 * @param {string} [folder]
 */
function tool(name, args, folder) {
  run(pinnedNode, [toolFile(name)].concat(args), folder);
}

/** The file behind an installed command, found through the package that declares it. */
function toolFile(/** @type {string} */ name) {
  const packageName = { tsc: "typescript", attw: "@arethetypeswrong/cli" }[name] || name;
  const folder = path.join(root, "node_modules", packageName);
  const { bin } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  return path.join(folder, typeof bin === "string" ? bin : bin[name]);
}

/**
 * @param {readonly string[]} args
 * @param {string} folder
 */
function npm(args, folder) {
  const file = process.env["npm_execpath"];
  if (file !== undefined && /npm-cli\.c?js$/.test(file)) run(process.execPath, [file].concat(args), folder);
  else run("npm", args, folder);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} [folder]
 */
function run(command, args, folder) {
  const result = spawnSync(command, args, {
    cwd: path.join(root, folder || "."),
    env: Object.assign(toolEnvironment(), { NO_COLOR: "1" }),
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status !== 0) throw new Error(result.error ? result.error.message : result.stdout + result.stderr);
}
