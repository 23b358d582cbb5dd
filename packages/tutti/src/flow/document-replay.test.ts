import { expect, test } from "vitest";
import { z } from "zod";

import {
  bodiesOf,
  errorOf,
  linesOf,
  makeGate,
  makeLedgerFile,
  openStage,
  plainFlow,
} from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { toStepKey } from "../contracts/ids.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { toRunTree } from "../insight/next-run-tree.ts";
import { whyOf } from "../insight/why.ts";
import { openSqliteLedger } from "../ledger/sqlite/sqlite-ledger.ts";
import { verifyLedger } from "../ledger/verify.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import { document } from "./document.ts";

const stock = document({ name: "stock", value: z.number(), initial: 10 });
const texts = document({ name: "texts", value: z.string() });
const take = plainFlow("take", (run) => run.document(stock, "apples").change((left) => left - 1));

test(
  "a run that is recovered sees the versions that it saw, whatever others have written since",
  verifies("S1", "D2"),
  async () => {
    const stage = openStage();
    const seen: unknown[] = [];
    const look = plainFlow("look", async (run) => {
      const before = await run.document(stock, "apples").read();
      const peeked = await run.document(stock, "apples").peek();
      const committed = await run.transact(async (tx) => {
        const { version } = await tx.document(stock, "pears").read();
        await tx.document(stock, "pears").write(version);
        return { version };
      });
      seen.push([before, peeked, committed]);
      await run.wait("go");
      return seen.length;
    });
    const first = await stage.open([look, take]);
    await (await first.start(look, null, { id: "look" })).settled();
    await first.run(take, null);
    await first.close();
    const second = await stage.open([look, take]);
    const handle = await second.open("look");
    await handle.signal("go", null);
    expect(await handle.result()).toBe(2);
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[0]).toEqual([{ value: 10, version: 0 }, { value: 10, version: 0 }, { version: 0 }]);
  },
);

test("a run that is recovered knows what it has written itself", verifies("S2", "D2"), async () => {
  const stage = openStage();
  const write = plainFlow("write", async (run) => {
    const apples = run.document(stock, "apples");
    await apples.read();
    await apples.write(7);
    await run.wait("go");
    await apples.write(6);
  });
  const first = await stage.open([write]);
  await (await first.start(write, null, { id: "write" })).settled();
  await first.close();
  const second = await stage.open([write]);
  const handle = await second.open("write");
  await handle.signal("go", null);
  await handle.result();
  expect(await second.documents.read(stock, "apples")).toEqual({ value: 6, version: 2 });
});

test(
  "a transaction does not commit on what the code around it has read and others have written since",
  verifies("S2", "S3"),
  async () => {
    const stage = openStage();
    const stale = plainFlow("stale", async (run) => {
      const { value } = await run.scope("look", (inner) => inner.document(stock, "apples").read());
      await run.wait("go");
      const copy = (): Promise<unknown> => run.transact((tx) => tx.document(stock, "pears").write(value));
      const { code } = await errorOf(copy());
      // Read again, it counts for what was read inside as well.
      await run.document(stock, "apples").read();
      await copy();
      return code;
    });
    const tutti = await stage.open([stale, take]);
    const handle = await tutti.start(stale, null);
    await handle.settled();
    await tutti.run(take, null);
    await handle.signal("go", null);
    expect(await handle.result()).toBe("DOCUMENT_CONFLICT");
    expect(await tutti.documents.read(stock, "pears")).toEqual({ value: 10, version: 1 });
  },
);

test("what is peeked at is not relied on", verifies("S2"), async () => {
  const stage = openStage();
  const look = plainFlow("look", async (run) => {
    await run.document(stock, "apples").peek();
    await run.wait("go");
    return run.document(stock, "pears").change((left) => left + 1);
  });
  const tutti = await stage.open([look, take]);
  const handle = await tutti.start(look, null);
  await handle.settled();
  await tutti.run(take, null);
  await handle.signal("go", null);
  expect(await handle.result()).toBe(11);
});

test(
  "a write stands on what its place has read, so that nobody's update is lost between the two",
  verifies("S2"),
  async () => {
    const stage = openStage();
    const write = plainFlow("write", async (run) => {
      const apples = run.document(stock, "apples");
      const { value } = await apples.read();
      await run.wait("go");
      const { code } = await errorOf(apples.write(value * 2));
      const again = await apples.read();
      await apples.write(again.value * 2);
      // What it has written itself it knows.
      await apples.write(again.value * 2 + 1);
      return code;
    });
    const tutti = await stage.open([write, take]);
    const handle = await tutti.start(write, null);
    await handle.settled();
    await tutti.run(take, null);
    await handle.signal("go", null);
    expect(await handle.result()).toBe("DOCUMENT_CONFLICT");
    expect(await tutti.documents.read(stock, "apples")).toEqual({ value: 19, version: 3 });
  },
);

test("a run that is let go in the middle of a transaction goes on with it", verifies("S3", "D2"), async () => {
  const stage = openStage();
  let begun = 0;
  const slow = plainFlow("slow", (run) =>
    run.transact(async (tx) => {
      const left = (await tx.document(stock, "apples").read()).value;
      await tx.step("begin", () => void begun++);
      const more = await tx.wait<number>("more");
      await tx.document(stock, "apples").write(left + more);
      await tx.document(stock, "pears").write(more);
      return tx.attempt;
    }),
  );
  const tutti = await stage.open([slow, take], { evictAfterMs: 1 });
  const handle = await tutti.start(slow, null);
  await handle.settled();
  await stage.clock.advance(100);
  expect(await tutti.documents.list()).toEqual([]);
  await handle.signal("more", 5);
  expect(await handle.result()).toBe(1);
  expect(begun).toBe(1);
  expect((await tutti.documents.list()).map((record) => record.document)).toEqual(["stock/apples", "stock/pears"]);
});

test(
  "a run that is paused in a transaction writes nothing, and goes on when it is resumed",
  verifies("S3"),
  async () => {
    const stage = openStage();
    const gate = makeGate();
    const slow = plainFlow("slow", (run) =>
      run.transact(async (tx) => {
        const left = (await tx.document(stock, "apples").read()).value;
        await tx.step("think", () => gate.opened);
        await tx.document(stock, "apples").write(left - 3);
      }),
    );
    const tutti = await stage.open([slow]);
    const handle = await tutti.start(slow, null);
    const paused = handle.pause();
    gate.open();
    await paused;
    expect(await tutti.documents.list()).toEqual([]);
    await handle.resume();
    await handle.result();
    expect(await tutti.documents.read(stock, "apples")).toEqual({ value: 7, version: 1 });
  },
);

test("a cancelled transaction leaves nothing", verifies("S3"), async () => {
  const stage = openStage();
  const slow = plainFlow("slow", (run) =>
    run.transact(async (tx) => {
      await tx.document(stock, "apples").write(3);
      await tx.wait("never");
    }),
  );
  const tutti = await stage.open([slow]);
  const handle = await tutti.start(slow, null);
  await handle.settled();
  await handle.cancel();
  await errorOf(handle.result());
  expect(await tutti.documents.list()).toEqual([]);
});

test("transactions do not nest, and what is not awaited is not part of one", async () => {
  const stage = openStage();
  const nest = plainFlow("nest", (run) => run.transact((tx) => tx.transact(async () => 1)));
  const hasty = plainFlow("hasty", (run) =>
    run.transact(async (tx) => {
      await tx.document(stock, "apples").write(1);
      void tx.document(stock, "pears").write(1);
    }),
  );
  const tutti = await stage.open([nest, hasty]);
  expect((await errorOf(tutti.run(nest, null))).message).toContain("can't hold another one");
  await tutti.run(hasty, null);
  expect(await tutti.documents.list()).toMatchObject([{ document: "stock/apples" }]);
});

test("what does not fit the document's schema, or can't be stored, is not written", async () => {
  const stage = openStage();
  const typeless = { ...texts, value: z.any() };
  const bad = plainFlow("bad", async (run) => {
    const wrong = await errorOf(run.document<unknown>(texts, "a").write(7));
    const missing = await errorOf(run.document<unknown>(typeless, "a").write(undefined));
    const code = await errorOf(run.document<unknown>(typeless, "a").write({ run: () => 1 }));
    const key = await errorOf((async () => run.document(texts, ""))());
    return [wrong.code, missing.code, code.code, key.code];
  });
  const tutti = await stage.open([bad]);
  expect(await tutti.run(bad, null)).toEqual([
    "INPUT_INVALID",
    "VALUE_NOT_STORABLE",
    "VALUE_NOT_STORABLE",
    "INPUT_INVALID",
  ]);
  expect(await tutti.documents.list()).toEqual([]);
});

test(
  "large documents are stored once, survive a restart of a file, and the ledger verifies",
  verifies("S1"),
  async () => {
    const path = await makeLedgerFile();
    const long = "x".repeat(100_000);
    const clock = openManualClock();
    const write = plainFlow("write", (run) => run.document(texts, "a/b#1").write(long));
    const copy = plainFlow("copy", (run) =>
      run.transact(async (tx) => {
        const { value } = await tx.document(texts, "a/b#1").read();
        await tx.document(texts, "c").write(value);
        return value.length;
      }),
    );
    const first = await openTutti({ flows: [write, copy], ledger: await openSqliteLedger(path, { clock }), clock });
    await first.run(write, null);
    expect(await first.run(copy, null)).toBe(100_000);
    await first.close();
    const second = await openTutti({ flows: [write, copy], ledger: await openSqliteLedger(path, { clock }), clock });
    expect(await second.documents.read(texts, "c")).toEqual({ value: long, version: 1 });
    expect(await second.documents.history(texts, "a/b#1")).toMatchObject([{ version: 1, value: long }]);
    expect(await verifyLedger(second.ledger)).toMatchObject({ kind: "intact" });
    for (const entry of await second.ledger.scan(0, 100)) expect(entry.body.length).toBeLessThan(1_000);
    await second.close();
  },
);

test("a fork shares what was committed before it, and commits no document again", verifies("S1"), async () => {
  const stage = openStage();
  const both = plainFlow("both", async (run) => {
    const left = await run.transact((tx) => tx.document(stock, "apples").change((value) => value - 1));
    return [left, await run.step("after", () => "first")];
  });
  const tutti = await stage.open([both]);
  const handle = await tutti.start(both, null);
  await handle.result();
  const after = await handle.fork(toStepKey("/after"), { output: "second" });
  expect(await after.result()).toEqual([9, "second"]);
  const edited = await handle.fork(toStepKey("/transact"), { output: 5 });
  expect(await edited.result()).toEqual([5, "first"]);
  expect(await tutti.documents.read(stock, "apples")).toEqual({ value: 9, version: 1 });
});

test("the tree of a run and its reasons tell what became of documents", verifies("O1"), async () => {
  const stage = openStage();
  const slow = plainFlow("slow", (run) =>
    run.transact(async (tx) => {
      const left = (await tx.document(stock, "apples").read()).value;
      await tx.step("think", () => (tx.attempt === 1 ? tutti.run(take, null) : null));
      await tx.document(stock, "apples").write(left - 3);
      return tx.attempt;
    }),
  );
  const tutti = await stage.open([slow, take]);
  await tutti.run(slow, null, { id: "slow" });
  const entries = stage.entries.filter((entry) => entry.run === "slow");
  const [transaction] = toRunTree(entries).root.children;
  expect(transaction).toMatchObject({ name: "transact", state: { kind: "done" }, output: "2" });
  expect(transaction?.children.map(({ name, state }) => [name, state.kind])).toEqual([
    ["1", "cancelled"],
    ["2", "done"],
  ]);
  expect(transaction?.children[1]?.children.map(({ output }) => output)).toContain("version 1: 9");
  const told = JSON.stringify(whyOf(entries));
  expect(told).toContain("the transaction returned 2 and wrote stock/apples in version 2 at attempt 2");
  expect(bodiesOf(entries, "document-conflicted")).toHaveLength(1);
  expect(linesOf(entries)).toContain("document-committed /transact");
});
