import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { expect, onTestFinished, test } from "vitest";

import { toObject } from "../../../../../test/capabilities/object-store-conformance.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { sha256 } from "../../base/hash.ts";
import type { ObjectStore } from "./object-store.ts";
import type { S3Options } from "./s3-client.ts";
import { s3Store } from "./s3-store.ts";

const { signal } = new AbortController();
const secretAccessKey = "a-secret-that-must-not-be-told";
const hash = sha256("a");

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A store at a local server that answers every request alike. */
async function openFaulty(answer: Answer, options: Partial<S3Options> = {}): Promise<ObjectStore> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return s3Store({
    endpoint: `http://127.0.0.1:${portOf(server)}`,
    region: "us-east-1",
    bucket: "evidence",
    credentials: { accessKeyId: "key", secretAccessKey },
    ...options,
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const gives =
  (body: string): Answer =>
  (_, response) =>
    void response.end(body);

function says(status: number, code = "", headers: Record<string, string> = {}): Answer {
  return (request, response) => {
    request.resume();
    const quoted = request.headers.authorization ?? "";
    response
      .writeHead(status, headers)
      .end(code === "" ? "" : `<Error><Code>${code}</Code><Message>${quoted}</Message></Error>`);
  };
}

// What the service answers; then what a write and what a read get.
test.for([
  ["403 SignatureDoesNotMatch", says(403, "SignatureDoesNotMatch"), "TOOL_REFUSED", "TOOL_REFUSED", "none"],
  ["403 RequestTimeTooSkewed", says(403, "RequestTimeTooSkewed"), "TOOL_REFUSED", "TOOL_REFUSED", "none"],
  ["400 BadDigest", says(400, "BadDigest"), "TOOL_REFUSED", "TOOL_REFUSED", "none"],
  [
    "301 to another region",
    says(301, "PermanentRedirect", { location: "http://127.0.0.1:1/" }),
    "TOOL_REFUSED",
    "TOOL_REFUSED",
    "none",
  ],
  [
    "409 ConditionalRequestConflict",
    says(409, "ConditionalRequestConflict"),
    "TOOL_UNAVAILABLE",
    "TOOL_UNAVAILABLE",
    "none",
  ],
  ["429", says(429), "TOOL_RATE_LIMITED", "TOOL_RATE_LIMITED", "none"],
  ["503 SlowDown", says(503, "SlowDown"), "TOOL_RATE_LIMITED", "TOOL_RATE_LIMITED", "none"],
  ["503", says(503), "TOOL_INTERRUPTED", "TOOL_UNAVAILABLE", "unknown"],
  ["501 NotImplemented", says(501, "NotImplemented"), "TOOL_REFUSED", "TOOL_REFUSED", "none"],
  ["500 InternalError", says(500, "InternalError"), "TOOL_INTERRUPTED", "TOOL_UNAVAILABLE", "unknown"],
  ["a page that is no XML", says(500, "<html>"), "TOOL_INTERRUPTED", "TOOL_UNAVAILABLE", "unknown"],
  [
    "a connection that breaks",
    (request: IncomingMessage) => request.socket.destroy(),
    "TOOL_INTERRUPTED",
    "TOOL_INTERRUPTED",
    "unknown",
  ],
] as const)(
  "%s: a closed code, and whether anything was written",
  verifies("K4"),
  async ([, answer, write, read, effect]) => {
    const store = await openFaulty(answer);
    await expect(store.put(toObject("a"), signal)).rejects.toMatchObject({ code: write, effect });
    await expect(store.get(hash, signal)).rejects.toMatchObject({ code: read, effect: "none" });
  },
);

test("the wait that a service asks for goes along", async () => {
  const store = await openFaulty(says(503, "SlowDown", { "retry-after": "7" }));
  await expect(store.get(hash, signal)).rejects.toMatchObject({ retryAfterMs: 7_000 });
});

test("a service that is not there was certainly not asked", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${portOf(server)}`;
  server.close();
  await once(server, "close");
  const store = s3Store({
    endpoint,
    region: "r",
    bucket: "evidence",
    credentials: { accessKeyId: "k", secretAccessKey },
  });
  await expect(store.put(toObject("a"), signal)).rejects.toMatchObject({ code: "TOOL_UNAVAILABLE", effect: "none" });
});

test("a service that does not answer is left after the time limit; whether it wrote is not known", async () => {
  const store = await openFaulty(() => undefined, { timeoutMs: 50 });
  await expect(store.put(toObject("a"), signal)).rejects.toMatchObject({ code: "TOOL_INTERRUPTED", effect: "unknown" });
  await expect(store.get(hash, signal)).rejects.toMatchObject({ code: "TOOL_INTERRUPTED", effect: "none" });
});

test("an aborted call leaves its request at once", async () => {
  const reason = new Error("nobody wants it any more");
  const controller = new AbortController();
  const store = await openFaulty(() => controller.abort(reason));
  await expect(store.put(toObject("a"), controller.signal)).rejects.toMatchObject({
    code: "TOOL_INTERRUPTED",
    effect: "unknown",
    cause: reason,
  });
});

test(
  "an object that was changed in the bucket, cut off, or is too long is not handed over",
  verifies("S5"),
  async () => {
    const changed = await openFaulty(gives("b"));
    await expect(changed.get(hash, signal)).rejects.toMatchObject({ code: "TOOL_ANSWER_INVALID", effect: "none" });
    const cut = await openFaulty((request, response) => {
      response.writeHead(200, { "content-length": "100" }).write("a");
      setImmediate(() => request.socket.destroy());
    });
    await expect(cut.get(hash, signal)).rejects.toMatchObject({ code: "TOOL_INTERRUPTED", effect: "none" });
    const long = await openFaulty(gives("a".repeat(2_000)), { bytesMax: 1_000 });
    await expect(long.get(hash, signal)).rejects.toMatchObject({ code: "TOOL_ANSWER_INVALID" });
  },
);

test("a write says what it holds and that it must not replace anything; what is there already is a success", async () => {
  const puts: IncomingMessage[] = [];
  const answer: Answer = (request, response) => {
    if (request.method === "PUT") puts.push(request);
    const isThere = { "content-length": "1", "content-type": "text/css" };
    request.resume().on("end", () => {
      if (request.method === "PUT") response.writeHead(412).end();
      else response.writeHead(200, isThere).end();
    });
  };
  const store = await openFaulty(answer);
  expect(await store.put(toObject("a"), signal)).toMatchObject({ hash, bytes: 1, mediaType: "text/css" });
  expect(puts.map(({ url = "" }) => url.includes(".from/"))).toEqual([true, false]); // the content last
  expect(puts[1]?.headers).toMatchObject({
    "if-none-match": "*",
    "x-amz-content-sha256": hash,
    "x-amz-checksum-sha256": Buffer.from(hash, "hex").toString("base64"),
    "content-type": "text/plain",
  });
  await expect(store.put(toObject("longer"), signal)).rejects.toMatchObject({ code: "TOOL_ANSWER_INVALID" });
  const old = await openFaulty(answer, { conditionalWrites: false });
  await old.put(toObject("a"), signal);
  expect(puts.at(-1)?.headers).not.toHaveProperty("if-none-match");
});

test("no error tells a key or a signature", verifies("G10"), async () => {
  const store = await openFaulty(says(403, "AccessDenied"));
  const error: unknown = await store.put(toObject("a"), signal).catch((thrown: unknown) => thrown);
  const told = JSON.stringify(error, Object.getOwnPropertyNames(error));
  expect(told).toContain("AccessDenied");
  for (const secret of [secretAccessKey, "Signature=", "Credential="]) expect(told).not.toContain(secret);
});
