import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { sha256 } from "../base/hash.ts";
import { folderKeeper, ledgerKeeper } from "./media.ts";

async function openFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-media-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const png = Buffer.from("\u0089PNG and more", "latin1");

test("the ledger keeps SVG as text and all else as base64, with its hash and length", async () => {
  expect(await ledgerKeeper.keep(Buffer.from("<svg/>"), "image/svg+xml")).toEqual({
    mediaType: "image/svg+xml",
    bytes: 6,
    hash: sha256("<svg/>"),
    content: { kind: "text", text: "<svg/>" },
  });
  const kept = await ledgerKeeper.keep(png, "image/png");
  expect(kept.content).toEqual({ kind: "base64", base64: png.toString("base64") });
});

test("what is too much for the ledger is refused with the way out", async () => {
  await expect(ledgerKeeper.keep(Buffer.alloc(9 * 1024 * 1024), "video/mp4")).rejects.toMatchObject({
    code: "VALUE_NOT_STORABLE",
    effect: "done",
    hint: expect.stringContaining("folderKeeper"),
  });
});

test("a folder holds each content once under its hash, whole, however often and by how many it is kept", async () => {
  const folder = path.join(await openFolder(), "new", "media");
  const keeper = folderKeeper(folder);
  const kept = await Promise.all(Array.from({ length: 5 }, () => keeper.keep(png, "image/png")));
  const file = path.join(folder, `${sha256(png)}.png`);
  expect(kept.every(({ content }) => content.kind === "file" && content.file === file)).toBe(true);
  expect((await readdir(folder)).filter((name) => !name.startsWith("."))).toEqual([path.basename(file)]);
  expect(await readFile(file)).toEqual(png);
});

test("a file that was damaged is written again", async () => {
  const folder = await openFolder();
  const file = path.join(folder, `${sha256(png)}.png`);
  await writeFile(file, png.subarray(0, 4));
  await folderKeeper(folder).keep(png, "image/png");
  expect(await readFile(file)).toEqual(png);
});

test("a folder that can't be written fails clearly, and nothing happened", async () => {
  const folder = await openFolder();
  await writeFile(path.join(folder, "file"), "");
  await expect(folderKeeper(path.join(folder, "file", "below")).keep(png, "image/png")).rejects.toMatchObject({
    code: "TOOL_REFUSED",
    effect: "none",
  });
});
