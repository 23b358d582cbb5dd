import fc from "fast-check";
import { expect, test } from "vitest";

import { openDyingLedger, type DyingLedger } from "../../../../test/engine/dying-ledger.ts";
import { openStage, plainFlow, type Stage } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { isTuttiError } from "../base/errors.ts";
import { isOver, type RunRecord } from "../contracts/run-record.ts";
import type { Flow, Run } from "../contracts/run.ts";
import type { SlotUse } from "../limits/slot-use.ts";
import { takeTurns } from "../testing/manual-clock.ts";
import { openTutti } from "./open-tutti.ts";
import type { RunHandle, Tutti } from "./tutti.ts";

const kinds = ["work", "sleepy", "above", "asking"] as const;
const limits = { "tenant/*": { runs: 1 }, "flow/work": { runs: 2 } };
const runsMax: Readonly<Record<string, number>> = { a: 1, b: 1, c: 1, work: 2 };

type Move =
  | { readonly kind: "start"; readonly tenant: string; readonly flow: (typeof kinds)[number] }
  | { readonly kind: "turns"; readonly count: number }
  | { readonly kind: "wait" }
  | { readonly kind: "crash"; readonly afterTurns: number }
  | { readonly kind: "pause" | "resume" | "cancel" | "signal"; readonly at: number };

const moves = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("start" as const),
        tenant: fc.constantFrom("a", "b", "c"),
        flow: fc.constantFrom(...kinds),
      }),
    },
    { weight: 3, arbitrary: fc.nat(12).map((count) => ({ kind: "turns", count }) as const) },
    { weight: 1, arbitrary: fc.constant({ kind: "wait" } as const) },
    { weight: 1, arbitrary: fc.nat(8).map((afterTurns) => ({ kind: "crash", afterTurns }) as const) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom("pause" as const, "resume" as const, "cancel" as const, "signal" as const),
        at: fc.nat(),
      }),
    },
  ),
  { minLength: 5, maxLength: 40 },
);

const asking = { kind: "start", tenant: "a", flow: "asking" } as const;
const working = { kind: "start", tenant: "a", flow: "work" } as const;

/** What was found, as small as it was found. */
const found: readonly (readonly Move[])[] = [
  // A signal's step began after the pause had let the run go.
  [asking, working, { kind: "signal", at: 1 }, { kind: "pause", at: 1 }, { kind: "wait" }, working, working],
  // A cancel that came into a pause left a run that nobody drove.
  [
    { kind: "start", tenant: "a", flow: "sleepy" },
    { kind: "wait" },
    { kind: "cancel", at: 0 },
    { kind: "pause", at: 0 },
  ],
];

/** The flows as one process has them: it counts how many of their runs are at work in it, by tenant and flow, and says where there are too many. */
function toFlows(tooMany: string[]): readonly Flow[] {
  const atWork = new Map<string, number>();
  const count = (name: string, change: 1 | -1): void => {
    const now = (atWork.get(name) ?? 0) + change;
    atWork.set(name, now);
    if (now > (runsMax[name] ?? Number.POSITIVE_INFINITY)) tooMany.push(`${now} of ${name}`);
  };
  const toStep = (run: Run, flow: string, name: string): Promise<unknown> =>
    run.step(name, async () => {
      for (const counted of [run.id.charAt(0), flow]) count(counted, 1);
      await takeTurns(2);
      for (const counted of [run.id.charAt(0), flow]) count(counted, -1);
    });
  const work = plainFlow("work", (run) => toStep(run, "work", "one"));
  return [
    work,
    plainFlow("sleepy", async (run) => {
      await toStep(run, "sleepy", "one");
      await run.sleep(500);
      await toStep(run, "sleepy", "two");
    }),
    plainFlow("above", async (run) => {
      await run.call(work, {}).catch((error: unknown) => String(error));
      await toStep(run, "above", "after");
    }),
    plainFlow("asking", async (run) => {
      await run.wait("go");
      await toStep(run, "asking", "after");
    }),
  ];
}

/** Whatever runs do meanwhile, these are the answers that somebody who steers them may get. */
function ignoreOver(error: unknown): void {
  if (!isTuttiError(error) || error.code !== "RUN_OVER") throw error;
}

class Scene {
  readonly stage: Stage = openStage();
  readonly tooMany: string[] = [];
  private count = 0;
  private flows: readonly Flow[] = [];
  private ledger: DyingLedger | undefined;
  private tutti: Tutti | undefined;

  async open(): Promise<Tutti> {
    if (this.tutti !== undefined && this.ledger?.isDead === false) return this.tutti;
    this.flows = toFlows(this.tooMany);
    this.ledger = openDyingLedger(this.stage.ledger, { atWrite: Number.POSITIVE_INFINITY, isStored: true });
    this.tutti = await openTutti({ flows: this.flows, ledger: this.ledger, clock: this.stage.clock, limits });
    return this.tutti;
  }

  async play(move: Move): Promise<void> {
    const tutti = await this.open();
    switch (move.kind) {
      case "start": {
        const flow = this.flows.find(({ name }) => name === move.flow);
        if (flow === undefined) throw new Error(`no flow ${move.flow}`);
        await tutti.start(flow, {}, { id: `${move.tenant}${this.count++}`, tenant: move.tenant });
        return;
      }
      case "turns":
        await takeTurns(move.count);
        return;
      case "wait":
        await this.stage.clock.advance(150);
        return;
      case "crash":
        await takeTurns(move.afterTurns);
        this.ledger?.kill();
        await this.stage.ledger.flush(); // what was on its way to the disk is there, or it is not, before anybody looks
        return;
      default: {
        const records = await tutti.runs();
        const record = records[move.at % Math.max(1, records.length)];
        if (record === undefined || isOver(record.status)) return;
        void steer(await tutti.open(record.id), move.kind).catch(ignoreOver);
      }
    }
  }

  /** Until every run is over: what was paused goes on, what asks is answered, and time passes. What is left then. */
  async finish(): Promise<{ readonly open: readonly RunRecord[]; readonly slots: readonly SlotUse[] }> {
    const tutti = await this.open();
    for (let round = 0; round < 60; round++) {
      const open = (await tutti.runs()).filter(({ status }) => !isOver(status));
      if (open.length === 0) break;
      for (const { id, status, flow } of open) {
        const handle = await tutti.open(id);
        if (status === "paused") await handle.resume().catch(ignoreOver);
        if (flow === "asking") await handle.signal("go", {}).catch(ignoreOver);
      }
      await this.stage.clock.advance(600);
    }
    await takeTurns(20);
    const records = await tutti.runs();
    return { open: records.filter(({ status }) => !isOver(status)), slots: tutti.slots() };
  }
}

function steer(handle: RunHandle, kind: "pause" | "resume" | "cancel" | "signal"): Promise<void> {
  switch (kind) {
    case "pause":
      return handle.pause();
    case "resume":
      return handle.resume();
    case "cancel":
      return handle.cancel();
    case "signal":
      return handle.signal("go", {});
  }
}

test(
  "however runs are started, steered, let go and cut off, no more are at work than there are slots, all come to an end, and no slot is lost",
  verifies("C17", "D1"),
  async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (script) => {
        const scene = new Scene();
        for (const move of script) await scene.play(move);
        expect(await scene.finish()).toEqual({ open: [], slots: [] });
        expect(scene.tooMany).toEqual([]);
      }),
      { numRuns: 150, examples: found.map((script) => [script]) },
    );
  },
);
