import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { root } from "./tidy/repository.ts";

/** Files by path, in `packages/tutti/src/`; `index.ts` is the entry. */
type Tree = Readonly<Record<string, string>>;

interface Trial {
  readonly fault: Tree;
  /** What the tool must say about the fault. */
  readonly says: string;
  readonly clean: Tree;
}

const ledger = "export declare function append(entry: string): Promise<number>;\n";
const state = `export type State = { readonly kind: "running" } | { readonly kind: "done" };\n`;
const lines = (count: number): string =>
  Array.from({ length: count }, (_, at) => `  console.assert(${at} >= 0);`).join("\n");

const lintTrials: Readonly<Record<string, Trial>> = {
  "a promise nobody waits for": {
    fault: { "index.ts": `${ledger}export function record(): void {\n  append("a");\n}\n` },
    says: "no-floating-promises",
    clean: { "index.ts": `${ledger}export async function record(): Promise<void> {\n  await append("a");\n}\n` },
  },
  "a promise where an answer is expected": {
    fault: { "index.ts": `${ledger}export const isOver = (): string => (append("a") ? "yes" : "no");\n` },
    says: "no-misused-promises",
    clean: {
      "index.ts": `${ledger}export const isOver = async (): Promise<string> => ((await append("a")) > 0 ? "yes" : "no");\n`,
    },
  },
  "a forgotten case of a union": {
    fault: {
      "index.ts": `${state}export function show(state: State): void {\n  switch (state.kind) {\n    case "done":\n      append();\n  }\n}\ndeclare function append(): void;\n`,
    },
    says: "switch-exhaustiveness-check",
    clean: {
      "index.ts": `${state}export function show(state: State): void {\n  switch (state.kind) {\n    case "running":\n    case "done":\n      append();\n  }\n}\ndeclare function append(): void;\n`,
    },
  },
  "parsed text that is believed": {
    fault: {
      "index.ts": `export interface Card {\n  readonly name: string;\n}\nexport const toCard = (text: string): Card => JSON.parse(text) as Card;\n`,
    },
    says: "no-unsafe-type-assertion",
    clean: { "index.ts": "export const parseText = (text: string): unknown => JSON.parse(text);\n" },
  },
  any: {
    fault: { "index.ts": "export const first = (list: readonly any[]): unknown => list[0];\n" },
    says: "no-explicit-any",
    clean: { "index.ts": "export const first = (list: readonly unknown[]): unknown => list[0];\n" },
  },
  "a value that is only said to be there": {
    fault: { "index.ts": "export const first = (list: readonly string[]): string => list[0]!;\n" },
    says: "no-non-null-assertion",
    clean: { "index.ts": `export const first = (list: readonly string[]): string => list[0] ?? "";\n` },
  },
  "a function of 90 lines": {
    fault: { "index.ts": `export function long(): void {\n${lines(88).replaceAll("console.assert", "String")}\n}\n` },
    says: "max-lines-per-function",
    clean: { "index.ts": `export function short(): void {\n${"  // why\n".repeat(80)}}\n` },
  },
  "four parameters": {
    fault: {
      "index.ts": "export const sum = (a: number, b: number, c: number, d: number): number => a + b + c + d;\n",
    },
    says: "max-params",
    clean: { "index.ts": "export const sum = (a: number, b: number, c: number): number => a + b + c;\n" },
  },
  "a cycle": {
    fault: { "index.ts": `export { a } from "./a.ts";\n`, "a.ts": `export { a } from "./index.ts";\n` },
    says: "no-cycle",
    clean: { "index.ts": `export { a } from "./a.ts";\n`, "a.ts": "export const a = 1;\n" },
  },
  "a default export": {
    fault: { "index.ts": "const a = 1;\nexport default a;\n" },
    says: "no-default-export",
    clean: { "index.ts": "export const a = 1;\n" },
  },
  "an exception that is not needed": {
    fault: { "index.ts": "// oxlint-disable-next-line no-console -- an old reason\nexport const a = 1;\n" },
    says: "Unused",
    clean: { "index.ts": "export const a = 1;\n" },
  },
};

const typeTrials: Readonly<Record<string, Trial>> = {
  "an index that may miss": {
    fault: { "index.ts": "export const first = (list: readonly string[]): string => list[0];\n" },
    says: "TS2322",
    clean: { "index.ts": "export const first = (list: readonly string[]): string | undefined => list[0];\n" },
  },
  "a forgotten case of a union that is returned": {
    fault: {
      "index.ts": `${state}export function show(state: State): string {\n  switch (state.kind) {\n    case "done":\n      return "over";\n  }\n}\n`,
    },
    says: "TS2366",
    clean: {
      "index.ts": `${state}export function show(state: State): string {\n  switch (state.kind) {\n    case "running":\n      return "runs";\n    case "done":\n      return "over";\n  }\n}\n`,
    },
  },
  "an import past what a package exports": {
    fault: { "index.ts": `export type { Flow } from "tutti/src/flow/flow.ts";\n` },
    says: "TS2307",
    clean: { "index.ts": `export { z } from "zod";\n` },
  },
  "syntax that Node can't erase": {
    fault: { "index.ts": "export enum Kind {\n  done,\n}\n" },
    says: "TS1294",
    clean: { "index.ts": `export type Kind = "done";\n` },
  },
};

const unusedTrials: Readonly<Record<string, Trial>> = {
  "an export nobody imports": {
    fault: {
      "index.ts": `export { a } from "./base/a.ts";\n`,
      "base/a.ts": "export const a = 1;\nexport const b = 2;\n",
    },
    says: "Unused exports",
    clean: {
      "index.ts": `export { a, b } from "./base/a.ts";\n`,
      "base/a.ts": "export const a = 1;\nexport const b = 2;\n",
    },
  },
  "a file nobody imports": {
    fault: { "index.ts": "export const a = 1;\n", "base/dead.ts": "export const b = 2;\n" },
    says: "Unused files",
    clean: { "index.ts": "export const a = 1;\n" },
  },
  "a dependency that is not declared": {
    fault: { "index.ts": `export { z } from "zod";\n` },
    says: "Unlisted dependencies",
    clean: { "index.ts": `export { readFile } from "node:fs/promises";\n` },
  },
};

const formatTrials: Readonly<Record<string, Trial>> = {
  "a line that is not laid out": {
    fault: { "index.ts": "export const a   = [ 1,2 ]\n" },
    says: "Format issues",
    clean: { "index.ts": "export const a = [1, 2];\n" },
  },
};

const planted = mkdtempSync(path.join(tmpdir(), "tutti-gates-"));
afterAll(() => rmSync(planted, { recursive: true, force: true }));

const gates = [
  { gate: "lint", command: ["oxlint/bin/oxlint"], trials: lintTrials },
  { gate: "types", command: ["typescript/bin/tsc", "-p", "tsconfig.json"], trials: typeTrials },
  { gate: "unused", command: ["knip/bin/knip.js"], trials: unusedTrials },
  { gate: "format", command: ["oxfmt/bin/oxfmt", "--check", "packages/tutti/src"], trials: formatTrials },
] as const;

describe.each(gates)("$gate", ({ command, trials }) => {
  test.each(Object.entries(trials))("stops %s, and lets its clean twin pass", (_title, { fault, says, clean }) => {
    const stopped = runOn(fault, command);
    expect(stopped.output).toContain(says);
    expect(stopped.exitCode).not.toBe(0);

    const passed = runOn(clean, command);
    expect(passed).toMatchObject({ exitCode: 0 });
  });
});

/** Runs the real tool with the real configuration on a repository that holds nothing but the planted files. */
function runOn(tree: Tree, [bin, ...args]: readonly string[]): { exitCode: number | null; output: string } {
  const folder = mkdtempSync(path.join(planted, "tree-"));
  for (const file of [".oxlintrc.json", ".oxfmtrc.json", "knip.json", "tsconfig.json"]) {
    cpSync(path.join(root, file), path.join(folder, file));
  }
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  const files: Tree = {
    "../../../package.json": `{ "name": "planted", "private": true, "workspaces": ["packages/*"], "type": "module" }`,
    "../package.json": `{ "name": "planted-package", "type": "module", "exports": { ".": "./src/index.ts" } }`,
    ...tree,
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, "packages/tutti/src", name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const options = { cwd: folder, encoding: "utf8" } as const;
  const result = spawnSync(process.execPath, [path.join(root, "node_modules", String(bin)), ...args], options);
  return { exitCode: result.status, output: result.stdout + result.stderr };
}
