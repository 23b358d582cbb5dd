// Brings the repository to a state in which its tools run: dependencies installed, the pinned Node in place.
// It runs on whatever Node the machine has, so it keeps to syntax that very old ones can read.
import { spawn, spawnSync } from "child_process";
import { createHash } from "crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "fs";
import os from "os";
import path from "path";
import { fileURLToPath } from "url";

const oldestNodeMajor = 18;

/** The root of the repository. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

/** The pinned Node, which runs everything but these bootstrap scripts. */
export const pinnedNode = path.join(
  root,
  "node_modules",
  "node",
  "bin",
  process.platform === "win32" ? "node.exe" : "node",
);

const lockFile = path.join(root, "package-lock.json");
const presentFile = path.join(root, "node_modules", ".package-lock.json");
const stampFile = path.join(root, "node_modules", ".cache", "tutti", "installed");

if (Number(process.versions.node.split(".")[0]) < oldestNodeMajor) {
  process.stderr.write(
    "This is Node " +
      process.versions.node +
      "; please start with Node " +
      oldestNodeMajor +
      " or newer (the rest is installed by itself).\n",
  );
  process.exit(2);
}

/** Installs the dependencies if they are missing or are not the ones of the lock file. */
export function setup() {
  const reason = whyInstall();
  if (reason === undefined) return;
  process.stderr.write("Installing dependencies (" + reason + ")…\n");
  const result = runNpm(["ci", "--include=dev", "--no-audit", "--no-fund"]);
  if (result.status === 0 && existsSync(pinnedNode)) {
    mkdirSync(path.dirname(stampFile), { recursive: true });
    writeFileSync(stampFile, fingerprint());
    return;
  }
  const said =
    String(result.stdout || "") + String(result.stderr || "") + (result.error ? String(result.error) + "\n" : "");
  process.stderr.write(said.replace(/^npm warn EBADENGINE.*\n/gm, ""));
  const missing =
    result.status === 0 ? " (there is no " + path.relative(root, pinnedNode) + "; were install scripts allowed?)" : "";
  process.stderr.write("The dependencies could not be installed" + missing + "; what npm said is above.\n");
  process.exit(1);
}

/** The environment of every tool: the pinned Node and the installed commands come first. */
export function toolEnvironment() {
  const first = [path.dirname(pinnedNode), path.join(root, "node_modules", ".bin")];
  return Object.assign({}, process.env, { PATH: first.concat(process.env["PATH"] || "").join(path.delimiter) });
}

/**
 * Runs the pinned Node, hands signals on to it, outlives it, and resolves to its exit code (128 + n after signal n).
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} [environment]
 * @returns {Promise<number>}
 */
export function runNode(args, environment) {
  return new Promise((resolve) => {
    const env = Object.assign(toolEnvironment(), environment);
    const child = spawn(pinnedNode, args, { cwd: root, stdio: "inherit", env });
    forwardSignals(child);
    child.on("error", (error) => {
      process.stderr.write("The pinned Node did not start: " + error.message + "\n");
      resolve(1);
    });
    child.on("exit", (code, signal) => resolve(signal === null ? code || 0 : 128 + os.constants.signals[signal]));
  });
}

/** A terminal sends Ctrl-C to every process in the foreground, so there the child has it already. */
function forwardSignals(/** @type {import("child_process").ChildProcess} */ child) {
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
}

/** Says in a few words why an install is needed, or nothing. */
function whyInstall() {
  const present = readPackages(presentFile);
  if (present === undefined) return "none are installed";
  if (!existsSync(pinnedNode)) return "the pinned Node is missing";
  if (readText(stampFile) === fingerprint()) return undefined;
  const wanted = readPackages(lockFile) || {};
  const isStale = Object.keys(wanted).some((place) => {
    const entry = wanted[place] || {};
    const found = present[place];
    if (place.indexOf("node_modules/") === -1 || (entry.optional === true && found === undefined)) return false;
    return found === undefined || found.version !== entry.version;
  });
  return isStale ? "the lock file has changed" : undefined;
}

/** What the lock file asked for, and what npm wrote down after it installed that. */
function fingerprint() {
  return createHash("sha256").update(readText(lockFile)).update("\n").update(readText(presentFile)).digest("hex");
}

/**
 * The packages of a lock file, by the place they are installed in.
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean }> | undefined}
 */
function readPackages(file) {
  try {
    return JSON.parse(readText(file)).packages;
  } catch {
    return undefined; // missing or cut off by an interrupted install: both mean that nothing can be relied on
  }
}

/** @param {string} file */
function readText(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** @param {readonly string[]} args */
export function runNpm(args) {
  const npm = process.env["npm_execpath"];
  const options = {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
    stdio: /** @type {["ignore", "pipe", "pipe"]} */ (["ignore", "pipe", "pipe"]),
  };
  if (npm !== undefined && /npm-cli\.c?js$/.test(npm)) return spawnSync(process.execPath, [npm].concat(args), options);
  return spawnSync("npm", args, Object.assign({ shell: process.platform === "win32" }, options));
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) setup();
