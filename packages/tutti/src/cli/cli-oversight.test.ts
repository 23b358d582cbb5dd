import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { cliFlows, openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

/** A project whose policy says this. */
function writePolicy(decide: string): void {
  const policy = `{ name: "house", version: "1", decide: ({ action, principal }) => (${decide}) }`;
  writeFileSync(path.join(cli.folder, "tutti.config.mjs"), `export const config = { policy: ${policy} };\n`);
}

async function findTyped(): Promise<string> {
  return /^\w{12}:\w{8}/u.exec((await cli.run(["inbox"])).stdout)?.[0] ?? "";
}

test(
  "overrides are exported as lines, each a labelled example, to a file that is never written over",
  verifies("G8"),
  async () => {
    writePolicy(
      `{ kind: "needs", rules: ["mail"], why: "it leaves", approvals: [{ count: 1, distinctFromInitiator: false }] }`,
    );
    await cli.run(["run", path.join(cliFlows, "asking.ts"), "--id", "r", "--no-wait"]);
    const typed = await findTyped();
    expect(await cli.run(["reject", typed, "--reason", "x", "--code", "whatever"])).toMatchObject({ code: 2 });
    await cli.run(["reject", typed, "--reason", "not hers", "--code", "wrong-target", "--by", "ann"]);
    expect(await cli.run(["overrides", "export", "--to", "o.jsonl"])).toMatchObject({ code: 0 });
    const lines = readFileSync(path.join(cli.folder, "o.jsonl"), "utf8").trimEnd().split("\n");
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      {
        version: 1,
        kind: "rejected",
        run: "r",
        tool: "mail",
        by: ["ann"],
        reasonCode: "wrong-target",
        note: "not hers",
      },
    ]);
    expect(await cli.run(["overrides", "export", "--to", "o.jsonl"])).toMatchObject({ code: 2 });
  },
);

test("levels and reviews from the command line, each by another process", verifies("G6", "G15"), async () => {
  writePolicy(
    `{ kind: action === "approve" && principal.person === "eve" ? "deny" : "allow", rules: [], why: "not eve" }`,
  );
  const greeting = path.join(cliFlows, "greeting.ts");
  await cli.run(["run", greeting, "--quiet", "--id", "before"]);
  const grant = ["autonomy", "grant", "clerk@1", "--for", "tool/mail", "--level", "3", "--by", "ann"];
  expect((await cli.run(grant)).stdout).toBe("clerk@1 has level 3 for tool/mail from now on\n");
  expect((await cli.run(["autonomy"])).stdout).toBe("clerk@1  tool/mail  level 3\n");
  await cli.run(["review", "--share", "1"]);
  await cli.run(["run", greeting, "--quiet", "--id", "g"]);
  const typed = await findTyped();
  expect(await cli.run(["review", typed, "defective"])).toMatchObject({ code: 2 });
  const denied = await cli.run(["review", typed, "good", "--by", "eve"]);
  expect(denied).toMatchObject({ code: 1, stderr: expect.stringContaining("say yes to review/") });
  await cli.run(["review", typed, "defective", "--defect", "too short; rude", "--by", "ann"]);
  const report = (await cli.run(["review"])).stdout;
  expect(report).toContain("1 outputs, 1 drawn, 1 reviewed, 0 not looked at");
  expect(report).toContain("defective  100.0 % (100.0 % to 100.0 %)");
  expect(report).toContain("g  too short; rude");
});
