import { describeProviderFaults } from "../../../../../test/tools/provider-conformance.ts";
import { brave, exa, searxng, tavily } from "./search-services.ts";

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
