import { array, assert, asyncProperty, boolean, constantFrom, integer, record } from "fast-check";
import { expect, test } from "vitest";

import { bodyOf, type LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import type { Flow } from "../../packages/tutti/src/contracts/run.ts";
import { digestOf } from "../../packages/tutti/src/flow/effect-key.ts";
import { takeTurns } from "../../packages/tutti/src/testing/manual-clock.ts";
import { openDyingLedger, type Death, type DyingLedger } from "../engine/dying-ledger.ts";
import { openStage, plainFlow, until, type Stage } from "../engine/engine-fixture.ts";
import { openPostOffice, toMailTool, type PostOffice } from "../engine/world-fixture.ts";
import { verifies } from "../verifies.ts";
import { toAskingPolicy } from "./approval-fixture.ts";

/** What happens to a run from outside, in this order. */
type Deed =
  | "approve"
  | "reject"
  | "edit"
  | "delegate"
  | "two at once"
  | "die"
  | "restart"
  | "new rules"
  | "other input"
  | "deadline";

interface World {
  readonly stage: Stage;
  readonly office: PostOffice;
  rules: number;
  to: string;
}

const turns = 30;

function toFlow(world: World): Flow {
  const mail = toMailTool(world.office, { check: ({ to }) => world.office.receiptOf(to) });
  return plainFlow("f", async (run) => {
    const sent = await run.call(mail, { to: world.to });
    const { approved } = await run.approve("tell the others?");
    return approved ? [sent, await run.call(mail, { to: "others" })] : [sent];
  });
}

/** What becomes of it, or nothing when the process dies before: a dead ledger answers nobody. */
async function unlessDead<Value>(ledger: DyingLedger, work: Promise<Value>): Promise<Value | undefined> {
  let isOver = false;
  const over = (): void => void (isOver = true);
  work.then(over, over);
  await until(() => isOver || ledger.isDead);
  return isOver ? work : undefined;
}

/** One process, until it is told to end: by dying at a write, or in good order. */
async function live(world: World, deeds: readonly Deed[], death: Death): Promise<number> {
  const { stage } = world;
  const flow = toFlow(world);
  const ledger = openDyingLedger(stage.ledger, death);
  const policy = toAskingPolicy({}, { version: `${world.rules}` });
  const ladder = { "*": [{ deadlineMs: 60_000 }] };
  const opening = stage.open([flow], { policy, ledger: { ...ledger, close: async () => {} }, approvals: ladder });
  const tutti = await unlessDead(ledger, opening);
  if (tutti === undefined) return 0;
  void tutti.start(flow, null, { id: "r" }).catch(() => {});
  await takeTurns(turns);
  let done = 0;
  for (const deed of deeds) {
    if (ledger.isDead) break;
    done += 1;
    if (deed === "die" || deed === "restart") {
      if (deed === "die") ledger.kill();
      else await unlessDead(ledger, tutti.close());
      return done;
    }
    if (deed === "new rules") world.rules += 1;
    else if (deed === "other input") world.to = "bert";
    else if (deed === "deadline") await stage.clock.advance(60_000);
    else await say(world, tutti, deed);
    await takeTurns(turns);
  }
  ledger.kill();
  return done;
}

type Said = Exclude<Deed, "die" | "restart" | "new rules" | "other input" | "deadline">;

async function say({ stage }: World, tutti: Awaited<ReturnType<Stage["open"]>>, deed: Said): Promise<void> {
  const [approval] = await stage.ledger.listApprovals({ states: ["open"] });
  if (approval === undefined) return;
  const { id, package: saw } = approval;
  const said = {
    approve: { verdict: "approve" },
    reject: { verdict: "reject", reason: "no" },
    edit: { verdict: "edit", input: { to: "cleo" } },
    delegate: { verdict: "delegate", to: "dora" },
    "two at once": { verdict: "approve" },
  } as const;
  const decide = (by: string): void => void tutti.approvals.decide(id, { by, saw, ...said[deed] }).catch(() => {}); // a refused vote is one that did nothing
  decide("ann");
  if (deed === "two at once") decide("bert");
}

/** Nothing was done without a yes to exactly this, that was neither used before nor taken back; nothing was done twice. */
function check({ stage, office }: World): void {
  expect(new Set(office.sent).size).toBe(office.sent.length);
  expect(findUnapproved(stage.entries)).toEqual([]);
}

/** The calls that were begun on no yes, or on one for something else, or on another call's. */
function findUnapproved(entries: readonly LedgerEntry[]): readonly string[] {
  const stepByApproval = new Map<string, string>();
  const begun = new Set<string>();
  return entries.flatMap((entry, index) => {
    if (entry.kind !== "effect-intended") return [];
    const { approval, input } = bodyOf(entry, entry.kind);
    // Another attempt of a call that was begun goes on under the yes that its first one used.
    if (approval === undefined) return begun.has(entry.key) ? [] : [`${entry.key} without a yes`];
    const before = entries.slice(0, index);
    const isFor = inputOf(before, approval) === digestOf(input);
    const isOwn = (stepByApproval.get(approval) ?? entry.key) === entry.key;
    stepByApproval.set(approval, entry.key);
    begun.add(entry.key);
    return stateOf(before, approval) === "granted" && isFor && isOwn ? [] : [`${entry.key} on ${approval}`];
  });
}

function stateOf(entries: readonly LedgerEntry[], approval: string): string {
  const last = entries.findLast(
    (entry) => entry.kind === "approval-decided" && bodyOf(entry, entry.kind).approval === approval,
  );
  return last === undefined ? "open" : bodyOf(last, "approval-decided").state;
}

/** The digest of the input that the newest request or edit of this approval is about. */
function inputOf(entries: readonly LedgerEntry[], approval: string): string | undefined {
  let input: string | undefined;
  for (const entry of entries) {
    if (entry.kind === "approval-requested" && bodyOf(entry, entry.kind).approval === approval)
      input = bodyOf(entry, entry.kind).binding["input"];
    else if (entry.kind === "approval-voted" && bodyOf(entry, entry.kind).approval === approval)
      input = bodyOf(entry, entry.kind).binding?.["input"] ?? input;
  }
  return input;
}

function openWorld(): World {
  return { stage: openStage(), office: openPostOffice(), rules: 1, to: "anna" };
}

/** Says yes to everything until the run is over. */
async function finish(world: World): Promise<string | undefined> {
  const { stage } = world;
  const flow = toFlow(world);
  const tutti = await stage.open([flow], { policy: toAskingPolicy({}, { version: `${world.rules}` }) });
  const handle = await tutti.start(flow, null, { id: "r" });
  for (let round = 0; round < 20; round++) {
    const state = await handle.settled();
    if (state.kind !== "asking") {
      await tutti.close();
      return state.kind;
    }
    for (const { id, package: saw, dueAt } of state.approvals) {
      if (dueAt <= stage.clock.now()) continue;
      await tutti.approvals.decide(id, { by: "fred", saw, verdict: "approve" });
    }
    await stage.clock.advance(1);
  }
  return undefined;
}

test(
  "a crash at any write, on its way to the disk or behind it, loses no yes and uses none twice",
  verifies("D1", "G4"),
  async () => {
    const whole: readonly Deed[] = ["approve", "approve", "approve"];
    for (const isStored of [true, false]) {
      for (let atWrite = 1; ; atWrite++) {
        const world = openWorld();
        await live(world, whole, { atWrite, isStored });
        const isOver = world.stage.entries.some((entry) => entry.kind === "run-done");
        expect(await finish(world)).toBe("done");
        check(world);
        expect(world.office.sent).toEqual(["anna", "others"]);
        if (isOver && atWrite > 15) break;
        if (atWrite > 60) throw new Error("it never came to its end");
      }
    }
  },
);

const deed = constantFrom<Deed>(
  "approve",
  "approve",
  "reject",
  "edit",
  "delegate",
  "two at once",
  "die",
  "restart",
  "new rules",
  "other input",
  "deadline",
);

test(
  "no order of votes, crashes, changes and restarts lets anything happen without a yes to it, or twice",
  verifies("G4", "G7"),
  async () => {
    const lives = array(record({ atWrite: integer({ min: 1, max: 40 }), isStored: boolean() }), {
      minLength: 1,
      maxLength: 4,
    });
    await assert(
      asyncProperty(array(deed, { maxLength: 12 }), lives, async (deeds, deaths) => {
        const world = openWorld();
        let rest = deeds;
        for (const death of deaths) rest = rest.slice(await live(world, rest, death));
        check(world);
        const end = await finish(world);
        check(world);
        // It comes to its end, or says what stands in the way: a call that was begun is never turned into another.
        expect(["done", "failed", "parked", "in-doubt"]).toContain(end);
      }),
      { numRuns: 60 },
    );
  },
);
