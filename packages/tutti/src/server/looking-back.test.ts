import { expect, test } from "vitest";
import { z } from "zod";

import { errand as errands, openStand } from "../../../../test/server/server-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { openClient, type Client } from "../client/client.ts";
import { flow } from "../flow/flow.ts";
import { tool } from "../tools/tool.ts";

const room = z.object({ room: z.string() });
const once = { input: room, output: room, effect: "once", run: async (at: z.infer<typeof room>) => at } as const;
const book = tool({ ...once, name: "book", does: "Books a room.", undo: async () => {} });
const tell = tool({ ...once, name: "tell", does: "Tells the guest." });

/** Books, tells the guest, decides and fails. */
const trip = flow({
  name: "trip",
  input: room,
  output: z.string(),
  run: async (run, input) => {
    await run.step("look", async () => "a quiet room");
    await run.call(book, input);
    run.record("decision-made", { about: "how to tell", chosen: "by mail", why: "it is late" });
    await run.call(tell, input);
    await run.step("pay", async () => Promise.reject(new Error("no money")));
    return "";
  },
});

async function openTrip(
  tenant?: string,
): Promise<{ readonly client: Client; readonly stand: Awaited<ReturnType<typeof openStand>>; readonly run: string }> {
  const stand = await openStand({ flows: [trip] });
  const run = await stand.tutti.start(
    trip,
    { room: "12" },
    { id: "trip-1", ...(tenant === undefined ? {} : { tenant }) },
  );
  await run.settled();
  return { stand, run: run.id, client: openClient({ url: stand.server.url, token: stand.token("operator", tenant) }) };
}

test(
  "what an undo would take back and what stays is shown before it is done, and afterwards nothing is left",
  verifies("D11", "O11"),
  async () => {
    const { stand, client, run } = await openTrip();
    const params = { run };
    expect(await client.call("showUndo", { params })).toEqual({
      takesBack: [{ step: "/book", tool: "book", seq: expect.any(Number), output: '{room: "12"}' }],
      stays: [
        { step: "/tell", tool: "tell", seq: expect.any(Number), why: "Its tool declares no way to take it back." },
      ],
      takenBack: 0,
      isCut: false,
    });
    await client.undo(run, "nobody goes");
    await (await stand.tutti.open(run)).settled();
    expect(await client.call("showUndo", { params })).toMatchObject({ takesBack: [], takenBack: 1 });
  },
);

test("an undo that would be refused says so before", verifies("D11"), async () => {
  const { stand, client, run } = await openTrip();
  const waits = await stand.tutti.start(errands, { to: "anna", waits: true }, { id: "errand-1" });
  await waits.settled();
  expect(await client.call("showUndo", { params: { run: "errand-1" } })).toMatchObject({
    refusal: { code: "INPUT_INVALID", message: "run errand-1 is running; only what failed or was cancelled is undone" },
    takesBack: [],
  });
  await expect(client.undo("errand-1")).rejects.toMatchObject({ code: "INPUT_INVALID" });
  const later = await stand.again();
  const again = openClient({ url: later.server.url, token: later.token("operator") });
  expect((await again.call("showUndo", { params: { run } })).refusal).toMatchObject({ code: "FLOW_UNKNOWN" });
  await expect(again.undo(run)).rejects.toMatchObject({ code: "FLOW_UNKNOWN" });
});

test(
  "a fork is compared with its origin over HTTP, and runs of others are as unknown as those that are not there",
  verifies("O11"),
  async () => {
    const { stand, client, run } = await openTrip("acme");
    const forked = await client.call("forkRun", { params: { run }, body: { step: "/book", output: { room: "13" } } });
    await (await stand.tutti.open(forked.run)).settled();
    const found = await client.call("compareRuns", { params: { run }, query: { with: forked.run } });
    expect(found).toMatchObject({ divergesAt: "/book", sharedSteps: 1, left: { run }, right: { run: forked.run } });
    expect(found.steps.find(({ path }) => path === "/look")).toMatchObject({ isShared: true, differs: [] });
    const mine = await stand.tutti.start(trip, { room: "1" }, { id: "trip-2", tenant: "other" });
    await mine.settled();
    const other = openClient({ url: stand.server.url, token: stand.token("viewer", "other") });
    for (const hidden of [run, "nobody"])
      await expect(
        other.call("compareRuns", { params: { run: "trip-2" }, query: { with: hidden } }),
      ).rejects.toMatchObject({ status: 404, code: "RUN_UNKNOWN" });
  },
);

test(
  "why, decisions, messages and documents at an earlier moment are told as far as they were known then",
  verifies("O11"),
  async () => {
    const { stand, client, run } = await openTrip();
    const params = { run };
    const entries = await (await stand.tutti.open(run)).entries();
    const decided = entries.find(({ kind }) => kind === "decision-made")?.seq ?? 0;
    const decisionsAt = async (seq: number): Promise<number> =>
      (await client.call("listDecisions", { params, query: { seq } })).decisions.length;
    expect([await decisionsAt(decided - 1), await decisionsAt(decided)]).toEqual([0, 1]);
    const whyAt = async (query: { step?: string; seq?: number }): Promise<string> =>
      JSON.stringify((await client.call("why", { params, query })).reasons);
    expect(await whyAt({})).toContain("no money");
    const failed = entries.find(({ body }) => body.includes("no money"))?.seq ?? 0;
    for (const { seq } of entries) {
      const { reasons } = await client.call("why", { params, query: { seq } });
      expect(reasons.every((reason) => (reason.seq ?? 0) <= seq)).toBe(true);
      expect([seq, JSON.stringify(reasons).includes("no money")]).toEqual([seq, seq > failed]);
    }
    await expect(client.call("why", { params, query: { step: "/pay", seq: 2 } })).rejects.toMatchObject({
      code: "INPUT_INVALID",
    });
    const errand = await stand.tutti.start(errands, { to: "ben" }, { id: "errand-2" });
    await errand.result();
    for (const [operation, kind] of [
      ["listMessages", "message-sent"],
      ["listDocumentUses", "document-read"],
    ] as const) {
      const own = (await errand.entries()).find((entry) => entry.kind === kind)?.seq ?? 0;
      const told = async (seq: number): Promise<string> =>
        JSON.stringify(await client.call(operation, { params: { run: "errand-2" }, query: { seq } }));
      expect(await told(own - 1)).toMatch(/\[\]/u);
      expect(await told(own)).not.toMatch(/\[\]/u);
    }
  },
);

test("who handed work to whom and how a callable went over time are told over HTTP", verifies("O9"), async () => {
  const { client } = await openTrip("acme");
  const { versions, enoughCalls } = await client.call("showCallable", { query: { kind: "tool", name: "book" } });
  expect(versions).toMatchObject([{ all: { calls: 1, done: 1 }, periods: [{ measured: { calls: 1 } }] }]);
  expect(enoughCalls).toBeGreaterThan(1);
  expect(await client.call("listHandOffs")).toEqual({ handOffs: [], isCut: false });
});
