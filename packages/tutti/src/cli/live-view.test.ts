import { PassThrough } from "node:stream";
import { WriteStream } from "node:tty";

import { expect, test } from "vitest";

import { sampleStart, toEntries, type SampleLine } from "../../../../test/sample-entries.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { Clock } from "../base/clock.ts";
import { toRunId, toStepKey } from "../contracts/ids.ts";
import type { TreeEvent } from "../insight/run-tree.ts";
import { chooseMode, openLiveView } from "./live-view.ts";

/** Time that passes only when it is told to. */
function openHand(): { readonly clock: Clock; readonly pass: (ms: number) => void } {
  let now = sampleStart;
  const waiting = new Set<{ readonly dueAt: number; readonly wake: () => void }>();
  return {
    clock: {
      now: () => now,
      after(delayMs, wake) {
        const timer = { dueAt: now + delayMs, wake };
        waiting.add(timer);
        return () => void waiting.delete(timer);
      },
    },
    pass(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = [...waiting]
          .filter(({ dueAt }) => dueAt <= end)
          .toSorted((left, right) => left.dueAt - right.dueAt);
        if (next === undefined) break;
        waiting.delete(next);
        now = next.dueAt;
        next.wake();
      }
      now = end;
    },
  };
}

/** A stream that keeps what is written; with a size it is a terminal. */
function openStream(columns?: number): { readonly stream: WriteStream; readonly take: () => string } {
  let written = "";
  const stream = Object.assign(new PassThrough(), {
    isTTY: columns !== undefined,
    columns: columns ?? 0,
    rows: 24,
    getColorDepth: () => 1,
    hasColors: () => false,
  });
  stream.write = (chunk: unknown) => {
    written += String(chunk);
    return true;
  };
  return {
    stream: Object.setPrototypeOf(stream, WriteStream.prototype),
    take() {
      const taken = written;
      written = "";
      return taken;
    },
  };
}

const run = toRunId("7f3k2m9q0x");
const lines: readonly SampleLine[] = [
  { kind: "run-started", body: { flow: "brief", version: "1" } },
  { kind: "agent-started", key: "/writer", body: { agent: "writer", version: "1" } },
  { kind: "note-written", key: "/writer/note", body: { text: "halfway" } },
  { kind: "scope-closed", key: "/writer", body: { agent: "writer@1", out: "a text" } },
  { kind: "run-done", body: { out: "a text" } },
];
const events = toEntries(lines).map((entry): TreeEvent => ({ kind: "entry", entry }));

test("in a pipe there is a line for each change of state, and a sign of life each 30 seconds", verifies("X6"), () => {
  const hand = openHand();
  const { stream, take } = openStream();
  const view = openLiveView({ mode: "plain", stream, clock: hand.clock });
  view.follow(run, []);
  for (const event of events.slice(0, 3)) view.show(event);
  expect(take()).toBe("  0:00 ▸ brief 7f3k2m9q0x\n  0:01 ▸ /writer\n  0:02 · /writer  halfway\n");
  view.show({ kind: "progress", run, step: toStepKey("/writer"), at: sampleStart, text: "typing" });
  expect(take()).toBe("");
  hand.pass(65_000);
  expect(take()).toBe("  0:30 … brief 7f3k2m9q0x  still at /writer\n  1:00 … brief 7f3k2m9q0x  still at /writer\n");
  for (const event of events.slice(3)) view.show(event);
  expect(take()).toBe("  0:03 ✔ /writer  a text\n  0:04 ✔ brief 7f3k2m9q0x  done · 1 agent\n");
  hand.pass(100_000);
  expect(take()).toBe("");
});

test("what happened before a run was followed is shown too, once, and other runs are not", verifies("X6"), () => {
  const { stream, take } = openStream();
  const view = openLiveView({ mode: "plain", stream, clock: openHand().clock });
  for (const event of [...events, ...toEntries(lines, "other").map((entry): TreeEvent => ({ kind: "entry", entry }))])
    view.show(event);
  expect(take()).toBe("");
  view.follow(run, toEntries(lines.slice(0, 2)));
  for (const event of events) view.show(event);
  expect(take().trimEnd().split("\n")).toHaveLength(5);
  view.close();
});

test(
  "a terminal is drawn on only when something has changed or is going on, and only the lines that changed are sent",
  verifies("X6"),
  () => {
    const hand = openHand();
    const { stream, take } = openStream(80);
    const view = openLiveView({ mode: "tree", stream, clock: hand.clock });
    view.follow(run, []);
    for (const event of events.slice(0, 2)) view.show(event);
    expect(take()).toBe("");
    hand.pass(100);
    expect(take()).toContain("brief  7f3k2m9q0x  0:00");
    hand.pass(100);
    const frame = take();
    expect(frame).toContain("⠹ writer");
    expect(frame).not.toContain("brief  7f3k2m9q0x");
    view.close();
    expect(take().endsWith("\u001B[?25h")).toBe(true);
    hand.pass(10_000);
    expect(take()).toBe("");
  },
);

test("a view that breaks says so and leaves the run alone", verifies("X6"), () => {
  const { stream } = openStream();
  const view = openLiveView({ mode: "plain", stream, clock: openHand().clock });
  view.follow(run, []);
  const [first] = toEntries(lines);
  if (first === undefined) throw new Error("there is an entry");
  expect(() => view.show({ kind: "entry", entry: { ...first, body: "{" } })).not.toThrow();
  expect(() => view.show({ kind: "entry", entry: first })).not.toThrow();
});

test("a stream decides how a run is shown: a tree only on a terminal that can be drawn on", verifies("X6"), () => {
  const terminal = openStream(80).stream;
  expect(chooseMode(terminal, { TERM: "xterm" })).toBe("tree");
  expect(chooseMode(terminal, { TERM: "dumb" })).toBe("plain");
  expect(chooseMode(terminal, { CI: "true" })).toBe("plain");
  expect(chooseMode(openStream().stream, { TERM: "xterm" })).toBe("plain");
});
