import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { errorOf } from "../../../../test/engine/engine-fixture.ts";
import { cliFlows, openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";
import { parseCommandLine } from "./command-line.ts";
import { commands } from "./command-table.ts";

const toolbox = path.join(cliFlows, "toolbox.ts");
const doubtful = path.join(cliFlows, "doubtful.ts");
const greeting = path.join(cliFlows, "greeting.ts");

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

test("the tools of a file are listed, those of its agents too", verifies("K2", "X6"), async () => {
  expect(await cli.run(["tool", "list", toolbox])).toMatchObject({
    code: 0,
    stderr: "",
    stdout: `page.publish  once        Publishes a page and returns its address.\npage.search   read        Finds pages.  (of librarian)\n`,
  });
  const { stdout } = await cli.run(["tool", "list", toolbox, "--json"]);
  expect(
    stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line)),
  ).toEqual([
    { name: "page.publish", effect: "once", does: "Publishes a page and returns its address.", agents: [] },
    { name: "page.search", effect: "read", does: "Finds pages.", agents: ["librarian"] },
  ]);
});

test(
  "a tool's contract is shown: what it does to the world, its limits and its schemas",
  verifies("K2", "X6"),
  async () => {
    const shown = await cli.run(["tool", "show", toolbox, "page.publish"]);
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    const [head] = shown.stdout.split("\ninput\n");
    expect(head).toBe(
      `page.publish  Publishes a page and returns its address.
  effect    once: changes something that must not be done twice
  key       declared; the same action is done once for everyone
  check     none: a person is asked when the outcome is not known
  undo      none: what was done stays
  needs     the page has a slug
  ensures   the address is under /pages
  attempts  3
  timeout   0:30`,
    );
    expect(shown.stdout).toContain(`      "slug": {\n        "type": "string"\n      }`);
    const json = await cli.run(["tool", "show", toolbox, "page.publish", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      name: "page.publish",
      effect: "once",
      scope: "everyone",
      key: true,
      check: false,
      undo: false,
      needs: ["the page has a slug"],
      ensures: ["the address is under /pages"],
      retry: { attemptsMax: 3 },
      timeoutMs: 30_000,
      input: { required: ["slug"], properties: { text: { default: "" } } },
      output: { properties: { url: { type: "string" } } },
    });
  },
);

test(
  "a schema that can't be written as JSON Schema does not hide the rest of the contract",
  verifies("K2"),
  async () => {
    const { code, stdout } = await cli.run(["tool", "show", toolbox, "page.search"]);
    expect(code).toBe(0);
    expect(stdout).toContain("effect    read: changes nothing; may run again");
    expect(stdout).toContain("output\n  can't be shown: ");
    expect(stdout).not.toContain("check ");
  },
);

test(
  "a call is a durable run of one step: its effect has an intent, and its key counts",
  verifies("K2", "D3"),
  async () => {
    const args = ["tool", "call", toolbox, "page.publish", "--input", '{"slug":"tea"}'];
    const first = await cli.run([...args, "--id", "r1", "--json"]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const kinds = [...first.stdout.matchAll(/"kind":"(?<kind>[^"]+)"/gu)].map((match) => match[1]);
    expect(kinds).toEqual(["run-started", "effect-intended", "effect-settled", "run-done"]);
    expect(await cli.run([...args, "--quiet"])).toMatchObject({
      code: 0,
      stderr: "",
      stdout: '{\n  "url": "/pages/tea"\n}\n',
    });
    expect(readFileSync(path.join(cli.folder, "published.txt"), "utf8")).toBe("tea\n");
    expect((await cli.run(["show", "r1"])).stdout).toContain("tool:page.publish  r1  done");
  },
);

test("a call that is in doubt is settled and resumed like any run", verifies("K2", "D3", "X6"), async () => {
  const waiting = await cli.run(["tool", "call", doubtful, "letter.send", "--input", '{"to":"anna"}', "--id", "r1"]);
  expect(waiting.code).toBe(4);
  expect(waiting.stderr).toContain("→ tutti settle letter.send:anna done|not-done\n");
  await cli.run(["settle", "letter.send:anna", "done", "--output", '{"receipt":"7"}']);
  expect(await cli.run(["resume", "r1", doubtful])).toMatchObject({ code: 0, stdout: '{\n  "receipt": "7"\n}\n' });
});

test("the only tool of a file needs no name", verifies("K2"), async () => {
  const file = path.join(cli.folder, "one.mjs");
  const schema = `{ "~standard": { version: 1, vendor: "own", validate: (value) => ({ value }) } }`;
  const declared = `{ kind: "tool", name: "echo", does: "Echoes.", effect: "read", scope: "run", input: schema, output: schema, run: (input) => input }`;
  writeFileSync(file, `const schema = ${schema};\nexport default ${declared};\n`);
  expect(await cli.run(["tool", "call", file, "--input", '"hey"'])).toMatchObject({ code: 0, stdout: "hey\n" });
  expect((await cli.run(["tool", "show", file])).stdout).toContain("gives no JSON Schema");
});

/** Runs a command line in this process, up to what it throws. */
async function perform(args: readonly string[]): Promise<unknown> {
  const line = parseCommandLine(args, commands);
  if (line.kind !== "call") throw new Error(`${args.join(" ")} is ${line.kind}`);
  const { run } = await line.call.spec.load();
  return run(line.call);
}

test("what was typed wrong is said with a hint, leaves with 2 and starts nothing", verifies("K2", "X6"), async () => {
  const twins = path.join(cli.folder, "twins.mjs");
  const twin = `{ kind: "tool", name: "twin", does: "", effect: "read", run() {} }`;
  writeFileSync(twins, `export const first = ${twin};\nexport const others = [${twin}];\n`);
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["USAGE", ["tool", "lst", toolbox], /can't "lst"[^]+did you mean: tutti tool list/u],
    ["USAGE", ["tool", "show"], /the built-in set has 10 tools[^]+Name one of them: web\.search, /u],
    ["USAGE", ["tool", "call", "code.rn"], /no tool "code\.rn"[^]+did you mean: code\.run/u],
    ["USAGE", ["tool", "list", "code.run"], /lists all tools[^]+tutti tool show code\.run/u],
    ["USAGE", ["tool", "list", toolbox, "page.publish"], /lists all tools[^]+tutti tool show/u],
    [
      "USAGE",
      ["tool", "call", toolbox, "page.publsh"],
      /exports no tool "page\.publsh"[^]+did you mean: page\.publish/u,
    ],
    ["USAGE", ["tool", "show", toolbox, "mail"], /exports no tool "mail"[^]+There are: page\.publish, page\.search/u],
    ["USAGE", ["tool", "call", toolbox], /exports 2 tools[^]+page\.publish, page\.search/u],
    ["USAGE", ["tool", "show", toolbox, "page.publish", "--quiet"], /takes no --quiet/u],
    ["USAGE", ["tool", "call", toolbox, "page.publish", "--input", "{slug"], /--input is not JSON/u],
    [
      "INPUT_INVALID",
      ["tool", "call", toolbox, "page.publish", "--input", '{"slug":7}'],
      /the input of page\.publish[^]+slug/u,
    ],
    ["INPUT_INVALID", ["tool", "call", toolbox, "page.publish"], /slug/u],
    ["FLOW_FILE_INVALID", ["tool", "list", twins], /two tools named twin/u],
    ["FLOW_FILE_INVALID", ["tool", "list", greeting], /exports no tool/u],
    ["FLOW_FILE_INVALID", ["run", toolbox], /exports no flow[^]+tutti tool call/u],
  ];
  for (const [code, args, says] of cases) {
    const error = await errorOf(perform(args));
    expect(error.code).toBe(code);
    expect(`${error.message}\n${error.hint}`).toMatch(says);
  }
  expect(await cli.run(["tool", "call", toolbox, "page.publish", "--input", '{"slug":7}'])).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("✗ INPUT_INVALID  the input of page.publish"),
  });
  expect(existsSync(path.join(cli.folder, ".tutti"))).toBe(false);
});
