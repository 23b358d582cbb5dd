import { afterEach, expect, test } from "vitest";

import { errorOf, openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { describeProviderFaults } from "../../../../../test/tools/provider-conformance.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { openProviderServer, type ProviderAnswer, type ProviderServer } from "../../testing/provider-server.ts";
import { brave, exa, searxng, tavily } from "./search-services.ts";
import { toOtherQueries, webSearch, type SearchProvider, type WebSearchOutput } from "./web-search.ts";

const input = { query: "durable flows", limit: 5 };
const url = "https://example.org/flows";

describeProviderFaults("searxng", {
  open: ({ url: baseUrl, timeoutMs, bytesMax }) => searxng({ baseUrl, timeoutMs, bytesMax }),
  input,
  effect: "read",
  good: { body: { query: "durable flows", results: [{ url, title: "Flows", content: "They last." }] } },
  empty: { body: { query: "durable flows", results: [] } },
  answers: { kind: "json", needs: ["results", 0, "url"] },
});

describeProviderFaults("brave", {
  open: ({ url: baseUrl, key, timeoutMs, bytesMax }) => brave({ baseUrl, key, timeoutMs, bytesMax }),
  input,
  effect: "read",
  good: { body: { query: { original: "q" }, web: { results: [{ url, title: "Flows", description: "They last." }] } } },
  empty: { body: { query: { original: "q" } } },
  answers: { kind: "json", needs: ["web", "results"] },
});

describeProviderFaults("tavily", {
  open: ({ url: baseUrl, key, timeoutMs, bytesMax }) => tavily({ baseUrl, key, timeoutMs, bytesMax }),
  input,
  effect: "read",
  good: { body: { results: [{ url, title: "Flows", content: "They last.", score: 0.9 }] } },
  empty: { body: { results: [] } },
  answers: { kind: "json", needs: ["results"] },
});

describeProviderFaults("exa", {
  open: ({ url: baseUrl, key, timeoutMs, bytesMax }) => exa({ baseUrl, key: () => key, timeoutMs, bytesMax }),
  input,
  effect: "read",
  good: { body: { requestId: "r", results: [{ url, title: null, text: "They last.", publishedDate: "2026-01-02" }] } },
  empty: { body: { requestId: "r", results: [] } },
  answers: { kind: "json", needs: ["results", 0, "url"] },
});

const servers: ProviderServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(body: unknown): Promise<ProviderServer> {
  const answer: ProviderAnswer = { kind: "answer", body };
  const server = await openProviderServer(() => answer);
  servers.push(server);
  return server;
}

async function search(provider: SearchProvider, query = "cats & dogs", limit = 3): Promise<WebSearchOutput> {
  const tool = webSearch({ providers: [provider], retry: { attemptsMax: 1 } });
  let found: WebSearchOutput | undefined;
  const asking = plainFlow("asking", async (run) => {
    found = await run.call(tool, { query, limit });
  });
  const tutti = await openStage().open([asking]);
  await tutti.run(asking, null);
  if (found === undefined) throw new Error("the flow has ended");
  return found;
}

const key = async (): Promise<string> => "secret";

test("each service is asked in its own way, with its key in a header", verifies("K2"), async () => {
  const hits = { results: [{ url, title: "T" }] };
  const server = await serve({ ...hits, web: hits, query: {} });
  const baseUrl = `${server.url}/`;
  const providers = [searxng({ baseUrl }), brave({ baseUrl, key }), tavily({ baseUrl, key }), exa({ baseUrl, key })];
  for (const provider of providers) expect((await search(provider)).hits).toEqual([{ title: "T", url, snippet: "" }]);
  const query = "cats & dogs";
  expect(server.requests).toMatchObject([
    { method: "GET", path: "/search?q=cats+%26+dogs&format=json" },
    {
      method: "GET",
      path: "/res/v1/web/search?q=cats+%26+dogs&count=3&text_decorations=false&result_filter=web",
      headers: { "x-subscription-token": "secret" },
    },
    { method: "POST", path: "/search", headers: { authorization: "Bearer secret" }, body: { query, max_results: 3 } },
    { method: "POST", path: "/search", headers: { "x-api-key": "secret" }, body: { query, numResults: 3 } },
  ]);
});

test("hits are cleaned: each page once, only addresses of the web, one line of plain words, no more than asked for", async () => {
  const results = [
    { url, title: "A\u0000\n\u202etitle", content: ` many\t words ${"x".repeat(2_000)}`, published_date: "2026-01-01" },
    { url, title: "the same page again" },
    { url: "javascript:alert(1)", title: "no page" },
    { url: "https://example.org/2", title: null, content: null },
    { url: "https://example.org/3" },
    { url: "https://example.org/4" },
  ];
  const server = await serve({ results });
  const { hits, query, trust } = await search(tavily({ baseUrl: server.url, key: "k" }));
  expect(hits).toEqual([
    { url, title: "A title", snippet: `many words ${"x".repeat(989)}`, publishedAt: "2026-01-01" },
    { url: "https://example.org/2", title: "https://example.org/2", snippet: "" },
    { url: "https://example.org/3", title: "https://example.org/3", snippet: "" },
  ]);
  expect({ query, trust }).toEqual({ query: "cats & dogs", trust: "untrusted" });
});

test("nothing found while engines were silent is no honest nothing", verifies("D8"), async () => {
  const server = await serve({ results: [], unresponsive_engines: [["one", "timeout"]] });
  const error = await errorOf(search(searxng({ baseUrl: server.url })));
  expect(error).toMatchObject({ code: "TOOL_UNAVAILABLE" });
});

test.each([
  ["no key", { key: "" }, "has no key"],
  [
    "a key that can't be had",
    {
      key: () => {
        throw new Error("the vault is closed");
      },
    },
    "could not be had: the vault is closed",
  ],
  ["a key that no header can hold", { key: "two\nlines" }, "can't be sent"],
  ["no address", { key: "k", baseUrl: "nonsense" }, "its address is none"],
  ["another protocol", { key: "k", baseUrl: "ftp://example.org" }, "neither http nor https"],
])("with %s, nobody is asked", async (_, options, why) => {
  const error = await errorOf(search(tavily({ baseUrl: "http://127.0.0.1:9", ...options })));
  expect(error).toMatchObject({ code: "TOOL_REFUSED", effect: "none", message: expect.stringContaining(why) });
});

const others = (query: string): readonly string[] => toOtherQueries({ query }).map((other) => other.query);

test("a question that nobody could answer is asked again with less in it", verifies("D8"), () => {
  expect(others('"durable execution" site:example.org -blog engines AND ledgers')).toEqual([
    "durable execution engines ledgers",
    "durable execution engines",
  ]);
  expect(others("how do the very best retries of an orchestration engine work")).toEqual([
    "best retries orchestration engine work",
    "best retries orchestration engine",
  ]);
  expect(others("cats")).toEqual([]);
  expect(others("")).toEqual([]);
  expect(toOtherQueries({ query: "Cats, dogs", limit: 3 })[0]).toEqual({ query: "cats dogs", limit: 3 });
});
