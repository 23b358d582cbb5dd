import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { toScript } from "../../../../test/mcp/scripts.ts";
import { openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { root } from "../../../../test/tidy/repository.ts";
import { verifies } from "../../../../test/verifies.ts";

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

function write(name: string, text: string): void {
  const file = path.join(cli.folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** A project with a tool of its own, a built-in one, a server of tools and one that nobody reaches. */
function writeProject(): void {
  write("package.json", '{ "type": "module" }');
  symlinkSync(path.join(root, "node_modules"), path.join(cli.folder, "node_modules"));
  const { command, args } = toScript("pipe-server.ts", "well", cli.folder);
  write(
    "tutti.config.ts",
    `import { tool, type TuttiConfig } from "tutti";
import { codeTool } from "tutti/capabilities";
import { mcpServer } from "tutti/mcp";
import { z } from "zod";
const letter = tool({
  name: "letter.send",
  does: "Sends a letter.",
  input: z.object({ to: z.string() }),
  output: z.object({}),
  effect: "once",
  run: () => { throw new Error("the bag has a hole"); },
});
export const pipe = mcpServer({ name: "pipe", command: ${JSON.stringify(command)}, args: ${JSON.stringify(args)}, trusted: true });
const down = mcpServer({ name: "down", url: "http://127.0.0.1:1/mcp" });
export const config: TuttiConfig = { tools: [codeTool(), letter], servers: [pipe, down] };
`,
  );
}

const namesIn = (stdout: string): string[] =>
  stdout
    .split("\n")
    .flatMap((line) => line.split(" ", 1))
    .filter(Boolean);

test(
  "with nothing configured, what needs no key can be listed, shown and called at once",
  verifies("K2", "X6"),
  async () => {
    const { code, stdout, stderr } = await cli.run(["tool", "list"]);
    expect({ code, stderr, names: namesIn(stdout) }).toEqual({
      code: 0,
      stderr: "",
      names: [
        "web.search",
        "web.fetch",
        "code.run",
        "chart.draw",
        "diagram.draw",
        "chart.animate",
        "storage.put",
        "storage.get",
        "storage.head",
        "page.publish",
      ],
    });
    const program = JSON.stringify({ code: "return input * 2", input: 21 });
    const ran = await cli.run(["tool", "call", "code.run", "--input", program, "--id", "r1"]);
    expect(JSON.parse(ran.stdout)).toMatchObject({ kind: "done", result: 42 });
    expect((await cli.run(["show", "r1"])).stdout).toContain("tool:code.run  r1  done");
    write(".tutti/documents/tea.md", "# Tea\n\nGreen tea is brewed at 80 degrees.\n");
    const found = await cli.run(["tool", "call", "web.search", "--input", '{"query":"green tea"}', "--quiet"]);
    expect(JSON.parse(found.stdout)).toMatchObject({ hits: [{ title: "Tea", url: "local:documents/tea.md" }] });
    const page = JSON.stringify({ slug: "tea", title: "Tea", markdown: "80 degrees" });
    const published = await cli.run(["tool", "call", "page.publish", "--input", page, "--quiet"]);
    expect(JSON.parse(published.stdout)).toMatchObject({ slug: "tea" });
    expect(readFileSync(path.join(cli.folder, ".tutti/site/tea/index.html"), "utf8")).toContain("80 degrees");
  },
);

test(
  "the configuration's tools and those of its servers are listed together; a server that is down is named and left out",
  verifies("K2", "X6"),
  async () => {
    writeProject();
    const { code, stdout, stderr } = await cli.run(["tool", "list"]);
    expect(code).toBe(0);
    expect(namesIn(stdout).slice(0, 4)).toEqual(["code.run", "letter.send", "pipe.echo", "pipe.write"]);
    expect(stdout).not.toContain("down.");
    expect(stderr).toMatch(/^! the tools of down are left out: TOOL_UNAVAILABLE {2}the MCP server down /u);
    expect((await cli.run(["tool", "list", "."])).stdout).toBe(stdout);
  },
);

test("a call reaches the one server that it needs, and ends it", verifies("K2", "P3"), async () => {
  writeProject();
  const code = await cli.run(["tool", "call", "code.run", "--input", '{"code":"return 1"}', "--quiet"]);
  expect(code).toMatchObject({ code: 0, stderr: "" });
  expect(existsSync(path.join(cli.folder, "log"))).toBe(false); // the server was not started
  const written = await cli.run(["tool", "call", "pipe.echo", "--input", '{"line":"hello"}', "--quiet"]);
  expect(written).toMatchObject({ code: 0, stderr: "" });
  expect(written.stdout).toContain("hello");
  const [started = ""] = readFileSync(path.join(cli.folder, "log"), "utf8").split("\n");
  expect(() => process.kill(Number(started.replace("started ", "")), 0)).toThrow("ESRCH");
  expect(await cli.run(["tool", "show", "down.search"])).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("✗ TOOL_UNAVAILABLE  the MCP server down can't be used"),
  });
});

test(
  "a call of a project's tool is settled and resumed like any run, with the folder in place of a file",
  verifies("K2", "D3"),
  async () => {
    writeProject();
    const waiting = await cli.run(["tool", "call", "letter.send", "--input", '{"to":"anna"}', "--id", "r1"]);
    expect(waiting.code).toBe(4);
    const key = /tutti settle (?<key>\S+)/u.exec(waiting.stderr)?.groups?.["key"] ?? "";
    await cli.run(["settle", key, "done", "--output", "{}"]);
    expect(await cli.run(["resume", "r1", "."])).toMatchObject({ code: 0, stdout: "{}\n" });
  },
);

test("flows use a configured server, and the command ends it with the run", verifies("K2", "K3"), async () => {
  writeProject();
  write(
    "flows/echo.ts",
    `import { flow } from "tutti";
import { z } from "zod";
import { pipe } from "../tutti.config.ts";
const { tools } = await pipe.open();
const [echo] = tools;
export const repeat = flow({
  name: "repeat",
  input: z.object({}),
  output: z.unknown(),
  run: (run) => run.call(echo, { line: "again" }),
});
`,
  );
  const result = await cli.run(["run", "flows/echo.ts", "--quiet"]);
  expect(result).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("again") });
});

test("two tools of one name in a project are told, with the file", verifies("K2", "K4"), async () => {
  writeProject();
  write(
    "tutti.config.ts",
    readFileSync(path.join(cli.folder, "tutti.config.ts"), "utf8").replace("letter]", "letter, letter]"),
  );
  expect(await cli.run(["tool", "list"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("✗ CONFIG_INVALID  tutti.config.ts has two tools named letter.send"),
  });
});
