import { expect, test } from "vitest";
import { z } from "zod";

import { audience, openIssuerStand } from "../../../../test/server/issuer-fixture.ts";
import { asks, openStand, operations, type Asking, type Stand } from "../../../../test/server/server-fixture.ts";
import { systemClock } from "../base/clock.ts";
import { roles, type Role } from "../contracts/api/commands.ts";
import type { RouteSpec } from "../contracts/api/route-spec.ts";
import { routes, type Operation } from "../contracts/api/routes.ts";
import { toRunId } from "../contracts/ids.ts";

/** Stands in everything that the run of the one tenant has: its input, a large value, a note, a message, a decision, a document, its id. */
const secret = "red-elephant";
const run = `run-of-acme-${secret}`;
const asking = `asks-of-acme-${secret}`;
const named = [run, asking, `mail.send:${secret}`, `stock/${secret}`];

async function openWithSecrets(options: Parameters<typeof openStand>[0] = {}): Promise<Stand> {
  const stand = await openStand(options);
  const answer = await stand.ask("startRun", {
    token: stand.token("operator", "acme"),
    body: { flow: "errand", id: run, input: { to: secret, secret, waits: true } },
  });
  expect(answer.status).toBe(200);
  await (await stand.tutti.open(run)).settled();
  const asked = await stand.tutti.start(asks, { what: secret }, { id: asking, tenant: "acme" });
  await asked.settled();
  await asked.steer({ kind: "context", text: secret }, { by: "ann", reason: secret });
  return stand;
}

const bodies: Readonly<Partial<Record<Operation, unknown>>> = {
  startRun: { flow: "errand", id: run, input: { to: "x" } },
  callTool: { id: run, input: { to: "x" } },
  signalRun: { name: "go", payload: { word: "x" } },
  forkRun: { step: "" },
  editPlan: { plan: "p", edited: {} },
  settleEffect: { effect: `mail.send:${secret}`, verdict: "done" },
  releaseEvent: { event: 1, verdict: "drop" },
  openSession: { token: "tutti_000000000000_wrong" },
  decide: { saw: "0".repeat(64), verdict: "approve" },
  giveDirective: { kind: "goal", text: "x" },
  freeze: { reach: "run", name: run },
  liftFreeze: { reach: "tenant", name: "acme" },
};

const queries: Readonly<Partial<Record<Operation, Asking["query"]>>> = {
  listRuns: { q: secret },
  compareRuns: { with: run },
  showCallable: { kind: "flow", name: "errand" },
  showChanges: { since: 0 },
  showDocument: { document: `stock/${secret}` },
  stream: { after: 0 },
};

test.each(["a token of ours", "a token of an issuer"])(
  "no route gives a tenant anything of another one: %s",
  async (kind) => {
    const issuer = await openIssuerStand(() => Date.now());
    const stand = await openWithSecrets({ issuer: { issuer: issuer.url, audience, tenantClaim: "tenant" } });
    const toToken = (role: Role): Promise<string> | string =>
      kind === "a token of ours"
        ? stand.token(role, "other")
        : issuer.sign({ sub: `${role} of other`, tutti_role: role, tenant: "other" });
    await stand.tutti.freeze({ reach: "tenant", name: "acme" }, { by: "ann", reason: secret });
    await stand.tutti.freeze({ reach: "flow", name: "asks" }, { by: "ann", reason: secret });
    const entries = await stand.tutti.ledger.scan(0, 1_000);
    const before = (await stand.tutti.ledger.scan(0, 1_000)).length;
    const hash = /"hash":"(?<hash>[0-9a-f]{64})"/u.exec(
      entries.find(({ key }) => key === "/write")?.body ?? "",
    )?.groups;
    const [approval] = await stand.tutti.approvals.list({ run: toRunId(asking) });
    const { id = "", package: saw = "" } = approval ?? {};
    const params = {
      run,
      approval: id,
      phase: "0",
      hash: hash?.["hash"] ?? "",
      tool: "mail.send",
      topic: "t",
      subscription: "s",
      schedule: "s",
    };
    const body: Readonly<Partial<Record<Operation, unknown>>> = {
      ...bodies,
      decide: { saw, verdict: "approve" },
      decideAll: { decisions: [{ id, saw, verdict: "approve" }] },
    };
    const hidden = new Set<Operation>(["decideAll", "freeze", "liftFreeze"]);
    for (const operation of operations) {
      const route: RouteSpec = routes[operation];
      for (const role of roles) {
        const answer = await stand.ask(operation, {
          token: await toToken(role),
          params,
          body: body[operation],
          query: queries[operation] ?? {},
        });
        const told = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n") + answer.text;
        // A refusal may repeat the name that was asked for, and nothing else.
        const untold = answer.status < 400 ? told : named.reduce((text, name) => text.replaceAll(name, ""), told);
        expect([operation, role, untold.includes(secret)]).toEqual([operation, role, false]);
        const isHidden = /:run|:approval/u.test(route.path) || hidden.has(operation);
        const refusals = route.sees === "whole" ? [403] : isHidden ? [403, 404] : [answer.status];
        expect([operation, refusals.includes(answer.status)]).toEqual([operation, true]);
      }
    }
    // Nothing was done to the run either, and nothing was started.
    const after = await stand.tutti.ledger.scan(before, 1_000);
    expect(after.filter((entry) => entry.run !== toRunId("request:http") && entry.key === "")).toEqual([]);
  },
);

test("a tenant sees and steers what is its own", async () => {
  const stand = await openWithSecrets();
  const token = stand.token("operator", "acme");
  const list = await stand.ask("listRuns", { token });
  expect(list.json).toMatchObject({ runs: [{ run: asking }, { run, tenant: "acme" }] });
  expect((await stand.ask("listRuns", { token: stand.token("viewer", "other") })).json).toEqual({
    runs: [],
    counts: {},
  });
  expect((await stand.ask("showDocument", { token, query: { document: `stock/${secret}` } })).status).toBe(200);
  expect((await stand.ask("listLimits", { token })).status).toBe(200);
  expect((await stand.ask("listInbox", { token })).json).toMatchObject({ approvals: [{ run: asking }] });
  expect((await stand.ask("freeze", { token, body: { reach: "tenant", name: "acme" } })).status).toBe(200);
  expect((await stand.ask("listFreezes", { token })).json).toMatchObject({
    freezes: [{ reach: "tenant", name: "acme" }],
  });
  expect((await stand.ask("liftFreeze", { token, body: { reach: "tenant", name: "acme" } })).status).toBe(200);
  const signal = { token, params: { run }, body: { name: "go", payload: { word: "x" } } };
  expect((await stand.ask("signalRun", signal)).status).toBe(200);
  await (await stand.tutti.open(run)).result();
});

test("an id that another tenant's run has is taken, whatever the run is to be", async () => {
  const stand = await openWithSecrets();
  const token = stand.token("operator", "other");
  const same = { flow: "errand", id: run, input: { to: secret, secret, waits: true } };
  for (const body of [same, { ...same, input: { to: "x" } }, { ...same, flow: "fails", input: {} }]) {
    const answer = await stand.ask("startRun", { token, body });
    expect([answer.status, answer.text.includes("it is taken")]).toEqual([400, true]);
  }
});

test("a tenant sees the accounts of its own and of its runs, and no others", async () => {
  const stand = await openStand({
    engine: { budgets: { "tenant/acme": { calls: 9 }, "tenant/other": { calls: 9 }, "flow/errand": { calls: 9 } } },
  });
  for (const tenant of ["acme", "other"]) {
    const input = { to: tenant, waits: false };
    const asked = { token: stand.token("operator", tenant), body: { flow: "errand", id: `run-of-${tenant}`, input } };
    expect((await stand.ask("startRun", asked)).status).toBe(200);
    await (await stand.tutti.open(`run-of-${tenant}`)).result();
  }
  const { json } = await stand.ask("listLimits", { token: stand.token("viewer", "acme") });
  const told = z.object({ accounts: z.array(z.object({ account: z.string() })) }).parse(json);
  const accounts = told.accounts.map(({ account }) => account);
  expect(accounts.filter((account) => account.includes("other"))).toEqual([]);
  expect(accounts).toContain("tenant/acme");
  expect(accounts).not.toContain("flow/errand");
});

test("each role may do what it may, and no more", async () => {
  let now = 0;
  // A second passes between two requests, so that none is refused for being one of too many.
  const stand = await openStand({ clock: { ...systemClock, now: () => (now += 1_000) } });
  for (const operation of operations) {
    const route: RouteSpec = routes[operation];
    if (route.role === "anyone") continue;
    expect([operation, (await stand.ask(operation, { body: bodies[operation] })).status]).toEqual([operation, 401]);
    for (const role of ["viewer", "operator", "approver"] as const) {
      if (route.role === "viewer" || route.role === role) continue;
      const answer = await stand.ask(operation, { token: stand.token(role), params: { run }, body: bodies[operation] });
      expect([operation, role, answer.status]).toEqual([operation, role, 403]);
    }
  }
});
