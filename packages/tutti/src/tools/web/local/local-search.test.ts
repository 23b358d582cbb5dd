import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";

import { errorOf, openStage, plainFlow } from "../../../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../../../test/verifies.ts";
import type { ToolHost } from "../../../contracts/callable.ts";
import { webSearch, type WebSearchOutput } from "../web-search.ts";
import { openLocalSearch, type LocalSearch, type LocalSearchOptions } from "./local-search.ts";

async function openFolder(
  files: Readonly<Record<string, string>>,
  options: LocalSearchOptions = {},
): Promise<LocalSearch> {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-local-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, "site", name)), { recursive: true });
    await writeFile(path.join(folder, "site", name), content);
  }
  const search = await openLocalSearch([path.join(folder, "site")], options);
  onTestFinished(() => search.close());
  return search;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a search in memory looks at nothing of it
const host = {} as ToolHost;
const urlsOf = async (search: LocalSearch, query: string, limit?: number): Promise<readonly string[]> => {
  const { hits }: WebSearchOutput = await search.run({ query, ...(limit === undefined ? {} : { limit }) }, host);
  return hits.map((hit) => hit.url);
};

const site = {
  "index.html": "<title>Home</title><p>Welcome to the garden.</p>",
  "guide/soil.md": "# Soil\n\nGood soil is loose. Worms make it.",
  "guide/water.md": "# Water\n\nWater in the evening. Loose soil keeps water.",
  "ja.txt": "東京の庭は小さい。",
  "photo.bin": "not text",
};

test(
  "a folder is searched without a key or a network: all words first, then some, the title most",
  verifies("K2"),
  async () => {
    const search = await openFolder(site);
    expect(search.pages).toBe(4);
    expect(await urlsOf(search, "loose soil")).toEqual(["local:site/guide/soil.md", "local:site/guide/water.md"]);
    expect(await urlsOf(search, "watering the worm")).toEqual([
      "local:site/guide/water.md",
      "local:site/guide/soil.md",
    ]);
    expect(await urlsOf(search, "東京")).toEqual(["local:site/ja.txt"]);
    expect(await urlsOf(search, "loose soil", 1)).toHaveLength(1);
    const { hits, trust } = await search.run({ query: "worms" }, host);
    expect(hits).toEqual([
      { title: "Soil", url: "local:site/guide/soil.md", snippet: "Soil Good soil is loose. Worms make it." },
    ]);
    expect(trust).toBe("untrusted");
  },
);

test("a copy of a site is searched under the addresses of the site", async () => {
  const search = await openFolder(site, { baseUrl: "https://garden.example/" });
  expect(await urlsOf(search, "welcome")).toEqual(["https://garden.example/"]);
  expect(await urlsOf(search, "worms")).toEqual(["https://garden.example/guide/soil.md"]);
});

test("a page with many passages that fit does not hide the others", async () => {
  const long = Array.from({ length: 40 }, (_, index) =>
    `Apples, apples and more apples in row ${index}. `.repeat(12),
  ).join("\n\n");
  const search = await openFolder({
    "long.txt": long,
    "short.txt": `Pears. ${"Many other words stand here. ".repeat(20)} Apples.`,
  });
  expect(await urlsOf(search, "apples pears", 5)).toEqual(["local:site/short.txt", "local:site/long.txt"]);
});

test("no question breaks the index, whatever is in it", async () => {
  const search = await openFolder(site);
  const tricky = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom('"', "soil AND", "NEAR(", "terms:soil", "soil*", "-soil", "^soil"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(tricky, { maxLength: 5 }), async (words) => {
      expect((await urlsOf(search, words.join(" "))).length).toBeLessThanOrEqual(8);
    }),
    { numRuns: 200 },
  );
});

test(
  "nothing found is an error that says so, after other words were tried; a missing folder is told apart",
  verifies("D8"),
  async () => {
    const search = await openFolder(site);
    const tool = webSearch({ providers: [search] });
    const asking = plainFlow("asking", (run) => run.call(tool, { query: "submarines" }));
    const tutti = await openStage().open([asking]);
    expect(await errorOf(tutti.run(asking, null))).toMatchObject({ code: "TOOL_EMPTY" });
    expect(await errorOf(openLocalSearch(["no/such/folder"]))).toMatchObject({ code: "SOURCE_UNREADABLE" });
  },
);
