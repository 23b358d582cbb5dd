import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { bundle } from "../scripts/bundle.ts";

const root = path.resolve(import.meta.dirname, "..");
/** Below `node_modules`, so that it finds what it needs as an installed package does. */
const cache = path.join(root, "node_modules", ".cache", "tutti");
let folder: string;

beforeAll(async () => {
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(path.join(cache, "published-"));
  for (const part of ["package.json", "bin"])
    cpSync(path.join(root, "packages/tutti", part), path.join(folder, part), { recursive: true });
  await bundle(path.join(folder, "dist"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function runNode(...args: readonly string[]): { readonly stdout: string; readonly stderr: string } {
  const { stdout, stderr } = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return { stdout, stderr };
}

test("what is published runs flows, code in the sandbox and pictures, and names the line of a flow that went astray", () => {
  const { stdout, stderr } = runNode(path.join(root, "test/package/program.mjs"), path.join(folder, "dist"));
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toMatchObject({
    result: 42,
    astray: expect.stringContaining("program.mjs:"),
    png: expect.any(Number),
  });
});

test("a program loads few files: one for what it declares, one for what drives it", () => {
  const { stdout } = runNode(path.join(root, "test/package/program.mjs"), path.join(folder, "dist"));
  const { toImport, toOpen } = JSON.parse(stdout);
  expect(toImport).toBeLessThanOrEqual(3);
  expect(toOpen).toBeLessThanOrEqual(12);
});

test("no published file imports a part of Node, which would load all that it exports", () => {
  const files = readdirSync(path.join(folder, "dist"), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".js"),
  );
  const importing = files.filter((name) =>
    /^import[^;]*"node:/mu.test(readFileSync(path.join(folder, "dist", name), "utf8")),
  );
  expect(files.length).toBeGreaterThan(20);
  expect(importing).toEqual([]);
});

test("the published command line knows its version and its commands, and every entry that is declared is there", () => {
  const bin = path.join(folder, "bin", "tutti.mjs");
  expect(runNode(bin, "--version")).toEqual({ stdout: "tutti 0.1.0\n", stderr: "" });
  expect(runNode(bin, "tool", "list").stdout).toContain("chart.draw");
  const entries = readdirSync(path.join(folder, "dist")).filter((name) => name.endsWith(".js"));
  const sources = readdirSync(path.join(root, "packages/tutti/src")).filter((name) => /^[\w-]+\.ts$/u.test(name));
  expect(entries.toSorted()).toEqual(sources.map((name) => name.replace(/ts$/u, "js")).toSorted());
});

test("the published server finds the console, from whatever file it was bundled into", () => {
  const consoleFolder = path.join(folder, "dist", "console");
  mkdirSync(consoleFolder);
  const server = path.join(folder, "dist", "server.js");
  const program = `console.log((await import(${JSON.stringify(server)})).findConsole())`;
  expect(runNode("--input-type=module", "-e", program).stdout).toBe(`${consoleFolder}\n`);
});
