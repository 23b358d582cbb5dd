import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { root } from "../../../../test/tidy/repository.ts";
import { verifies } from "../../../../test/verifies.ts";
import { loadConfig } from "./load-config.ts";

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
  write("package.json", '{ "type": "module" }');
  write("flows/mood.ts", toFlowFile());
  symlinkSync(path.join(root, "node_modules"), path.join(cli.folder, "node_modules"));
});
afterEach(() => cli[Symbol.dispose]());

function write(name: string, text: string): void {
  const file = path.join(cli.folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** An agent that names a tier and no vendor; the flow says which model answered. */
function toFlowFile(more = ""): string {
  return `import { agent, flow } from "tutti";
import { z } from "zod";
const judge = agent({
  name: "judge",
  does: "Tells the mood.",
  model: "fast",
  input: z.object({}),
  output: z.object({ by: z.string() }),
  instructions: "",
});
export const mood = flow({
  name: "mood",
  input: z.object({}),
  output: z.object({ by: z.string() }),
  run: (run) => run.call(judge, {}),
});
${more}`;
}

function toModel(name: string): string {
  return `{ provider: "own", id: "${name}", generate: async () => ({ text: '{"by":"${name}"}', toolCalls: [], usage: { modelCalls: 1, inputTokens: 1, outputTokens: 1 } }) }`;
}

function toConfig(name: string): string {
  return `import type { TuttiConfig } from "tutti";\nexport const config: TuttiConfig = { models: { fast: ${toModel(name)} } };\n`;
}

const run = (file = "flows/mood.ts") => cli.run(["run", file]);

test(
  "a tier gets its model from the project's configuration, and another vendor is one line there",
  verifies("M1"),
  async () => {
    write("tutti.config.ts", toConfig("first vendor"));
    expect(await run()).toMatchObject({ code: 0, stdout: expect.stringContaining("first vendor") });
    write("tutti.config.ts", toConfig("second vendor"));
    expect(await run()).toMatchObject({ code: 0, stdout: expect.stringContaining("second vendor") });
  },
);

test(
  "the configuration next to the flows is nearer than the package's, and what the file itself says is nearest",
  verifies("M1"),
  async () => {
    write("tutti.config.ts", toConfig("package"));
    write("flows/tutti.config.mjs", `export const config = { models: { fast: ${toModel("folder")} } };`);
    const { config } = await loadConfig(path.join(cli.folder, "flows/mood.ts"));
    expect(config.models?.["fast"]).toMatchObject({ id: "folder" });
    write("flows/own.ts", toFlowFile(`export const models = { fast: ${toModel("file")} };`));
    expect((await run("flows/own.ts")).stdout).toContain("file");
  },
);

test("flows of another package use the configuration of the working directory", verifies("M1"), async () => {
  write("inner/package.json", '{ "type": "module" }');
  write("inner/flow.ts", toFlowFile());
  write("tutti.config.ts", toConfig("working directory"));
  expect((await run("inner/flow.ts")).stdout).toContain("working directory");
  // Called from elsewhere, what lies above a package is not its own.
  expect(await loadConfig(path.join(cli.folder, "inner/flow.ts"))).toMatchObject({ path: undefined, config: {} });
});

test(
  "outside any package only the flows' own folder is looked at, not what lies above it",
  verifies("M1"),
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "tutti-config-"));
    try {
      mkdirSync(path.join(folder, "flows"));
      writeFileSync(path.join(folder, "tutti.config.mjs"), "export const config = { tools: [] };");
      expect(await loadConfig(path.join(folder, "flows/mood.ts"))).toMatchObject({ path: undefined });
      writeFileSync(path.join(folder, "flows/tutti.config.mjs"), "export const config = { models: {} };");
      expect(await loadConfig(path.join(folder, "flows/mood.ts"))).toMatchObject({ config: { models: {} } });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

const wrong: readonly (readonly [what: string, text: string, said: string])[] = [
  ["something that throws", 'throw new Error("no key");', "threw while it was loaded in line 1: no key"],
  ["no config", "export default {};", "exports no config"],
  ["a list", "export const config = [];", "exports no config"],
  ["a setting that is none", "export const config = { model: {} };", "there is no setting model"],
  ["a model's name for a model", 'export const config = { models: { fast: "gpt-5" } };', "models.fast is no model"],
  ["no map of models", "export const config = { models: [] };", "models is no map"],
  ["no tools", "export const config = { tools: [1] };", "tools is no list of tools"],
  ["no limits", "export const config = { limits: [] };", "limits is no map"],
  ["no budgets", "export const config = { budgets: 5 };", "budgets is no map"],
  ["no servers", "export const config = { servers: [{ url: '' }] };", "servers is no list of servers"],
];

test.each(wrong)("a configuration with %s is one clear error", verifies("M1", "K4"), async (_what, text, said) => {
  write("tutti.config.mjs", text);
  await expect(loadConfig(path.join(cli.folder, "flows/mood.ts"))).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringMatching(/tutti\.config\.mjs/),
    hint: expect.any(String),
  });
  await expect(loadConfig(path.join(cli.folder, "flows/mood.ts"))).rejects.toThrow(said);
});

test("a wrong configuration is told before anything is begun", verifies("M1", "K4"), async () => {
  write("tutti.config.ts", "export const config = {");
  const result = await run();
  expect(result).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("CONFIG_INVALID") });
  expect(result.stderr).toContain("tutti.config.ts has a syntax error");
  expect(existsSync(path.join(cli.folder, ".tutti"))).toBe(false);
});
