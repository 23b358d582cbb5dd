import { expect, test } from "vitest";

import { findAttemptWrongs } from "./mutations/durable-attempts.ts";
import { findLosingBranchWrongs } from "./mutations/losing-branch.ts";
import { openMutatedCopy } from "./mutations/mutated-copy.ts";
import { mutations, programs, type Check } from "./mutations/mutation-table.ts";
import { findSignalWrongs } from "./mutations/signal-charge.ts";
import { findUndoOrderWrongs } from "./mutations/undo-order.ts";
import { verifies } from "./verifies.ts";

const sound: readonly Check[] = [
  { kind: "crash", points: 2_000, seed: 1 },
  { kind: "ledger" },
  ...programs.map((name) => ({ kind: "program", name }) as const),
];

test("without a planted fault every check passes in a copy", async ({ annotate }) => {
  await using copy = await openMutatedCopy();
  for (const check of sound) {
    const verdict = await copy.run(check);
    await annotate(`${check.kind}: ${verdict.said}`);
    expect({ check, ...verdict }).toMatchObject({ exitCode: 0 });
  }
});

test.for(mutations.map((mutation) => [mutation.name, mutation] as const))(
  "the suite notices when %s",
  async ([, mutation], { annotate }) => {
    await using copy = await openMutatedCopy();
    await copy.plant(mutation);
    const verdict = await copy.run(mutation.check);
    await annotate(`${mutation.check.kind}: ${verdict.said}`);
    expect(verdict).toMatchObject({
      exitCode: 1,
      said: expect.stringMatching(/points, [1-9]\d* wrong|[1-9]\d* failed/u),
    });
  },
);

const promised = [
  ["effects are taken back newest first", findUndoOrderWrongs, "D6"],
  ["a signal sent twice is consumed once, also inside a scope, however soon the run is let go", findSignalWrongs, "D1"],
  [
    "no attempt is forgotten, no timer is set twice, and an effect that needed two attempts is done once",
    findAttemptWrongs,
    "D5",
  ],
  ["a branch that lost is not taken up again, and its effect gets an outcome", findLosingBranchWrongs, "D3"],
] as const;

for (const [promise, findWrongs, id] of promised) {
  test(`${promise}, whatever entry the process dies after`, verifies(id), async () => {
    const { points, wrongs } = await findWrongs();
    expect(points).toBeGreaterThan(10);
    expect(wrongs).toEqual([]);
  });
}
