import { expect, test } from "vitest";
import { z } from "zod";

import { play, toScholar } from "../../../../test/agents/agent-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { systemClock, type Clock } from "../base/clock.ts";
import { TuttiError } from "../base/errors.ts";
import type { Model, ModelReply } from "../contracts/model.ts";
import { openTutti } from "../engine/open-tutti.ts";
import { flow } from "../flow/flow.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";

const usage = { modelCalls: 1, inputTokens: 1, outputTokens: 1 };
const reply: ModelReply = { text: '{"answer":"so"}', toolCalls: [], usage };

/** Pauses before a next attempt are over at once; limits never come. */
const hurriedClock: Clock = {
  now: () => 1_760_000_000_000,
  after(delayMs, call) {
    const timer = delayMs > 30_000 ? undefined : setImmediate(call);
    return () => clearImmediate(timer);
  },
};

/** Says its answer in pieces; goes on talking when nobody listens any more. Its first `failures` attempts break off. */
function talkative(failures = 0, onGenerate: (watched: boolean) => void = () => {}): Model {
  let late: (() => void) | undefined;
  let calls = 0;
  return {
    provider: "test",
    id: "talkative",
    generate(_request, _signal, watch) {
      onGenerate(watch !== undefined);
      late?.();
      calls += 1;
      watch?.({ kind: "text", text: '{"answer":' });
      watch?.({ kind: "text", text: "" });
      watch?.({ kind: "tool-call", tool: "look", text: '{"word"' });
      late = () => watch?.({ kind: "text", text: "too late" });
      if (calls <= failures) throw new TuttiError("MODEL_RATE_LIMITED", "wait", { retryAfterMs: 1 });
      watch?.({ kind: "text", text: '"so"}' });
      return Promise.resolve(reply);
    },
  };
}

test(
  "whoever watches sees what a model says while it says it, by attempt; nothing of it is stored",
  verifies("X6"),
  async () => {
    const { activities, entries } = await play(talkative(1), toScholar(), { clock: hurriedClock });
    const deltas = activities.flatMap((activity) => (activity.kind === "delta" ? [{ ...activity, at: 0 }] : []));
    const place = { kind: "delta", run: "run", step: "/scholar/model", at: 0, agent: "scholar" };
    expect(deltas).toEqual([
      { ...place, attempt: 1, text: '{"answer":' },
      { ...place, attempt: 1, text: '{"word"', tool: "look" },
      { ...place, attempt: 2, text: '{"answer":' },
      { ...place, attempt: 2, text: '{"word"', tool: "look" },
      { ...place, attempt: 2, text: '"so"}' },
    ]);
    expect(JSON.stringify(entries)).not.toContain("too late");
    expect(entries.filter((entry) => entry.key.startsWith("/scholar")).map((entry) => entry.kind)).toEqual([
      "agent-started",
      "attempt-failed",
      "step-done",
      "scope-closed",
    ]);
  },
);

test("who comes to watch is told from then on, who has left is not; and a model streams only while somebody is there", async () => {
  const streamed: boolean[] = [];
  const ask = flow({
    name: "ask",
    input: z.null(),
    output: z.unknown(),
    run: (run) => run.call(toScholar(), { question: "x" }),
  });
  const model = talkative(0, (isWatched) => streamed.push(isWatched));
  const tutti = await openTutti({
    flows: [ask],
    models: { fast: model },
    ledger: openMemoryLedger({ clock: systemClock }),
  });
  await tutti.run(ask, null);
  const seen: string[] = [];
  const leave = tutti.watch(({ kind }) => seen.push(kind));
  await tutti.run(ask, null);
  leave();
  const soFar = [...seen];
  await tutti.run(ask, null);
  await tutti.close();
  expect(streamed).toEqual([false, true, false]);
  expect(soFar).toEqual(["step-started", "progress", "delta", "delta", "delta"]);
  expect(seen).toEqual(soFar);
});

test("without a watcher no model is asked to stream", async () => {
  const watched: boolean[] = [];
  await play(
    talkative(0, (isWatched) => watched.push(isWatched)),
    toScholar(),
    { isWatched: false },
  );
  expect(watched).toEqual([false]);
});

test("nothing is said again on replay", async () => {
  const callee = toScholar();
  const ask = flow({
    name: "ask",
    input: z.object({ question: z.string() }),
    output: z.string(),
    async run(run, input) {
      await run.call(callee, input);
      return run.wait<string>("go");
    },
  });
  const ledger = openMemoryLedger({ clock: systemClock });
  const kinds: string[] = [];
  const open = async () =>
    openTutti({
      flows: [ask],
      models: { fast: talkative() },
      ledger: { ...ledger, close: async () => {} },
      onActivity: (activity) => kinds.push(activity.kind),
    });
  const first = await open();
  await (await first.start(ask, { question: "?" }, { id: "run" })).settled();
  await first.close();
  expect(kinds.filter((kind) => kind === "delta").length).toBeGreaterThan(0);
  kinds.length = 0;
  const second = await open();
  const handle = await second.open("run");
  await handle.signal("go", "done");
  expect(await handle.result()).toBe("done");
  await second.close();
  expect(kinds.filter((kind) => kind === "delta")).toEqual([]);
});
