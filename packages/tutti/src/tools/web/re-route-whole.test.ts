import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { agent, flow, openTutti, signal, type LedgerEntry } from "tutti";
import { openSources, sourceTools } from "tutti/sources";
import { scriptedModel } from "tutti/testing";
import { openLocalSearch, searxng, webSearch } from "tutti/web";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";

import { verifies } from "../../../../../test/verifies.ts";
import { openProviderServer } from "../../testing/provider-server.ts";

const answered = signal({ name: "answered", payload: z.object({ text: z.string() }) });

async function openFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-re-route-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}

test(
  "an agent whose search finds nothing goes to the next provider, other words, another tool, another agent, and a person",
  verifies("D8", "K2"),
  async () => {
    // A service that has nothing, a folder that has something else, and documents that a second agent reads.
    const service = await openProviderServer(() => ({ kind: "answer", body: { query: "q", results: [] } }));
    onTestFinished(() => service.close());
    const folder = await openFolder({ "site/tea.md": "# Tea\n\nGreen tea is brewed at 80 degrees.\n" });
    const local = await openLocalSearch([path.join(folder, "site")]);
    onTestFinished(() => local.close());
    const search = webSearch({ providers: [searxng({ baseUrl: service.url }), local] });
    const archive = sourceTools(await openSources([path.join(folder, "site")]));
    const Answer = z.object({ found: z.boolean(), text: z.string() });
    const asked = {
      model: "fast",
      input: z.object({ question: z.string() }),
      output: Answer,
      instructions: "An honest no is an answer.",
    } as const;
    const researcher = agent({
      ...asked,
      name: "researcher",
      does: "Searches the web.",
      tools: [search, archive.search],
    });
    const archivist = agent({ ...asked, name: "archivist", does: "Knows the archive.", tools: [archive.search] });
    const research = flow({
      name: "research",
      input: z.object({ question: z.string() }),
      output: z.object({ text: z.string() }),
      async run(run, { question }) {
        for (const who of [researcher, archivist]) {
          const { found, text } = await run.call(who, { question });
          if (found) return { text };
        }
        return run.wait(answered);
      },
    });
    const query = "the lost regatta of Ahlbeck";
    const no = { text: JSON.stringify({ found: false, text: "" }) };
    const model = scriptedModel([
      { toolCalls: [{ id: "1", tool: "web.search", input: { query } }] },
      { toolCalls: [{ id: "2", tool: "sources.search", input: { query } }] },
      no,
      { toolCalls: [{ id: "3", tool: "sources.search", input: { query: "regatta" } }] },
      no,
    ]);
    const entries: LedgerEntry[] = [];
    const tutti = await openTutti({
      flows: [research],
      models: { fast: model },
      ledger: path.join(folder, "ledger.db"),
      onActivity: (activity) => void (activity.kind === "entry" && entries.push(activity.entry)),
    });
    onTestFinished(() => tutti.close());
    const run = await tutti.start(research, { question: "Who won?" });
    expect(await run.settled()).toMatchObject({ kind: "waiting" });
    // The model was told that nothing was found, and what it can do about it; it went on with another tool.
    expect(JSON.stringify(model.requests[1]?.messages)).toMatch(/TOOL_EMPTY|found nothing/);
    const queries = service.requests.map(({ path: place }) => new URL(place, service.url).searchParams.get("q"));
    expect(queries.length).toBeGreaterThan(1);
    expect(queries[0]).toBe(query);
    expect(new Set(queries).size).toBe(queries.length);
    await run.signal(answered, { text: "Nobody, there was no wind." });
    expect(await run.result()).toEqual({ text: "Nobody, there was no wind." });
    const steps = entries.map(({ kind, key }) => `${kind} ${key ?? ""}`.trim());
    expect(steps.filter((step) => /agent-started|step-failed|signal/.test(step))).toEqual([
      "agent-started /researcher",
      "step-failed /researcher/web.search:1",
      "agent-started /archivist",
      "signal-received",
    ]);
  },
);
