import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { systemClock } from "../../base/clock.ts";
import { sha256 } from "../../base/hash.ts";
import { anything } from "../../base/shape.ts";
import { schemaOf } from "../../contracts/schema.ts";
import { openTutti } from "../../engine/open-tutti.ts";
import { flow } from "../../flow/flow.ts";
import { openMemoryLedger } from "../../ledger/memory/memory-ledger.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import { folderStore } from "./folder-store.ts";
import { storageTools, type PutInput, type StorageTools } from "./storage-tools.ts";

const host = toToolHost();

async function openTools(): Promise<StorageTools> {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-storage-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return storageTools(folderStore({ folder }));
}

test(
  "texts come back as text, anything else as base64, and what is not there is an answer",
  verifies("K2", "S5"),
  async () => {
    const { put, get, head } = await openTools();
    const note = await put.run({ text: "\ufeffgrüße", mediaType: "text/plain", name: "note.txt" }, host);
    expect(await get.run({ hash: note.hash }, host)).toEqual({ found: true, ...note, text: "\ufeffgrüße" });
    const base64 = Buffer.from([0, 255, 1]).toString("base64");
    const picture = await put.run({ base64, mediaType: "image/png" }, host);
    expect(await get.run({ hash: picture.hash }, host)).toEqual({ found: true, ...picture, base64 });
    const broken = await put.run({ base64: "/w==", mediaType: "text/plain" }, host);
    expect(await get.run({ hash: broken.hash }, host)).toMatchObject({ base64: "/w==" });
    expect(await head.run({ hash: note.hash }, host)).toMatchObject({
      found: true,
      from: [{ run: "run-1", step: "/step", name: "note.txt" }],
    });
    for (const tool of [get, head]) expect(await tool.run({ hash: sha256("?") }, host)).toEqual({ found: false });
  },
);

test.for([
  ["nothing", { mediaType: "text/plain" }],
  ["both", { text: "a", base64: "YQ==", mediaType: "text/plain" }],
  ["no base64", { base64: "a b!", mediaType: "text/plain" }],
  ["base64 without its end", { base64: "YQ", mediaType: "text/plain" }],
  ["half a character", { text: "\ud83d", mediaType: "text/plain" }],
] as const)("%s as content is refused", async ([, input]: readonly [string, PutInput]) => {
  const { put } = await openTools();
  await expect(async () => put.run(input, host)).rejects.toMatchObject({ code: "INPUT_INVALID", effect: "none" });
});

test("after a crash the store itself is asked whether it happened", async () => {
  const { put } = await openTools();
  const input = { text: "kept", mediaType: "text/plain" };
  expect(await put.check?.(input, host)).toBeUndefined();
  const stored = await put.run(input, host);
  expect(await put.check?.(input, host)).toEqual(stored);
});

const any = schemaOf<unknown>(anything, {});

test(
  "two runs that store the same, under any name, both succeed and are both in its provenance",
  verifies("S5"),
  async () => {
    const { put, head } = await openTools();
    const keep = flow({
      name: "keep",
      input: any,
      output: any,
      run: async (run, name) => run.call(put, { text: "same", mediaType: "text/plain", name: String(name) }),
    });
    const tutti = await openTutti({ flows: [keep], ledger: openMemoryLedger({ clock: systemClock }) });
    onTestFinished(() => tutti.close());
    const [first, second] = await Promise.all([tutti.run(keep, "a.txt"), tutti.run(keep, "b.txt")]);
    expect(first).toEqual(second);
    expect(await tutti.run(keep, "a.txt")).toEqual(first); // a third run, which does exactly what the first did
    const { from = [] } = await head.run({ hash: sha256("same") }, host);
    expect(from.filter(({ name }) => name === "a.txt")).toHaveLength(2);
    expect(new Set(from.map(({ run }) => run)).size).toBe(3);
  },
);
