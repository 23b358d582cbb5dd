import { mkdirSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";

import { expect, test } from "vitest";

import { openStand, type Stand } from "../../../../test/server/server-fixture.ts";
import { systemClock } from "../base/clock.ts";
import { requestBytesMax } from "./app.ts";

/** A request as a browser or an attacker may send it: fetch does not let one choose the host. */
function sendRaw(
  stand: Stand,
  path: string,
  { method = "GET", headers = {}, body = "" }: { method?: string; headers?: Record<string, string>; body?: string },
): Promise<{ readonly status: number; readonly text: string; readonly headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port: stand.server.port, path, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

test("a page that made its own name point here is refused, and so are pages of other origins", async () => {
  const stand = await openStand();
  const authorization = `Bearer ${stand.token("admin")}`;
  const own = `127.0.0.1:${stand.server.port}`;
  for (const headers of [
    { authorization, host: "evil.example" },
    { authorization, host: own, origin: "https://evil.example" },
    { authorization, host: own, origin: "null" },
    { authorization, host: own, origin: `https://${own}` },
  ]) {
    const answer = await sendRaw(stand, "/api/runs", { headers });
    expect([answer.status, answer.text]).toEqual([403, expect.stringContaining("CALLER_REFUSED")]);
  }
  expect(
    (await sendRaw(stand, "/api/runs", { headers: { authorization, host: own, origin: `http://${own}` } })).status,
  ).toBe(200);
});

test("a server behind a proxy is reached by the name it was given, and by no other", async () => {
  const stand = await openStand({ origin: "https://tutti.example.org" });
  const authorization = `Bearer ${stand.token("admin")}`;
  const ask = (origin: string): Promise<{ readonly status: number }> =>
    sendRaw(stand, "/api/runs", { headers: { authorization, host: "tutti.example.org", origin } });
  expect((await ask("https://tutti.example.org")).status).toBe(200);
  expect((await ask("http://tutti.example.org")).status).toBe(403);
});

test("a cookie opens nothing for a foreign page, and ends with its token", async () => {
  const stand = await openStand();
  const { token, record } = stand.tokens.create({ name: "eve", role: "operator", createdAt: 1 });
  const opened = await stand.ask("openSession", { body: { token } });
  const cookie = opened.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/^tutti_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/u);
  const session = { cookie: cookie.split(";")[0] ?? "" };
  const origin = stand.server.url;
  expect((await stand.ask("showSession", { headers: session })).json).toEqual({ name: "eve", role: "operator" });
  const start = { body: { flow: "fails", input: {} } };
  expect((await stand.ask("startRun", { ...start, headers: session })).status).toBe(403);
  expect((await stand.ask("startRun", { ...start, headers: { ...session, origin } })).status).toBe(200);
  stand.tokens.revoke(record.id);
  expect((await stand.ask("showSession", { headers: session })).status).toBe(401);
  expect((await stand.ask("showSession", { token })).status).toBe(401);
});

test("a session that was closed is over", async () => {
  const stand = await openStand();
  const opened = await stand.ask("openSession", { body: { token: stand.token("viewer") } });
  const session = { cookie: (opened.headers.get("set-cookie") ?? "").split(";")[0] ?? "" };
  const closed = await stand.ask("closeSession", { headers: session });
  expect([closed.status, closed.text, closed.headers.get("set-cookie")]).toEqual([
    200,
    "{}",
    expect.stringContaining("Max-Age=0"),
  ]);
  expect((await stand.ask("showSession", { headers: session })).status).toBe(401);
});

test("the address that opens the console does so once, and not after a minute", async () => {
  let now = 1_000;
  const stand = await openStand({ clock: { ...systemClock, now: () => now } });
  const path = new URL(stand.server.toConsoleUrl("anna")).pathname;
  const first = await sendRaw(stand, path, {});
  expect([first.status, first.headers["location"]]).toEqual([303, "/"]);
  const session = { cookie: String(first.headers["set-cookie"]).split(";")[0] ?? "" };
  expect((await stand.ask("showSession", { headers: session })).json).toEqual({ name: "anna", role: "admin" });
  expect((await sendRaw(stand, path, {})).status).toBe(401);
  const late = new URL(stand.server.toConsoleUrl("anna")).pathname;
  now += 60_001;
  expect((await sendRaw(stand, late, {})).status).toBe(401);
  const longer = new URL(stand.server.toConsoleUrl("anna", 120_000)).pathname;
  now += 60_001;
  expect((await sendRaw(stand, longer, {})).status).toBe(303);
});

test("bodies that are too large, no JSON or of the wrong shape are refused with what is wrong", async () => {
  const stand = await openStand();
  const token = stand.token("operator");
  const large = await stand.ask("startRun", { token, body: { flow: "errand", input: "x".repeat(requestBytesMax) } });
  expect(large.status).toBe(413);
  const form = await stand.ask("startRun", { token, headers: { "content-type": "text/plain" } });
  expect(form.status).toBe(415);
  const wrong = await stand.ask("startRun", { token, body: { flow: 7 } });
  expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining("flow should be text")]);
  expect((await stand.ask("startRun", { token, key: "short", body: { flow: "errand" } })).status).toBe(400);
  expect((await stand.ask("listRuns", { token, query: { limit: 1_000 } })).status).toBe(400);
  expect((await stand.ask("listRuns", { token, query: { colour: "red" } })).text).toContain("It takes:");
  expect((await stand.ask("listRuns", { token, query: { cursor: "next" } })).status).toBe(400);
  expect((await stand.ask("startRun", { token, body: { flow: "nothing" } })).status).toBe(404);
});

test("whoever asks too often, or guesses tokens, is asked to wait", async () => {
  const stand = await openStand({ rate: { burst: 3, perSecond: 1 }, clock: { ...systemClock, now: () => 5_000 } });
  const token = stand.token("viewer");
  const answers = [];
  for (let count = 0; count < 4; count++) answers.push(await stand.ask("listRuns", { token }));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
  expect(answers[3]?.headers.get("retry-after")).toBe("1");
  expect((await stand.ask("listRuns", { token: stand.token("operator") })).status).toBe(200);
  const guesses = [];
  for (let count = 0; count < 21; count++)
    guesses.push((await stand.ask("listRuns", { token: `tutti_000000000000_${"a".repeat(43)}` })).status);
  expect([guesses.slice(0, 20).every((status) => status === 401), guesses[20]]).toEqual([true, 429]);
});

test("every answer forbids what a page of ours never does", async () => {
  const stand = await openStand();
  for (const path of ["/health", "/api/runs", "/nothing.js"]) {
    const { headers } = await sendRaw(stand, path, {});
    expect(headers).toMatchObject({
      "content-security-policy": expect.stringContaining("default-src 'self'"),
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "cache-control": "no-store",
    });
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  }
});

test("the console's files are served, its addresses lead to its page, and nothing else of the disk is reached", async () => {
  const folder = (await openStand()).folder;
  const consoleFolder = join(folder, "console");
  mkdirSync(join(consoleFolder, "assets"), { recursive: true });
  writeFileSync(join(consoleFolder, "index.html"), "<h1>console</h1>");
  writeFileSync(join(consoleFolder, "assets/app.js"), "start()");
  writeFileSync(join(folder, "secret.txt"), "not for you");
  const stand = await openStand({ consoleFolder });
  expect((await sendRaw(stand, "/", {})).text).toBe("<h1>console</h1>");
  expect((await sendRaw(stand, "/runs/some-run", {})).text).toBe("<h1>console</h1>");
  const script = await sendRaw(stand, "/assets/app.js", {});
  expect([script.text, script.headers["cache-control"]]).toEqual(["start()", "public, max-age=31536000, immutable"]);
  for (const path of ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/assets/gone.js"])
    expect([path, (await sendRaw(stand, path, {})).status]).toEqual([path, 404]);
});

test("tokens are kept as hashes, and a damaged file of them lets nobody in", async () => {
  const stand = await openStand();
  const token = stand.token("viewer");
  const { readFileSync, statSync } = await import("node:fs");
  const file = join(stand.folder, "tokens.json");
  const secret = token.split("_").slice(2).join("_"); // it may hold an underscore itself
  expect(secret.length).toBeGreaterThan(20);
  expect(readFileSync(file, "utf8")).not.toContain(secret);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  writeFileSync(`${file}.new`, "{");
  (await import("node:fs")).renameSync(`${file}.new`, file);
  expect((await stand.ask("listRuns", { token })).status).toBe(500);
});
