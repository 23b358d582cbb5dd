import { expect, test } from "vitest";

import { toEntries, type SampleLine } from "../../../../test/sample-entries.ts";
import { verifies } from "../../../../test/verifies.ts";
import { toEffectKey } from "../contracts/ids.ts";
import { openTrackRecord } from "./track-record.ts";

const started: SampleLine = { kind: "run-started", body: { flow: "main", version: "1" } };
const begun = (key: string): SampleLine => ({ kind: "agent-started", key, body: { agent: "writer", version: "1" } });
const closed = (key: string, code?: "MODEL_REFUSED" | "RUN_CANCELLED"): SampleLine => ({
  kind: "scope-closed",
  key,
  body: { agent: "writer@1", ...(code === undefined ? {} : { error: { code, message: "" } }) },
});

function recordOf(lines: readonly SampleLine[]): ReturnType<typeof openTrackRecord> {
  const entries = toEntries([started, ...lines]);
  return openTrackRecord(() => ({
    scan: (after, limit) => Promise.resolve(entries.filter((entry) => entry.lsn > after).slice(0, limit)),
  }));
}

test("calls are counted by how they ended; a cancelled one says nothing", verifies("C15"), async () => {
  const record = recordOf([
    begun("/a"),
    closed("/a"),
    begun("/b"),
    closed("/b", "MODEL_REFUSED"),
    begun("/c"),
    closed("/c", "RUN_CANCELLED"),
    begun("/d"),
    { kind: "step-done", key: "/e", body: { call: "look" } },
    { kind: "step-done", key: "/f", body: {} },
    { kind: "step-failed", key: "/g", body: { call: "look", error: { code: "TOOL_FAILED", message: "" } } },
    { kind: "effect-intended", key: "/h", body: { effect: toEffectKey("k"), tool: "mail", class: "once", digest: "" } },
    { kind: "effect-settled", key: "/h", body: { effect: toEffectKey("k"), by: "tool" } },
  ]);
  expect(await record.standingOf(["writer", "look", "mail", "nobody"])).toEqual([
    { done: 1, failed: 1, atWork: 1 },
    { done: 1, failed: 1, atWork: 0 },
    { done: 1, failed: 0, atWork: 0 },
    { done: 0, failed: 0, atWork: 0 },
  ]);
});

test("what a run that is over had begun is at work no more", async () => {
  const record = recordOf([begun("/a"), { kind: "run-cancelled", body: { reason: "enough" } }]);
  expect(await record.standingOf(["writer"])).toEqual([{ done: 0, failed: 0, atWork: 0 }]);
});

test("only the last 50 count, and only what is new is read", async () => {
  const lines = Array.from({ length: 60 }, (_, index) => [
    begun(`/${index}`),
    closed(`/${index}`, index < 20 ? "MODEL_REFUSED" : undefined),
  ]).flat();
  const entries = toEntries([started, ...lines]);
  const asked: number[] = [];
  const record = openTrackRecord(() => ({
    scan: (after) => Promise.resolve((asked.push(after), entries.filter((entry) => entry.lsn > after))),
  }));
  expect(await record.standingOf(["writer"])).toEqual([{ done: 40, failed: 10, atWork: 0 }]);
  expect(await record.standingOf(["writer"])).toEqual([{ done: 40, failed: 10, atWork: 0 }]);
  expect(asked).toEqual([0, entries.length]);
});
