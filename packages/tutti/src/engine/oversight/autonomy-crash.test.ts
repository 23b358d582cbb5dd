import { expect, test } from "vitest";

import { openDyingLedger, type Death } from "../../../../../test/engine/dying-ledger.ts";
import { bodiesOf, openStage, plainFlow, type Stage } from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../../test/engine/world-fixture.ts";
import { sayToAll, toClerk, toMailing, toNames, trusting } from "../../../../../test/oversight/oversight-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { Flow } from "../../contracts/run.ts";
import { takeTurns } from "../../testing/manual-clock.ts";
import type { Tutti } from "../tutti.ts";
import { casesMin } from "./trust.ts";

const action = "tool/mail.send";
const turns = 80;

/** A process that dies at that write while it does something. */
async function die(
  stage: Stage,
  flows: readonly Flow[],
  { death, work }: { death: Death; work: (tutti: Tutti) => Promise<unknown> },
) {
  const ledger = openDyingLedger(stage.ledger, death);
  const tutti = await stage.open(flows, { policy: trusting, ledger: { ...ledger, close: async () => {} } });
  void work(tutti).catch(() => undefined); // whoever dies answers nobody
  await takeTurns(turns);
  ledger.kill();
}

function toDeaths(writes: number): readonly Death[] {
  return Array.from({ length: writes * 2 }, (_, index) => ({
    atWrite: Math.floor(index / 2) + 1,
    isStored: index % 2 === 0,
  }));
}

test("wherever a process dies, a level is withdrawn once, and before the next call", verifies("D2", "G6"), async () => {
  for (const death of toDeaths(8)) {
    const stage = openStage();
    const office = openPostOffice();
    const clerk = toClerk(toMailTool(office, { undo: ({ receipt }) => office.recall(receipt) }));
    const failing = plainFlow("failing", async (run) => {
      await run.call(clerk, { to: "a" });
      throw new Error("something else");
    });
    const later = toMailing(clerk, ["b"], "later");
    const flows = [failing, later];
    const first = await stage.open(flows, { policy: trusting });
    await first.autonomy.grant({ agent: "clerk@1", action, level: 4, by: "ann" });
    await (await first.start(failing, null, { id: "r" })).settled();
    await first.close();
    await die(stage, flows, {
      death,
      async work(tutti) {
        const handle = await tutti.open("r");
        await handle.undo({ by: "bert" });
        await handle.settled();
        await tutti.start(later, null, { id: "later" });
      },
    });
    const tutti = await stage.open(flows, { policy: trusting });
    await takeTurns(turns);
    const handle = await tutti.open("r");
    if (bodiesOf(stage.entries, "undo-requested").length === 0) await handle.undo({ by: "bert" });
    await handle.settled();
    await takeTurns(turns);
    const next = await tutti.start(later, null, { id: "later" });
    expect({ death, state: (await next.settled()).kind, sent: office.sent }).toEqual({
      death,
      state: "asking",
      sent: ["a"],
    });
    expect(bodiesOf(stage.entries, "autonomy-withdrawn")).toMatchObject([{ action, level: 1 }]);
    await tutti.close();
  }
});

test("wherever a process dies, more is proposed once, and a yes to it is a grant", verifies("D2", "G6"), async () => {
  for (const death of toDeaths(7)) {
    const stage = openStage();
    const office = openPostOffice();
    const clerk = toClerk(toMailTool(office, { check: ({ to }) => office.receiptOf(to) }));
    const flow = toMailing(clerk, toNames(casesMin));
    const flows = [flow];
    const first = await stage.open(flows, { policy: trusting });
    await first.start(flow, null, { id: "r" });
    const yes = { verdict: "approve" } as const;
    await sayToAll(first, "r", (index) => {
      if (index === casesMin - 1) throw new Error("enough");
      return { by: "ann", said: yes };
    }).catch(() => undefined);
    await first.close();
    const decideAll = async (tutti: Tutti): Promise<void> => {
      await sayToAll(tutti, "r", () => ({ by: "ann", said: yes }));
      await tutti.autonomy.list();
      for (const { id, package: saw } of await tutti.approvals.list())
        await tutti.approvals.decide(id, { by: "bert", saw, ...yes });
    };
    await die(stage, flows, { death, work: decideAll });
    const tutti = await stage.open(flows, { policy: trusting });
    await decideAll(tutti);
    expect({ death, lines: await tutti.autonomy.list() }).toMatchObject({ death, lines: [{ action, level: 2 }] });
    expect(bodiesOf(stage.entries, "autonomy-proposed")).toHaveLength(1);
    await tutti.close();
  }
});
