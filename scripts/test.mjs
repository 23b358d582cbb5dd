// Runs the tests on the pinned Node and ends with the line `N passed, N failed`.
// `npm test` runs everything; `npm test -- <vitest arguments>` runs a part and leaves the list of proved promises alone.
import { spawnSync } from "child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "fs";
import path from "path";

import { buildConsole } from "./build-console.mjs";
import { root, runNode, setup } from "./setup.mjs";

/** Programs that some tests need, the Debian package that brings them, and what is lost without them. */
const systemPrograms = [
  {
    name: "strace",
    package: "strace",
    skips: "the tests that watch system calls (written to disk before acknowledged)",
  },
  {
    name: "bwrap",
    package: "bubblewrap",
    skips: "the tests that run Python, Bash and Node in a sandbox of namespaces",
  },
  { name: "chromium", package: "chromium", skips: "the tests of the console in a browser" },
];

setup();
buildConsole();
systemPrograms.forEach(provide);

const part = process.argv.slice(2);
const cache = path.join(root, "node_modules", ".cache", "tutti");
const resultsFile = path.join(cache, part.length === 0 ? "test-results.json" : "test-results-part.json");
mkdirSync(cache, { recursive: true });
rmSync(resultsFile, { force: true });

const reporters = ["--reporter=default", "--reporter=./test/results-reporter.ts"];
const vitest = [path.join("node_modules", "vitest", "vitest.mjs"), "run"];
void runNode(vitest.concat(reporters, part), { TUTTI_TEST_RESULTS: resultsFile }).then((exitCode) => {
  const counts = existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, "utf8")) : { passed: 0, failed: 0 };
  const failed = counts.failed === 0 && (exitCode !== 0 || counts.passed === 0) ? 1 : counts.failed;
  process.stdout.write(counts.passed + " passed, " + failed + " failed\n");
  process.exit(failed === 0 ? 0 : exitCode || 1);
});

/** @param {{ name: string, package: string, skips: string }} program */
function provide(program) {
  if (process.platform !== "linux" || canRun(program.name, ["--version"])) return;
  const isRoot = process.getuid !== undefined && process.getuid() === 0;
  const installed = isRoot && (aptInstall(program.package) || (runApt(["update"]) && aptInstall(program.package)));
  if (!installed)
    process.stderr.write(program.name + " is not installed and can't be: skipping " + program.skips + ".\n");
}

/** @param {string} name */
function aptInstall(name) {
  return runApt(["install", "-y", "--no-install-recommends", name]);
}

/** @param {readonly string[]} args */
function runApt(args) {
  return canRun("apt-get", ["-qq"].concat(args));
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
function canRun(command, args) {
  const env = Object.assign({}, process.env, { DEBIAN_FRONTEND: "noninteractive" });
  return spawnSync(command, args, { stdio: "ignore", env, timeout: 300000 }).status === 0;
}
