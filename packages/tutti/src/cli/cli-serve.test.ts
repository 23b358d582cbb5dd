import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { cliFlows, openCliFolder, type CliFolder, type RunningCli } from "../../../../test/run-cli.ts";
import { verifies } from "../../../../test/verifies.ts";
import { fields, integer, text } from "../base/shape.ts";
import { openClient } from "../client/client.ts";

const several = path.join(cliFlows, "several.ts");
const listening = fields({ url: text, port: integer });

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

interface Served {
  readonly process: RunningCli;
  readonly url: string;
  readonly port: number;
}

async function serve(port: number, ...more: readonly string[]): Promise<Served> {
  const process = cli.start(["serve", several, "--port", String(port), "--durability", "process", "--json", ...more]);
  await process.until(() => process.stdout.endsWith("\n"));
  return { process, ...listening(JSON.parse(process.stdout), "") };
}

async function createToken(...more: readonly string[]): Promise<string> {
  const { stdout, stderr } = await cli.run(["token", "create", "--name", "anna", ...more]);
  expect(stderr).toContain("not shown again");
  return stdout.trim();
}

test(
  "a killed server that is started again leaves no gap in a stream and tells nothing twice; its runs go on",
  verifies("D1"),
  async () => {
    const first = await serve(0);
    const token = await createToken("--role", "operator");
    const client = openClient({ url: first.url, token });
    const run = await client.start({ flow: "slow", input: { steps: 60, pauseMs: 30 } });
    const seen: number[] = [];
    let second: Promise<Served> | undefined;
    for await (const entry of client.stream({ after: 0 })) {
      seen.push(entry.lsn);
      if (entry.run === run && entry.kind === "run-done") break;
      if (entry.seq !== 20 || second !== undefined) continue;
      first.process.process.kill("SIGKILL");
      second = first.process.result.then(() => serve(first.port));
    }
    const again = await second;
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => index + 1));
    expect((await client.run(run)).line.status).toBe("done");

    again?.process.process.kill("SIGTERM");
    const ended = await again?.process.result;
    expect([ended?.code, ended?.signal]).toEqual([0, null]);
    expect(ended?.stderr).toContain("SIGTERM: takes no new work");
    const verified = await cli.run(["verify"]);
    expect(verified.code).toBe(0);
  },
);

test("a server that is asked to end ends its streams, and leaves open runs in the ledger", async () => {
  const served = await serve(0);
  const client = openClient({ url: served.url, token: await createToken("--role", "operator") });
  const run = await client.start({ flow: "slow", input: { steps: 200, pauseMs: 30 } });
  const stream = client.stream({ after: 0 });
  await stream.next();
  served.process.process.kill("SIGTERM");
  const ended = await served.process.result;
  expect([ended.code, ended.signal]).toEqual([0, null]);
  expect((await cli.run(["runs", "--json"])).stdout).toContain(run);
});

test("a server that takes checkpoints leaves nothing unsigned, and its anchor has them", verifies("G12"), async () => {
  const anchor = path.join(cli.folder, "vault", "anchor.txt");
  const served = await serve(0, "--checkpoint-every", "5", "--anchor", anchor);
  const client = openClient({ url: served.url, token: await createToken("--role", "operator") });
  await client.start({ flow: "slow", input: { steps: 3, pauseMs: 1 } });
  served.process.process.kill("SIGTERM");
  expect((await served.process.result).code).toBe(0);
  const verified = await cli.run(["audit", "verify", "--strict", "--anchor", anchor]);
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining("is what was signed") });
  const alone = await cli.run(["serve", several, "--anchor", anchor]);
  expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining("--checkpoint-every 10") });
});

test("tokens are created, listed and revoked while the server runs", async () => {
  const served = await serve(0);
  await served.process.until(() =>
    served.process.stderr.includes("Nobody has a token yet. Make one: tutti token create"),
  );
  const token = await createToken("--tenant", "acme");
  const client = openClient({ url: served.url, token });
  expect(await client.call("showSession")).toEqual({ name: "anna", role: "viewer", tenant: "acme" });
  const listed = await cli.run(["token", "list"]);
  const [id = ""] = listed.stdout.split(" ");
  expect(listed.stdout).toContain("viewer  anna  of acme");
  expect((await cli.run(["token", "revoke", id])).code).toBe(0);
  await expect(client.runs()).rejects.toMatchObject({ status: 401 });
  for (const wrong of [["create"], ["revoke"], ["create", "--name", "x", "--role", "king"], ["steal"], ["revoke", "x"]])
    expect([wrong, (await cli.run(["token", ...wrong])).code]).not.toEqual([wrong, 0]);
});

test("tutti dev prints an address that opens the console once", async () => {
  const dev = cli.start(["dev", several, "--port", "0"]);
  await dev.until(() => dev.stderr.includes("/open/"));
  const [url = ""] = /http:\/\/127\.0\.0\.1:\d+\/open\/\S+/u.exec(dev.stderr) ?? [];
  const opened = await fetch(url, { redirect: "manual" });
  expect([opened.status, opened.headers.get("location")]).toEqual([303, "/"]);
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  const session = await fetch(new URL("/api/session", url), { headers: { cookie } });
  expect(await session.json()).toMatchObject({ role: "admin" });
  expect((await fetch(url, { redirect: "manual" })).status).toBe(401);
});

test("a server that others shall reach says by which name", async () => {
  const { code, stderr } = await cli.run(["serve", several, "--host", "0.0.0.0"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("--origin")]);
  const wrong = await cli.run(["serve", several, "--origin", "tutti.example.org"]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("https://tutti.example.org")]);
});
