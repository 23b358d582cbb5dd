import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../test/verifies.ts";
import { systemClock } from "../base/clock.ts";
import { toRunId } from "../contracts/ids.ts";
import { flow } from "../flow/flow.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { findEngine } from "./control-client.ts";
import { bodyBytesMax, openControlEndpoint, type ControlEndpoint } from "./control-endpoint.ts";
import { toControlFile } from "./control-file.ts";
import { openTutti } from "./open-tutti.ts";
import type { Tutti } from "./tutti.ts";

const asking = flow({
  name: "asking",
  input: z.object({}),
  output: z.string(),
  run: async (run) => `go: ${await run.wait<string>("go")}`,
});

let folder: string;
let ledgerFile: string;
let tutti: Tutti;
let endpoint: ControlEndpoint;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tutti-control-"));
  ledgerFile = join(folder, "ledger.db");
  tutti = await openTutti({ flows: [asking], ledger: openMemoryLedger({ clock: systemClock }) });
  endpoint = await openControlEndpoint(tutti, ledgerFile);
});

afterEach(async () => {
  await endpoint.close();
  await tutti.close();
  rmSync(folder, { recursive: true });
});

function readToken(): string {
  const address: unknown = JSON.parse(readFileSync(toControlFile(ledgerFile), "utf8"));
  return typeof address === "object" && address !== null && "token" in address ? String(address.token) : "";
}

interface Attempt {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function attempt({ path = "/ping", method = "POST", headers = {}, body = "{}" }: Attempt): Promise<number | string> {
  return new Promise((resolve) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port: endpoint.port,
        path,
        method,
        headers: { authorization: `Bearer ${readToken()}`, ...headers },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    sent.on("error", () => resolve("cut off"));
    sent.end(body);
  });
}

test(
  "another process can signal, pause, resume, fork and cancel runs of a running engine",
  verifies("D11", "D12", "X6"),
  async () => {
    const client = await findEngine(ledgerFile);
    expect(client?.pid).toBe(process.pid);
    const first = await tutti.start(asking, {}, { id: "first" });
    await first.settled();
    await client?.send("pause", { run: first.id, by: "anna" });
    expect((await first.state()).kind).toBe("paused");
    await client?.send("resume", { run: first.id });
    await client?.send("signal", { run: first.id, name: "go", payload: "yes", id: "s1" });
    await client?.send("signal", { run: first.id, name: "go", payload: "again", id: "s1" }).catch(() => {});
    expect(await first.result()).toBe("go: yes");

    const second = await tutti.start(asking, {}, { id: "second" });
    await client?.send("cancel", { run: second.id, reason: "enough", by: "anna" });
    await expect(second.result()).rejects.toMatchObject({ code: "RUN_CANCELLED" });
  },
);

test("what the engine refuses reaches the caller with its code and hint", verifies("X6"), async () => {
  const client = await findEngine(ledgerFile);
  await expect(client?.send("pause", { run: toRunId("nobody") })).rejects.toMatchObject({
    code: "RUN_UNKNOWN",
    hint: expect.any(String),
  });
});

test(
  "nobody gets in without the token, from a web page, or with anything but the named commands",
  verifies("X6"),
  async () => {
    expect(await attempt({})).toBe(200);
    expect(await attempt({ headers: { authorization: "Bearer wrong" } })).toBe(401);
    expect(await attempt({ headers: { authorization: "" } })).toBe(401);
    expect(await attempt({ headers: { origin: "https://evil.example" } })).toBe(403);
    expect(await attempt({ headers: { host: "evil.example" } })).toBe(403);
    expect(await attempt({ method: "GET", body: "" })).toBe(405);
    expect(await attempt({ path: "/close" })).toBe(404);
    expect(await attempt({ path: "/__proto__" })).toBe(404);
    expect(await attempt({ path: "/signal", body: "{" })).toBe(400);
    expect(await attempt({ path: "/signal", body: '{"run":1}' })).toBe(400);
    expect([400, "cut off"]).toContain(await attempt({ path: "/signal", body: " ".repeat(bodyBytesMax + 1) }));
    expect(await attempt({})).toBe(200);
  },
);

test(
  "only the owner of the ledger can read where the engine listens, and nothing is left when it closes",
  verifies("X6"),
  async () => {
    const file = toControlFile(ledgerFile);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await endpoint.close();
    expect(() => statSync(file)).toThrow("ENOENT");
    expect(await findEngine(ledgerFile)).toBeUndefined();
  },
);

test("a note that a dead engine left behind is recognised as stale", verifies("X6"), async () => {
  const file = toControlFile(ledgerFile);
  const note = readFileSync(file, "utf8");
  await endpoint.close();
  writeFileSync(file, note);
  expect(await findEngine(ledgerFile)).toBeUndefined();
  writeFileSync(file, '{"pid":1,');
  expect(await findEngine(ledgerFile)).toBeUndefined();
});

test("an engine that closes leaves a later engine's note alone", verifies("X6"), async () => {
  const later = await openControlEndpoint(tutti, ledgerFile);
  await endpoint.close();
  expect(await findEngine(ledgerFile)).toBeDefined();
  await later.close();
});
