import { expect, test } from "vitest";
import { z } from "zod";

import { asks, openStand, type Asking, type Stand } from "../../../../test/server/server-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { openClient } from "../client/client.ts";
import { runPage, type RunPage } from "../contracts/api/runs.ts";
import { flow } from "../flow/flow.ts";
import { tool } from "../tools/tool.ts";

const room = z.object({ room: z.string() });

/** A server with a flow that books a room and then waits; `left` says which rooms were given back. */
async function openTrips(): Promise<{ readonly stand: Stand; readonly left: readonly string[] }> {
  const left: string[] = [];
  const book = tool({
    name: "book",
    does: "Books a room.",
    input: room,
    output: room,
    effect: "once",
    run: async (booked) => booked,
    undo: async (booked) => void left.push(booked.room),
  });
  const trip = flow({
    name: "trip",
    input: room,
    output: z.string(),
    onFailure: "undo",
    run: async (run, input) => {
      await run.call(book, input);
      await run.wait("go");
      return "gone";
    },
  });
  const outer = flow({ name: "outer", input: room, output: z.string(), run: (run, input) => run.call(trip, input) });
  const stand = await openStand({ flows: [trip, outer], tools: [book] });
  return { stand, left };
}

async function listRuns(stand: Stand, token: string, query: Asking["query"] = {}): Promise<RunPage> {
  return runPage.shape((await stand.ask("listRuns", { token, query })).json, "");
}

test(
  "people lead a run over HTTP: it is told, stopped, and what it did is taken back",
  verifies("G5", "D11"),
  async () => {
    const { stand, left } = await openTrips();
    const client = openClient({ url: stand.server.url, token: stand.token("operator") });
    const run = await client.start({ flow: "trip", input: { room: "12" } });
    const handle = await stand.tutti.open(run);
    await handle.settled();
    expect(await client.steer(run, { kind: "goal", text: "a quiet room", reason: "she asked" })).toEqual({
      version: 1,
      stopped: 0,
      isWaiting: false,
    });
    await client.steer(run, { kind: "budget", budget: { usd: 2 } });
    for (const body of [
      { kind: "goal" },
      { kind: "goal", text: "x", level: 1 }, // something else was meant
      { kind: "autonomy", level: 9 },
    ]) {
      const sending = { token: stand.token("operator"), params: { run }, body };
      expect([body, (await stand.ask("giveDirective", sending)).status]).toEqual([body, 400]);
    }
    await client.steer(run, { kind: "stop" });
    await handle.settled();
    expect((await client.call("listDirectives", { params: { run } })).directives).toMatchObject([
      {
        version: 1,
        kind: "goal",
        by: "operator",
        text: "a quiet room",
        reason: "she asked",
        sentence: "operator set the goal: a quiet room (she asked)",
      },
      { version: 2, kind: "budget", by: "operator", budget: { usd: 2 } },
      { version: 3, kind: "stop", by: "operator" },
    ]);
    expect(left).toEqual([]);
    await client.undo(run, "nobody goes");
    await handle.settled();
    expect(left).toEqual(["12"]);
  },
);

test(
  "a freeze over HTTP stops what it names until it is lifted, and the list says who froze it",
  verifies("G14"),
  async () => {
    const { stand, left } = await openTrips();
    const client = openClient({ url: stand.server.url, token: stand.token("operator") });
    await client.freeze({ reach: "flow", name: "trip", reason: "a look first" });
    const run = await client.start({ flow: "trip", input: { room: "12" } });
    expect(await client.freezes()).toMatchObject([
      { reach: "flow", name: "trip", by: "operator", reason: "a look first" },
    ]);
    expect((await (await stand.tutti.open(run)).settled()).kind).toBe("frozen");
    const { runs, counts } = await client.runs({ status: "frozen" });
    expect([runs, counts]).toMatchObject([
      [{ run, status: "frozen", frozen: "flow trip was frozen by operator: a look first", stepsDone: 0 }],
      { frozen: 1 },
    ]);
    await client.unfreeze({ reach: "flow", name: "trip" });
    expect((await (await stand.tutti.open(run)).settled()).kind).toBe("waiting");
    const { line } = await client.run(run);
    expect([line.stepsDone, line.frozen, line.status === "frozen"]).toEqual([1, undefined, false]);
    const above = await client.start({ flow: "outer", input: { room: "13" } });
    await (await stand.tutti.open(above)).settled();
    await client.freeze({ reach: "run", name: above });
    const frozen = (await client.runs({ status: "frozen" })).runs.map((each) => each.parent ?? each.run);
    expect(frozen).toEqual([above, above]);
    expect(left).toEqual([]);
  },
);

test(
  "only an admin without a tenant freezes everything, and a tenant only what is its own",
  verifies("G14"),
  async () => {
    const { stand } = await openTrips();
    const own = await stand.tutti.start(asks, { what: "x" }, { id: "own", tenant: "acme" });
    await own.settled();
    const statusOf = async (token: string, body: object): Promise<number> =>
      (await stand.ask("freeze", { token, body })).status;
    const everything = { reach: "all" };
    expect(await statusOf(stand.token("operator"), everything)).toBe(403);
    expect(await statusOf(stand.token("admin", "acme"), everything)).toBe(403);
    expect(await statusOf(stand.token("admin"), everything)).toBe(200);
    const acme = stand.token("operator", "acme");
    expect((await stand.ask("liftFreeze", { token: acme, body: everything })).status).toBe(403);
    expect((await stand.ask("listFreezes", { token: acme })).json).toMatchObject({ freezes: [everything] });
    for (const [body, status] of [
      [{ reach: "tenant", name: "other" }, 403],
      [{ reach: "flow", name: "asks" }, 403],
      [{ reach: "agent", name: "writer" }, 403],
      [{ reach: "run", name: "nothing" }, 404],
      [{ reach: "run" }, 400],
      [{ reach: "run", name: "own" }, 200],
      [{ reach: "tenant", name: "acme" }, 200],
    ] as const)
      expect([body, await statusOf(acme, body)]).toEqual([body, status]);
  },
);

test("a run that asks says what, and is found by whoever is needed", verifies("G4"), async () => {
  const { stand } = await openTrips();
  const asked = await stand.ask("startRun", {
    token: stand.token("operator"),
    body: { flow: "asks", input: { what: "it" } },
  });
  const { run } = z.object({ run: z.string() }).parse(asked.json);
  await (await stand.tutti.open(run)).settled();
  const { runs, counts } = await listRuns(stand, stand.token("viewer"), { status: "asking" });
  expect([runs, counts]).toMatchObject([[{ run, status: "asking", asked: [{ about: "Send it?" }] }], { asking: 1 }]);
  expect((await listRuns(stand, stand.token("approver"), { needs: "you" })).runs.map((each) => each.run)).toEqual([
    run,
  ]);
  for (const role of ["viewer", "operator"] as const)
    expect((await listRuns(stand, stand.token(role), { needs: "you" })).runs).toEqual([]);
  const client = openClient({ url: stand.server.url, token: stand.token("approver") });
  const [item] = (await client.inbox({ needs: "you" })).approvals;
  const { approval } = await client.approval(item?.id ?? "");
  await client.decideAll({ decisions: [{ id: approval.id, saw: approval.package, verdict: "approve" }] });
  expect((await client.whenOver(run)).line).toMatchObject({ status: "done" });
  expect((await listRuns(stand, stand.token("approver"), { needs: "you" })).runs).toEqual([]);
});
