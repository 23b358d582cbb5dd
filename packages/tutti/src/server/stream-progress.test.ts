import { expect, test } from "vitest";
import { z } from "zod";

import { openStand, type Stand } from "../../../../test/server/server-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { agent } from "../agents/agent.ts";
import { openClient } from "../client/client.ts";
import type { Progress } from "../contracts/api/ledger.ts";
import type { Model } from "../contracts/model.ts";
import { flow } from "../flow/flow.ts";

const usage = { modelCalls: 1, inputTokens: 1, outputTokens: 1 };

/** Says the beginning of its answer, and the rest when it may. */
function openTalk(): { readonly model: Model; readonly goOn: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const model: Model = {
    provider: "test",
    id: "talkative",
    async generate(_request, _signal, watch) {
      for (const text of ['{"ans', 'wer":']) watch?.({ kind: "text", text });
      await promise;
      watch?.({ kind: "text", text: '"so"}' });
      return { text: '{"answer":"so"}', toolCalls: [], usage };
    },
  };
  return { model, goOn: resolve };
}

const writer = agent({
  name: "writer",
  does: "Writes.",
  model: "fast",
  tools: [],
  input: z.object({}),
  output: z.object({ answer: z.string() }),
  instructions: "Write.",
});
const talk = flow({
  name: "talk",
  input: z.object({}),
  output: z.object({ answer: z.string() }),
  run: (run) => run.call(writer, {}),
});

async function openTalking(): Promise<{ readonly stand: Stand; readonly goOn: () => void }> {
  const { model, goOn } = openTalk();
  return { stand: await openStand({ flows: [talk], engine: { models: { fast: model } } }), goOn };
}

const toText = (progress: readonly Progress[]): string =>
  progress.map(({ kind, text = "" }) => (kind === "delta" ? text : "")).join("");

test(
  "a page sees what a model says while it says it; reloaded in the middle it goes on with no entry lost or doubled",
  verifies("P8"),
  async () => {
    const { stand, goOn } = await openTalking();
    let streams = 0;
    const followed = Promise.withResolvers<void>();
    const client = openClient({
      url: stand.server.url,
      token: stand.token("operator"),
      async fetch(input, init) {
        const response = await fetch(input, init);
        if (response.url.includes("/api/stream") && ++streams === 2) followed.resolve();
        return response;
      },
    });
    const seen: number[] = [];
    const before: Progress[] = [];
    const reload = new AbortController();
    const first = client.stream({
      after: 0,
      signal: reload.signal,
      onProgress(progress) {
        before.push(progress);
        if (toText(before) === '{"answer":') reload.abort();
      },
    });
    const reading = (async () => {
      for await (const { lsn } of first) seen.push(lsn);
    })();
    const run = await client.start({ flow: "talk", input: {} });
    await reading;
    expect(before).toContainEqual({
      kind: "step-started",
      run,
      step: "/writer/model",
      attempt: 1,
      at: expect.any(Number),
    });
    expect(before).toContainEqual({
      kind: "progress",
      run,
      step: "/writer",
      text: "asks test/talkative",
      at: expect.any(Number),
    });
    const after: Progress[] = [];
    const second = client.stream({ after: seen.at(-1) ?? 0, onProgress: (progress) => after.push(progress) });
    const next = second.next();
    await followed.promise;
    goOn();
    for (let entry = await next; entry.done !== true; entry = await second.next()) {
      seen.push(entry.value.lsn);
      if (entry.value.run === run && entry.value.kind === "run-done") break;
    }
    await second.return();
    expect(toText(after)).toBe('"so"}');
    const all = await stand.tutti.ledger.scan(0, 1_000);
    expect(seen).toEqual(all.map(({ lsn }) => lsn).slice(0, seen.length));
    expect(all.filter(({ body }) => /step-started|"delta"/u.test(body))).toEqual([]);
  },
);

test("what passes has no id, so that coming back is not disturbed; other tenants hear nothing of it", async () => {
  const { stand, goOn } = await openTalking();
  const read = async (
    tenant: string,
  ): Promise<{ readonly until: (words: string) => Promise<string>; readonly end: () => Promise<void> }> => {
    const response = await fetch(`${stand.server.url}/api/stream?after=0`, {
      headers: { authorization: `Bearer ${stand.token("viewer", tenant)}` },
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    return {
      async until(words) {
        while (!text.includes(words)) text += (await reader?.read())?.value ?? "";
        return text;
      },
      end: async () => reader?.cancel(),
    };
  };
  const own = await read("acme");
  const other = await read("other");
  await stand.ask("startRun", {
    token: stand.token("operator", "acme"),
    body: { flow: "talk", id: "of-acme", input: {} },
  });
  const events = (await own.until('"kind":"delta"')).split("\n\n").filter((event) => event.includes("event: progress"));
  expect(events.length).toBeGreaterThan(0);
  for (const event of events) expect(event).not.toMatch(/^id:/mu);
  goOn();
  await own.until("run-done");
  await stand.ask("startRun", {
    token: stand.token("operator", "other"),
    body: { flow: "talk", id: "of-other", input: {} },
  });
  expect(await other.until("run-done")).not.toContain("of-acme");
  await own.end();
  await other.end();
});
