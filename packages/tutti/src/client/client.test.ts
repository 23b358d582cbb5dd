import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { openStand, type Stand } from "../../../../test/server/server-fixture.ts";
import { ClientError } from "./client-error.ts";
import { openClient, type Client } from "./client.ts";

function toClient(stand: Stand): Client {
  return openClient({ url: stand.server.url, token: stand.token("operator") });
}

test("a run is started, signalled and waited for from outside", async () => {
  const stand = await openStand();
  const client = toClient(stand);
  const run = await client.start(
    { flow: "errand", input: { to: "anna", waits: true } },
    { idempotencyKey: "start-anna" },
  );
  expect(
    await client.start({ flow: "errand", input: { to: "anna", waits: true } }, { idempotencyKey: "start-anna" }),
  ).toBe(run);
  const over = client.whenOver(run);
  await client.pause(run);
  await client.resume(run);
  await client.signal(run, { name: "go", payload: { word: "now" } });
  const detail = await over;
  expect(detail.line.status).toBe("done");
  expect(detail.output.bytes).toBeGreaterThan(100_000);
  expect(await client.blob(run, detail.output.hash ?? "")).toHaveLength(65_536);
  expect((await client.runs({ status: "done" })).runs.map((line) => line.run)).toEqual([run]);
});

test("what the server refuses is an error with its code and its hint", async () => {
  const stand = await openStand();
  const error: unknown = await toClient(stand)
    .run("nobody")
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ClientError);
  expect(error).toMatchObject({ status: 404, code: "RUN_UNKNOWN", hint: expect.any(String), mayPass: false });
  const stranger = openClient({ url: stand.server.url, token: "wrong" });
  await expect(stranger.stream().next()).rejects.toMatchObject({ status: 401, code: "CALLER_UNKNOWN" });
});

test("an answer that is not what it should be is refused", async () => {
  const client = openClient({ url: "http://nowhere.invalid", fetch: async () => Response.json({ runs: 7 }) });
  await expect(client.runs()).rejects.toMatchObject({ code: "ANSWER_INVALID" });
});

test("a command whose answer was lost is repeated under its key, and done once", async () => {
  const stand = await openStand();
  const keys: (string | null)[] = [];
  const client = openClient({
    url: stand.server.url,
    token: stand.token("operator"),
    async fetch(input, init) {
      const response = await fetch(input, init);
      keys.push(new Headers(init?.headers).get("idempotency-key"));
      if (keys.length > 1) return response;
      throw new TypeError("the connection broke");
    },
  });
  await client.start({ flow: "fails", input: {} });
  expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
  expect(await stand.tutti.runs({ flow: "fails" })).toHaveLength(1);
});

test("a stream tells every entry once and in order, from any place on, and only of the run that is asked for", async () => {
  const stand = await openStand();
  const client = toClient(stand);
  const runs = await Promise.all(["a", "b"].map((to) => client.start({ flow: "errand", input: { to } })));
  await Promise.all(runs.map((run) => client.whenOver(run)));
  const all = await stand.tutti.ledger.scan(0, 1_000);
  const seen: number[] = [];
  for await (const entry of client.stream({ after: 0 })) {
    seen.push(entry.lsn);
    if (entry.lsn === all.at(-1)?.lsn) break;
  }
  expect(seen).toEqual(all.map(({ lsn }) => lsn));
  const ofRun = all.filter(({ run }) => run === runs[1]);
  const later: number[] = [];
  for await (const entry of client.stream({ run: runs[1] ?? "", after: ofRun[2]?.lsn ?? 0 })) {
    later.push(entry.lsn);
    if (entry.kind === "run-done") break;
  }
  expect(later).toEqual(ofRun.slice(3).map(({ lsn }) => lsn));
});

test("a stream ends when its reader does not want it any more", async () => {
  const stand = await openStand();
  const end = new AbortController();
  const rest = toClient(stand).stream({ signal: end.signal }).next();
  end.abort();
  expect(await rest).toEqual({ done: true, value: undefined });
});

test("nothing that the client imports is Node's or a package's, so it runs in a page", () => {
  const open = [new URL("../client.ts", import.meta.url).href];
  const seen = new Set<string>();
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    seen.add(file);
    const text = readFileSync(new URL(file), "utf8");
    // An import of types alone is gone before a page sees it.
    for (const [, specifier = ""] of text.matchAll(
      /^(?:import|export) (?!type )[^;]*?from "(?<specifier>[^"]+)";/gmu,
    )) {
      expect([file, specifier]).toEqual([file, expect.stringMatching(/^\.{1,2}\//u)]);
      const next = new URL(specifier, file).href;
      if (!seen.has(next)) open.push(next);
    }
  }
  expect(seen.size).toBeGreaterThan(8);
});
