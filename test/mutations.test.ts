import { expect, test } from "vitest";

import { openMutatedCopy } from "./mutations/mutated-copy.ts";
import { mutations, type Check } from "./mutations/mutation-table.ts";
import { findSignalWrongs } from "./mutations/signal-charge.ts";
import { findUndoOrderWrongs } from "./mutations/undo-order.ts";
import { verifies } from "./verifies.ts";

const sound: readonly Check[] = [{ kind: "crash", points: 2_000, seed: 1 }, { kind: "ledger" }, { kind: "program", name: "undo-order" }, { kind: "program", name: "signal-charge" }];

test("without a planted fault every check passes in a copy", async ({ annotate }) => {
  await using copy = await openMutatedCopy();
  for (const check of sound) {
    const verdict = await copy.run(check);
    await annotate(`${check.kind}: ${verdict.said}`);
    expect(verdict, check.kind).toMatchObject({ exitCode: 0 });
  }
});

test.for(mutations.map((mutation) => [mutation.name, mutation] as const))(
  "the suite notices when %s",
  async ([, mutation], { annotate }) => {
    await using copy = await openMutatedCopy();
    await copy.plant(mutation);
    const verdict = await copy.run(mutation.check);
    await annotate(`${mutation.check.kind}: ${verdict.said}`);
    expect(verdict).toMatchObject({ exitCode: 1, said: expect.stringMatching(/points, [1-9]\d* wrong|[1-9]\d* failed/u) });
  },
);

test(
  "effects are taken back newest first, whatever entry the process dies after",
  verifies("D6"),
  async () => {
    const { points, wrongs } = await findUndoOrderWrongs();
    expect(points).toBeGreaterThan(10);
    expect(wrongs).toEqual([]);
  },
);

test(
  "a signal is consumed once, also inside a scope, whatever entry the process dies after and however often the run is let go",
  verifies("D1", "D2"),
  async () => {
    const { points, wrongs } = await findSignalWrongs();
    expect(points).toBeGreaterThan(5);
    expect(wrongs).toEqual([]);
  },
);
