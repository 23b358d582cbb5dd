import { expect, test } from "vitest";
import { z } from "zod";

import { makeGate, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { asks, openStand, operations, type Stand } from "../../../../test/server/server-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { RouteSpec } from "../contracts/api/route-spec.ts";
import { routes } from "../contracts/api/routes.ts";

const started = z.object({ run: z.string() });

async function startErrand(stand: Stand, to: string, more: object = {}): Promise<string> {
  const answer = await stand.ask("startRun", {
    token: stand.token("operator"),
    body: { flow: "errand", input: { to, ...more } },
  });
  expect(answer.status).toBe(200);
  return started.parse(answer.json).run;
}

test("every look at a run over HTTP answers what the OpenAPI document says", verifies("D10"), async () => {
  const stand = await openStand();
  const run = await startErrand(stand, "anna");
  await (await stand.tutti.open(run)).result();
  const token = stand.token("viewer");
  await (await stand.tutti.start(asks, { what: "it" })).settled();
  const [approval] = await stand.tutti.approvals.list();
  await stand.tutti.freeze({ reach: "all" }, { by: "ann" });
  const params = { run, approval: approval?.id ?? "" };
  const queries: Readonly<Record<string, Readonly<Record<string, string | number>>>> = {
    showDocument: { document: "stock/anna" },
    showChanges: { since: 0 },
    why: { depth: 5 },
    compareRuns: { with: run },
    showCallable: { kind: "tool", name: "mail.send" },
  };
  const entries = await stand.tutti.ledger.read((await stand.tutti.open(run)).id);
  const hash = /"hash":"(?<hash>[0-9a-f]{64})"/u.exec(entries.find(({ key }) => key === "/write")?.body ?? "")
    ?.groups?.["hash"];
  for (const operation of operations) {
    const route: RouteSpec = routes[operation];
    if (route.method !== "GET") continue;
    const answer = await stand.ask(operation, {
      token: route.role === "admin" ? stand.token("admin") : token,
      params: { ...params, phase: "0", hash: hash ?? "", tool: "mail.send", topic: "orders" },
      query: queries[operation] ?? {},
    });
    expect([operation, answer.status < 300]).toEqual([operation, true]);
  }
  const blob = await stand.ask("readBlob", { token, params: { run, hash: hash ?? "" } });
  expect([blob.status, blob.text.length, blob.headers.get("content-range")]).toEqual([
    206,
    65_536,
    "bytes 0-65535/100002",
  ]);
  const range = await stand.ask("readBlob", {
    token,
    params: { run, hash: hash ?? "" },
    headers: { range: "bytes=100000-" },
  });
  expect([range.status, range.text]).toEqual([206, 'x"']);
});

test("the list, the score and the why of a run say what it did", async () => {
  const stand = await openStand();
  const run = await startErrand(stand, "anna");
  await (await stand.tutti.open(run)).result();
  const token = stand.token("viewer");
  const list = await stand.ask("listRuns", { token, query: { status: "done" } });
  expect(list.json).toMatchObject({ runs: [{ run, flow: "errand", status: "done" }], counts: { done: 1 } });
  const score = await stand.ask("showScore", { token, params: { run } });
  expect(score.json).toMatchObject({
    status: "done",
    phases: [{ name: "steps" }, { name: "change-stock:anna", documentsWritten: 1 }, { phase: 2, state: "done" }],
  });
  const phase = await stand.ask("showPhase", { token, params: { run, phase: "2" } });
  const nodes = z.object({ nodes: z.array(z.object({ path: z.string(), kind: z.string() })) }).parse(phase.json).nodes;
  expect(nodes.map(({ kind }) => kind)).toEqual(["note", "message", "decision", "tool"]);
  const why = await stand.ask("why", { token, params: { run }, query: { step: "/mail.send" } });
  expect(why.text).toContain("mail.send");
  expect((await stand.ask("showRun", { token, params: { run } })).json).toMatchObject({
    output: { bytes: expect.any(Number), hash: expect.any(String) },
  });
  const uses = await stand.ask("listDocumentUses", { token, params: { run } });
  expect(uses.json).toMatchObject({ uses: [{ use: "read" }, { use: "written", document: "stock/anna", newest: 1 }] });
});

test("the same idempotency key has the same answer, also after a restart", async () => {
  const stand = await openStand();
  const asking = { token: stand.token("operator"), key: "the-same-key", body: { flow: "errand", input: { to: "b" } } };
  const [one, two] = await Promise.all([stand.ask("startRun", asking), stand.ask("startRun", asking)]);
  expect([two.status, two.text]).toEqual([one.status, one.text]);
  const bad = { ...asking, key: "another-key", body: { flow: "errand", input: {} } };
  const refused = await stand.ask("startRun", bad);
  expect(refused.status).toBe(400);
  const other = await stand.ask("startRun", { ...asking, body: { flow: "fails", input: {} } });
  expect([other.status, other.text]).toEqual([400, expect.stringContaining("used for another command")]);

  const again = await stand.again();
  const three = await again.ask("startRun", asking);
  expect([three.status, three.text]).toEqual([one.status, one.text]);
  expect((await again.ask("startRun", bad)).text).toBe(refused.text);
  expect(await again.tutti.runs({ flow: "errand" })).toHaveLength(1);
});

test("runs are steered over HTTP, by the name of the token", verifies("D11", "D12"), async () => {
  const stand = await openStand();
  const token = stand.token("operator");
  const run = await startErrand(stand, "c", { waits: true });
  const handle = await stand.tutti.open(run);
  await handle.settled();
  expect((await stand.ask("pauseRun", { token, params: { run } })).status).toBe(200);
  expect((await stand.ask("showRun", { token, params: { run } })).json).toMatchObject({
    line: { status: "paused" },
    note: "paused by operator",
  });
  expect((await stand.ask("resumeRun", { token, params: { run } })).status).toBe(200);
  const signal = { token, params: { run }, body: { name: "go", payload: { word: "now" } } };
  expect((await stand.ask("signalRun", signal)).status).toBe(200);
  await handle.result();
  const fork = { token, params: { run }, body: { step: "/mail.send", output: { sent: "d" } }, key: "fork-it-once" };
  const forked = started.parse((await stand.ask("forkRun", fork)).json).run;
  expect(await (await stand.tutti.open(forked)).result()).toMatchObject({ sent: "d" });
  const shown = (await stand.ask("showRun", { token, params: { run: forked } })).json;
  expect(shown).toMatchObject({ forkedAt: { run, step: "/mail.send", by: "operator" } });
  expect(started.parse((await stand.ask("forkRun", fork)).json).run).toBe(forked);
  const called = await stand.ask("callTool", { token, params: { tool: "mail.send" }, body: { input: { to: "e" } } });
  const calledRun = started.parse(called.json).run;
  expect(await (await stand.tutti.open(calledRun)).result()).toEqual({ sent: "e" });
  expect((await stand.ask("showRun", { token, params: { run: calledRun } })).json).toMatchObject({
    input: { value: { to: "e" } },
    output: { value: { sent: "e" } },
  });
  const unknown = await stand.ask("callTool", { token, params: { tool: "mail.lose" }, body: { input: {} } });
  expect([unknown.status, unknown.text]).toEqual([
    404,
    expect.stringContaining("no tool mail.lose can be called here"),
  ]);
  expect((await stand.ask("cancelRun", { token, params: { run } })).status).toBe(409);
});

test("a command that came before the server drains comes to its answer", async () => {
  const gate = makeGate();
  const slow = plainFlow("slow", (run) => run.step("work", () => gate.opened));
  const stand = await openStand({ flows: [slow] });
  const token = stand.token("operator");
  const begun = await stand.ask("startRun", { token, body: { flow: "slow", input: {} } });
  const { run } = started.parse(begun.json);
  const pausing = stand.ask("pauseRun", { token, params: { run } }); // answered when the step has ended
  const isAsked = async (): Promise<boolean> =>
    (await stand.ask("listRunEntries", { token, params: { run }, query: { kind: "run-paused" } })).text.includes(
      '"seq"',
    );
  while (!(await isAsked()));
  const closed = stand.server.close();
  gate.open();
  expect((await pausing).status).toBe(200);
  await closed;
  await expect(stand.ask("health", {})).rejects.toThrow("fetch failed");
});
