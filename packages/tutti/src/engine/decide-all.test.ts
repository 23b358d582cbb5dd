import { expect, test } from "vitest";

import { errorOf, makeGate, openStage, plainFlow, until } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { systemClock } from "../base/clock.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { openManualClock, takeTurns } from "../testing/manual-clock.ts";
import type { PersonsVote } from "./inbox.ts";
import { openTutti } from "./open-tutti.ts";

const deadlineMs = 1_000;
const urgent = plainFlow("urgent", (run) => run.approve("Now?", { deadlineMs }));
const patient = plainFlow("patient", (run) => run.approve("Some day?"));

/** An engine whose ledger has a clock of its own, and three approvals, of which the middle one is urgent. */
async function openAsking(onLook: (id: string) => Promise<void> = async () => {}): Promise<Asked> {
  const clock = openManualClock();
  let lateMs = 0;
  const inner = openMemoryLedger({ clock: { ...systemClock, now: () => clock.now() + lateMs } });
  const ledger: Ledger = {
    ...inner,
    async findApproval(id) {
      const found = await inner.findApproval(id);
      await onLook(id);
      return found;
    },
  };
  const tutti = await openTutti({ flows: [urgent, patient], ledger, clock });
  for (const [flow, id] of [
    [patient, "first"],
    [urgent, "second"],
    [patient, "third"],
  ] as const)
    await (await tutti.start(flow, null, { id })).settled();
  const approvals = await tutti.approvals.list();
  return {
    tutti,
    ids: approvals.map(({ id }) => id),
    saw: approvals.map((approval) => approval.package),
    passTime: () => void (lateMs = deadlineMs),
  };
}

interface Asked {
  readonly tutti: Awaited<ReturnType<typeof openTutti>>;
  readonly ids: readonly string[];
  readonly saw: readonly string[];
  /** Only for the ledger, so that the engine sees it too late. */
  readonly passTime: () => void;
}

function toVotes({ ids, saw }: Asked, by: string): ReadonlyMap<string, PersonsVote> {
  return new Map(ids.map((id, index) => [id, { by, saw: saw[index] ?? "", verdict: "approve" }]));
}

test("no vote comes between the look at a batch and its votes", verifies("G4"), async () => {
  const gate = makeGate();
  const looks: string[] = [];
  let held = "";
  const asked = await openAsking(async (id) => {
    looks.push(id);
    // It was looked at when its vote was made ready; this is the look before anything is written.
    if (id === held && looks.filter((each) => each === id).length === 2) await gate.opened;
  });
  const { tutti, ids, saw } = asked;
  await takeTurns(10); // those who wait for an answer look once, too
  looks.length = 0;
  held = ids[2] ?? "";
  const batch = tutti.approvals.decideAll(toVotes(asked, "ann"));
  await until(() => looks.length === 2 * ids.length);
  const alone = tutti.approvals.decide(ids[0] ?? "", {
    by: "bert",
    saw: saw[0] ?? "",
    verdict: "reject",
    reason: "no",
  });
  await takeTurns(10); // what it would write is written now
  gate.open();
  expect((await batch).map(({ state }) => state)).toEqual(["granted", "granted", "granted"]);
  expect(await errorOf(alone)).toMatchObject({ code: "APPROVAL_DECIDED", facts: { approval: ids[0] } });
  for (const run of ["first", "second", "third"])
    expect(await (await tutti.open(run)).result()).toEqual({ approved: true, by: "ann" });
  await tutti.close();
});

test("when the time of one ends while the batch is written, the error says which were recorded", async () => {
  const asked = await openAsking();
  const { tutti, ids } = asked;
  asked.passTime();
  expect(await errorOf(tutti.approvals.decideAll(toVotes(asked, "ann")))).toMatchObject({
    code: "APPROVAL_DECIDED",
    message: expect.stringContaining("2 of 3 were recorded"),
    facts: { approval: ids[1], recorded: `${ids[0]}, ${ids[2]}` },
  });
  await tutti.close();
});

test(
  "a run that is let go from memory while its approval is decided goes on all the same",
  verifies("G4"),
  async () => {
    let gate: ReturnType<typeof makeGate> | undefined;
    const stage = openStage((point) => (point === "sync" ? gate?.opened : undefined));
    const tutti = await stage.open([patient], { evictAfterMs: 100 });
    await (await tutti.start(patient, null, { id: "first" })).settled();
    const [approval] = await tutti.approvals.list();
    gate = makeGate();
    const { id = "", package: saw = "" } = approval ?? {};
    const said = tutti.approvals.decide(id, { by: "ann", saw, verdict: "approve" });
    await takeTurns(10);
    await stage.clock.advance(100);
    gate.open();
    gate = undefined;
    await said;
    await until(() => stage.entries.some(({ kind }) => kind === "run-done"));
    expect((await tutti.approvals.show(id)).approval).toMatchObject({ decidedBy: "ann" });
    await tutti.close();
  },
);

test("a run that is let go from memory while it is looked at is at rest all the same", async () => {
  const stage = openStage();
  let gate: ReturnType<typeof makeGate> | undefined;
  const ledger: Ledger = {
    ...stage.ledger,
    async findRun(run) {
      const found = await stage.ledger.findRun(run);
      await gate?.opened;
      return found;
    },
    close: async () => {},
  };
  const tutti = await stage.open([patient], { ledger, evictAfterMs: 100 });
  const handle = await tutti.start(patient, null, { id: "first" });
  await handle.settled();
  gate = makeGate();
  const settled = handle.settled();
  await stage.clock.advance(100);
  gate.open();
  gate = undefined;
  expect((await settled).kind).toBe("asking");
  await tutti.close();
});
