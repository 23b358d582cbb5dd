import { expect, test } from "vitest";

import { toEffectKey, toRunId, toStepKey } from "../../packages/tutti/src/contracts/ids.ts";
import type { EffectRecord } from "../../packages/tutti/src/contracts/run-record.ts";
import { verifies } from "../verifies.ts";
import {
  codeOf,
  keysOf,
  openForTest,
  page,
  startLogs,
  toChange,
  toIntent,
  toSettled,
  toStepWithBlob,
  type LedgerUnderTest,
} from "./ledger-fixture.ts";

/** One owner per key, and what becomes of it. */
export function describeEffects(under: LedgerUnderTest): void {
  describeOwnership(under);
  describeStates(under);
}

const recorded = expect.objectContaining({ kind: "recorded" });

function describeOwnership(under: LedgerUnderTest): void {
  test(
    "an effect's key has one owner: the second intent gets its record, and leaves nothing",
    verifies("D3", "D4"),
    async () => {
      const ledger = await openForTest(under);
      const [left, right] = await startLogs(ledger, 2);
      if (left === undefined || right === undefined) throw new Error("two logs were started");
      const owner: EffectRecord = {
        key: page,
        run: left.run,
        step: toStepKey("/publish"),
        tool: "page.publish",
        class: "once",
        digest: "d1",
        state: "intended",
        settledLsn: undefined,
      };
      const blobbed = toStepWithBlob("x", "never stored");
      const late = { ...toIntent("/publish", "other"), blobs: blobbed.blobs, status: "done" } as const;
      const results = await Promise.all([left.append(toIntent("/publish")), right.append(late)]);
      expect(results).toEqual([recorded, { kind: "taken", effect: owner }]); // another digest tells the caller of a conflict
      expect(await keysOf(ledger, right.run)).toEqual([]);
      expect(await ledger.readBlob(blobbed.blobs[0].hash)).toBeUndefined();
      expect((await ledger.findRun(right.run))?.status).toBe("running");
      expect(await ledger.findEffect(page)).toEqual(owner);
      // Also by another step of the same run, and after it was settled.
      const settled = await left.append(toSettled("/publish"));
      const settledLsn = settled.kind === "recorded" ? settled.lsn : 0;
      expect(await left.append(toIntent("/publish#2"))).toEqual({
        kind: "taken",
        effect: { ...owner, state: "settled", settledLsn },
      });
      expect(await right.append(toIntent("/publish"))).toMatchObject({ kind: "taken", effect: { state: "settled" } });
    },
  );

  test("a key is free again once its effect failed or was undone", verifies("D3", "D6"), async () => {
    const ledger = await openForTest(under);
    const [left, right] = await startLogs(ledger, 2);
    await left?.append(toIntent("/publish"));
    await left?.append(toChange("publish", "failed"));
    expect(await right?.append(toIntent("/mine", "d2"))).toEqual(recorded);
    expect(await ledger.findEffect(page)).toMatchObject({
      run: "run-1",
      step: "/mine",
      digest: "d2",
      state: "intended",
    });
    expect(await left?.append(toIntent("/publish"))).toMatchObject({ kind: "taken", effect: { run: "run-1" } });
    await right?.append(toSettled("/mine"));
    await right?.append(toChange("undo", "undone"));
    expect(await left?.append(toIntent("/publish"))).toEqual(recorded);
    expect(await ledger.findEffect(page)).toMatchObject({ run: "run-0", state: "intended", settledLsn: undefined });
  });

  test("its own step may write an intent again, unless the effect is settled", verifies("D3"), async () => {
    const ledger = await openForTest(under);
    const [log] = await startLogs(ledger, 1);
    expect(await log?.append(toIntent("/publish"))).toEqual(recorded);
    expect(await log?.append(toIntent("/publish"))).toEqual(recorded);
    await log?.append(toChange("publish", "in-doubt"));
    expect(await log?.append(toIntent("/publish"))).toEqual(recorded);
    await log?.append(toSettled("/publish"));
    expect(await log?.append(toIntent("/publish"))).toMatchObject({
      kind: "taken",
      effect: { run: "run-0", state: "settled" },
    });
  });
}

function describeStates(under: LedgerUnderTest): void {
  test("an effect's state follows its entries", verifies("D3"), async () => {
    const ledger = await openForTest(under);
    const [log] = await startLogs(ledger, 1);
    const after = async (entry: Parameters<NonNullable<typeof log>["append"]>[0]): Promise<unknown> => {
      await log?.append(entry);
      const effect = await ledger.findEffect(page);
      return [effect?.state, effect?.settledLsn];
    };
    expect(await after(toIntent("/publish"))).toEqual(["intended", undefined]);
    expect(await after(toChange("publish", "in-doubt"))).toEqual(["in-doubt", undefined]);
    expect(await after(toChange("publish", "intended"))).toEqual(["intended", undefined]);
    expect(await after(toSettled("/publish"))).toEqual(["settled", 5]);
    expect(await after(toChange("undo", "undone"))).toEqual(["undone", 5]);
  });

  test(
    "an effect that is unknown or another run's can't be changed; a fork may take it back",
    verifies("D3"),
    async () => {
      const ledger = await openForTest(under);
      const [left, right] = await startLogs(ledger, 2);
      if (left === undefined || right === undefined) throw new Error("two logs were started");
      await left.append(toIntent("/publish"));
      const results = await Promise.all([
        codeOf(right.append(toSettled("/publish"))),
        codeOf(right.append(toChange("publish", "undone"))), // not settled yet
        codeOf(left.append(toSettled("/nothing", toEffectKey("unheard of")))),
      ]);
      expect(results).toEqual(["EFFECT_UNKNOWN", "EFFECT_UNKNOWN", "EFFECT_UNKNOWN"]);
      expect(await keysOf(ledger, right.run)).toEqual([]);
      await left.append(toSettled("/publish"));
      await right.append(toChange("undo", "undone"));
      expect(await ledger.findEffect(page)).toMatchObject({ run: "run-0", state: "undone" });
    },
  );

  test("effects are listed by run, state and step", verifies("D3", "D10"), async () => {
    const ledger = await openForTest(under);
    const [left, right] = await startLogs(ledger, 2);
    const [one, two, three] = ["k1", "k2", "k3"].map((key) => toEffectKey(key));
    await left?.append(toIntent("/a", "d", one));
    await left?.append(toIntent("/b", "d", two));
    await left?.append(toSettled("/b", two));
    await right?.append(toIntent("/a", "d", three));
    await right?.append(toChange("a", "in-doubt", three));
    const list = async (filter: Parameters<typeof ledger.listEffects>[0]): Promise<readonly string[]> =>
      (await ledger.listEffects(filter)).map((effect) => effect.key);
    expect(await list({})).toEqual(["k1", "k2", "k3"]);
    expect(await list({ run: toRunId("run-0") })).toEqual(["k1", "k2"]);
    expect(await list({ states: ["in-doubt"] })).toEqual(["k3"]);
    expect(await list({ states: ["intended", "settled"] })).toEqual(["k1", "k2"]);
    expect(await list({ run: toRunId("run-0"), states: ["intended", "in-doubt"] })).toEqual(["k1"]);
    expect(await list({ step: toStepKey("/a") })).toEqual(["k1", "k3"]);
  });
}
