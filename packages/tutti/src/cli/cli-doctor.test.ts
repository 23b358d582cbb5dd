import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";

const root = path.resolve(import.meta.dirname, "../../../..");
const projects = path.join(root, "test/doctor");

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
  symlinkSync(path.join(root, "node_modules"), path.join(cli.folder, "node_modules"));
});
afterEach(() => cli[Symbol.dispose]());

const take = (name: string): void => copyFileSync(path.join(projects, name), path.join(cli.folder, name));

function rulesIn(stdout: string): readonly (readonly [string, number])[] {
  const [, ...findings] = stdout
    .trim()
    .split("\n")
    .map((line): { readonly rule: string; readonly line: number } => JSON.parse(line));
  return findings.map(({ rule, line }) => [rule, line] as const);
}

test("a project that needs no orchestration is told so, and why", verifies("X5"), async () => {
  take("plain-call.ts");
  const said = await cli.run(["doctor", "plain-call.ts"]);
  expect(said).toMatchObject({ code: 0, stderr: "" });
  expect(said.stdout.replaceAll("\n", " ")).toContain(
    "No orchestration is needed here: one agent, nothing in parallel, no waiting, no effect that could be done twice, no people.",
  );
});

test("a sound project, and every example, gets no error and no warning", verifies("X5"), async () => {
  take("sound.ts");
  const sound = await cli.run(["doctor"]);
  expect(sound).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("Nothing to put right.") });
  const examples = await cli.run(["doctor", path.join(root, "examples"), "--json"]);
  expect(examples).toMatchObject({ code: 0, stderr: "" });
  expect(examples.stdout).not.toMatch(/"severity":"(?:error|warning)"/u);
});

test(
  "faults are found in what is written and in what is computed; the worst come first, and the exit code says so",
  verifies("X5"),
  async () => {
    take("careless.ts");
    const said = await cli.run(["doctor", "--json"]);
    expect(said).toMatchObject({ code: 1, stderr: "" });
    expect(rulesIn(said.stdout)).toEqual([
      ["not-durable", 24],
      ["once-without-key", 7],
      ["once-without-check", 7],
      ["wait-without-deadline", 25],
    ]);
    const shown = await cli.run(["doctor"], { env: { FORCE_COLOR: "1" } });
    expect(shown.stdout).toContain(
      "\u001B[31m✗\u001B[39m \u001B[1mcareless.ts:24\u001B[22m  Date.now() stands in flow code",
    );
  },
);

test(
  "what can't be loaded or parsed is said and judged by its text; what is not there is an error",
  verifies("X5", "K4"),
  async () => {
    writeFileSync(path.join(cli.folder, "broken.ts"), "export const a = ;\n");
    const missing = `import "./missing.ts";\nimport { flow } from "tutti";\nexport const job = flow({ name: "job", run: (run) => run.wait("go") });\n`;
    writeFileSync(path.join(cli.folder, "unloadable.ts"), missing);
    const said = await cli.run(["doctor"]);
    expect(said).toMatchObject({ code: 0, stderr: "" });
    expect(said.stdout).toMatch(/broken\.ts can't be read/u);
    expect(said.stdout).toMatch(/only the text of unloadable\.ts was read/u);
    expect(said.stdout).toContain("run.wait has no deadline");
    const nowhere = await cli.run(["doctor", "nowhere"]);
    expect(nowhere).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("nowhere does not exist") });
  },
);

test(
  "a project of several files is one project: what one file calls is found in another, and its configuration counts",
  verifies("X5"),
  async () => {
    const write = (name: string, text: string): void => writeFileSync(path.join(cli.folder, name), text);
    write("package.json", `{ "type": "module" }`);
    mkdirSync(path.join(cli.folder, "src"));
    write(
      "src/tools.ts",
      `import { tool } from "tutti";\nimport { z } from "zod";\nexport const send = tool({ name: "mail.send", does: "Sends.", input: z.object({ to: z.string() }), output: z.object({}), effect: "once", key: ({ to }) => to, check: () => ({}), run: () => ({}) });\n`,
    );
    write(
      "src/flow.ts",
      `import { agent, flow } from "tutti";\nimport { z } from "zod";\nimport { send } from "./tools.ts";\nexport const clerk = agent({ name: "clerk", does: "Writes.", model: "fast", tools: [send], turnsMax: 4, input: z.object({}), output: z.object({}), instructions: "Write." });\nexport const letter = flow({ name: "letter", input: z.object({}), output: z.object({}), run: (run, input) => run.call(clerk, input) });\n`,
    );
    expect(rulesIn((await cli.run(["doctor", "--json"])).stdout).map(([rule]) => rule)).toEqual([
      "no-budget",
      "no-policy",
    ]);
    write(
      "tutti.config.ts",
      `export const config = { budgets: { "run/*": { usd: 1 } }, policy: { name: "house", version: "1", decide: () => ({ kind: "allow", rules: [] }) } };\n`,
    );
    const said = await cli.run(["doctor", "src"]);
    expect(said).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("Nothing to put right.") });
    expect(said.stdout).toContain("1 effect that must not be done twice");
  },
);

test("a flow that has open runs is asked to name its version", verifies("X5", "D13"), async () => {
  take("careless.ts");
  await cli.run(["run", "careless.ts", "--input", '{"order": "7"}', "--no-wait"]);
  expect(rulesIn((await cli.run(["doctor", "--json"])).stdout)).toContainEqual(["flow-without-version", 19]);
});

test(
  "an upgrade check says which open runs would go on under new code and which not, and leaves the ledger as it is",
  verifies("D13"),
  async () => {
    take("sound.ts");
    const input = ["--input", '{"order": "7", "items": ["tea"]}'];
    expect((await cli.run(["run", "sound.ts", ...input, "--id", "r1", "--no-wait"])).code).toBe(4);
    const ledger = path.join(cli.folder, ".tutti/ledger.db");
    const before = readFileSync(ledger);
    const same = await cli.run(["upgrade", "check", "sound.ts"]);
    expect(same).toMatchObject({ code: 0, stderr: "" });
    expect(same.stdout).toContain("✓ r1  order@3, waiting  goes on after 1 recorded result");

    const text = readFileSync(path.join(cli.folder, "sound.ts"), "utf8");
    expect(rulesIn((await cli.run(["doctor", "--json"])).stdout)).toEqual([]);
    writeFileSync(path.join(cli.folder, "sound.ts"), text.replace("{ item }),", "{ item: `${item}s` }),"));
    const changed = await cli.run(["upgrade", "check", "sound.ts", "--json"]);
    expect(changed).toMatchObject({ code: 1, stderr: "" });
    expect(JSON.parse(changed.stdout)).toMatchObject({
      run: "r1",
      outcome: "stops",
      code: "FLOW_DIVERGED",
      facts: { recorded: expect.stringContaining("stock.price") },
    });
    const told = await cli.run(["doctor", "--json"]);
    expect(told.code).toBe(1);
    expect(rulesIn(told.stdout)).toEqual([["open-run-diverges", 34]]);

    writeFileSync(path.join(cli.folder, "sound.ts"), text.replace('version: "3"', 'version: "4"'));
    const raised = await cli.run(["upgrade", "check", "sound.ts"]);
    expect(raised).toMatchObject({ code: 1, stdout: expect.stringContaining("its version is not in this file") });
    expect(readFileSync(ledger).equals(before)).toBe(true);
    expect(await cli.run(["upgrade", "now", "sound.ts"])).toMatchObject({ code: 2, stdout: "" });
  },
);
