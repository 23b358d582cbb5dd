import { expect, test } from "vitest";

import { audience, openIssuerStand, type IssuerStand } from "../../../../test/server/issuer-fixture.ts";
import { asks, openStand, operations, type Stand } from "../../../../test/server/server-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { systemClock, type Clock } from "../base/clock.ts";
import { openClient } from "../client/client.ts";
import type { RouteSpec } from "../contracts/api/route-spec.ts";
import { routes } from "../contracts/api/routes.ts";
import type { LedgerEntry } from "../contracts/entry.ts";

interface Bench {
  readonly stand: Stand;
  readonly issuer: IssuerStand;
  /** Lets time pass for the server and the issuer. */
  readonly wait: (ms: number) => void;
}

async function openBench(): Promise<Bench> {
  let laterMs = 0;
  const clock: Clock = { ...systemClock, now: () => Date.now() + laterMs };
  const issuer = await openIssuerStand(() => clock.now());
  const stand = await openStand({ clock, issuer: { issuer: issuer.url, audience } });
  return { stand, issuer, wait: (ms) => void (laterMs += ms) };
}

test(
  "on every route a token that does not count is 401, and one whose issuer can't be asked 503",
  verifies("G9"),
  async () => {
    const { stand, issuer, wait } = await openBench();
    for (const operation of operations) {
      const route: RouteSpec = routes[operation];
      if (route.role === "anyone") continue;
      wait(1_000); // no guess is one too many
      const wrong = await stand.ask(operation, { token: await issuer.sign({ aud: "other" }) });
      expect([operation, wrong.status, wrong.text]).toEqual([
        operation,
        401,
        expect.stringContaining("CALLER_UNKNOWN"),
      ]);
    }
    issuer.behave("down");
    wait(600_000);
    const token = await issuer.sign();
    for (let tries = 0; tries < 40; tries++) {
      const answer = await stand.ask("listRuns", { token });
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]); // not a guess, however often
    }
    expect((await stand.ask("listRuns", { token: stand.token("viewer") })).status).toBe(200);
  },
);

test("who decides is the token's subject, and so it stands in the ledger", verifies("G4"), async () => {
  const { stand, issuer } = await openBench();
  const run = await stand.tutti.start(asks, { what: "it" });
  await run.settled();
  const token = await issuer.sign({ sub: "auth0|ann", tutti_role: "approver" });
  const client = openClient({ url: stand.server.url, token });
  const [asked] = (await client.inbox({ needs: "you" })).approvals;
  await client.decide(asked?.id ?? "", { saw: asked?.package ?? "", verdict: "approve" });
  expect(await run.result()).toBe(true);
  const voted = (await run.entries()).find(({ kind }: LedgerEntry) => kind === "approval-voted");
  expect(JSON.parse(voted?.body ?? "{}")).toMatchObject({ by: "auth0|ann" });
  // Its role is no more than it says.
  await expect(client.start({ flow: "fails", input: {} })).rejects.toMatchObject({ status: 403 });
});

test("a stream and a session end with the token that they were opened with", async () => {
  const { stand, issuer, wait } = await openBench();
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const token = await issuer.sign({ exp, tutti_role: "admin" });
  const opened = await stand.ask("openSession", { body: { token } });
  expect(opened.json).toMatchObject({ name: "ann", role: "admin" });
  expect(opened.headers.get("set-cookie")).toMatch(/Max-Age=(?:600|599|598);|Max-Age=(?:600|599|598)$/u);
  const session = { cookie: opened.headers.get("set-cookie")?.split(";")[0] ?? "" };
  expect((await stand.ask("showSession", { headers: session })).status).toBe(200);
  const stream = await fetch(`${stand.server.url}/api/stream?after=0`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const reader = stream.body?.getReader();
  await reader?.read();
  wait(606_000);
  expect((await stand.ask("showSession", { headers: session })).status).toBe(401);
  expect((await stand.ask("showSession", { token })).status).toBe(401);
  await stand.tutti.start(asks, { what: "it" }); // it is looked at before anything more is sent
  let told = "";
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read())
    told += new TextDecoder().decode(part.value);
  expect(told).not.toContain("run-started");
});
