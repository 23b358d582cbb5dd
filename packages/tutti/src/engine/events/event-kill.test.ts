import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { bodiesOf, makeLedgerFile } from "../../../../../test/engine/engine-fixture.ts";
import { orders, shipping } from "../../../../../test/engine/event-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toRunId } from "../../contracts/ids.ts";
import { verifyLedger } from "../../ledger/verify.ts";
import { openTutti } from "../open-tutti.ts";

const program = fileURLToPath(new URL("../../../../../test/engine/event-process.ts", import.meta.url));

/** Ids of the events that the process said were durable before it was killed. */
async function liveUntilKilled(file: string, session: number, dieAfter: number): Promise<readonly string[]> {
  const args = ["--conditions=tutti-source", program, file, String(session), "4", String(dieAfter)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [said, [, signal]] = await Promise.all([text(child.stdout), once(child, "close")]);
  expect(signal).toBe("SIGKILL");
  return said.split("\n").slice(0, -1);
}

test(
  "SIGKILL between an event and its run, again and again: no acknowledged event is lost, none is acted on twice",
  verifies("C9", "D1", "D15"),
  async () => {
    const file = await makeLedgerFile();
    const acknowledged: string[] = [];
    for (const [session, dieAfter] of [7, 9, 12].entries())
      acknowledged.push(...(await liveUntilKilled(file, session, dieAfter)));
    let next = Promise.withResolvers<void>();
    const tutti = await openTutti({
      flows: [],
      ledger: file,
      on: [shipping],
      onActivity() {
        next.resolve();
        next = Promise.withResolvers();
      },
    });
    const events = await tutti.events.read(orders);
    const ids = events.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(acknowledged));
    const readActed = async (): Promise<readonly number[]> =>
      bodiesOf(await tutti.ledger.read(toRunId("subscription:ship")), "event-acted").flatMap((body) => body.events);
    for (let happens = next.promise; (await readActed()).length < events.length; happens = next.promise) await happens;
    const acted = await readActed();
    expect(acted.toSorted((left, right) => left - right)).toEqual(events.map(({ position }) => position));
    const runs = await tutti.runs({ flow: "ship" });
    expect(runs).toHaveLength(events.length);
    expect(await verifyLedger(tutti.ledger)).toMatchObject({ kind: "intact" });
    await tutti.close();
  },
);
