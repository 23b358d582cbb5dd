import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { cliFlows, openCliFolder, type CliFolder } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

const file = path.join(cliFlows, "asking.ts");
const config = `export const config = {
  people: [{ name: "ann", roles: [] }, { name: "bert", roles: [] }, { name: "carl", roles: [] }],
  policy: {
    name: "house",
    version: "1",
    decide: ({ action, principal }) =>
      action === "approve"
        ? principal.person === "carl"
          ? { kind: "deny", rules: ["not-carl"], why: "carl is new here" }
          : { kind: "allow", rules: ["people"] }
        : {
            kind: "needs",
            rules: ["mail"],
            why: "mail leaves the house",
            approvals: [{ count: 1, distinctFromInitiator: true }],
          },
  },
};
`;

function sent(): string {
  const at = path.join(cli.folder, "sent.txt");
  return existsSync(at) ? readFileSync(at, "utf8") : "";
}

test(
  "a run waits for people on the command line, each vote is typed by another process, and it goes on",
  verifies("X6", "G1", "G4", "G7", "O6"),
  async () => {
    writeFileSync(path.join(cli.folder, "tutti.config.mjs"), config);
    const waits = await cli.run(["run", file, "--id", "r", "--by", "ann", "--no-wait"]);
    expect(waits).toMatchObject({ code: 4, stdout: "" });
    expect(waits.stderr).toContain("waits for people: mail: Sends a mail.");
    const listed = (await cli.run(["inbox"])).stdout;
    const [typed = ""] = /^\w{12}:\w{8}/u.exec(listed) ?? [];
    expect(waits.stderr).toContain(`tutti approve|reject ${typed}`);
    const shown = await cli.run(["inbox", typed]);
    expect(shown.stdout).toContain("preview    Dear anna");
    expect(shown.stdout).toContain("why        mail leaves the house (mail)");
    expect(shown.stdout).toContain(`tutti reject ${typed} --reason '<why>'`);
    expect((await cli.run(["show", "r"])).stdout).toContain("waits for people");

    const [id = ""] = typed.split(":");
    expect(await cli.run(["approve", id, "--by", "bert"])).toMatchObject({ code: 2 });
    const own = await cli.run(["approve", typed, "--by", "ann"]);
    expect(own.stderr).toContain("APPROVAL_FORBIDDEN");
    const other = await cli.run(["approve", `${id}:00000000`, "--by", "bert"]);
    expect(other.stderr).toContain("APPROVAL_STALE");
    expect(sent()).toBe("");
    expect(await cli.run(["approve", typed, "--by", "bert", "--note", "fine"])).toMatchObject({ code: 0 });
    const late = await cli.run(["reject", typed, "--by", "bert", "--reason", "no"]);
    expect(late.stderr).toContain("APPROVAL_DECIDED");

    const again = await cli.run(["resume", "r", file, "--no-wait"]);
    expect(again).toMatchObject({ code: 4 });
    expect(sent()).toBe("anna\n");
    const [question = ""] = /^\w{12}:\w{8}/u.exec((await cli.run(["inbox"])).stdout) ?? [];
    expect(again.stderr).toContain(`tutti answer ${question} '<answer>'`);
    expect(await cli.run(["answer", question, '"hello"', "--by", "bert"])).toMatchObject({ code: 0 });
    const done = await cli.run(["resume", "r", file, "--no-wait"]);
    expect(done.code).toBe(0);
    expect(done.stdout).toContain("hello");
    expect(sent()).toBe("anna\n");
    const why = (await cli.run(["why", "r", "/mail"])).stdout;
    expect(why).toContain("asked for people: mail leaves the house");
    expect(why).toContain("bert: approve (fine).");
    expect((await cli.run(["inbox"])).stdout).toBe("");
  },
);

test(
  "where no engine runs, the project's policy is asked, and where there is none nobody says yes",
  verifies("G3", "G4"),
  async () => {
    const project = path.join(cli.folder, "tutti.config.mjs");
    writeFileSync(project, config);
    await cli.run(["run", file, "--id", "r", "--by", "ann", "--no-wait"]);
    const [typed = ""] = /^\w{12}:\w{8}/u.exec((await cli.run(["inbox"])).stdout) ?? [];
    const denied = await cli.run(["approve", typed, "--by", "carl"]);
    expect(denied).toMatchObject({ code: 1, stderr: expect.stringContaining("carl is new here") });
    const handed = await cli.run(["delegate", typed, "bert", "--by", "carl"]);
    expect(handed.stderr).toContain("APPROVAL_FORBIDDEN");
    writeFileSync(project, config.replace(/policy: \{.*\n  \},/su, ""));
    const blind = await cli.run(["approve", typed, "--by", "bert"]);
    expect(blind).toMatchObject({ code: 1, stderr: expect.stringContaining("it was asked under the policy house@1") });
    expect(blind.stderr).toContain("tutti.config.ts");
    expect(await cli.run(["reject", typed, "--by", "carl", "--reason", "no"])).toMatchObject({ code: 0 });
  },
);

test("several are decided by one command, all of them or none", verifies("G4"), async () => {
  writeFileSync(path.join(cli.folder, "tutti.config.mjs"), config);
  for (const id of ["r", "s"]) await cli.run(["run", file, "--id", id, "--by", "ann", "--no-wait"]);
  const listed = (await cli.run(["inbox"])).stdout;
  const [first = "", second = ""] = listed.match(/^\w{12}:\w{8}/gmu) ?? [];
  const stale = await cli.run(["approve", first, `${second.split(":")[0]}:00000000`, "--by", "bert"]);
  expect(stale).toMatchObject({ code: 1, stderr: expect.stringContaining("APPROVAL_STALE") });
  expect((await cli.run(["approve", first, first, "--by", "bert"])).code).toBe(2);
  expect((await cli.run(["inbox"])).stdout).toBe(listed);
  const both = await cli.run(["approve", first, second, "--by", "bert"]);
  expect(both.code).toBe(0);
  expect(both.stdout.match(/it is granted/gu)).toHaveLength(2);
  expect((await cli.run(["inbox"])).stdout).toBe("");
});
