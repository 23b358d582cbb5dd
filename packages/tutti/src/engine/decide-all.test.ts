import { expect, test } from "vitest";

import { openDyingLedger } from "../../../../test/engine/dying-ledger.ts";
import { errorOf, makeGate, openStage, plainFlow, until } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { systemClock } from "../base/clock.ts";
import type { ApprovalRecord } from "../contracts/approval.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { openManualClock, takeTurns } from "../testing/manual-clock.ts";
import type { PersonsVote } from "./inbox.ts";
import { openTutti } from "./open-tutti.ts";
import type { Tutti } from "./tutti.ts";

const deadlineMs = 1_000;
const urgent = plainFlow("urgent", (run) => run.approve("Now?", { deadlineMs }));
const patient = plainFlow("patient", (run) => run.approve("Some day?"));

/** An engine whose ledger has a clock of its own, and three approvals, of which the middle one is urgent. */
async function openAsking(): Promise<Asked> {
  const clock = openManualClock();
  let lateMs = 0;
  const ledger = openMemoryLedger({ clock: { ...systemClock, now: () => clock.now() + lateMs } });
  const tutti = await openTutti({ flows: [urgent, patient], ledger, clock });
  await askAll(tutti);
  return { tutti, approvals: await tutti.approvals.list(), passTime: () => void (lateMs = deadlineMs) };
}

interface Asked {
  readonly tutti: Tutti;
  readonly approvals: readonly ApprovalRecord[];
  /** Only for the ledger, so that the engine sees it too late. */
  readonly passTime: () => void;
}

const runIds = ["first", "second", "third"] as const;

async function askAll(tutti: Tutti): Promise<void> {
  for (const id of runIds) await (await tutti.start(id === "second" ? urgent : patient, null, { id })).settled();
}

function toVotes(approvals: readonly ApprovalRecord[], by: string): ReadonlyMap<string, PersonsVote> {
  return new Map(approvals.map(({ id, package: saw }) => [id, { by, saw, verdict: "approve" }]));
}

async function statesOf(tutti: Tutti): Promise<readonly string[]> {
  return (await tutti.approvals.list({})).map(({ state, votes }) => `${state} ${votes.map(({ by }) => by).join()}`);
}

test("of two batches at once that overlap one is recorded, and of the other nothing", verifies("G4"), async () => {
  const { tutti, approvals } = await openAsking();
  const [first, second, third] = approvals;
  if (first === undefined || second === undefined || third === undefined) throw new Error("three were asked");
  const won = tutti.approvals.decideAll(toVotes([second, third], "ann"));
  const lost = tutti.approvals.decideAll(toVotes([first, second], "bert"));
  expect(await errorOf(lost)).toMatchObject({ code: "APPROVAL_DECIDED", facts: { approval: second.id } });
  expect((await won).map(({ state }) => state)).toEqual(["granted", "granted"]);
  for (const run of ["second", "third"])
    expect(await (await tutti.open(run)).result()).toEqual({ approved: true, by: "ann" });
  expect(await statesOf(tutti)).toEqual(["open ", "used ann", "used ann"]);
  await tutti.close();
});

test("when the time of one is over as they are written, no vote of its batch is recorded", verifies("G4"), async () => {
  const { tutti, approvals, passTime } = await openAsking();
  passTime();
  expect(await errorOf(tutti.approvals.decideAll(toVotes(approvals, "ann")))).toMatchObject({
    code: "APPROVAL_DECIDED",
    facts: { approval: approvals[1]?.id },
  });
  expect(await statesOf(tutti)).toEqual(["open ", "open ", "open "]);
  await tutti.close();
});

test("more than a hundred at once are refused before anything is looked at", async () => {
  const { tutti } = await openAsking();
  const vote: PersonsVote = { by: "ann", saw: "f".repeat(64), verdict: "approve" };
  const votes = new Map(Array.from({ length: 101 }, (_, index) => [`a${index}`, vote]));
  expect(await errorOf(tutti.approvals.decideAll(votes))).toMatchObject({ code: "INPUT_INVALID" });
  await tutti.close();
});

test(
  "wherever a process dies in a batch, all of its votes are recorded or none, whoever drives the runs",
  verifies("D2", "G4"),
  async () => {
    const seen = new Set<string>();
    for (let index = 0; index < 12; index++) {
      const death = { atWrite: Math.floor(index / 2) + 1, isStored: index % 2 === 0 };
      const stage = openStage();
      const asking = await stage.open([urgent, patient]);
      await askAll(asking);
      const approvals = await asking.approvals.list();
      await asking.close();
      const ledger = openDyingLedger(stage.ledger, death);
      // Here the code of two of the runs is not known, so nobody drives them.
      const dying = await stage.open([urgent], { ledger: { ...ledger, close: async () => {} } });
      void dying.approvals.decideAll(toVotes(approvals, "ann")).catch(() => undefined); // whoever dies answers nobody
      await takeTurns(40);
      ledger.kill();
      const tutti = await stage.open([urgent, patient]);
      const voters = (await tutti.approvals.list({})).map(({ votes }) => votes.map(({ by }) => by).join());
      expect([death, new Set(voters).size]).toEqual([death, 1]);
      seen.add(voters[0] ?? "");
      if (voters[0] === "") await tutti.approvals.decideAll(toVotes(approvals, "ann"));
      for (const run of runIds) expect(await (await tutti.open(run)).result()).toEqual({ approved: true, by: "ann" });
      await tutti.close();
    }
    expect([...seen].toSorted()).toEqual(["", "ann"]);
  },
);

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
