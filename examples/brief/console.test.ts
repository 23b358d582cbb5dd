import { existsSync } from "node:fs";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openClient, type Client } from "../../packages/tutti/src/client/client.ts";
import { openCliFolder, type CliFolder, type RunningCli } from "../../test/run-cli.ts";
import { verifies } from "../../test/verifies.ts";
import { topic } from "./desk.ts";

const call = { program: path.join(import.meta.dirname, "main.ts") };
const given = ["--topic", topic, "--sources", path.join(import.meta.dirname, "../market-brief/sources")];

let cli: CliFolder;
beforeEach(() => {
  cli = openCliFolder();
});
afterEach(() => cli[Symbol.dispose]());

const told = ({ stdout, stderr }: RunningCli): string => stdout + stderr;

/** Signs in as a browser does: with the address that was printed, once. */
async function signIn(program: RunningCli): Promise<{ readonly client: Client; readonly page: string }> {
  await program.until(() => /\/open\/[\w-]{43}/u.test(told(program)));
  const [address = ""] = /http:\/\/127\.0\.0\.1:\d+\/open\/[\w-]{43}/u.exec(told(program)) ?? [];
  const opened = await fetch(address, { redirect: "manual" });
  const { origin } = new URL(address);
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  const withCookie: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set("cookie", cookie);
    headers.set("origin", origin);
    return fetch(input, { ...init, headers });
  };
  const page = await (await withCookie(new URL(opened.headers.get("location") ?? "", address))).text();
  return { client: openClient({ url: origin, fetch: withCookie }), page };
}

async function decide(client: Client, verdict: "approve" | "reject"): Promise<void> {
  const [asked] = (await client.inbox({ needs: "you" })).approvals;
  if (asked === undefined) throw new Error("nothing is asked");
  const vote = { saw: asked.package };
  await client.decide(asked.id, verdict === "approve" ? { ...vote, verdict } : { ...vote, verdict, reason: "no" });
}

test(
  "the brief prints an address that opens its console; the page that is approved there is published, and the console stays if it shall",
  verifies("X1"),
  async () => {
    const program = cli.start([...given, "--stay"], call);
    const { client, page } = await signIn(program);
    expect(page).toContain('<div id="root">');
    await program.until(() => program.stderr.includes("Publish it?"));
    await decide(client, "approve");
    await program.until(() => program.stderr.includes("The console stays"));
    expect(program.stderr).toContain("Decided elsewhere: granted, by");
    expect(existsSync(path.join(cli.folder, program.stdout.trim()))).toBe(true);
    expect((await client.runs()).runs).toMatchObject([{ flow: "brief", status: "done" }]);
    program.process.kill("SIGINT");
    const { code, stderr } = await program.result;
    expect([code, stderr]).toEqual([0, expect.stringContaining("tutti -- dev examples/brief/flow.ts --ledger")]);
  },
);

test.runIf(process.platform === "linux")(
  "at a terminal the question goes away when the browser has answered it, and whoever is there reads who did",
  verifies("X1"),
  async () => {
    const program = cli.startOnTerminal(given, call);
    const { client } = await signIn(program);
    await program.until(() => program.stdout.includes("Publish it?"));
    await decide(client, "reject");
    const { code, stdout } = await program.result;
    const [, afterQuestion = ""] = stdout.split("Publish it?");
    expect(afterQuestion).toContain("\r\u001B[K"); // its line is taken away
    expect(afterQuestion).toContain("Decided elsewhere: rejected, by");
    expect([code, stdout]).toEqual([1, expect.stringContaining("APPROVAL_REJECTED")]);
  },
);

test.runIf(process.platform === "linux")(
  "a yes at the terminal ends it when nobody looks in a browser; Ctrl-C ends it in order, and it goes on from there",
  async () => {
    const first = cli.startOnTerminal(given, call);
    await first.until(() => first.stdout.includes("Publish it?"));
    first.process.stdin?.write("\u0003");
    expect(await first.result).toMatchObject({ code: 130, stdout: expect.stringContaining("goes on from here") });
    const second = cli.startOnTerminal(given, call);
    await second.until(() => second.stdout.includes("Publish it?"));
    expect(second.stdout).toContain("Going on with");
    second.process.stdin?.write("yes\r");
    expect(await second.result).toMatchObject({ code: 0, stdout: expect.stringContaining("Look again:") });
  },
);

test("tutti dev serves the brief's file: a run is started over HTTP, asks, and publishes", verifies("X6"), async () => {
  const file = path.join(import.meta.dirname, "flow.ts");
  const program = cli.start(["dev", file, "--port", "0", "--durability", "process"]);
  const { client } = await signIn(program);
  const run = await client.start({ flow: "brief", input: { topic: "Durability of ledgers", slug: "durability" } });
  for await (const { kind } of client.stream({ run, after: 0 })) if (kind === "approval-requested") break;
  await decide(client, "approve");
  expect((await client.whenOver(run)).line.status).toBe("done");
  expect(existsSync(path.join(cli.folder, "out/durability.html"))).toBe(true);
});
