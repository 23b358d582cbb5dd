import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { verifies } from "./verifies.ts";

const root = path.resolve(import.meta.dirname, "..");

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
}

const locked: Readonly<Record<string, Locked>> = JSON.parse(
  readFileSync(path.join(root, "package-lock.json"), "utf8"),
).packages;

/** Where the lock file puts a package that `from` needs: beside it, or in a folder above. */
function findPackage(from: string, name: string): string {
  const folders = from.split("/");
  for (let depth = folders.length; depth >= 0; depth--) {
    const candidate = [...folders.slice(0, depth), "node_modules", name].join("/");
    if (candidate in locked) return candidate;
  }
  throw new Error(`${name}, which ${from} needs, is not in the lock file`);
}

/** Everything that `npm install` brings with a package. */
function closureOf(folder: string, found = new Set<string>()): ReadonlySet<string> {
  for (const name of Object.keys(locked[folder]?.dependencies ?? {})) {
    const place = findPackage(folder, name);
    if (found.has(place)) continue;
    found.add(place);
    closureOf(place, found);
  }
  return found;
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? sum : sum + bytesOf(file);
    return sum + statSync(file).size;
  }, 0);
}

test("Tutti installs, with everything that it needs, in under 30 MB", verifies("X8"), () => {
  const places = [...closureOf("packages/tutti")];
  const bytes = places.reduce((sum, place) => sum + bytesOf(path.join(root, place)), 0);
  expect(places).toContain("node_modules/@ai-sdk/provider");
  expect(places).toContain("node_modules/domhandler"); // needed by what Tutti needs, not by itself
  expect(places).not.toContain("node_modules/@modelcontextprotocol/client"); // heavier than all the rest, so it is the user's to install
  expect(bytes + bytesOf(path.join(root, "packages/tutti/src"))).toBeLessThan(30_000_000);
});
