import { stat } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";

import { expect, test } from "vitest";

import { anything, bodiesOf, makeLedgerFile, openStage, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import type { Flow } from "../contracts/run.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { openManualClock } from "../testing/manual-clock.ts";
import { tool } from "../tools/tool.ts";

const kib = 1024;
const payloadBytes = 2 * kib;
/** What an entry takes in itself. */
const inlineBytesMax = 32 * kib;

/** Everything that is kept of the entries, numbers as text. */
function bytesOf(entries: readonly LedgerEntry[]): number {
  return entries.reduce((sum, entry) => sum + Buffer.byteLength(Object.values(entry).join("")), 0);
}

const echo = tool({
  name: "echo",
  does: "Says it again.",
  input: anything,
  output: anything,
  effect: "read",
  run: (input) => input,
});

const text = (index: number): string => String(index).padStart(payloadBytes, "x");

/** `steps` payloads of 2 KB: returned by steps, or handed to tools that return little. */
function working(steps: number): Readonly<Record<string, Flow>> {
  return {
    steps: plainFlow("steps", async (run) => {
      for (let index = 0; index < steps; index++) await run.step("work", () => text(index));
    }),
    branches: plainFlow("branches", async (run) => {
      await run.map(Array.from({ length: steps }), (branch, _, index) =>
        branch.step("work", () => text(index)).then(() => null),
      );
    }),
    tools: plainFlow("tools", async (run) => {
      const half = text(0).slice(payloadBytes / 2);
      for (let index = 0; index < steps; index++) await run.call(echo, half);
    }),
  };
}

async function entryBytes(name: string, steps: number): Promise<number> {
  const stage = openStage();
  const flow = working(steps)[name];
  if (flow === undefined) throw new Error(`no flow ${name}`);
  const tutti = await stage.open([flow]);
  await tutti.run(flow, null);
  return bytesOf(stage.entries);
}

test.for(["steps", "branches", "tools"])(
  "200 %s with 2 KB each take at most 2.5 times their payload, and twice as many take twice that",
  verifies("D14"),
  async (name) => {
    const bytes = await entryBytes(name, 200);
    expect(bytes).toBeGreaterThan(200 * payloadBytes);
    expect(bytes).toBeLessThanOrEqual(2.5 * 200 * payloadBytes);
    const [tenth, double] = [await entryBytes(name, 20), await entryBytes(name, 400)];
    expect(double / bytes).toBeLessThan(2.01);
    expect(bytes / tenth).toBeLessThan(10.1);
  },
);

test("200 steps of 2 KB in a file take at most 2.5 times their payload on the disk", verifies("D14"), async () => {
  const ledger = await makeLedgerFile();
  const flow = working(200)["steps"] ?? plainFlow("none", async () => null);
  const tutti = await openTutti({ flows: [flow], ledger, clock: openManualClock() });
  await tutti.run(flow, null);
  await tutti.close();
  expect((await stat(ledger)).size).toBeLessThanOrEqual(2.5 * 200 * payloadBytes);
});

const large = { text: "large ".repeat(50_000) };
const largeBytes = Buffer.byteLength(JSON.stringify(large));

function blobsIn(ledger: string): readonly unknown[] {
  const database = new DatabaseSync(ledger, { readOnly: true });
  try {
    return database.prepare("select length(content) as bytes from blob").all();
  } finally {
    database.close();
  }
}

test(
  "a large value that three steps return is stored once, and is the same after a reopening",
  verifies("D1", "D14"),
  async () => {
    const ledger = await makeLedgerFile();
    const clock = openManualClock();
    let executed = 0;
    const flow = plainFlow("large", async (run) => {
      const values: unknown[] = [];
      for (const name of ["one", "two", "three"]) {
        values.push(
          await run.step(name, () => {
            executed++;
            return large;
          }),
        );
      }
      await run.wait("go");
      return values.map((value) => JSON.stringify(value) === JSON.stringify(large));
    });
    const first = await openTutti({ flows: [flow], ledger, clock });
    await (await first.start(flow, null, { id: "r" })).settled();
    await first.close();
    expect(blobsIn(ledger)).toEqual([{ bytes: largeBytes }]);
    expect((await stat(ledger)).size).toBeLessThan(1.5 * largeBytes);

    const second = await openTutti({ flows: [flow], ledger, clock });
    const run = await second.open("r");
    await run.signal("go", null);
    expect(await run.result()).toEqual([true, true, true]);
    expect(executed).toBe(3);
    const references = bodiesOf(await run.entries(), "step-done").map(({ outRef }) => outRef);
    expect(new Set(references.map((reference) => reference?.hash)).size).toBe(1);
    expect(references[0]?.bytes).toBe(largeBytes);
    await second.close();
  },
);

test(
  "a large value on its whole way, as input, tool input, signal, child and output, is stored once",
  verifies("D14"),
  async () => {
    const ledger = await makeLedgerFile();
    const clock = openManualClock();
    const child = plainFlow("child", async (run) => [(await run.wait("go")) === undefined]);
    const flow = plainFlow("way", async (run) => {
      const echoed = await run.call(echo, large);
      const scoped = await run.scope("scope", async () => echoed);
      const started = await run.child(child, large);
      const signalled = await run.wait("go");
      await run.emit(started.id, "go", scoped);
      await started.result();
      return signalled;
    });
    const tutti = await openTutti({ flows: [flow, child], ledger, clock });
    const run = await tutti.start(flow, large, { id: "r" });
    await run.signal("go", large);
    expect(await run.result()).toEqual(large);
    await tutti.close();
    expect(blobsIn(ledger)).toEqual([{ bytes: largeBytes }]);
    const again = await openTutti({ flows: [flow, child], ledger, clock });
    expect(await (await again.open("r")).result()).toEqual(large);
    await again.close();
  },
);

test("a value stays in its entry up to the limit and leaves it beyond", verifies("D14"), async () => {
  const stage = openStage();
  const limit = inlineBytesMax - '""'.length;
  const flow = plainFlow("limits", async (run) => {
    const values = [limit, limit + 1].map((length) => run.step("value", () => "x".repeat(length)));
    return (await Promise.all(values)).map((value) => value.length);
  });
  const tutti = await stage.open([flow]);
  expect(await tutti.run(flow, null)).toEqual([limit, limit + 1]);
  const [inside, outside] = bodiesOf(stage.entries, "step-done");
  expect(inside).toEqual({ out: "x".repeat(limit) });
  expect(outside).toEqual({ outRef: { hash: expect.stringMatching(/^[0-9a-f]{64}$/u), bytes: limit + 3 } });
});

test.for(["a note's data", "text of many bytes"])(
  "no entry is larger than its limit, also with %s",
  verifies("D14"),
  async (what) => {
    const stage = openStage();
    const flow = plainFlow("limits", async (run) => {
      if (what === "a note's data") run.note("large", large);
      return run.step("value", () => (what === "text of many bytes" ? "€".repeat(inlineBytesMax - 2) : 1));
    });
    const tutti = await stage.open([flow]);
    await tutti.run(flow, null);
    expect(Math.max(...stage.entries.map((entry) => Buffer.byteLength(entry.body)))).toBeLessThan(inlineBytesMax + 200);
  },
);
