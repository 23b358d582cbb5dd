import { expect, test } from "vitest";

import { openStand } from "../../../../test/server/server-fixture.ts";
import { systemClock } from "../base/clock.ts";
import { readEvents } from "../client/event-stream.ts";
import { toRunId } from "../contracts/ids.ts";
import type { Tutti } from "../engine/tutti.ts";
import { openFleet } from "../insight/fleet/fleet.ts";
import { openMetrics } from "../insight/metrics/metrics.ts";
import { openScores } from "../insight/score/scores.ts";
import { openCallers } from "./callers.ts";
import type { Call, Desk } from "./desk.ts";
import { toStreamResponse } from "./stream.ts";
import { openTail } from "./tail.ts";
import type { TokenRecord, Tokens } from "./tokens.ts";

/** A desk of its own over an engine, and a call for its stream from the beginning. */
async function toDesk(
  tutti: Tutti,
  tokens: Tokens,
): Promise<{ desk: Desk; call: Call<"stream">; record: TokenRecord }> {
  const { token, record } = tokens.create({ name: "anna", role: "viewer", createdAt: 1 });
  const fleet = await openFleet(tutti.ledger);
  const desk: Desk = {
    tutti,
    flows: [],
    tools: [],
    fleet,
    tail: openTail(fleet, systemClock),
    scores: openScores(tutti.ledger),
    metrics: openMetrics(tutti),
    callers: openCallers({ tokens, clock: systemClock, isSecure: false }),
    draining: new AbortController().signal,
  };
  const call: Call<"stream"> = {
    caller: { name: "anna", role: "viewer", tenant: undefined, isByCookie: false },
    param: () => "",
    query: { after: 0 },
    body: undefined,
    request: new Request("http://127.0.0.1/api/stream", { headers: { authorization: `Bearer ${token}` } }),
    command: "",
  };
  return { desk, call, record };
}

const entriesWritten = 5_000;

test("a reader that does not read costs no memory: nothing is read for it, and it misses nothing", async () => {
  const { tutti, tokens } = await openStand();
  let scans = 0;
  const ledger = {
    ...tutti.ledger,
    scan: (after: number, limit: number) => {
      scans += 1;
      return tutti.ledger.scan(after, limit);
    },
  };
  const { desk, call } = await toDesk(tutti, tokens);
  const { body } = await toStreamResponse({ ...desk, tutti: { ...tutti, ledger } }, call);
  const first = {
    id: toRunId("long"),
    flow: "errand",
    version: "1",
    body: JSON.stringify({ flow: "errand", version: "1" }),
  };
  const outcome = await tutti.ledger.start(first);
  if (outcome.kind !== "started") throw new Error("there is such a run");
  const { log } = outcome.claim;
  const note = { kind: "note-written", key: "/note", body: JSON.stringify({ text: "again" }) } as const;
  await Promise.all(Array.from({ length: entriesWritten }, () => log.append(note)));
  await desk.fleet.catchUp();
  expect(scans).toBeLessThanOrEqual(2);

  const lsns: number[] = [];
  for await (const { data } of readEvents(body ?? new ReadableStream())) {
    for (const [, lsn] of data.matchAll(/"lsn":(\d+),/gu)) lsns.push(Number(lsn));
    if (lsns.length > entriesWritten) break;
  }
  expect(lsns).toEqual(Array.from({ length: lsns.length }, (_, index) => index + 1));
  desk.tail.close();
});

test("a token that was revoked ends its streams, whether there is something to tell or not", async () => {
  const { tutti, tokens } = await openStand();
  const { desk, call, record } = await toDesk(tutti, tokens);
  const idle = await toStreamResponse(desk, { ...call, query: {} });
  const busy = await toStreamResponse(desk, call);
  tokens.revoke(record.id);
  desk.tail.close(); // as the next entry or the next heartbeat would
  expect(await idle.text()).toMatch(/^retry: 1000\nid: \d+\n\n$/u);
  expect((await busy.text()).length).toBeLessThan(1_000);
});

test("streams are given up to a limit, and come free again", async () => {
  const { tutti } = await openStand();
  const tail = openTail(await openFleet(tutti.ledger), systemClock);
  const places = Array.from({ length: 256 }, () => tail.takePlace());
  expect(tail.takePlace()).toBeUndefined();
  places[0]?.();
  places[0]?.(); // twice is once
  expect([tail.takePlace(), tail.takePlace()]).toEqual([expect.any(Function), undefined]);
});
