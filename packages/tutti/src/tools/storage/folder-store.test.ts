import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { expect, onTestFinished, test } from "vitest";

import { describeObjectStore, toObject } from "../../../../../test/capabilities/object-store-conformance.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { sha256 } from "../../base/hash.ts";
import { folderStore } from "./folder-store.ts";

const { signal } = new AbortController();

async function openFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-store-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describeObjectStore("a folder", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-store-"));
  return {
    store: folderStore({ folder: path.join(folder, "made/when/needed"), bytesMax: 65_536 }),
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

test("people find an object and where it came from beside each other", verifies("S5"), async () => {
  const folder = await openFolder();
  const { hash, uri } = await folderStore({ folder }).put(
    toObject("for people", { from: { run: "r1", step: "/write", name: "a.txt" } }),
    signal,
  );
  const place = path.join(folder, "objects", hash.slice(0, 2), hash);
  expect(fileURLToPath(uri)).toBe(path.join(place, "content"));
  expect(await readFile(path.join(place, "content"), "utf8")).toBe("for people");
  expect(JSON.parse(await readFile(path.join(place, "about.json"), "utf8"))).toEqual({
    hash,
    bytes: 10,
    mediaType: "text/plain",
  });
  const [record = ""] = await readdir(path.join(place, "from"));
  expect(JSON.parse(await readFile(path.join(place, "from", record), "utf8"))).toEqual({
    run: "r1",
    step: "/write",
    name: "a.txt",
  });
});

test("a damaged object is never handed over, and storing it again repairs it", verifies("S5"), async () => {
  const folder = await openFolder();
  const store = folderStore({ folder });
  const { hash, uri } = await store.put(toObject("precious"), signal);
  for (const damage of ["precioux", "", "precious and more"]) {
    await writeFile(new URL(uri), damage);
    await expect(store.get(hash, signal)).rejects.toMatchObject({ code: "TOOL_ANSWER_INVALID", effect: "none" });
    await store.put(toObject("precious"), signal);
    expect((await store.get(hash, signal))?.content.toString()).toBe("precious");
  }
  await writeFile(new URL("about.json", uri), "{");
  await expect(store.head(hash, signal)).rejects.toMatchObject({ code: "TOOL_ANSWER_INVALID" });
  await store.put(toObject("precious"), signal);
  expect(await store.head(hash, signal)).toMatchObject({ bytes: 8 });
  await rm(new URL("about.json", uri));
  await expect(store.get(hash, signal)).rejects.toMatchObject({ code: "TOOL_ANSWER_INVALID" });
});

test("no link leads out of the folder, neither for reading nor for writing", async () => {
  const folder = await openFolder();
  const outside = await openFolder();
  const store = folderStore({ folder });
  const { hash, uri } = await store.put(toObject("inside"), signal);
  await writeFile(path.join(outside, "content"), "inside");
  await rm(new URL(uri));
  await symlink(path.join(outside, "content"), new URL(uri));
  await expect(store.get(hash, signal)).rejects.toMatchObject({ code: "TOOL_REFUSED" });
  await expect(store.put(toObject("inside"), signal)).rejects.toMatchObject({ code: "TOOL_REFUSED" });
  const shard = path.join(folder, "objects", hash.slice(0, 2));
  await rename(shard, path.join(outside, "shard"));
  await symlink(path.join(outside, "shard"), shard);
  await expect(store.get(hash, signal)).rejects.toMatchObject({ code: "TOOL_REFUSED" });
  await expect(store.head(hash, signal)).rejects.toMatchObject({ code: "TOOL_REFUSED" });
  await expect(store.put(toObject("inside"), signal)).rejects.toMatchObject({ code: "TOOL_REFUSED" });
  expect(await readFile(path.join(outside, "content"), "utf8")).toBe("inside");
});

const refused = { code: "TOOL_REFUSED", effect: "none", hint: expect.any(String) };

test("a folder that can't be one says so, and nothing happened", async () => {
  const folder = await openFolder();
  await writeFile(path.join(folder, "file"), "");
  for (const place of ["file", "file/below"])
    await expect(folderStore({ folder: path.join(folder, place) }).put(toObject("a"), signal)).rejects.toMatchObject(
      refused,
    );
});

test.skipIf(process.getuid?.() === 0)(
  "a folder that may not be written says so (skipped for root, who may)",
  async () => {
    const folder = path.join(await openFolder(), "locked");
    await mkdir(folder, { mode: 0o500 });
    await expect(folderStore({ folder }).put(toObject("a"), signal)).rejects.toMatchObject(refused);
  },
);

test("what a crash left unfinished a day ago is removed; what is at work now stays", async () => {
  const folder = await openFolder();
  await mkdir(path.join(folder, ".unfinished"));
  await Promise.all(["old", "new"].map((name) => writeFile(path.join(folder, ".unfinished", name), "half")));
  const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1_000);
  await utimes(path.join(folder, ".unfinished", "old"), longAgo, longAgo);
  await folderStore({ folder }).put(toObject("a"), signal);
  expect(await readdir(path.join(folder, ".unfinished"))).toEqual(["new"]);
});

const writer = fileURLToPath(new URL("../../../../../test/capabilities/store-writer.ts", import.meta.url));
const kills = 6;

test(
  `${kills} times SIGKILL while two processes store: what was acknowledged is there, and no half of an object is ever seen`,
  verifies("S5"),
  async () => {
    const folder = await openFolder();
    const acknowledged = new Set<string>();
    for (let round = 0; round < kills; round++) {
      const rounds = [0, 1].map((which) =>
        writeUntilKilled(folder, { seed: `${round}`, which, afterLines: 1 + round }),
      );
      for (const hashes of await Promise.all(rounds)) for (const hash of hashes) acknowledged.add(hash);
      const store = folderStore({ folder });
      for (const hash of acknowledged) expect((await store.get(hash, signal))?.content.length).toBeGreaterThan(0);
      for (const hash of await listObjects(folder)) {
        const found = await store.head(hash, signal); // throws for a record that can't be read
        if (found === undefined) continue; // its content was not there yet
        expect(found.from.length).toBeGreaterThan(0);
        expect(sha256((await store.get(hash, signal))?.content ?? "")).toBe(hash);
      }
    }
    expect(acknowledged.size).toBeGreaterThan(kills);
  },
);

async function listObjects(folder: string): Promise<readonly string[]> {
  const shards = await readdir(path.join(folder, "objects"));
  const names = await Promise.all(shards.map((shard) => readdir(path.join(folder, "objects", shard))));
  return names.flat();
}

interface Killing {
  readonly seed: string;
  readonly which: number;
  /** How many objects are acknowledged before the kill. */
  readonly afterLines: number;
}

async function writeUntilKilled(folder: string, { seed, which, afterLines }: Killing): Promise<readonly string[]> {
  const child = spawn(process.execPath, ["--conditions=tutti-source", writer, folder, seed, String(which)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "close");
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk;
    if (said.split("\n").length > afterLines) child.kill("SIGKILL");
  });
  const [, killedBy] = await exited;
  expect(killedBy).toBe("SIGKILL");
  return said.split("\n").slice(0, -1); // the kill may have cut the last line
}
