import { expect, test } from "vitest";
import { z } from "zod";

import {
  bodiesOf,
  errorOf,
  makeGate,
  openStage,
  plainFlow,
  type Stage,
} from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import type { ConflictPolicy, DocumentType } from "../contracts/document.ts";
import type { Flow, Run, Transaction } from "../contracts/run.ts";
import type { Tutti } from "../engine/tutti.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { document } from "./document.ts";

const toStock = (onConflict: ConflictPolicy<number> = {}): DocumentType<number> =>
  document({ name: "stock", value: z.number(), initial: 10, onConflict });

/** Somebody else, who takes one. */
const toTaker = (stock: DocumentType<number>): Flow =>
  plainFlow("take", (run) => run.document(stock, "apples").change((left) => left - 1));

interface Duel {
  readonly stage: Stage;
  readonly tutti: Tutti;
  readonly result: Promise<unknown>;
}

/** A transaction reads; each of its first `rivals` tries has somebody else write before it may write itself. */
async function openDuel(
  stock: DocumentType<number>,
  rivals: number,
  body: (tx: Transaction, left: number) => Promise<unknown>,
): Promise<Duel> {
  const stage = openStage();
  const take = toTaker(stock);
  const slow = plainFlow("slow", (run) =>
    run.transact(async (tx) => {
      const left = (await tx.document(stock, "apples").read()).value;
      await tx.step("think", async () => {
        if (tx.attempt <= rivals) await tutti.run(take, null);
      });
      return body(tx, left);
    }),
  );
  const tutti = await stage.open([slow, take]);
  return { stage, tutti, result: tutti.run(slow, null, { id: "slow" }) };
}

test(
  "two changes that can be merged are, and the transaction's function is not called again",
  verifies("S2"),
  async () => {
    const merges: unknown[] = [];
    const stock = toStock({
      merge(base, mine, theirs) {
        merges.push([base, mine, theirs]);
        return theirs + (mine - base);
      },
    });
    const { stage, tutti, result } = await openDuel(stock, 1, async (tx, left) => {
      await tx.document(stock, "apples").write(left - 3);
      return tx.attempt;
    });
    expect(await result).toBe(1);
    expect(merges).toEqual([[10, 7, 9]]);
    expect(await tutti.documents.read(stock, "apples")).toEqual({ value: 6, version: 2 });
    const [, merged] = bodiesOf(stage.entries, "document-committed");
    expect(merged).toMatchObject({ reads: { "stock/apples": 1 }, writes: [{ version: 2, value: 6, mergedFrom: 0 }] });
  },
);

test("a merge function that throws fails the transaction, and nothing is written", async () => {
  const stock = toStock({
    merge() {
      throw new Error("these two can't be put together");
    },
  });
  const { tutti, result } = await openDuel(stock, 1, (tx, left) => tx.document(stock, "apples").write(left - 3));
  expect((await errorOf(result)).message).toContain("these two can't be put together");
  expect(await tutti.documents.read(stock, "apples")).toEqual({ value: 9, version: 1 });
});

test(
  "with refresh the function comes to its end, and goes on from its own result and what has changed",
  verifies("S2"),
  async () => {
    const stock = toStock({ again: "refresh" });
    const refreshed: unknown[] = [];
    const { tutti, result } = await openDuel(stock, 1, async (tx, left) => {
      refreshed.push(tx.refreshed);
      await tx.document(stock, "apples").write(left - 3);
      return `thought with ${left}`;
    });
    expect(await result).toBe("thought with 9");
    expect(refreshed).toEqual([
      undefined,
      {
        result: "thought with 10",
        changes: [
          {
            document: "stock/apples",
            before: { value: 10, version: 0 },
            now: { value: 9, version: 1 },
            diff: [{ path: "", before: 10, now: 9 }],
          },
        ],
      },
    ]);
    expect(await tutti.documents.read(stock, "apples")).toEqual({ value: 6, version: 2 });
  },
);

test("with never the first conflict is the flow's own to handle", verifies("S2"), async () => {
  const stock = toStock({ again: "never" });
  const { tutti, result } = await openDuel(stock, 1, (tx, left) => tx.document(stock, "apples").write(left - 3));
  const error = await errorOf(result);
  expect(error).toMatchObject({ code: "DOCUMENT_CONFLICT", disposition: "tell-model", effect: "none" });
  expect(error.message).toContain("stock/apples was read in version 0 and is now in version 1");
  expect(await tutti.documents.read(stock, "apples")).toEqual({ value: 9, version: 1 });
});

test("tries are bounded", verifies("S2"), async () => {
  const stock = toStock({ triesMax: 4, leaseAfter: 10 });
  const { stage, result } = await openDuel(stock, 100, (tx, left) => tx.document(stock, "apples").write(left - 3));
  expect((await errorOf(result)).message).toContain("not committed in 4 tries");
  expect(bodiesOf(stage.entries, "document-conflicted")).toHaveLength(3);
});

test("a run that is to be escalated waits for a person, and goes on with a fresh try", verifies("S2"), async () => {
  const stock = toStock({ again: "never", escalate: "park" });
  const { tutti, result } = await openDuel(stock, 1, async (tx, left) => {
    await tx.document(stock, "apples").write(left - 3);
    return tx.attempt;
  });
  expect((await errorOf(result)).code).toBe("DOCUMENT_CONFLICT");
  const handle = await tutti.open("slow");
  expect(await handle.state()).toMatchObject({ kind: "parked", error: { code: "DOCUMENT_CONFLICT" } });
  await handle.resume();
  expect(await handle.result()).toBe(2);
  expect(await tutti.documents.read(stock, "apples")).toEqual({ value: 6, version: 2 });
});

test(
  "after so many conflicts a transaction holds a lease, and others wait with their writes",
  verifies("S2"),
  async () => {
    const stock = toStock({ leaseAfter: 2 });
    const stage = openStage();
    const take = toTaker(stock);
    const waiting: Promise<unknown>[] = [];
    const gate = makeGate();
    const slow = plainFlow("slow", (run) =>
      run.transact(async (tx) => {
        const left = (await tx.document(stock, "apples").read()).value;
        await tx.step("think", async () => {
          const rival = tutti.run(take, null);
          if (tx.attempt <= 2) await rival;
          else {
            waiting.push(rival);
            await gate.opened;
          }
        });
        await tx.document(stock, "apples").write(left - 3);
        return tx.attempt;
      }),
    );
    const tutti = await stage.open([slow, take]);
    const result = tutti.run(slow, null);
    await stage.clock.advance(1_000);
    // The third rival has asked for its commit, and waits.
    expect(await tutti.documents.read(stock, "apples")).toEqual({ value: 8, version: 2 });
    gate.open();
    expect(await result).toBe(3);
    await Promise.all(waiting);
    expect(await tutti.documents.read(stock, "apples")).toEqual({ value: 4, version: 4 });
    expect(bodiesOf(stage.entries, "document-leased")).toMatchObject([{ documents: ["stock/apples"] }]);
  },
);

test("whoever holds a lease too long loses it, and with it its turn", verifies("S2"), async () => {
  const stock = toStock({ leaseAfter: 1, leaseMs: 5_000, triesMax: 3 });
  const eager = toStock({ leaseAfter: 1 });
  const stage = openStage();
  const gate = makeGate();
  const slow = plainFlow("slow", (run) =>
    run.transact(async (tx) => {
      const left = (await tx.document(stock, "apples").read()).value;
      await tx.step("think", () => (tx.attempt <= 2 ? undefined : gate.opened));
      await tx.document(stock, "apples").write(left - 3);
      return tx.attempt;
    }),
  );
  const rival = plainFlow("rival", (run) => run.document(eager, "apples").change((left) => left - 1));
  const tutti = await stage.open([slow, rival]);
  const result = tutti.run(slow, null);
  await stage.clock.advance(100);
  const other = tutti.run(rival, null);
  await stage.clock.advance(6_000);
  await other;
  gate.open();
  expect(await result).toBeGreaterThan(0);
  expect((await tutti.documents.read(stock, "apples")).value).toBe(6);
});

test(
  "an effect inside a transaction is not dispatched on stale data: the transaction is tried again first",
  verifies("S2"),
  async () => {
    const stock = toStock({ merge: (base, mine, theirs) => theirs + (mine - base) });
    const office = openPostOffice();
    const mail = toMailTool(office);
    const { stage, result } = await openDuel(stock, 1, async (tx, left) => {
      await tx.call(mail, { to: `one of ${left}` });
      await tx.document(stock, "apples").write(left - 3);
      return tx.attempt;
    });
    expect(await result).toBe(2);
    expect(office.sent).toEqual(["one of 9"]);
    expect(bodiesOf(stage.entries, "effect-intended")).toMatchObject([{ reads: { "stock/apples": 1 } }]);
  },
);

test("an effect that is tried again is validated again before", verifies("S2"), async () => {
  const stock = toStock();
  const stage = openStage();
  const take = toTaker(stock);
  let calls = 0;
  const office = openPostOffice();
  const mail = toMailTool(office, {
    async run() {
      calls++;
      await tutti.run(take, null);
      throw new TuttiError("TOOL_UNAVAILABLE", "later perhaps");
    },
  });
  const notify = plainFlow("notify", async (run) => {
    await run.document(stock, "apples").read();
    return run.call(mail, { to: "somebody" });
  });
  const tutti = await stage.open([notify, take]);
  const result = errorOf(tutti.run(notify, null));
  await stage.clock.advance(10_000);
  expect((await result).code).toBe("DOCUMENT_CONFLICT");
  expect(calls).toBe(1);
  expect((await tutti.ledger.listEffects({})).map(({ state }) => state)).toEqual(["failed"]);
});

test(
  "what an agent or a part of a run has read still counts when it has ended, also after a crash",
  verifies("S2"),
  async () => {
    const stock = toStock();
    const stage = openStage();
    const office = openPostOffice();
    const mail = toMailTool(office);
    const take = toTaker(stock);
    const notify = plainFlow("notify", async (run) => {
      const left = await run.scope("look", async (inner) => (await inner.document(stock, "apples").read()).value);
      await run.wait("go");
      return run.call(mail, { to: `one of ${left}` });
    });
    const first = await stage.open([notify, take]);
    await (await first.start(notify, null, { id: "notify" })).settled();
    await first.run(take, null);
    await first.close();
    const second = await stage.open([notify, take]);
    const handle = await second.open("notify");
    await handle.signal("go", null);
    expect((await errorOf(handle.result())).code).toBe("DOCUMENT_CONFLICT");
    expect(office.sent).toEqual([]);
    expect(bodiesOf(stage.entries, "scope-closed")).toMatchObject([{ reads: { "stock/apples": 0 } }]);
  },
);

test(
  "who gives a lease back gives way to those who wait for it, and not only when its time is over",
  verifies("S2"),
  async () => {
    const stock = toStock({ leaseAfter: 1 });
    const stage = openStage();
    const take = toTaker(stock);
    const takePear = plainFlow("pear", (run) => run.document(stock, "pears").change((left) => left - 1));
    const waiting: Promise<unknown>[] = [];
    const slow = plainFlow("slow", (run) =>
      run.transact(async (tx) => {
        const left = (await tx.document(stock, "apples").read()).value;
        if (tx.attempt === 2) await tx.document(stock, "pears").read();
        await tx.step("think", async ({ signal }) => {
          if (tx.attempt === 1) await tutti.run(take, null);
          if (tx.attempt !== 2) return;
          waiting.push(tutti.run(take, null, { id: "waits" }));
          await stage.clock.advance(50);
          await tutti.run(takePear, null);
          expect(signal.aborted).toBe(true);
        });
        await tx.document(stock, "apples").write(left - 3);
        return [tx.attempt, left];
      }),
    );
    const tutti = await stage.open([slow, take, takePear]);
    const result = tutti.run(slow, null);
    await stage.clock.advance(1_000);
    await Promise.all(waiting);
    expect(await result).toEqual([3, 8]); // the one who waited was before it
    expect(await tutti.documents.read(stock, "apples")).toEqual({ value: 5, version: 3 });
  },
);

test("a limited tool is not called on stale data either", verifies("S2"), async () => {
  const stock = toStock();
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office);
  const take = toTaker(stock);
  const notify = plainFlow("notify", async (run) => {
    await run.document(stock, "apples").read();
    await run.wait("go");
    return run.call(mail, { to: "somebody" });
  });
  const tutti = await stage.open([notify, take], { limits: { "tool/mail.send": { concurrentMax: 1 } } });
  const handle = await tutti.start(notify, null);
  await handle.settled();
  await tutti.run(take, null);
  await handle.signal("go", null);
  expect((await errorOf(handle.result())).code).toBe("DOCUMENT_CONFLICT");
  expect(office.sent).toEqual([]);
});

test("what is written when the function has ended is not part of what is merged", async () => {
  const stock = toStock({ merge: (base, mine, theirs) => theirs + (mine - base) });
  const { tutti, result } = await openDuel(stock, 1, async (tx, left) => {
    const apples = tx.document(stock, "apples");
    await apples.write(left - 3);
    const later = async (): Promise<void> => {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      await apples.write(0);
    };
    void later();
    return tx.attempt;
  });
  expect(await result).toBe(1);
  expect((await tutti.documents.read(stock, "apples")).value).toBe(6);
});

test("branches that read at the same time see one version", verifies("S2"), async () => {
  const stock = toStock({ again: "refresh" });
  const stage = openStage();
  const take = toTaker(stock);
  let looks = 0;
  const ledger: Ledger = {
    ...stage.ledger,
    close: async () => {},
    async findDocument(id, version) {
      looks++;
      // Between the two looks somebody else writes.
      if (looks === 2) await tutti.run(take, null);
      return stage.ledger.findDocument(id, version);
    },
  };
  const both = plainFlow("both", (run) =>
    run.transact(async (tx) => {
      const read = async (branch: Run): Promise<number> => (await branch.document(stock, "apples").read()).value;
      const { left, right } = await tx.all({ left: read, right: read });
      await tx.document(stock, "pears").write(left + right);
      return [tx.attempt, left, right];
    }),
  );
  const tutti = await stage.open([both, take], { ledger });
  expect(await tutti.run(both, null)).toEqual([2, 9, 9]);
});
