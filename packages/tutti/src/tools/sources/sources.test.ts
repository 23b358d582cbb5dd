import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { isTuttiError } from "../../base/errors.ts";
import { toTinyPdf } from "../../testing/tiny-pdf.ts";
import type { SkippedSource } from "./source.ts";
import { openSources, type SourceOptions } from "./sources.ts";

let folder: string;

beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), "tutti-sources-")), "library");
  await mkdir(folder);
});

afterEach(async () => {
  await rm(path.dirname(folder), { recursive: true, force: true });
});

async function put(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
  await writeFile(path.join(folder, name), content);
}

async function open(options?: SourceOptions): Promise<{ ids: string[]; skipped: readonly SkippedSource[] }> {
  const sources = await openSources([folder], options);
  return { ids: sources.list.map((source) => source.id), skipped: sources.skipped };
}

test("Markdown is read as its words, without its marks", async () => {
  await put(
    "guide.md",
    [
      "---",
      "draft: true",
      "---",
      "# The *Guide*",
      "",
      "See [the manual](https://example.org/a_b_c), **not** `a_b_c` or <b>x</b>.",
      "![badge](https://example.org/badge.svg)",
      "- first item",
      "- second `**item**`",
      "",
      "| name | limit |",
      "| --- | ---: |",
      "| steps | 20 |",
      "",
      "A **mark that ends",
      "on the next** line.",
      "",
      '<p>Some<br>words</p><p align="center">of HTML</p>',
      "",
      "<!-- hidden -->Tom &amp; Ann see [ref] and [this].",
      "[ref]: https://example.org",
    ].join("\r\n"),
  );
  const source = (await openSources([folder])).find("library/guide.md");
  expect(source?.title).toBe("The Guide");
  expect(source?.text).toBe(
    "The Guide\n\nSee the manual, not a_b_c or x.\n\nfirst item\n\nsecond **item**\n\nname | limit\n\nsteps | 20\n\nA mark that ends\non the next line.\n\nSome words\n\nof HTML\n\nTom & Ann see ref and [this].",
  );
});

test("an HTML page is read as its words: no scripts, styles or navigation", async () => {
  await put(
    "page.html",
    "<!doctype html><title>A &amp; B</title><style>p{}</style><nav>Home</nav><h1>Head</h1><p>One <b>bold</b>\n word.<p>Two<br>lines<script>alert(1)</script>",
  );
  const source = (await openSources([folder])).find("library/page.html");
  expect(source).toMatchObject({ title: "A & B", kind: "html", text: "Head\n\nOne bold word.\n\nTwo\nlines" });
});

test("a PDF is read page by page, with its title", async () => {
  await put("paper.pdf", toTinyPdf(["A ledger keeps every entry.", "It costs (almost) nothing."], "On Ledgers"));
  const source = (await openSources([folder])).find("library/paper.pdf");
  expect(source).toMatchObject({ title: "On Ledgers", kind: "pdf" });
  expect(source?.text).toContain("A ledger keeps every entry.");
  expect(source?.text).toContain("It costs (almost) nothing.");
});

test(
  "a broken, empty, binary, oversized or doubled file is named with the reason, and the rest is read",
  verifies("K4"),
  async () => {
    await put("good.txt", "A good text.");
    await put("copy.txt", "A good text.");
    await put("broken.pdf", "%PDF-1.4 and then nothing");
    await put("noise.pdf", "no PDF at all");
    await put("empty.md", " \n");
    await put("binary.txt", new Uint8Array([65, 0, 1, 2]));
    await put("large.txt", "x".repeat(2_000));
    await put("picture.png", "not a kind that is read");
    const { ids, skipped } = await open({ bytesMax: 1_000 });
    expect(ids).toEqual(["library/copy.txt"]);
    expect(new Map(skipped.map(({ path: name, why }) => [name, why]))).toEqual(
      new Map([
        ["library/good.txt", "says the same as library/copy.txt"],
        ["library/broken.pdf", expect.stringContaining("is no PDF that can be read")],
        ["library/noise.pdf", expect.stringContaining("is no PDF that can be read")],
        ["library/empty.md", "holds no text"],
        ["library/binary.txt", "holds bytes that are not text"],
        ["library/large.txt", "has 2000 bytes; the limit is 1000"],
      ]),
    );
  },
);

test("old encodings are read: UTF-16 with its mark, and western bytes that are no UTF-8", async () => {
  await put("utf16.txt", new Uint8Array([0xff, 0xfe, ...Buffer.from("Grüße", "utf16le")]));
  await put("western.txt", new Uint8Array([0x47, 0x72, 0xfc, 0xdf, 0x65, 0x21]));
  const sources = await openSources([folder]);
  expect(sources.list.map((source) => source.text)).toEqual(["Grüße", "Grüße!"]);
});

test("hidden files and node_modules are read only when asked for, and always in one order", async () => {
  await put("b.md", "B");
  await put("a.md", "A");
  await put(".hidden/c.md", "C");
  await put("node_modules/d/readme.md", "D");
  expect((await open()).ids).toEqual(["library/a.md", "library/b.md"]);
  expect((await open({ hidden: true, nodeModules: true })).ids).toEqual([
    "library/.hidden/c.md",
    "library/a.md",
    "library/b.md",
    "library/node_modules/d/readme.md",
  ]);
  expect((await open({ nodeModules: true, only: (name) => /readme/i.test(name) })).ids).toEqual([
    "library/node_modules/d/readme.md",
  ]);
});

test("what lies beyond the limits of files and depth is said, not lost in silence", async () => {
  await put("a.md", "A");
  await put("b.md", "B");
  await put("deep/er/c.md", "C");
  expect(await open({ filesMax: 1 })).toEqual({
    ids: ["library/a.md"],
    skipped: [{ path: "library", why: "holds more files than the limit of 1; the rest was not read" }],
  });
  expect((await open({ depthMax: 2 })).skipped).toEqual([
    { path: "library", why: "holds 1 folders that lie deeper than the limit of 2" },
  ]);
});

test("links are not followed, so that a circle ends", async () => {
  await put("a.md", "A");
  await symlink(folder, path.join(folder, "round"));
  expect((await open()).ids).toEqual(["library/a.md"]);
});

test("a single file is a source, and two folders of one name stay apart", async () => {
  await put("a.md", "A");
  await put("other/library/a.md", "Another");
  const sources = await openSources([path.join(folder, "a.md"), path.join(folder, "other/library"), folder]);
  expect(sources.list.map((source) => source.id)).toEqual(["a.md", "library/a.md"]);
  expect(sources.skipped.map((skipped) => skipped.why)).toEqual([
    "says the same as a.md",
    "says the same as library/a.md",
  ]);
});

test("a missing folder is a clear error that names it", verifies("K4"), async () => {
  const error = await openSources([path.join(folder, "nowhere")]).catch((thrown: unknown) => thrown);
  expect(isTuttiError(error) && error.code).toBe("SOURCE_UNREADABLE");
  expect(isTuttiError(error) && error.message).toContain("nowhere");
});

// Root may read everything, so the promise can only be tried by somebody else.
test.skipIf(process.getuid?.() === 0)("a folder that may not be read is named", async () => {
  await put("shut/a.md", "A");
  await chmod(path.join(folder, "shut"), 0o000);
  expect((await open()).skipped).toEqual([{ path: "library/shut", why: "may not be read by this user" }]);
  await chmod(path.join(folder, "shut"), 0o700);
});
