import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import S3rver from "s3rver";
import { describe, expect, onTestFinished, test } from "vitest";

import {
  describeObjectStore,
  toObject,
  type OpenedStore,
} from "../../../../../test/capabilities/object-store-conformance.ts";
import { sha256 } from "../../base/hash.ts";
import type { S3Options } from "./s3-client.ts";
import { s3Store } from "./s3-store.ts";

const { signal } = new AbortController();
const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };

/** A server that speaks S3 and keeps its objects in a folder. */
async function openServer(): Promise<{
  readonly options: S3Options;
  readonly port: number;
  readonly close: () => Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), "tutti-s3-"));
  const server = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory: folder,
    configureBuckets: [{ name: "evidence", configs: [] }],
  });
  const { port } = await server.run();
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    port,
    options: { endpoint, region: "us-east-1", bucket: "evidence", prefix: "runs/", credentials, bytesMax: 65_536 },
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function openStore(): Promise<OpenedStore> {
  const { options, close } = await openServer();
  return { store: s3Store(options), close };
}

describeObjectStore("a bucket of a local server", openStore);

// Knows conditional writes, which the other does not. Neither checks signatures: sign-request.test.ts does.
const hasMoto = spawnSync("python3", ["-c", "import moto.server"], { stdio: "ignore" }).status === 0;

describe.skipIf(!hasMoto)("with moto (skipped where `python3 -m moto.server` is not installed)", () => {
  describeObjectStore("a bucket of a server that knows conditional writes", openMoto);
});

async function openMoto(): Promise<OpenedStore> {
  const server = spawn("python3", ["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(server, "exit");
  const endpoint = await new Promise<string>((resolve, reject) => {
    let said = "";
    server.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
      if (found !== undefined) resolve(found);
    });
    server.once("exit", () => reject(new Error(said)));
  });
  await fetch(`${endpoint}/evidence`, { method: "PUT", headers: { host: "s3.amazonaws.com" } });
  return {
    store: s3Store({ endpoint, region: "us-east-1", bucket: "evidence", credentials, bytesMax: 65_536 }),
    async close() {
      server.kill();
      await exited;
    },
  };
}

test("a key that the service does not know is refused", async () => {
  const { options, close } = await openServer();
  onTestFinished(close);
  const store = s3Store({ ...options, credentials: { ...credentials, accessKeyId: "nobody" } });
  const unknown = {
    code: "TOOL_REFUSED",
    effect: "none",
    facts: { status: 403 },
    message: expect.stringContaining("InvalidAccessKeyId"),
  };
  await expect(store.put(toObject("a"), signal)).rejects.toMatchObject(unknown);
  await expect(store.get(sha256("a"), signal)).rejects.toMatchObject(unknown);
});

test("credentials can come from a function, which is asked for every request", async () => {
  const { options, close } = await openServer();
  onTestFinished(close);
  let asked = 0;
  const store = s3Store({ ...options, credentials: () => ((asked += 1), credentials) });
  const { hash } = await store.put(toObject("a"), signal);
  await store.get(hash, signal);
  expect(asked).toBe(3);
});

test("a missing bucket is an error with a hint, not an object that is missing", async () => {
  const { options, close } = await openServer();
  onTestFinished(close);
  const store = s3Store({ ...options, bucket: "elsewhere" });
  const refused = { code: "TOOL_REFUSED", hint: expect.stringContaining("bucket") };
  await expect(store.get(sha256("a"), signal)).rejects.toMatchObject(refused);
  await expect(store.put(toObject("a"), signal)).rejects.toMatchObject(refused);
});

test("with the bucket in the host's name the same requests are made", async () => {
  const { options, port, close } = await openServer();
  onTestFinished(close);
  const hosts = new Set<string>();
  const store = s3Store({
    ...options,
    endpoint: `http://s3.us-east-1.amazonaws.com:${port}`,
    bucketIn: "host",
    lookup(host, asked, found) {
      hosts.add(host);
      if (asked.all === true) found(null, [{ address: "127.0.0.1", family: 4 }]);
      else found(null, "127.0.0.1", 4);
    },
  });
  const stored = await store.put(toObject("by host"), signal);
  expect((await store.get(stored.hash, signal))?.object).toEqual(stored);
  expect((await store.head(stored.hash, signal))?.from).toEqual([{ run: "r1", step: "/a" }]);
  expect([...hosts]).toEqual(["evidence.s3.us-east-1.amazonaws.com"]);
  expect((await s3Store(options).get(stored.hash, signal))?.object).toEqual(stored);
});

test("options that can't work are refused when the store is made", () => {
  const base: S3Options = { endpoint: "https://s3.example.org", region: "r", bucket: "evidence", credentials };
  for (const wrong of [
    { endpoint: "s3.example.org" },
    { endpoint: "ftp://a" },
    { bucket: "A" },
    { bucket: "a/b" },
    { prefix: "a" },
    { prefix: "../" },
    { prefix: "a b/" },
  ])
    expect(() => s3Store({ ...base, ...wrong })).toThrow(expect.objectContaining({ code: "DEFINITION_INVALID" }));
});
