import { expect, test } from "vitest";
import { z } from "zod";

import { bodiesOf, errorOf, linesOf, makeGate, openStage, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { document } from "./document.ts";

const stock = document({ name: "stock", value: z.object({ left: z.number() }), initial: { left: 10 } });

test("a document that nobody has written holds its initial value, in version 0", async () => {
  const stage = openStage();
  const look = plainFlow("look", (run) => run.document(stock, "apples").read());
  const tutti = await stage.open([look]);
  expect(await tutti.run(look, null)).toEqual({ value: { left: 10 }, version: 0 });
});

test("what one run has written another one reads, and every version is kept", verifies("S1"), async () => {
  const stage = openStage();
  const take = plainFlow("take", (run) => run.document(stock, "apples").change(({ left }) => ({ left: left - 3 })));
  const look = plainFlow("look", (run) => run.document(stock, "apples").read());
  const tutti = await stage.open([take, look]);
  expect(await tutti.run(take, null, { id: "first" })).toEqual({ left: 7 });
  expect(await tutti.run(take, null, { id: "second" })).toEqual({ left: 4 });
  expect(await tutti.run(look, null)).toEqual({ value: { left: 4 }, version: 2 });
  expect(await tutti.documents.read(stock, "apples")).toEqual({ value: { left: 4 }, version: 2 });
  expect(await tutti.documents.history(stock, "apples")).toMatchObject([
    { version: 2, value: { left: 4 }, run: "second", diff: [{ path: "left", before: 7, now: 4 }] },
    { version: 1, value: { left: 7 }, run: "first", diff: [{ path: "left", before: 10, now: 7 }] },
  ]);
  expect(await tutti.documents.list()).toMatchObject([{ document: "stock/apples", version: 2 }]);
});

test("a hundred runs that change one document at once lose nothing", verifies("S1", "S2"), async () => {
  const stage = openStage();
  const take = plainFlow("take", (run) => run.document(stock, "apples").change(({ left }) => ({ left: left - 1 })));
  const tutti = await stage.open([take]);
  await Promise.all(Array.from({ length: 100 }, () => tutti.run(take, null)));
  expect(await tutti.documents.read(stock, "apples")).toEqual({ value: { left: -90 }, version: 100 });
});

test("several documents change together or not at all", verifies("S3"), async () => {
  const stage = openStage();
  const move = plainFlow("move", (run) =>
    run.transact(async (tx) => {
      const left = await tx.document(stock, "left").change((value) => ({ left: value.left - 4 }));
      await tx.document(stock, "right").change((value) => ({ left: value.left + 4 }));
      if (left.left < 0) throw new Error("too few");
      return left;
    }),
  );
  const tutti = await stage.open([move]);
  await tutti.run(move, null);
  await tutti.run(move, null);
  expect((await errorOf(tutti.run(move, null))).message).toContain("too few");
  expect(await tutti.documents.read(stock, "left")).toEqual({ value: { left: 2 }, version: 2 });
  expect(await tutti.documents.read(stock, "right")).toEqual({ value: { left: 18 }, version: 2 });
});

test(
  "a transaction whose documents were written meanwhile is stopped at once, and tried again",
  verifies("S2"),
  async () => {
    const stage = openStage();
    const gate = makeGate();
    const stopped: unknown[] = [];
    const slow = plainFlow("slow", (run) =>
      run.transact(async (tx) => {
        const { value } = await tx.document(stock, "apples").read();
        await tx.step("think", async ({ signal }) => {
          if (tx.attempt > 1) return;
          gate.open();
          await new Promise<void>((resolve) => {
            signal.addEventListener("abort", () => {
              stopped.push(signal.reason);
              resolve();
            });
          });
        });
        await tx.document(stock, "apples").write({ left: value.left * 2 });
        return tx.attempt;
      }),
    );
    const take = plainFlow("take", (run) => run.document(stock, "apples").change(({ left }) => ({ left: left - 3 })));
    const tutti = await stage.open([slow, take]);
    const running = tutti.run(slow, null, { id: "slow" });
    await gate.opened;
    await tutti.run(take, null, { id: "take" });
    expect(await running).toBe(2);
    expect(stopped).toMatchObject([{ code: "DOCUMENT_CONFLICT" }]);
    expect(await tutti.documents.read(stock, "apples")).toEqual({ value: { left: 14 }, version: 2 });
    expect(bodiesOf(stage.entries, "document-conflicted")).toMatchObject([
      { stale: [{ document: "stock/apples", seen: 0, newest: 1 }], next: "rerun" },
    ]);
  },
);

test(
  "no effect is dispatched on a document that was written meanwhile; once it is read again, it is",
  verifies("S2"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const mail = toMailTool(office);
    const codes: string[] = [];
    const notify = plainFlow("notify", async (run) => {
      const apples = run.document(stock, "apples");
      await apples.read();
      await run.wait("go");
      const send = (): Promise<unknown> => run.call(mail, { to: "somebody" });
      const error = await errorOf(send());
      codes.push(error.code);
      await apples.read();
      return send();
    });
    const take = plainFlow("take", (run) => run.document(stock, "apples").change(({ left }) => ({ left: left - 3 })));
    const tutti = await stage.open([notify, take]);
    const handle = await tutti.start(notify, null);
    await handle.settled();
    await tutti.run(take, null);
    await handle.signal("go", null);
    await handle.result();
    expect(codes).toEqual(["DOCUMENT_CONFLICT"]);
    expect(office.sent).toEqual(["somebody"]);
    expect(bodiesOf(stage.entries, "effect-intended")).toMatchObject([{ reads: { "stock/apples": 1 } }]);
    expect(linesOf(stage.entries).filter((line) => line.startsWith("step-failed"))).toEqual(["step-failed /mail.send"]);
  },
);
