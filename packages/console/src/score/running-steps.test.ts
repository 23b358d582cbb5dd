import type { EntryHead, Progress } from "tutti/client";
import { expect, test } from "vitest";

import { end, hear, type RunningStep } from "./running-steps.ts";

const started = (step: string, attempt = 1): Progress => ({ kind: "step-started", run: "r", step, attempt, at: 1 });
const says = (step: string, text: string, attempt = 1): Progress => ({
  ...started(step, attempt),
  kind: "delta",
  text,
});
const entry = (kind: string, key: string, run = "r"): EntryHead => ({ lsn: 1, run, seq: 1, kind, key, at: 1 });
const hearAll = (...progress: Progress[]): readonly RunningStep[] => hear([], "r", progress);

test("a step runs from its beginning to the entry that ends it, and its newest words are shown", () => {
  const running = hearAll(started("/a"), started("/b"), says("/a", "x".repeat(300)), says("/a", "end"));
  expect(running.map(({ step }) => step)).toEqual(["/b", "/a"]);
  expect(running[1]?.text).toMatch(/^x{117}end$/u);
  expect(end(running, "r", [entry("attempt-failed", "/a"), entry("step-done", "/a", "other")])).toEqual(running);
  expect(end(running, "r", [entry("step-done", "/a")])).toEqual([{ step: "/b", attempt: 1, text: "" }]);
});

test("a new attempt says everything anew; who comes late hears the rest, and nothing of another run", () => {
  const running = hearAll(started("/a"), says("/a", "half"), started("/a", 2), says("/a", "who", 2));
  expect(running).toEqual([{ step: "/a", attempt: 2, text: "who" }]);
  expect(hearAll(says("/a", "late"), { ...started("/a"), run: "other" })).toEqual([
    { step: "/a", attempt: 1, text: "late" },
  ]);
});

test("after a lost connection nothing is said to run that may have ended", () => {
  expect(end(hearAll(started("/a")), "r", [])).toEqual([]);
});
