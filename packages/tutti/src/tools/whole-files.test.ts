import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import { wholeFiles } from "./whole-files.ts";

async function openFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-files-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("of many that create one file at once, one makes it, whole", async () => {
  const folder = await openFolder();
  const contents = Array.from({ length: 10 }, (_, index) => `${index}`.repeat(5_000));
  const made = await Promise.all(contents.map((content) => wholeFiles(folder).create(["a", "file"], content)));
  expect(made.filter(Boolean)).toHaveLength(1);
  expect(await readFile(path.join(folder, "a", "file"), "utf8")).toBe(contents[made.indexOf(true)]);
  expect(await readdir(path.join(folder, ".unfinished"))).toEqual([]);
});

test("of many that write one file at once, a reader sees the whole of one", async () => {
  const folder = await openFolder();
  const files = wholeFiles(folder);
  await files.write(["file"], "0".repeat(50_000));
  const writes = Promise.all(
    Array.from({ length: 20 }, (_, index) => files.write(["file"], `${index % 10}`.repeat(50_000))),
  );
  for (let count = 0; count < 50; count++) {
    const seen = (await files.read(["file"], 100_000))?.toString() ?? "";
    expect(seen).toBe(seen.charAt(0).repeat(50_000));
  }
  await writes;
});

test("what is too large is not read, what is gone is nothing, and removing twice is removing once", async () => {
  const files = wholeFiles(await openFolder());
  expect(await files.read(["none"], 10)).toBeUndefined();
  expect(await files.list(["none"], 10)).toEqual([]);
  await files.write(["file"], "12345678901");
  await expect(files.read(["file"], 10)).rejects.toMatchObject({ code: "TOOL_FAILED", facts: { bytes: 11 } });
  expect([await files.remove(["file"]), await files.remove(["file"])]).toEqual([true, false]);
});

test.for(["..", ".", "", "a/b", "a\\b", "/etc", "a\0", "-x", ".hidden.txt"])(
  "a caller that forgot to check the name %j is stopped",
  (name) => {
    expect(() => wholeFiles(tmpdir()).pathOf(["folder", name])).toThrow(expect.objectContaining({ code: "BUG" }));
  },
);

test("a full disk is an error that says so; nothing is changed, and there is room again afterwards", async (context) => {
  const folder = path.join(await openFolder(), "small");
  await mkdir(folder);
  const isMounted =
    process.getuid?.() === 0 && spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]).status === 0;
  if (!isMounted) context.skip("only root can mount the small file system");
  onTestFinished(() => void spawnSync("umount", [folder]));
  const files = wholeFiles(folder);
  await files.write(["file"], "before");
  await writeFile(path.join(folder, "ballast"), "x".repeat(150_000));
  const full = { code: "TOOL_UNAVAILABLE", effect: "none", hint: expect.stringContaining("space") };
  await expect(files.write(["file"], "x".repeat(200_000))).rejects.toMatchObject(full);
  expect((await files.read(["file"], 1_000))?.toString()).toBe("before");
  expect(await readdir(path.join(folder, ".unfinished"))).toEqual([]);
  await rm(path.join(folder, "ballast"));
  await files.write(["file"], "x".repeat(200_000));
});

const hasStrace = spawnSync("strace", ["--version"]).status === 0;

test.skipIf(!hasStrace)(
  "before a write is acknowledged, its content, its name and its folders are on disk, in this order (skipped without strace)",
  verifies("S5"),
  async () => {
    const root = path.join(await openFolder(), "made");
    const trace = path.join(await openFolder(), "trace");
    const module = JSON.stringify(new URL("./whole-files.ts", import.meta.url).href);
    const program = `const { wholeFiles } = await import(${module});
      await wholeFiles(${JSON.stringify(root)}).write(["a", "file"], "content"); process.stdout.write("acknowledged");`;
    const options = ["-f", "-y", "-qq", "-e", "trace=fsync,rename,renameat,renameat2,write", "-o", trace];
    const node = ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", program];
    expect(spawnSync("strace", [...options, process.execPath, ...node]).status).toBe(0);
    const calls = (await readFile(trace, "utf8"))
      .split("\n")
      .filter((line) => line.includes(root) || line.includes("acknowledged"));
    const at = (pattern: RegExp): number => calls.findLastIndex((line) => pattern.test(line));
    const order = [
      at(/fsync\(.*\/made>/), // the new folders
      at(/write\(.*\.unfinished\/.*"content"/),
      at(/fsync\(.*\.unfinished\/.*file>/),
      at(/rename/),
      at(/fsync\(.*\/made\/a>/),
      at(/write\(.*"acknowledged"/),
    ];
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((left, right) => left - right));
  },
);
