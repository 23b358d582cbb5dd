import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { canary, expectNoCanary, openEchoServer, readBytes } from "../../../../test/canary.ts";
import { anything, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { cliFlows, openCliFolder, type CliFolder, type RunningCli } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { secret } from "../tools/secret.ts";

const secretive = path.join(cliFlows, "secretive.ts");
const env = { CRM_TOKEN: canary };

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

const toInput = (url: string): string => JSON.stringify({ url });

test("what a tool prints of a secret does not reach the screen", verifies("G10"), async () => {
  const echo = await openEchoServer();
  const plain = await cli.run(["run", secretive, "asking", "--input", toInput(echo.url)], { env });
  expect(plain).toMatchObject({ code: 0, stdout: expect.stringContaining("sends secret://crm to http://127.0.0.1") });
  expect(plain.stderr).toContain("debug: ");
  const json = await cli.run(["run", secretive, "asking", "--json", "--input", toInput(echo.url)], { env });
  expect(json).toMatchObject({ code: 0, stderr: expect.stringContaining("sends secret://crm") });
  expect(echo.received.map(({ authorization }) => authorization)).toEqual(Array(2).fill(`Bearer ${canary}`));
  expectNoCanary({ ...readBytes(cli.folder), plain: plain.stdout + plain.stderr, json: json.stdout + json.stderr });
});

test("errors are shown without the secret, with their stacks too", verifies("G10"), async () => {
  const echo = await openEchoServer();
  const args = ["run", secretive, "failing", "--input", toInput(echo.url)];
  const plain = await cli.run([...args, "--id", "r1"], { env: { ...env, TUTTI_DEBUG: "1" } });
  expect(plain).toMatchObject({ code: 1, stderr: expect.stringContaining("did not take secret://crm") });
  const json = await cli.run([...args, "--json"], { env });
  const shown = await cli.run(["show", "r1", "--entries"]);
  const why = await cli.run(["why", "r1"]);
  expect(why.stdout).toContain("secret://crm");
  const texts = [plain, json, shown, why].map(({ stdout, stderr }) => stdout + stderr).join("\n");
  expectNoCanary({ ...readBytes(cli.folder), texts });
});

test("a variable that is not set is named", verifies("G10"), async () => {
  const result = await cli.run(["run", secretive, "asking", "--input", toInput("http://127.0.0.1:1/")]);
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toMatch(/✗ SECRET_MISSING .+CRM_TOKEN is not set\n {2}→ Set CRM_TOKEN/u);
});

test("a key that a ledger holds from before it was known is not shown", verifies("G10"), async () => {
  const key = "sk-0123456789-abcdefgh";
  await cli.run(["run", path.join(cliFlows, "greeting.ts"), "--id", "r1", "--input", JSON.stringify({ name: key })]);
  const args = ["show", "r1", "--entries"];
  expect((await cli.run(args)).stdout).toContain(key);
  const shown = await cli.run(args, { env: { OPENAI_API_KEY: key } });
  expect(shown.stdout).toContain("secret://OPENAI_API_KEY");
  expect(shown.stdout).not.toContain(key);
});

test("a process that is killed while it uses a secret leaves nothing of it behind", verifies("G10", "D2"), async () => {
  const { promise: asking, resolve } = Promise.withResolvers<RunningCli>();
  const echo = await openEchoServer(async (index) => {
    if (index > 0) return;
    const command = await asking;
    command.process.kill("SIGKILL");
    await command.result;
  });
  const killed = cli.start(["run", secretive, "asking", "--id", "r1", "--input", toInput(echo.url)], { env });
  resolve(killed);
  const { signal, stdout, stderr } = await killed.result;
  expect(signal).toBe("SIGKILL");
  const left = readBytes(cli.folder);
  expect(Object.values(left).join("")).toContain("effect-intended");
  const resumed = await cli.run(["resume", "r1", secretive], { env });
  expect(resumed).toMatchObject({ code: 0, stdout: expect.stringContaining("200\n") });
  const keys = echo.received.map((headers) => headers["idempotency-key"]);
  expect(keys).toEqual([keys[0], keys[0]]);
  expectNoCanary({ ...left, ...readBytes(cli.folder), texts: stdout + stderr + resumed.stdout + resumed.stderr });
});

test(
  "another process that sends a secret to a running engine is refused without hearing it",
  verifies("G10"),
  async () => {
    const token = secret({ name: "crm", from: () => canary, hosts: ["127.0.0.1"] });
    await token.reveal("http://127.0.0.1/");
    const waiting = { ...plainFlow("waiting", (run) => run.wait("go")), input: anything };
    const tutti = await openTutti({ flows: [waiting], ledger: path.join(cli.folder, "ledger.db") });
    try {
      await (await tutti.start(waiting, {}, { id: "r1" })).settled();
      const sent = await cli.run(["signal", "r1", "go", JSON.stringify({ token: canary }), "--ledger", "ledger.db"]);
      expect(sent).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("✗ SECRET_EXPOSED") });
      expectNoCanary({ sent: sent.stderr, entries: JSON.stringify(await tutti.ledger.scan(0, 100)) });
    } finally {
      await tutti.close();
    }
    expectNoCanary(readBytes(cli.folder));
  },
);
