import { brotliCompressSync, deflateSync, zstdCompressSync } from "node:zlib";

import { afterEach, describe, expect, test } from "vitest";

import { errorOf } from "../../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toStoredError } from "../../base/errors.ts";
import { fields, integer } from "../../base/shape.ts";
import { openProviderServer, type ProviderAnswer, type ProviderServer } from "../../testing/provider-server.ts";
import { askHttp, askJson, type HttpRequest } from "./ask-http.ts";

const servers: ProviderServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(answer: ProviderAnswer): Promise<ProviderServer> {
  const server = await openProviderServer(() => answer);
  servers.push(server);
  return server;
}

const key = "tulip-garden"; // like no key that a pattern would find
const { signal } = new AbortController();

function toRequest(url: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return { provider: "press", url, effect: "write", signal, ...more };
}

describe("keys", () => {
  test(
    "are in no message, however the service repeats them, and neither is the query",
    verifies("K4", "G10"),
    async () => {
      const message = `no to ${key}, to my-pin, to Bearer ${key} and to ${key}${key}, and to ${encodeURIComponent(key)}`;
      const server = await serve({
        kind: "answer",
        status: 400,
        body: { error: { message } },
        headers: { "x-request-id": key },
      });
      const error = await errorOf(
        askHttp(
          toRequest(`${server.url}/pages?token=${key}`, {
            secretHeaders: { authorization: `Bearer ${key}` },
            secrets: ["my-pin"],
          }),
        ),
      );
      expect(error).toMatchObject({ code: "TOOL_REFUSED", effect: "none", facts: { status: 400, provider: "press" } });
      expect(error.message).toContain("/pages) answered 400: no to [redacted]");
      expect(JSON.stringify(toStoredError(error))).not.toContain(key);
      expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${key}`);
    },
  );

  test("that no header can hold are refused without being shown", async () => {
    const error = await errorOf(askHttp(toRequest("http://127.0.0.1:9", { secretHeaders: { key: `${key}\r\nx: y` } })));
    expect(error).toMatchObject({ code: "TOOL_REFUSED", effect: "none" });
    expect(JSON.stringify(toStoredError(error))).not.toContain(key);
  });
});

test("an adapter can say what its service means by an answer", async () => {
  const server = await serve({ kind: "answer", status: 503, body: { slow: "down" }, headers: { "retry-after": "2" } });
  const request = toRequest(server.url, {
    explain: ({ status }) =>
      status === 503 ? { code: "TOOL_RATE_LIMITED", effect: "none", hint: "Slow down." } : undefined,
  });
  expect(await errorOf(askHttp(request))).toMatchObject({
    code: "TOOL_RATE_LIMITED",
    effect: "none",
    hint: "Slow down.",
    retryAfterMs: 2_000,
  });
});

test.each([
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
  ["identity", (plain: Buffer) => plain],
  ["br, zstd", (plain: Buffer) => zstdCompressSync(brotliCompressSync(plain))],
])("an answer packed with %s is unpacked", async (packing, pack) => {
  const server = await serve({
    kind: "answer",
    headers: { "content-encoding": packing },
    body: pack(Buffer.from(`{"pages":7}`)),
  });
  expect(await askJson(toRequest(server.url), fields({ pages: integer }))).toEqual({ pages: 7 });
});

test("bodies are sent as they are given: bytes, text, JSON", async () => {
  const server = await serve({ kind: "answer", body: "{}" });
  await askHttp(toRequest(server.url, { body: Buffer.from("ä"), method: "PUT" }));
  await askHttp(toRequest(server.url, { body: "ö" }));
  await askHttp(toRequest(server.url, { json: { a: "ü" } }));
  await askHttp(toRequest(server.url, { effect: "read" }));
  expect(server.requests).toMatchObject([
    { method: "PUT", body: "ä", headers: { "content-length": "2" } },
    { method: "POST", body: "ö" },
    { method: "POST", body: { a: "ü" }, headers: { "content-type": "application/json" } },
    { method: "GET", body: "" },
  ]);
});

test("a connection that is kept open counts as one that takes the request at once", async () => {
  let asked = 0;
  const server = await openProviderServer(() => (++asked === 1 ? { kind: "answer", body: "{}" } : { kind: "cut" }));
  servers.push(server);
  await askHttp(toRequest(server.url));
  expect(await errorOf(askHttp(toRequest(server.url)))).toMatchObject({ code: "TOOL_INTERRUPTED", effect: "unknown" });
  expect(await errorOf(askHttp(toRequest(server.url, { effect: "read" })))).toMatchObject({ effect: "none" });
});
