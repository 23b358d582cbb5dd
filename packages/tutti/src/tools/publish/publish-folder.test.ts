import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import type { Tool } from "../../contracts/callable.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import type { PageInput, PageOutput } from "./page-input.ts";
import { publishFolder, type PublishOptions } from "./publish-folder.ts";

const host = toToolHost();
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

interface Opened {
  readonly folder: string;
  readonly publish: Tool<PageInput, PageOutput>;
  readonly undo: (page: PageOutput) => Promise<void>;
  /** The page as visitors see it. */
  readonly page: (slug: string) => Promise<string | undefined>;
}

async function openSite(options: Partial<PublishOptions> = {}): Promise<Opened> {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-site-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const publish = publishFolder({ folder, ...options });
  return {
    folder,
    publish,
    undo: async (page) => publish.undo?.(page, { ...host, input: toPage(), doneBy: undefined }),
    page: (slug) => readFile(path.join(folder, slug, "index.html"), "utf8").catch(() => undefined),
  };
}

function toPage(changes: Partial<PageInput> = {}): PageInput {
  return { slug: "launch", title: "Launch", html: "<p>first</p>", ...changes };
}

test(
  "a page stands in the site with its title, its pictures and a policy that lets nothing run",
  verifies("K2"),
  async () => {
    const { folder, publish, page } = await openSite({ baseUrl: "https://pages.example.org/site/" });
    const input = toPage({
      title: "A <b> & c",
      markdown: "Hello *world*\n\n![dot](asset:dot.png)",
      assets: [{ name: "dot.png", base64: pixel }],
    });
    const { html: _, ...markdown } = input;
    const published = await publish.run(markdown, host);
    expect(published).toEqual({
      slug: "launch",
      url: "https://pages.example.org/site/launch/",
      version: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    const html = (await page("launch")) ?? "";
    expect(html).toContain("<title>A &lt;b&gt; &amp; c</title>");
    expect(html).toContain("<em>world</em>");
    expect(html).toMatch(
      /http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self'; style-src 'sha256-/,
    );
    const [, picture = ""] = /src="\.\.\/assets\/([0-9a-f]{32}\.png)"/.exec(html) ?? [];
    expect(await readFile(path.join(folder, "assets", picture), "base64")).toBe(pixel);
    expect(await readFile(path.join(folder, "index.html"), "utf8")).toContain(
      '<a href="launch/index.html" rel="noopener noreferrer">'.replace(' rel="noopener noreferrer"', ""),
    );
  },
);

test("the same page twice is one page; another one needs to say which version it replaces", async () => {
  const { publish, page } = await openSite();
  const first = await publish.run(toPage(), host);
  expect(await publish.run(toPage(), host)).toEqual(first);
  const other = toPage({ html: "<p>second</p>" });
  await expect(publish.run(other, host)).rejects.toMatchObject({
    code: "TOOL_FAILED",
    effect: "none",
    facts: { version: first.version },
  });
  await expect(publish.run({ ...other, replaces: "0".repeat(32) }, host)).rejects.toMatchObject({
    code: "TOOL_FAILED",
  });
  await expect(publish.run(toPage({ slug: "free", replaces: first.version }), host)).rejects.toMatchObject({
    code: "TOOL_FAILED",
  });
  const second = await publish.run({ ...other, replaces: first.version }, host);
  expect(second.version).not.toBe(first.version);
  expect(await page("launch")).toContain("second");
  expect([toPage(), { ...other, replaces: first.version }].map((input) => publish.key?.(input))).toEqual([
    "launch",
    `launch@${first.version}`,
  ]);
});

test("check tells after a crash whether the page was published, also when it was replaced since, and mends the list", async () => {
  const { folder, publish } = await openSite();
  expect(await publish.check?.(toPage(), host)).toBeUndefined();
  const first = await publish.run(toPage(), host);
  expect(await publish.check?.(toPage({ html: "<p>another</p>" }), host)).toBeUndefined();
  await writeFile(path.join(folder, "index.html"), "half");
  expect(await publish.check?.(toPage(), host)).toEqual(first);
  expect(await readFile(path.join(folder, "index.html"), "utf8")).toContain("launch/index.html");
  await publish.run(toPage({ html: "<p>second</p>", replaces: first.version }), host);
  expect(await publish.check?.(toPage(), host)).toEqual(first);
});

test("undo brings back what was there before, or nothing, and bears being called twice", async () => {
  const { folder, publish, undo, page } = await openSite();
  const first = await publish.run(toPage(), host);
  const second = await publish.run(toPage({ html: "<p>second</p>", replaces: first.version }), host);
  await undo(second);
  await undo(second);
  expect(await page("launch")).toContain("first");
  await undo(first);
  await undo(first);
  expect(await page("launch")).toBeUndefined();
  expect(await readFile(path.join(folder, "index.html"), "utf8")).not.toContain("launch");
  // Published once more, it counts again as what a later version falls back to.
  expect(await publish.run(toPage(), host)).toEqual(first);
  await undo(await publish.run(toPage({ html: "<p>third</p>", replaces: first.version }), host));
  expect(await page("launch")).toContain("first");
});

type Command = { readonly do: "publish" | "undo"; readonly which: number };
const commands = fc.array(fc.record<Command>({ do: fc.constantFrom("publish", "undo"), which: fc.nat({ max: 5 }) }), {
  maxLength: 12,
});

test("whatever is published and undone in whatever order, the newest version that was not undone is there", async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (list) => {
      const { publish, undo, page, folder } = await openSite();
      const versions: { readonly output: PageOutput; readonly text: string; undone: boolean }[] = [];
      for (const [at, { do: verb, which }] of list.entries()) {
        const live = versions.findLast(({ undone }) => !undone);
        if (verb === "publish") {
          const text = `text ${at}`;
          const replaces = live === undefined ? {} : { replaces: live.output.version };
          versions.push({
            output: await publish.run(toPage({ html: `<p>${text}</p>`, ...replaces }), host),
            text,
            undone: false,
          });
        } else {
          const undone = versions[which];
          if (undone === undefined) continue;
          await undo(undone.output);
          undone.undone = true;
        }
        const expected = versions.findLast(({ undone }) => !undone)?.text;
        const shown = /<p>(text \d+)<\/p>/.exec((await page("launch")) ?? "")?.[1];
        expect(shown).toBe(expected);
      }
      await rm(folder, { recursive: true, force: true });
    }),
    { numRuns: 25 },
  );
});

test("many pages at once all stand in the list", async () => {
  const { folder, publish } = await openSite();
  const second = publishFolder({ folder });
  const slugs = Array.from({ length: 12 }, (_, index) => `page-${index}`);
  await Promise.all(
    slugs.map(async (slug, index) =>
      (index % 2 === 0 ? publish : second).run(toPage({ slug, title: `Title ${index}` }), host),
    ),
  );
  const index = await readFile(path.join(folder, "index.html"), "utf8");
  expect(slugs.filter((slug) => !index.includes(`${slug}/index.html`))).toEqual([]);
  expect(await readdir(path.join(folder, ".unfinished"))).toEqual([]);
});

test.for([
  "",
  ".",
  "..",
  "../up",
  "a/b",
  "a\\b",
  "A",
  "-a",
  "a-",
  "assets",
  ".versions",
  "a".repeat(65),
  "a\0",
  "ä",
  "a b",
  "%2e%2e",
])("the slug %j is refused", async (slug) => {
  const { publish } = await openSite();
  await expect(publish.run(toPage({ slug }), host)).rejects.toMatchObject({ code: "INPUT_INVALID", effect: "none" });
});

test.for([
  ["no content", { html: undefined }],
  ["two contents", { markdown: "x" }],
  ["no title", { title: " " }],
  ["a title without an end", { title: "x".repeat(201) }],
  ["content without an end", { html: "x".repeat(1_000_001) }],
  ["a version that is none", { replaces: "../x" }],
  ["an asset with a path", { assets: [{ name: "../x.png", base64: pixel }] }],
  [
    "two assets of one name",
    {
      assets: [
        { name: "x.png", base64: pixel },
        { name: "x.png", base64: pixel },
      ],
    },
  ],
  ["an asset that is HTML", { assets: [{ name: "x.png", base64: Buffer.from("<script>").toString("base64") }] }],
  ["an asset that is SVG", { assets: [{ name: "x.svg", base64: Buffer.from("<svg/>").toString("base64") }] }],
  ["an asset that is no base64", { assets: [{ name: "x.png", base64: "!" }] }],
  ["a picture that is not among the assets", { html: '<img src="asset:x.png">' }],
] as const)("%s: refused before anything is written", async ([, changes]) => {
  const { folder, publish } = await openSite();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a caller without types can do this
  const input = { ...toPage(), ...changes } as PageInput;
  await expect(publish.run(input, host)).rejects.toMatchObject({ code: "INPUT_INVALID", effect: "none" });
  expect(await readdir(folder)).toEqual([]);
});

test("a link in the site leads nowhere", async () => {
  const { folder, publish } = await openSite();
  const outside = await mkdtemp(path.join(tmpdir(), "tutti-outside-"));
  onTestFinished(() => rm(outside, { recursive: true, force: true }));
  await symlink(outside, path.join(folder, "launch"));
  await expect(publish.run(toPage(), host)).rejects.toMatchObject({ code: "TOOL_REFUSED", effect: "none" });
  expect(await readdir(outside)).toEqual([]);
});

test("when the page is there and the list of pages can't be written, nobody says that nothing happened", async () => {
  const { folder, publish } = await openSite();
  await mkdir(path.join(folder, "index.html", "in-the-way"), { recursive: true });
  await expect(publish.run(toPage(), host)).rejects.toMatchObject({ code: "TOOL_INTERRUPTED", effect: "unknown" });
  await rm(path.join(folder, "index.html"), { recursive: true });
  expect(await publish.check?.(toPage(), host)).toMatchObject({ slug: "launch" });
});

test("options that can't work are refused when the tool is made", () => {
  for (const wrong of [
    { baseUrl: "pages" },
    { baseUrl: "https://a.example/site" },
    { baseUrl: "file:///a/" },
    { imagesFrom: ["*"] },
    { imagesFrom: ["https://a.example/x"] },
    { imagesFrom: ["http://a.example"] },
  ])
    expect(() => publishFolder({ folder: "site", ...wrong })).toThrow(
      expect.objectContaining({ code: "DEFINITION_INVALID" }),
    );
});
