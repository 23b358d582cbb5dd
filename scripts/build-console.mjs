// Builds the console when it is missing or older than its source; a second or two.
import { spawnSync } from "child_process";
import { createHash } from "crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "fs";
import path from "path";
import { fileURLToPath } from "url";

import { pinnedNode, root, toolEnvironment } from "./setup.mjs";

const folder = path.join(root, "packages", "console");
const target = path.join(folder, "dist");
const stampFile = path.join(root, "node_modules", ".cache", "tutti", "console");
/** What ends up in it, besides what is installed. */
const sources = [
  "packages/console/src",
  "packages/console/public",
  "packages/console/index.html",
  "packages/console/vite.config.ts",
  "packages/tutti/src/client",
  "packages/tutti/src/contracts",
  "package-lock.json",
];

/** Leaves the built console in packages/console/dist. What was there is replaced whole, so that nobody ever serves half of one. */
export function buildConsole() {
  const stamp = fingerprint();
  if (existsSync(path.join(target, "index.html")) && readText(stampFile) === stamp) return;
  const fresh = path.join(folder, "out", "dist-" + process.pid);
  const vite = path.join(root, "node_modules", "vite", "bin", "vite.js");
  const result = spawnSync(pinnedNode, [vite, "build", folder, "--outDir", fresh, "--logLevel", "error"], {
    cwd: root,
    // A test that builds it would else get the slow React of development.
    env: Object.assign(toolEnvironment(), { NODE_ENV: "production" }),
    encoding: "utf8",
  });
  if (result.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    throw new Error(
      "the console could not be built\n" + (result.error ? result.error.message : result.stdout + result.stderr),
    );
  }
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
  mkdirSync(path.dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
}

function fingerprint() {
  const hash = createHash("sha256");
  for (const source of sources) addTo(hash, path.join(root, source));
  return hash.digest("hex");
}

/**
 * @param {import("crypto").Hash} hash
 * @param {string} place
 */
function addTo(hash, place) {
  const names = /\.\w+$/.test(place) ? undefined : readdirSync(place);
  if (names === undefined)
    hash
      .update(place + "\n")
      .update(readFileSync(place))
      .update("\n");
  else for (const name of names) addTo(hash, path.join(place, name));
}

/** @param {string} file */
function readText(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) buildConsole();
