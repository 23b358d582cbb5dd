import { expect, test } from "vitest";

import { openDyingLedger } from "../../../../../test/engine/dying-ledger.ts";
import { bodiesOf, errorOf, openStage, plainFlow, type Stage } from "../../../../../test/engine/engine-fixture.ts";
import { toSeeded } from "../../../../../test/oversight/seeded.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { takeTurns } from "../../testing/manual-clock.ts";
import type { Tutti } from "../tutti.ts";

const plain = plainFlow("plain", async () => ({ text: "an output" }));

async function runAll(tutti: Tutti, count: number, prefix = "r"): Promise<void> {
  for (let index = 0; index < count; index++) await tutti.run(plain, null, { id: `${prefix}${index}` });
}

async function open(stage: Stage): Promise<Tutti> {
  return stage.open([plain], { chance: toSeeded(3) });
}

async function review(tutti: Tutti, isDefective: (run: string) => boolean): Promise<void> {
  for (const { id, package: saw, step } of await tutti.approvals.list()) {
    const bad = isDefective(step.slice(1));
    const answer = { isDefective: bad, defects: bad ? ["the number is wrong"] : [] };
    await tutti.approvals.decide(id, { by: "ann", saw, verdict: "answer", answer });
  }
}

test(
  "a share of outputs is drawn, what is new first, put before people, and drawn the same again from the ledger",
  verifies("G15"),
  async () => {
    const stage = openStage();
    const tutti = await open(stage);
    await runAll(tutti, 3, "before");
    await tutti.reviews.sample({ share: 0.1, by: "ann" });
    await runAll(tutti, 150);
    const report = await tutti.reviews.estimate();
    expect(report).toMatchObject({ outputs: 150, reviewed: 0, byStratum: { novel: { outputs: 10, drawn: 10 } } });
    const samples = bodiesOf(stage.entries, "output-sampled");
    expect(samples.length).toBe(report?.drawn);
    expect(samples.every(({ run }) => !run.startsWith("before"))).toBe(true);
    expect(new Set(samples.map(({ probability }) => probability))).toEqual(new Set([1, 0.4, 0.1]));
    expect(await tutti.approvals.list()).toMatchObject(
      samples.map(({ run }) => ({
        kind: "review",
        step: `/${run}`,
        matter: { names: ["review/plain"], flow: "plain" },
      })),
    );
    const { package: shown } = await tutti.approvals.show(samples[0]?.approval ?? "");
    expect(shown.details).toBe('{"text":"an output"}');
    await tutti.close();
    const again = await open(stage);
    expect(await again.reviews.estimate()).toEqual(report);
    expect(bodiesOf(stage.entries, "output-sampled")).toEqual(samples); // nothing is drawn twice
  },
);

test(
  "reviews give the share of defects with its interval; what nobody has looked at is told apart",
  verifies("G15"),
  async () => {
    const stage = openStage();
    const tutti = await open(stage);
    await tutti.reviews.sample({ share: 1, by: "ann" });
    await runAll(tutti, 8);
    expect(await tutti.reviews.estimate()).toMatchObject({ drawn: 8, pending: 8, highest: 1 });
    await review(tutti, (run) => run === "r1" || run === "r5");
    const report = await tutti.reviews.estimate();
    expect(report).toMatchObject({ reviewed: 8, pending: 0, estimate: { share: 0.25, low: 0.25, high: 0.25 } });
    expect(report?.defects).toEqual([
      { run: "r1", defects: ["the number is wrong"], by: "ann" },
      { run: "r5", defects: ["the number is wrong"], by: "ann" },
    ]);
    await tutti.close();
    expect(await (await open(stage)).reviews.estimate()).toEqual(report);
  },
);

test("what is no review, and no share, is refused", async () => {
  const tutti = await open(openStage());
  for (const share of [0, -1, 2, Number.NaN])
    expect((await errorOf(tutti.reviews.sample({ share, by: "ann" }))).code).toBe("INPUT_INVALID");
  expect(await tutti.reviews.estimate()).toBeUndefined();
  await tutti.reviews.sample({ share: 1, by: "ann" });
  await runAll(tutti, 1);
  await tutti.reviews.estimate();
  const [asked] = await tutti.approvals.list();
  if (asked === undefined) throw new Error("nothing was drawn");
  const said = { by: "ann", saw: asked.package };
  const empty = { isDefective: true, defects: [] };
  expect((await errorOf(tutti.approvals.decide(asked.id, { ...said, verdict: "answer", answer: empty }))).code).toBe(
    "INPUT_INVALID",
  );
  expect((await errorOf(tutti.approvals.decide(asked.id, { ...said, verdict: "approve" }))).code).toBe(
    "APPROVAL_FORBIDDEN",
  );
});

test("an engine that dies while it draws leaves the same samples in the end", verifies("D2", "G15"), async () => {
  const whole = openStage();
  const first = await open(whole);
  await first.reviews.sample({ share: 1, by: "ann" });
  await runAll(first, 3);
  await first.reviews.estimate();
  const expected = bodiesOf(whole.entries, "output-sampled").map(({ run }) => run);
  expect(expected).toEqual(["r0", "r1", "r2"]);
  for (let atWrite = 1; atWrite <= 12; atWrite++)
    for (const isStored of [true, false]) {
      const stage = openStage();
      const ledger = openDyingLedger(stage.ledger, { atWrite, isStored });
      const dying = await stage.open([plain], { ledger: { ...ledger, close: async () => {} }, chance: toSeeded(3) });
      void dying.reviews.sample({ share: 1, by: "ann" }).then(() => runAll(dying, 3));
      await takeTurns(60);
      ledger.kill();
      const next = await open(stage);
      if (bodiesOf(stage.entries, "sampling-set").length === 0) await next.reviews.sample({ share: 1, by: "ann" });
      for (const id of ["r0", "r1", "r2"]) await next.run(plain, null, { id });
      await next.reviews.estimate();
      const runs = bodiesOf(stage.entries, "output-sampled").map(({ run }) => run);
      expect({ atWrite, isStored, runs: runs.toSorted() }).toEqual({ atWrite, isStored, runs: expected });
    }
});
