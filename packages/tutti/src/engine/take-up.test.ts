import { DatabaseSync } from "node:sqlite";

import { expect, test } from "vitest";

import { bodiesOf, makeLedgerFile, openStage, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { codeOf } from "../../../../test/ledger/ledger-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { openTutti } from "./open-tutti.ts";
import type { RunHandle, Tutti } from "./tutti.ts";

const asking = plainFlow("asking", async (run) => {
  await run.step("before", () => "asked");
  return run.wait("answer");
});

async function leaveAsking(tutti: Tutti, ids: readonly string[]): Promise<void> {
  for (const id of ids) await (await tutti.start(asking, null, { id })).settled();
  await tutti.close();
}

function openAll(tutti: Tutti, ids: readonly string[]): Promise<readonly RunHandle[]> {
  return Promise.all(ids.map((id) => tutti.open(id)));
}

test(
  "of runs whose answers come at once, one that was changed by hand is refused and all others go on",
  verifies("G12", "D9"),
  async () => {
    const ids = ["one", "two", "three", "four"];
    const ledger = await makeLedgerFile();
    await leaveAsking(await openTutti({ flows: [asking], ledger }), ids);
    const database = new DatabaseSync(ledger);
    database.exec(`update entry set body = '{"out":"forged"}' where run = 2 and seq = 2`);
    database.close();
    const tutti = await openTutti({ flows: [asking], ledger });
    const handles = await openAll(tutti, ids);
    const sent = handles.map((handle) => handle.signal("answer", handle.id));
    expect(await Promise.all(sent.map((each) => codeOf(each)))).toEqual([
      { resolved: undefined },
      "LEDGER_CORRUPT",
      { resolved: undefined },
      { resolved: undefined },
    ]);
    const others = handles.filter(({ id }) => id !== "two");
    expect(await Promise.all(others.map((handle) => handle.result()))).toEqual(["one", "three", "four"]);
    await tutti.close();
  },
);

test(
  "more runs than are claimed at a time go on when their answers come at once, each once",
  verifies("D9"),
  async () => {
    const ids = Array.from({ length: 1_100 }, (_, index) => `run-${index}`);
    const stage = openStage();
    await leaveAsking(await stage.open([asking]), ids);
    const tutti = await stage.open([asking]);
    const handles = await openAll(tutti, ids);
    await Promise.all(handles.map((handle) => handle.signal("answer", handle.id)));
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(ids);
    expect(bodiesOf(stage.entries, "signal-received")).toHaveLength(ids.length);
    expect(bodiesOf(stage.entries, "step-done")).toHaveLength(ids.length);
  },
);
