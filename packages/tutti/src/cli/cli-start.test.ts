import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { cliFlows, openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";
import { commands } from "./command-table.ts";
import { toCommandHelp, toHelp } from "./help.ts";

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

/** Counts the files of this repository that a command loads, and names the packages. */
async function countModules(
  args: readonly string[],
): Promise<{ readonly own: number; readonly packages: readonly string[] }> {
  const counter = path.join(cli.folder, "count.mjs");
  const hook = `import { registerHooks } from "node:module";
const urls = [];
registerHooks({ load(url, context, next) { urls.push(url); return next(url, context); } });
process.on("exit", () => process.stderr.write("\\nLOADED " + JSON.stringify(urls) + "\\n"));`;
  writeFileSync(counter, hook);
  const { stderr } = await cli.run(args, { nodeArgs: ["--import", counter] });
  const urls: unknown = JSON.parse(/LOADED (?<urls>.*)/u.exec(stderr)?.groups?.["urls"] ?? "[]");
  const files = Array.isArray(urls) ? urls.map(String).filter((url) => url.startsWith("file:")) : [];
  return {
    own: files.filter((url) => url.includes("/packages/tutti/src/")).length,
    packages: files.filter((url) => url.includes("/node_modules/")),
  };
}

test("a command loads what it needs and no package", verifies("X6", "X8"), async () => {
  const version = await countModules(["--version"]);
  expect(version.packages).toEqual([]);
  expect(version.own).toBeGreaterThan(3);
  expect(version.own).toBeLessThanOrEqual(22);
  await cli.run(["run", path.join(cliFlows, "greeting.ts")]);
  const runs = await countModules(["runs"]);
  expect(runs.packages).toEqual([]);
  expect(runs.own).toBeGreaterThan(version.own);
  expect(runs.own).toBeLessThanOrEqual(72);
});

const oldNode = "/usr/bin/node";
const oldVersion = existsSync(oldNode) ? spawnSync(oldNode, ["--version"], { encoding: "utf8" }).stdout.trim() : "";

test.runIf(/^v(?:18|20|22)\./u.test(oldVersion))(
  "a Node that is too old is told so in one sentence",
  verifies("X6"),
  async () => {
    const result = await cli.run(["runs"], { node: oldNode });
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toBe(`✗ NODE_TOO_OLD  This is Node ${oldVersion.slice(1)}; Tutti needs Node 24 or newer.\n`);
  },
);

test("a Node that says it is too old is told so before anything is loaded", verifies("X6"), async () => {
  const pretend = path.join(cli.folder, "pretend.mjs");
  writeFileSync(
    pretend,
    'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.1.0" } });',
  );
  const result = await cli.run(["runs"], { nodeArgs: ["--import", pretend] });
  expect(result).toMatchObject({
    code: 2,
    stderr: "✗ NODE_TOO_OLD  This is Node 22.1.0; Tutti needs Node 24 or newer.\n",
  });
});

test("--version prints the package's version", verifies("X6"), async () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(await cli.run(["--version"])).toMatchObject({ code: 0, stdout: `tutti ${version}\n`, stderr: "" });
});

test("help lists every command, and each one's help every option", verifies("X6"), async () => {
  const help = await cli.run(["help"]);
  expect(help).toMatchObject({ code: 0, stdout: toHelp(commands) });
  expect(await cli.run([])).toMatchObject({ code: 2, stdout: help.stdout });
  for (const command of commands) {
    expect(help.stdout).toContain(`  ${command.name} `);
    for (const option of Object.keys(command.options)) expect(toCommandHelp(command)).toContain(`--${option}`);
    const { run } = await command.load();
    expect(run).toBeTypeOf("function");
  }
  expect((await cli.run(["run", "--help"])).stdout).toBe((await cli.run(["help", "run"])).stdout);
});

test("docs/cli.md shows the help as it is printed", verifies("X6"), () => {
  const page = readFileSync(new URL("../../../../docs/cli.md", import.meta.url), "utf8");
  const blocks = page.split("```text\n").map((part) => part.split("```\n", 1)[0]);
  expect(blocks).toContain(toHelp(commands));
  for (const command of commands) expect(blocks).toContain(toCommandHelp(command));
});
