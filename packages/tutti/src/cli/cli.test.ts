import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

import { afterEach, beforeEach, expect, test } from "vitest";

import { cliFlows, openCliFolder, type CliFolder, type CliResult } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";
import { fields, text } from "../base/shape.ts";

const greeting = path.join(cliFlows, "greeting.ts");
const several = path.join(cliFlows, "several.ts");
const doubtful = path.join(cliFlows, "doubtful.ts");

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

function lastLine(output: string): unknown {
  return JSON.parse(output.trimEnd().split("\n").at(-1) ?? "");
}

function expectError(result: CliResult, code: string): void {
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toMatch(new RegExp(`^✗ ${code}  .+\n(?:  (?:because:|→) .+\n)*$`, "u"));
}

test(
  "a finished run prints its result to standard output, its progress to standard error, and leaves with 0",
  verifies("X6"),
  async () => {
    const result = await cli.run(["run", greeting, "--input", '{"name":"anna"}', "--id", "r1"]);
    expect(result).toMatchObject({ code: 0, stdout: '{\n  "text": "hello anna"\n}\n' });
    expect(result.stderr.replaceAll(/\d+:\d\d/gu, "0:00")).toBe(
      '  0:00 ▸ greeting r1\n  0:00 ✔ /choose  hello\n  0:00 ✔ /say  {text: "hello anna"}\n  0:00 ✔ greeting r1  done\n',
    );
  },
);

test("in a pipe there is neither colour nor cursor movement, unless colour is asked for", verifies("X6"), async () => {
  const plain = await cli.run(["run", several, "failing"]);
  expect(plain.stderr + plain.stdout).not.toContain("\u001B");
  const colored = await cli.run(["run", several, "failing"], { env: { FORCE_COLOR: "1" } });
  expect(colored.stderr).toContain("\u001B[31m");
});

test("--json prints the entries and nothing else on standard output", verifies("X6", "O1"), async () => {
  const result = await cli.run(["run", greeting, "--input", "-", "--by", "ann", "--id", "r1", "--json"], {
    stdin: '{"name":"anna"}',
  });
  const golden = result.stdout
    .replaceAll(/"at":\d+/gu, '"at":0')
    .replaceAll(/"hash":"[0-9a-f]{64}"/gu, '"hash":"…"')
    .replaceAll(/"tookMs":\d+,?/gu, "");
  expect(golden).toMatchInlineSnapshot(`
    "{"v":1,"lsn":1,"run":"r1","seq":1,"kind":"run-started","key":"","at":0,"body":{"flow":"greeting","version":"1","by":"ann","input":{"name":"anna"}},"hash":"…"}
    {"v":1,"lsn":2,"run":"r1","seq":2,"kind":"step-done","key":"/choose","at":0,"body":{"out":"hello"},"hash":"…"}
    {"v":1,"lsn":3,"run":"r1","seq":3,"kind":"step-done","key":"/say","at":0,"body":{"out":{"text":"hello anna"}},"hash":"…"}
    {"v":1,"lsn":4,"run":"r1","seq":4,"kind":"run-done","key":"","at":0,"body":{"out":{"text":"hello anna"}},"hash":"…"}
    "
  `);
  expect(result).toMatchObject({ code: 0, stderr: "" });
});

test("--quiet shows nothing but the result", verifies("X6"), async () => {
  expect(await cli.run(["run", greeting, "--quiet"])).toMatchObject({
    code: 0,
    stderr: "",
    stdout: '{\n  "text": "hello world"\n}\n',
  });
});

test("a failed run leaves with 1 and says how to see why and go on", verifies("X6"), async () => {
  const result = await cli.run(["run", several, "failing", "--id", "r1"]);
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toContain(
    "✗ STEP_FAILED  /bad failed: there is no paper\n  → tutti why r1\n  → tutti fork r1 /bad ",
  );
  const json = await cli.run(["run", several, "failing", "--json"]);
  expect(json).toMatchObject({ code: 1, stderr: "" });
  expect(lastLine(json.stdout)).toMatchObject({ error: { code: "STEP_FAILED" } });
});

test(
  "a run that waits leaves with 4 and the command that answers; a signal and a resume bring it to its end",
  verifies("X6", "D9"),
  async () => {
    const waiting = await cli.run(["run", several, "asking", "--id", "r1"]);
    expect(waiting).toMatchObject({ code: 4, stdout: "" });
    expect(waiting.stderr).toContain("→ tutti signal r1 answer '<json>'\n  → tutti resume r1 ");
    const signalled = await cli.run(["signal", "r1", "answer", '"yes"']);
    expect(signalled).toMatchObject({ code: 0, stdout: "run r1 has the signal answer\n" });
    expect(signalled.stderr).toContain("tutti resume r1");
    expect(await cli.run(["resume", "r", several])).toMatchObject({ code: 0, stdout: "answered: yes\n" });
    expect(await cli.run(["signal", "r1", "answer", '"late"', "--json"])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("RUN_OVER"),
    });
  },
);

test("a parent names what its child waits for", verifies("X6", "D17"), async () => {
  const waiting = await cli.run(["run", several, "parenting", "--id", "r1"]);
  expect(waiting.code).toBe(4);
  expect(waiting.stderr).toContain("→ tutti signal r1.asking answer '<json>'");
});

test("a run that waits for a time is waited for, unless --no-wait", verifies("X6", "D9"), async () => {
  expect(await cli.run(["run", several, "sleeping", "--input", '{"ms":50}'])).toMatchObject({
    code: 0,
    stdout: "awake\n",
  });
  expect(await cli.run(["run", several, "sleeping", "--input", '{"ms":60000}', "--no-wait"])).toMatchObject({
    code: 4,
  });
});

test("an effect in doubt leaves with 4 and the command that settles it", verifies("X6", "D3"), async () => {
  const waiting = await cli.run(["run", doubtful, "--input", '{"to":"anna"}', "--id", "r1"]);
  expect(waiting.code).toBe(4);
  expect(waiting.stderr).toContain("→ tutti settle letter.send:anna done|not-done\n");
  expect((await cli.run(["show", "r1"])).stdout).toContain("tutti settle letter.send:anna");
  const settled = await cli.run([
    "settle",
    "letter.send:anna",
    "done",
    "--output",
    '{"receipt":"7"}',
    "--note",
    "I saw it",
    "--by",
    "anna",
  ]);
  expect(settled).toMatchObject({ code: 0, stdout: "letter.send:anna is settled: it happened\n" });
  expect(await cli.run(["resume", "r1", doubtful])).toMatchObject({ code: 0, stdout: "sent: 7\n" });
  expect((await cli.run(["why", "r1"])).stdout).toContain("a person said that effect letter.send:anna was done");
  expect(await cli.run(["settle", "letter.send:anna", "not-done"])).toMatchObject({ code: 2 });
});

test("a run is forked with another result, and only what follows is done again", verifies("X6", "D12"), async () => {
  await cli.run(["run", greeting, "--input", '{"name":"anna"}', "--id", "r1"]);
  const forked = await cli.run(["fork", "r1", "/choose", greeting, "--output", '"goodbye"']);
  expect(forked).toMatchObject({ code: 0, stdout: '{\n  "text": "goodbye anna"\n}\n' });
  const later = await cli.run(["fork", "r1", "/choose", "--output", '"later"', "--by", "dana", "--json"]);
  const { run } = fields({ run: text })(lastLine(later.stdout), "");
  expect(await cli.run(["resume", run, greeting])).toMatchObject({ code: 0, stdout: '{\n  "text": "later anna"\n}\n' });
  const why = (await cli.run(["why", run])).stdout;
  expect(why).toContain("It was forked by dana from run r1");
});

test("where a fork went another way than its origin is said, and what both share", verifies("X6", "O11"), async () => {
  await cli.run(["run", greeting, "--input", '{"name":"anna"}', "--id", "r1"]);
  await cli.run(["fork", "r1", "/say", greeting, "--output", '{"text":"goodbye"}']);
  const listed = await cli.run(["runs", "--json"]);
  const fork = /"id":"(?<id>r1~\w+)"/u.exec(listed.stdout)?.groups?.["id"] ?? "";
  const told = await cli.run(["diff", fork]);
  expect(told).toMatchObject({ code: 0, stderr: "" });
  expect(told.stdout).toMatch(
    /^- r1 {2}done.*\n\+ r1~\w+ {2}done.*\n1 step and 2 entries are shared\.\n1 step alike, 1 differing\./u,
  );
  expect(told.stdout).toContain("/say  output  ← here they part");
  expect(lastLine((await cli.run(["diff", "r1", "r1", "--json"])).stdout)).toMatchObject({ differing: 0, alike: 2 });
  expectError(await cli.run(["diff", "r1"]), "USAGE");
});

test("what was typed wrong is said in one block with a hint, and leaves with 2", verifies("X6"), async () => {
  const at = (name: string, content: string): string => {
    const file = path.join(cli.folder, name);
    writeFileSync(file, content);
    return file;
  };
  const flowLike = 'kind: "flow", version: "1", input: {}, output: {}, onFailure: "keep", run() {}';
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["USAGE", ["rnu"], /no command "rnu"[^]+did you mean: tutti run/u],
    ["USAGE", ["run"], /needs <file>/u],
    ["USAGE", ["run", greeting, "greeting", "more"], /can't take "more"/u],
    ["USAGE", ["run", greeting, "--inptu", "{}"], /did you mean --input/u],
    ["USAGE", ["run", greeting, "--input", "{topic"], /--input is not JSON/u],
    ["USAGE", ["run", greeting, "--durability", "maybe"], /power or process/u],
    ["USAGE", ["run", greeting, "--wait", "--no-wait"], /contradict/u],
    ["USAGE", ["run", several], /exports \d flows/u],
    ["USAGE", ["run", greeting, "other"], /exports no flow "other"/u],
    ["USAGE", ["runs", "--limit", "many"], /whole number/u],
    ["USAGE", ["runs", "--status", "happy"], /no run is "happy"/u],
    ["INPUT_INVALID", ["run", greeting, "--input", '{"name":7}'], /name/u],
    ["INPUT_INVALID", ["run", greeting, "--id", "a b"], /can't name a run/u],
    ["SOURCE_UNREADABLE", ["run", greeting, "--input", "@missing.json"], /missing\.json/u],
    ["SOURCE_UNREADABLE", ["signal", "r1", "go", "--ledger", "none.db"], /no ledger/u],
    ["SOURCE_UNREADABLE", ["show", "r1", "--ledger", "none.db"], /none\.db/u],
    ["FLOW_FILE_INVALID", ["run", "missing.ts"], /does not exist/u],
    ["FLOW_FILE_INVALID", ["run", cli.folder], /is not a file/u],
    ["FLOW_FILE_INVALID", ["run", at("notes.md", "# notes")], /neither TypeScript nor JavaScript/u],
    [
      "FLOW_FILE_INVALID",
      ["run", at("broken.ts", "export const a = 1;\n\nconst b: = 2;\n")],
      /syntax error in line 3/u,
    ],
    [
      "FLOW_FILE_INVALID",
      ["run", at("broken.mjs", "export const a = 1;\nconst b = = 2;\n")],
      /syntax error in line 2/u,
    ],
    ["FLOW_FILE_INVALID", ["run", at("enum.ts", "export enum A { b }\n")], /in line 1[^]+strips types/u],
    ["FLOW_FILE_INVALID", ["run", at("imports.ts", 'import "./gone.ts";\n')], /gone\.ts/u],
    [
      "FLOW_FILE_INVALID",
      ["run", at("throws.ts", 'export const a = 1;\nthrow new Error("\u001B[2Jboom");\n')],
      /in line 2: boom/u,
    ],
    ["FLOW_FILE_INVALID", ["run", at("empty.ts", "export const a = 1;\n")], /exports no flow[^]+It exports: a/u],
    [
      "FLOW_FILE_INVALID",
      [
        "run",
        at("twins.mjs", `export const a = { name: "x", ${flowLike} };\nexport default { name: "x", ${flowLike} };\n`),
      ],
      /two flows named x/u,
    ],
  ];
  for (const [code, args, says] of cases) {
    const result = await cli.run(args);
    expectError(result, code);
    expect(result.stderr).toMatch(says);
  }
  expect(existsSync(path.join(cli.folder, "none.db"))).toBe(false);
});

test("a run is named by the beginning of its id, if only one begins so", verifies("X6"), async () => {
  await cli.run(["run", greeting, "--id", "first-1"]);
  await cli.run(["run", greeting, "--id", "first-2"]);
  expect((await cli.run(["show", "first-2"])).stdout).toContain("greeting  first-2  done");
  expect((await cli.run(["show", "first"])).stderr).toMatch(/2 runs begin with "first"[^]+first-2, first-1/u);
  expectError(await cli.run(["show", "second"]), "RUN_UNKNOWN");
  expect(
    (await cli.run(["runs", "--json", "--limit", "1"])).stdout
      .trim()
      .split("\n")
      .map((line) => fields({ id: text })(JSON.parse(line), "").id),
  ).toEqual(["first-2"]);
});

test("an empty folder has no runs, which is no mistake", verifies("X6"), async () => {
  expect(await cli.run(["runs"])).toMatchObject({ code: 0, stdout: "", stderr: expect.stringContaining("No runs") });
});

test("verify finds an entry that was changed by hand", verifies("X6", "G12"), async () => {
  await cli.run(["run", greeting, "--id", "r1"]);
  expect(await cli.run(["verify"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("is intact: 4 entries of 1 run"),
  });
  const database = new DatabaseSync(path.join(cli.folder, ".tutti/ledger.db"));
  database.exec(`update entry set body = replace(body, 'hello', 'hullo') where lsn = 2`);
  database.close();
  const broken = await cli.run(["verify"]);
  expect(broken).toMatchObject({ code: 1, stdout: "" });
  expect(broken.stderr).toMatch(/✗ LEDGER_CORRUPT  .+entry 2 of run r1/u);
});

test("the same key starts one run", verifies("X6", "D15"), async () => {
  const first = await cli.run(["run", greeting, "--key", "k", "--input", '{"name":"anna"}']);
  const second = await cli.run(["run", greeting, "--key", "k", "--input", '{"name":"ben"}']);
  expect(second).toMatchObject({ code: 0, stdout: first.stdout });
});

test("text of a flow can't command the terminal", verifies("X6"), async () => {
  const { stderr } = await cli.run(["run", several, "hostile", "--id", "r1"]);
  const shown = await cli.run(["show", "r1", "--entries"]);
  const why = await cli.run(["why", "r1"]);
  // oxlint-disable-next-line no-control-regex -- it looks for what must not be there
  expect(stderr + shown.stdout + why.stdout).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/u);
});

test("a stack is shown only to those who ask for it", verifies("X6"), async () => {
  const args = ["run", path.join(cli.folder, "throws.mjs")];
  writeFileSync(path.join(cli.folder, "throws.mjs"), 'throw new Error("boom");');
  expect((await cli.run(args)).stderr).not.toContain("    at ");
  expect((await cli.run(args, { env: { TUTTI_DEBUG: "1" } })).stderr).toContain("    at ");
});

test("what the flow itself prints does not end up between the lines of --json", verifies("X6"), async () => {
  const { code, stdout, stderr } = await cli.run(["run", several, "noisy", "--json"]);
  expect(code).toBe(0);
  for (const line of stdout.trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("kind");
  expect(stderr).toContain("out 0");
});

test("a parked run leaves with 1, the reason and what to do about it", verifies("X6", "D13"), async () => {
  const result = await cli.run(["run", several, "careless", "--id", "r1"]);
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toMatch(/✗ FLOW_NONDURABLE_AWAIT[^]+→ Put it into run\.step[^]+→ tutti resume r1 /u);
  expect((await cli.run(["show", "r1"])).stdout).toContain("FLOW_NONDURABLE_AWAIT");
});

test("resuming with a file that lacks the flow names the flow", verifies("X6"), async () => {
  await cli.run(["run", several, "asking", "--id", "r1"]);
  const result = await cli.run(["resume", "r1", greeting]);
  expectError(result, "FLOW_UNKNOWN");
  expect(result.stderr).toContain("asking version 1");
});
