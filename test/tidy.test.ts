import { describe, expect, test } from "vitest";

import {
  clientRunsInABrowser,
  importsGoDown,
  noCycles,
  noDeadFiles,
  nobodyImportsAnEntry,
  oneFolderPerDependency,
} from "./tidy/layer-rules.ts";
import { replayIsPure } from "./tidy/replay-rules.ts";
import { readRepository } from "./tidy/repository.ts";
import type { Finding, Rule, TidyFile } from "./tidy/source.ts";
import {
  exceptionsHaveReasons,
  filesAreShort,
  namesSayWhatIsInside,
  noAny,
  noTracesOfAWorkplace,
  nothingIsLeftOver,
  queriesNameTheirColumns,
  sqlStaysInTheLedger,
} from "./tidy/text-rules.ts";

/** A tree of planted files: text by path, from `packages/tutti/src/` unless the path starts with `/`. */
type Tree = Readonly<Record<string, string>>;

interface Trial {
  readonly rule: Rule;
  /** Each tree holds one fault. */
  readonly faults: Readonly<Record<string, Tree>>;
  readonly clean: Tree;
}

const trials: Readonly<Record<string, Trial>> = {
  "a folder imports only from earlier lines": {
    rule: importsGoDown,
    faults: {
      value: { "ledger/a.ts": `import { x } from "../agents/b.ts";`, "agents/b.ts": "export const x = 1;" },
      type: { "ledger/a.ts": `import type { X } from "../agents/b.ts";`, "agents/b.ts": "export type X = 1;" },
      "inline type": { "base/a.ts": `export type A = import("../contracts/b.ts").X;` },
      "export from": { "base/a.ts": `export * from "../contracts/b.ts";` },
      "dynamic import": { "flow/a.ts": `await import("../teams/b.ts");` },
      sibling: { "flow/a.ts": `import { x } from "../models/b.ts";` },
      "client sees contracts only": { "client/a.ts": `import { x } from "../flow/b.ts";` },
      "unknown folder": { "elsewhere/a.ts": "" },
    },
    clean: {
      "flow/a.ts": `import { x } from "../ledger/memory/b.ts"; import { y } from "./c.ts";`,
      "flow/a.test.ts": `import { x } from "../testing/b.ts";`,
      "client/a.ts": `import { x } from "../contracts/b.ts";`,
      "index.ts": `export { x } from "./flow/a.ts";`,
    },
  },
  "nobody imports an entry file": {
    rule: nobodyImportsAnEntry,
    faults: {
      "by path": { "flow/a.ts": `import { x } from "../index.ts";`, "index.ts": "" },
      "by type": { "flow/a.ts": `import type { X } from "../testing.ts";`, "testing.ts": "" },
      "by name": { "cli/a.ts": `import { x } from "tutti/testing";` },
    },
    clean: {
      "index.ts": `export { x } from "./flow/a.ts";`,
      "/examples/brief/main.ts": `import { flow } from "tutti";`,
    },
  },
  "no file imports itself by a detour": {
    rule: noCycles,
    faults: {
      values: { "flow/a.ts": `import { b } from "./b.ts";`, "flow/b.ts": `import { a } from "./a.ts";` },
      types: { "flow/a.ts": `import type { B } from "./b.ts";`, "flow/b.ts": `import type { A } from "./a.ts";` },
      itself: { "flow/a.ts": `export * from "./a.ts";` },
    },
    clean: { "flow/a.ts": `import "./b.ts"; import "./c.ts";`, "flow/b.ts": `import "./c.ts";`, "flow/c.ts": "" },
  },
  "every source file is reached from somewhere": {
    rule: noDeadFiles,
    faults: { "nothing imports it": { "flow/dead.ts": "export const x = 1;", "index.ts": "" } },
    clean: {
      "index.ts": `export { x } from "./flow/a.ts";`,
      "flow/a.ts": `export const worker = new URL("./worker.ts", import.meta.url);`,
      "flow/worker.ts": "",
      "flow/tested.ts": "",
      "flow/tested.test.ts": `import "./tested.ts";`,
      "cli/main.ts": "",
      "/packages/tutti/bin/tutti.mjs": `import "../src/cli/main.ts";`,
    },
  },
  "one npm dependency is imported by one folder": {
    rule: oneFolderPerDependency,
    faults: {
      "wrong folder": { "flow/a.ts": `import { z } from "zod";` },
      "wrong folder, deep": { "models/a.ts": `import type { X } from "@ai-sdk/provider/deep";` },
      "no folder": { "base/a.ts": `import leftPad from "left-pad";` },
    },
    clean: {
      "contracts/a.ts": `import { z } from "zod";`,
      "models/ai-sdk/a.ts": `import type { X } from "@ai-sdk/provider";`,
      "flow/a.test.ts": `import { z } from "zod";`,
      "/examples/brief/main.ts": `import { z } from "zod";`,
    },
  },
  "client/ runs in a browser": {
    rule: clientRunsInABrowser,
    faults: {
      directly: { "client/a.ts": `import { readFileSync } from "node:fs";` },
      "by a detour": { "client/a.ts": `import "../contracts/b.ts";`, "contracts/b.ts": `import "node:crypto";` },
    },
    clean: {
      "client/a.ts": `import type { B } from "../contracts/b.ts";`,
      "contracts/b.ts": `import { hash } from "node:crypto";`,
    },
  },
  "replayed code mentions no clock, chance or world": {
    rule: replayIsPure,
    faults: {
      clock: { "flow/a.ts": "export const now = Date.now();" },
      "clock, new": { "teams/a.ts": "export const now = new Date();" },
      chance: { "agents/a.ts": "export const x = Math.random();" },
      "chance, by another way": { "agents/a.ts": `export const x = Math["random"]();` },
      "chance, taken apart": { "agents/a.ts": "export const { random } = Math;" },
      timer: { "flow/a.ts": "setTimeout(() => 1, 10);" },
      "timer, every": { "flow/a.ts": "setInterval(() => 1, 10);" },
      "timer, imported": { "flow/a.ts": `import { setTimeout as sleep } from "node:timers/promises";` },
      "macrotask outside flow/": { "teams/a.ts": "setImmediate(() => 1);" },
      network: { "teams/a.ts": `await fetch("https://example.com");` },
      process: { "flow/a.ts": `export const home = process.env["HOME"];` },
      stopwatch: { "flow/a.ts": "export const t = performance.now();" },
      id: { "flow/a.ts": "export const id = crypto.randomUUID();" },
      "by globalThis": { "flow/a.ts": "export const now = globalThis.Date.now();" },
      shorthand: { "flow/a.ts": "export const world = { fetch };" },
    },
    clean: {
      "flow/a.ts": `export const at = (clock: { Date: number }) => clock.Date + Math.max(1, 2); setImmediate(() => 1);`,
      "flow/a.test.ts": "export const now = Date.now();",
      "teams/a.ts": `export const kinds = { fetch: "a tool's name", process: 1 };`,
      "agents/a.ts": "export const toMs = (at: number | Date) => (at instanceof Date ? at.getTime() : at);",
      "engine/a.ts": "export const now = Date.now();",
    },
  },
  "SQL stays next to the store that runs it": {
    rule: sqlStaysInTheLedger,
    faults: {
      select: { "engine/a.ts": `export const q = "select id from runs where x = 1";` },
      insert: { "ledger/a.ts": "export const q = `INSERT INTO runs (id) VALUES (${1})`;" },
      table: { "insight/a.ts": "export const q = `\n  create table runs (id text)`;" },
    },
    clean: {
      "ledger/sqlite/a.ts": `export const q = "select id from runs";`,
      "engine/a.ts": `export const s = "select a run from the list"; export const t = "update runs set by you";`,
      "engine/a.test.ts": `export const q = "select id from runs";`,
    },
  },
  "a query names its columns": {
    rule: queriesNameTheirColumns,
    faults: {
      star: { "ledger/sqlite/a.ts": `export const q = "select * from runs";` },
      "star of a table": { "ledger/sqlite/a.test.ts": "export const q = `SELECT DISTINCT r.* FROM runs r`;" },
    },
    clean: { "ledger/sqlite/a.ts": `export const q = "select count(*) from runs";` },
  },
  "a file has at most 400 lines": {
    rule: filesAreShort,
    faults: { "401 lines": { "flow/a.test.ts": "1;\n".repeat(401) } },
    clean: { "flow/a.ts": "1;\n".repeat(400) },
  },
  "a file is named after the one thing in it": {
    rule: namesSayWhatIsInside,
    faults: {
      camelCase: { "flow/runFlow.ts": "" },
      "empty word": { "flow/string-utils.ts": "" },
      "empty folder": { "flow/common/a.ts": "" },
    },
    clean: { "flow/run-flow.pg.test.ts": "", "/vitest.config.ts": "", "/bench/peers/lang-graph/main.mjs": "" },
  },
  "an exception has a reason": {
    rule: exceptionsHaveReasons,
    faults: {
      lint: { "flow/a.ts": "// oxlint-disable-next-line no-console\nconsole.log(1);" },
      "lint, empty reason": { "flow/a.ts": "/* eslint-disable no-console -- ok */" },
      type: { "flow/a.ts": "// @ts-expect-error\n1;" },
      "type, ignored": { "flow/a.ts": "// @ts-ignore -- because it is so\n1;" },
    },
    clean: {
      "flow/a.ts": "// oxlint-disable-next-line no-console -- the command line talks to people\nconsole.log(1);",
      "flow/a.test-d.ts": "// @ts-expect-error a tool's input is not a number\n1;",
    },
  },
  "nothing is any": {
    rule: noAny,
    faults: { parameter: { "flow/a.ts": "export const f = (x: any) => x;" }, cast: { "flow/a.test.ts": "1 as any;" } },
    clean: { "flow/a.ts": `export const any = (x: unknown) => [x, "any"]; // any text` },
  },
  "nothing is left over": {
    rule: nothingIsLeftOver,
    faults: {
      note: { "flow/a.ts": "// TODO later\n" },
      only: { "flow/a.test.ts": `test.only("x", () => {});` },
      skip: { "flow/a.test.ts": `describe.concurrent.skip("x", () => {});` },
    },
    clean: { "flow/a.test.ts": `test.skipIf(noPostgres)("TODO lists are read", () => {});` },
  },
  "nothing tells where it was written": {
    rule: noTracesOfAWorkplace,
    faults: {
      home: { "/docs/a.md": "Run /home/someone/project/x." },
      checkout: { "flow/a.ts": `export const at = "/workspace/thing";` },
      registry: { "/package-lock.json": `{ "resolved": "https://example.com/zod.tgz" }` },
      "registry setting": { "/.npmrc": "registry=https://packages.example.com" },
      "registry address": { "/README.md": "see https://nexus.example.com/npm/zod" },
      author: { "/README.md": "Co-authored-by: somebody" },
      talk: { "/docs/a.md": "As discussed with the team, this is fast." },
    },
    clean: { "/docs/a.md": "Open https://example.com/home/page or ./home/list; GET /users/1; an agent registry." },
  },
};

const repository = readRepository();

describe.each(Object.entries(trials))("%s", (_title, { rule, faults, clean }) => {
  test.each(Object.entries(faults))("a planted fault is found: %s", (_fault, tree) => {
    expect(rule(plant(tree))).not.toEqual([]);
  });

  test("a clean tree passes", () => {
    expect(rule(plant(clean))).toEqual([]);
  });

  test("this repository passes", () => {
    expect(rule(repository).map(toLine)).toEqual([]);
  });
});

test("the rules look at the whole repository", () => {
  const paths = repository.map((file) => file.path);
  expect(paths).toEqual(expect.arrayContaining(["package.json", "package-lock.json", "test/tidy.test.ts"]));
  expect(paths.filter((path) => /(^|\/)(node_modules|dist)\//.test(path))).toEqual([]);
});

function plant(tree: Tree): TidyFile[] {
  return Object.entries(tree).map(([path, text]) => ({
    path: path.startsWith("/") ? path.slice(1) : `packages/tutti/src/${path}`,
    text,
  }));
}

function toLine({ path, line, rule, message }: Finding): string {
  return `${path}:${line} ${rule}: ${message}`;
}
