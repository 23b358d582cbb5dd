import { expect, test } from "vitest";
import { z } from "zod";

import { toAskingPolicy } from "../../../../test/approvals/approval-fixture.ts";
import { openStand, type Stand } from "../../../../test/server/server-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";

const list = z.object({ approvals: z.array(z.object({ approval: z.string(), saw: z.string(), run: z.string() })) });

async function openAsking(): Promise<Stand & { readonly approval: string; readonly saw: string }> {
  const stand = await openStand({ engine: { policy: toAskingPolicy() } });
  const started = await stand.ask("startRun", {
    token: stand.token("operator", "acme"),
    body: { flow: "errand", id: "asks", input: { to: "anna" } },
  });
  expect(started.status).toBe(200);
  await (await stand.tutti.open("asks")).settled();
  const inbox = await stand.ask("listInbox", { token: stand.token("viewer", "acme") });
  const [first] = list.parse(inbox.json).approvals;
  return { ...stand, approval: first?.approval ?? "", saw: first?.saw ?? "" };
}

test("a vote over HTTP counts for what was shown, once, and in the name of the token", verifies("G4"), async () => {
  const stand = await openAsking();
  const token = stand.token("approver");
  const params = { approval: stand.approval };
  const shown = await stand.ask("showApproval", { token, params });
  expect(shown.json).toMatchObject({ package: { action: { tool: "mail.send", canBeUndone: false } } });
  const stale = await stand.ask("decideApproval", { token, params, body: { saw: "0123456789", verdict: "approve" } });
  expect([stale.status, stale.text]).toEqual([expect.any(Number), expect.stringContaining("APPROVAL_STALE")]);
  const empty = await stand.ask("decideApproval", { token, params, body: { saw: stand.saw, verdict: "reject" } });
  expect(empty.text).toContain("INPUT_INVALID");
  const body = { saw: stand.saw, verdict: "edit", input: { to: "berta" } };
  expect((await stand.ask("decideApproval", { token, params, body })).status).toBe(200);
  expect(await (await stand.tutti.open("asks")).result()).toMatchObject({ sent: "berta" });
  const late = await stand.ask("decideApproval", { token, params, body: { saw: stand.saw, verdict: "approve" } });
  expect(late.text).toContain("APPROVAL_DECIDED");
  expect((await stand.tutti.approvals.show(stand.approval)).approval.decidedBy).toBe("approver");
});

test("a tenant does not know the approvals of another one", async () => {
  const stand = await openAsking();
  const token = stand.token("admin", "other");
  expect((await stand.ask("listInbox", { token })).json).toEqual({ approvals: [], isCut: false });
  const params = { approval: stand.approval };
  expect((await stand.ask("showApproval", { token, params })).text).toContain("APPROVAL_UNKNOWN");
  const body = { saw: stand.saw, verdict: "approve" };
  expect((await stand.ask("decideApproval", { token, params, body })).text).toContain("APPROVAL_UNKNOWN");
});

test("directives and freezes are given, shown and lifted over HTTP", verifies("G5", "G14"), async () => {
  const stand = await openStand();
  const token = stand.token("operator");
  const params = { run: "waits" };
  await stand.ask("startRun", { token, body: { flow: "errand", id: "waits", input: { to: "c", waits: true } } });
  await (await stand.tutti.open("waits")).settled();
  const goal = { kind: "goal", text: "be brief", reason: "no time" };
  expect((await stand.ask("steerRun", { token, params, body: goal })).json).toMatchObject({ version: 1 });
  expect((await stand.ask("steerRun", { token, params, body: { kind: "goal" } })).text).toContain("INPUT_INVALID");
  expect((await stand.ask("listDirectives", { token, params })).json).toMatchObject({
    directives: [{ version: 1, kind: "goal", by: "operator", reason: "no time" }],
  });
  const freeze = { reach: "run", name: "waits", reason: "a look first" };
  expect((await stand.ask("setFreeze", { token, body: freeze })).status).toBe(200);
  const frozen = { freezes: [{ ...freeze, by: "operator" }] };
  expect((await stand.ask("listFreezes", { token })).json).toMatchObject(frozen);
  const stranger = stand.token("operator", "other");
  expect((await stand.ask("listFreezes", { token: stranger })).json).toEqual({ freezes: [] });
  expect((await stand.ask("setFreeze", { token: stranger, body: { reach: "all" } })).status).toBe(403);
  expect((await stand.ask("liftFreeze", { token, body: { reach: "run", name: "waits" } })).status).toBe(200);
  expect((await stand.ask("listFreezes", { token })).json).toEqual({ freezes: [] });
});

test("a browser stays signed in over a restart of the server, until it signs out", async () => {
  const files = await openStand();
  const sessionsFile = `${files.folder}/sessions.json`;
  const first = await files.again({ sessionsFile });
  const opened = await first.ask("openSession", { body: { token: first.token("viewer") } });
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  const headers = { cookie, origin: first.server.url };
  const again = await first.again({ sessionsFile, port: first.server.port });
  expect((await again.ask("showSession", { headers })).json).toMatchObject({ name: "viewer" });
  await again.ask("closeSession", { headers });
  expect((await again.ask("showSession", { headers })).status).toBe(401);
});
