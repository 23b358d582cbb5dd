import { expect, test } from "vitest";

import { openStage } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { toDocumentId } from "../contracts/ids.ts";
import { takeTurns } from "../testing/manual-clock.ts";
import { openDocuments } from "./open-documents.ts";

test(
  "turns are first come, first served, and those who want nothing in common do not wait for each other",
  verifies("S2"),
  async () => {
    const { ledger, clock } = openStage();
    const documents = openDocuments(ledger, clock, "push");
    const began: string[] = [];
    const leaves = new Map<string, () => void>();
    const take = (name: string, keys: readonly string[]): void => {
      void documents.takeTurn(keys.map(toDocumentId), 5_000).then((leave) => {
        began.push(name);
        leaves.set(name, leave);
      });
    };
    take("first", ["a"]);
    take("second", ["a", "b"]);
    take("third", ["b"]); // free, but the second was here before
    take("apart", ["c"]);
    await takeTurns(2);
    expect(began).toEqual(["first", "apart"]);
    leaves.get("first")?.();
    leaves.get("first")?.();
    await takeTurns(2);
    expect(began).toEqual(["first", "apart", "second"]);
    // The second never leaves: its turn is over when its lease is.
    await clock.advance(5_000);
    expect(began).toEqual(["first", "apart", "second", "third"]);
  },
);
