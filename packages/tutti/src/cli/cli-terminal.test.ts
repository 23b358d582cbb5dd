import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { cliFlows, openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";

const several = path.join(cliFlows, "several.ts");
const isLinux = process.platform === "linux";

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

/** What a terminal of 80 columns and 24 rows shows in the end: enough of one for what the live view sends. */
function toScreen(bytes: string): readonly string[] {
  const rows: string[] = [""];
  let row = 0;
  let column = 0;
  const put = (text: string): void => {
    const line = (rows[row] ?? "").padEnd(column);
    rows[row] = line.slice(0, column) + text + line.slice(column + text.length);
    column += text.length;
  };
  // oxlint-disable-next-line no-control-regex -- it looks for what must not be there
  for (const [part] of bytes.matchAll(/\u001B\[[0-?]*[ -/]*[@-~]|\r|\n|[^\u001B\r\n]+/gu)) {
    const count = Number(part.slice(2, -1));
    if (part === "\r") column = 0;
    else if (part === "\n") {
      row += 1;
      rows[row] ??= "";
    } else if (part.endsWith("A") && part.startsWith("\u001B")) row -= count;
    else if (part === "\u001B[K") rows[row] = (rows[row] ?? "").slice(0, column);
    else if (part === "\u001B[J") rows.splice(row, rows.length, (rows[row] ?? "").slice(0, column));
    else if (!part.startsWith("\u001B")) put(part);
  }
  return rows.map((line) => line.trimEnd());
}

test.runIf(isLinux)("on a terminal the tree is drawn in place and the cursor comes back", verifies("X6"), async () => {
  const run = cli.startOnTerminal(["run", several, "slow", "--id", "r1", "--input", '{"steps":40,"pauseMs":100}']);
  const { code, stdout } = await run.result;
  expect(code).toBe(0);
  expect(stdout.split("\u001B[?25l").length).toBeGreaterThan(3);
  expect(stdout.lastIndexOf("\u001B[?25h")).toBeGreaterThan(stdout.lastIndexOf("\u001B[?25l"));
  expect(stdout).toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/u);
  const screen = toScreen(stdout);
  expect(screen.filter((line) => line.startsWith("slow  r1"))).toHaveLength(1);
  expect(screen.filter((line) => line.includes("+36 done"))).toHaveLength(1);
  expect(screen.at(-2)).toBe("40");
});

test.runIf(isLinux)("what the flow itself prints stays above the tree, whole", verifies("X6"), async () => {
  const { stdout } = await cli.startOnTerminal(["run", several, "noisy", "--id", "r1"]).result;
  const screen = toScreen(stdout);
  const tree = screen.findIndex((line) => line.startsWith("noisy  r1"));
  for (const word of ["out 0", "out 1", "out 2", "out 3", "out 4", "err 0", "err 4"])
    expect(screen.slice(0, tree).join("\n")).toContain(word);
  expect(screen.slice(tree).filter((line) => line.includes("✔ part-"))).toHaveLength(5);
});

test.runIf(isLinux)(
  "Ctrl-C typed at the terminal pauses the run and gives the terminal back",
  verifies("X6", "D11"),
  async () => {
    const run = cli.startOnTerminal(["run", several, "slow", "--id", "r1", "--input", '{"steps":400,"pauseMs":40}']);
    await run.until(() => /\+\d+ done/u.test(run.stdout));
    run.process.stdin?.write("\u0003");
    const { code, stdout } = await run.result;
    expect(code).toBe(130);
    expect(stdout).toContain(" tutti resume r1 ");
    expect(stdout.lastIndexOf("\u001B[?25h")).toBeGreaterThan(stdout.lastIndexOf("\u001B[?25l"));
  },
);

test.runIf(isLinux)(
  "on a terminal a waiting run stays and takes the answer from another process",
  verifies("X6"),
  async () => {
    const run = cli.startOnTerminal(["run", several, "asking", "--id", "r1"]);
    await run.until(() => run.stdout.includes("tutti signal r1 answer"));
    expect(await cli.run(["signal", "r1", "answer", '"yes"'])).toMatchObject({ code: 0 });
    expect(await run.result).toMatchObject({ code: 0, stdout: expect.stringContaining("answered: yes") });
  },
);

test.runIf(isLinux)(
  "text of a flow can't command a terminal either, not even as its result",
  verifies("X6"),
  async () => {
    const { stdout } = await cli.startOnTerminal(["run", several, "hostile", "--id", "r1"]).result;
    expect(stdout).toContain("red");
    expect(stdout).not.toContain("\u001B]");
    expect(stdout).not.toContain("\u001B[2J");
    expect(stdout).not.toContain("\u009B");
  },
);

test.runIf(isLinux)(
  "NO_COLOR keeps the tree and drops the colours; CI and TERM=dumb get plain lines",
  verifies("X6"),
  async () => {
    const plain = await cli.startOnTerminal(["run", several, "noisy"], { env: { NO_COLOR: "1" } }).result;
    expect(plain.stdout).toContain("\u001B[?25l");
    // oxlint-disable-next-line no-control-regex -- it looks for what must not be there
    expect(plain.stdout).not.toMatch(/\u001B\[\d+m/u);
    for (const env of [{ CI: "true" }, { TERM: "dumb" }]) {
      const lines = await cli.startOnTerminal(["run", several, "noisy"], { env }).result;
      expect(lines.stdout).not.toContain("\u001B[?25l");
      expect(lines.stdout).toContain("✔ /part-4");
    }
  },
);
