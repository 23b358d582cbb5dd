import { expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { toJsonSchema } from "../../contracts/schema.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import { readMarkdown } from "../reading/read-markdown.ts";
import { quoteIsIn } from "./quote-is-in.ts";
import { sourceTools } from "./source-tools.ts";
import type { Source } from "./source.ts";
import type { Sources } from "./sources.ts";

const host = toToolHost();

function toSources(...texts: readonly (readonly [id: string, text: string])[]): Sources {
  const list = texts.map(([id, text]): Source => ({ id, title: id, text, kind: "text", file: `/${id}` }));
  return { list, skipped: [], find: (id) => list.find((source) => source.id === id) };
}

const long = Array.from({ length: 300 }, (_, index) => `Line ${index} is about nothing.`).join("\n\n");
const sources = toSources(
  ["ledger", "The ledger keeps every entry.\n\nEntries are chained by a hash."],
  ["tools", "A tool is a function with a contract."],
  ["long", `${long}\n\nThe ledger is mentioned here, once.`],
);

test(
  "a search returns the passages that fit best, each with the exact place in its source",
  verifies("K2"),
  async () => {
    const { search } = sourceTools(sources);
    const { hits, searched } = await search.run({ query: "Which ledger keeps the entries?" }, host);
    expect(searched).toBe(3);
    expect(hits.map((hit) => hit.source)).toEqual(["ledger", "long"]);
    for (const hit of hits) {
      const text = sources.find(hit.source)?.text;
      expect(text?.slice(hit.at, hit.at + hit.passage.length)).toBe(hit.passage);
    }
  },
);

test("a search for what is not there finds nothing", async () => {
  expect((await sourceTools(sources).search.run({ query: "weather in Paris" }, host)).hits).toEqual([]);
  expect((await sourceTools(sources).search.run({ query: "" }, host)).hits).toEqual([]);
  expect((await sourceTools(toSources()).search.run({ query: "ledger" }, host)).hits).toEqual([]);
});

test("reading returns the text around a place, cut at lines", async () => {
  const { search, read } = sourceTools(sources);
  const { hits } = await search.run({ query: "mentioned" }, host);
  const around = await read.run({ source: "long", at: hits[0]?.at ?? 0 }, host);
  expect(around).toMatchObject({ found: true, source: "long", length: sources.find("long")?.text.length });
  expect(around.text).toContain("The ledger is mentioned here, once.");
  expect(around.text.length).toBeLessThanOrEqual(4_000);
  expect(around.text).toMatch(/^(?:Line|\n)/);
});

test("reading a source that is not there says so, as an answer that a model can correct", async () => {
  expect(await sourceTools(sources).read.run({ source: "ledgre" }, host)).toMatchObject({ found: false, text: "" });
});

test("a quote counts only when its source says exactly that; only white space may differ", () => {
  const source = { text: "The ledger\nkeeps every  entry. It is chained." };
  expect(quoteIsIn(source, "The ledger keeps every entry.")).toBe(true);
  expect(quoteIsIn(source, " ledger keeps\tevery ")).toBe(true);
  expect(quoteIsIn(source, "the ledger keeps every entry.")).toBe(false);
  expect(quoteIsIn(source, "The ledger keeps all entries.")).toBe(false);
  expect(quoteIsIn(source, " \n")).toBe(false);
});

test("models are shown what the tools take, and wrong input is refused", async () => {
  const { search, read } = sourceTools(sources);
  expect(toJsonSchema(search.input, "input", "search")).toMatchObject({ required: ["query"] });
  expect(toJsonSchema(read.input, "input", "read")).toMatchObject({ required: ["source"] });
  expect(await search.input["~standard"].validate({ query: 1 })).toEqual({
    issues: [{ message: "query should be text, not 1" }],
  });
});

test("a document made to be slow is read, cut and searched in moments", async () => {
  const length = 200_000;
  for (const part of [".", "a", " ", "\n", "*a ", "_a", "[", "[a](", "![", "<a ", "<!--", "`` ` ", "~~a", "| ", "#"]) {
    const before = performance.now();
    const { text } = readMarkdown(part.repeat(length / part.length));
    const { search } = sourceTools(toSources(["hostile", text], ["ledger", "The ledger keeps every entry."]));
    expect((await search.run({ query: "ledger" }, host)).hits).toHaveLength(1);
    expect(performance.now() - before).toBeLessThan(5_000);
  }
});
