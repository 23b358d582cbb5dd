import { once } from "node:events";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import { openPreview, type Preview } from "./preview.ts";
import { publishFolder } from "./publish-folder.ts";

const host = toToolHost();

async function openSite(): Promise<{ readonly folder: string; readonly preview: Preview }> {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-preview-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await publishFolder({ folder }).run({ slug: "launch", title: "Launch", markdown: "Hello" }, host);
  await writeFile(path.join(folder, "secret.html"), "secret");
  const preview = await openPreview({ folder });
  onTestFinished(() => preview.close());
  return { folder, preview };
}

/** Exactly this path, which `fetch` would tidy up; all that came back. */
async function askRaw(preview: Preview, line: string, hostName?: string): Promise<string> {
  const { host: own, port, hostname } = new URL(preview.url);
  const socket = connect(Number(port), hostname);
  socket.end(`${line} HTTP/1.1\r\nHost: ${hostName ?? own}\r\nConnection: close\r\n\r\n`);
  let said = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  await once(socket, "close");
  return said;
}

test("a published page is served with its type and a policy that lets nothing run", verifies("K2"), async () => {
  const { preview } = await openSite();
  expect(preview.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  const response = await fetch(new URL("launch/", preview.url));
  expect(await response.text()).toContain("Hello");
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  const policy = response.headers.get("content-security-policy") ?? "";
  for (const part of [
    "default-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "sandbox",
  ])
    expect(policy).toContain(part);
  expect(policy).not.toMatch(/script-src|unsafe/);
  expect(await (await fetch(preview.url)).text()).toContain("launch/index.html");
  expect(await (await fetch(preview.url, { method: "HEAD" })).text()).toBe("");
});

test.for([
  "GET /../secret.html",
  "GET /launch/../secret.html",
  "GET /launch/../../secret.html",
  "GET /%2e%2e/secret.html",
  "GET /..%2fsecret.html",
  "GET /launch/..%5c..%5csecret.html",
  "GET //etc/passwd",
  "GET /secret.html",
  "GET /.versions/launch/",
  "GET /.unfinished/",
  "GET /assets/",
  "GET /assets/../secret.html",
  "GET /launch/index.html/",
  "GET /launch/index.html%00.png",
  "GET http://127.0.0.1/secret.html",
  "POST /launch/",
  "DELETE /launch/",
])("%s leads nowhere", async (line) => {
  const { preview } = await openSite();
  const said = await askRaw(preview, line);
  expect(said).toMatch(/^HTTP\/1\.1 404 /);
  expect(said).not.toContain("secret\n");
  expect(said.toLowerCase()).toContain("content-security-policy: default-src 'none'");
});

test("a name that somebody pointed at this machine is not answered", async () => {
  const { preview } = await openSite();
  expect(await askRaw(preview, "GET /launch/", "evil.example:80")).toMatch(/^HTTP\/1\.1 404 /);
});

test("a link that leads out of the folder is not followed", async () => {
  const { folder, preview } = await openSite();
  await symlink("/etc", path.join(folder, "linked"));
  const response = await fetch(new URL("linked/", preview.url));
  expect(response.status).toBe(500);
  expect(await response.text()).toContain("is a link");
});

test("a port that is taken is an error; a closed preview is gone, and may be closed again", async () => {
  const { folder, preview } = await openSite();
  await expect(openPreview({ folder, port: Number(new URL(preview.url).port) })).rejects.toThrow("EADDRINUSE");
  await preview.close();
  await preview.close();
  await expect(fetch(preview.url)).rejects.toThrow("fetch failed");
});
