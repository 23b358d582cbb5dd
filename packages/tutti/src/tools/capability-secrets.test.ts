import path from "node:path";
import { inspect } from "node:util";

import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";

import { canary, expectNoCanary, readBytes } from "../../../../test/canary.ts";
import { makeLedgerFile } from "../../../../test/engine/engine-fixture.ts";
import { listenAndMisbehave, sendResult } from "../../../../test/mcp/http-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import type { Tool } from "../contracts/callable.ts";
import { openTutti } from "../engine/open-tutti.ts";
import type { Activity } from "../engine/tutti.ts";
import { flow } from "../flow/flow.ts";
import { openMcpServer } from "../protocols/mcp/mcp-server.ts";
import { openProviderServer, type ProviderAnswer, type ProviderServer } from "../testing/provider-server.ts";
import { scriptedModel, type ScriptedModel } from "../testing/scripted-model.ts";
import { secret } from "./secret.ts";
import { s3Store } from "./storage/s3-store.ts";
import { storageTools } from "./storage/storage-tools.ts";
import { brave } from "./web/search-services.ts";
import { webFetch } from "./web/web-fetch.ts";
import { webSearch } from "./web/web-search.ts";

const toSecret = (name: string) => secret({ name, from: () => canary, hosts: ["127.0.0.1"] });

interface World {
  readonly server: ProviderServer;
  readonly tools: readonly Tool[];
  /** What the server of tools was sent. */
  readonly asked: () => readonly (string | undefined)[];
}

/** Search, fetch, storage and a server of tools, each with the canary as its key. `refuses`: each says no, and repeats what it was sent. */
async function openWorld(refuses: boolean): Promise<World> {
  const server = await openProviderServer(({ path: place, headers }): ProviderAnswer => {
    const said = JSON.stringify({ error: { message: `no: ${canary}, ${JSON.stringify(headers)}` } });
    if (refuses) return { kind: "answer", status: 404, body: said };
    if (place.startsWith("/page")) return { kind: "answer", headers: { "content-type": "text/plain" }, body: "Words." };
    if (place.startsWith("/evidence")) return { kind: "answer", body: "" };
    return {
      kind: "answer",
      body: {
        query: { original: "a" },
        web: { results: [{ url: "https://a.example/", title: "A", description: "a" }] },
      },
    };
  });
  onTestFinished(() => server.close());
  const { url, calls } = await listenAndMisbehave((outgoing, { id, headers }) => {
    sendResult(outgoing, id, {
      isError: refuses,
      content: [{ type: "text", text: refuses ? `no: ${JSON.stringify(headers)}` : "written" }],
    });
  });
  const tracker = await openMcpServer({
    name: "tracker",
    url,
    key: toSecret("tracker"),
    headers: { "x-second": toSecret("second") },
    tools: { write: { effect: "read" } },
  });
  onTestFinished(() => tracker.close());
  const credentials = {
    accessKeyId: "AKIDEXAMPLE",
    secretAccessKey: toSecret("s3"),
    sessionToken: toSecret("session"),
  };
  const storage = storageTools(s3Store({ endpoint: server.url, region: "r", bucket: "evidence", credentials }));
  return {
    server,
    tools: [
      webSearch({ providers: [brave({ baseUrl: server.url, key: toSecret("brave") })] }),
      webFetch({ allowHosts: ["127.0.0.1"] }),
      storage.put,
      tracker.tool("write"),
    ],
    asked: () => calls.flatMap(({ headers }) => [headers.authorization, String(headers["x-second"])]),
  };
}

/** Calls every tool at once, and then answers. */
function toModel(url: string): ScriptedModel {
  const toolCalls = [
    { id: "1", tool: "web.search", input: { query: "a" } },
    { id: "2", tool: "web.fetch", input: { url: `${url}/page` } },
    { id: "3", tool: "storage.put", input: { text: "a", mediaType: "text/plain" } },
    { id: "4", tool: "tracker.write", input: {} },
  ];
  return scriptedModel([{ toolCalls }, { text: '{"done":true}' }]);
}

test.for([
  { what: "that succeeds", refuses: false },
  { what: "in which every service says no and repeats the key", refuses: true },
])("a run $what leaves no key of any capability behind", verifies("G10", "K2"), async ({ refuses }) => {
  const { server, tools, asked } = await openWorld(refuses);
  const model = toModel(server.url);
  const clerk = agent({
    name: "clerk",
    does: "Does it all.",
    model: "fast",
    tools,
    input: z.object({}),
    output: z.object({ done: z.boolean() }),
    instructions: "Use every tool once.",
  });
  const work = flow({ name: "work", input: z.object({}), output: z.unknown(), run: (run) => run.call(clerk, {}) });
  const logs = (["log", "warn", "error"] as const).map((name) => vi.spyOn(console, name));
  const activity: Activity[] = [];
  const ledger = await makeLedgerFile();
  const tutti = await openTutti({
    flows: [work],
    models: { fast: model },
    ledger,
    onActivity: (each) => activity.push(each),
  });
  expect(await tutti.run(work, {})).toEqual({ done: true });
  const entries = await tutti.ledger.scan(0, 100);
  await tutti.close();
  expect(entries.map(({ kind }) => kind).filter((kind) => /tool|effect|step/.test(kind)).length).toBeGreaterThan(4);
  // What was refused is told, with what the service said.
  expect(JSON.stringify(entries).split(": no: ").length > 2).toBe(refuses);
  // Each was really sent its key.
  const sent = server.requests.map(({ headers }) => headers);
  expect(sent.map((headers) => headers["x-subscription-token"])).toContain(canary);
  expect(sent.map((headers) => headers["x-amz-security-token"])).toContain(canary);
  expect(asked()).toEqual([`Bearer ${canary}`, canary]);
  expectNoCanary({
    ...readBytes(path.dirname(ledger)),
    entries: JSON.stringify(entries),
    prompts: JSON.stringify(model.requests),
    activity: inspect(activity, { depth: 20, maxStringLength: null }),
    logs: inspect(
      logs.flatMap((log) => log.mock.calls),
      { depth: 20 },
    ),
  });
});
