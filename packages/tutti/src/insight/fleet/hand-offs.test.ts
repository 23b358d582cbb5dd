import { expect, test } from "vitest";

import type { SampleLine } from "../../../../../test/sample-entries.ts";
import { started, toFleet } from "../../../../../test/sample-fleet.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toRunId, toStepKey } from "../../contracts/ids.ts";
import type { FleetState } from "./fleet-state.ts";
import { listHandOffs, pairsMax } from "./hand-offs.ts";

const begins = (key: string, agent: string): SampleLine => ({
  kind: "agent-started",
  key,
  body: { agent, version: "1" },
});
const ends = (key: string, code?: "PRECONDITION_FAILED" | "TOOL_FAILED" | "RUN_CANCELLED"): SampleLine => ({
  kind: "scope-closed",
  key,
  body: code === undefined ? {} : { error: { code, message: "no" } },
});
const told = (key: string, [from, to]: readonly [string, string], readBy?: string): SampleLine => ({
  kind: "message-sent",
  key,
  body: { from, to, intent: "take it", bytes: 10, ...(readBy === undefined ? {} : { readBy: toStepKey(readBy) }) },
});

const listed = (fleet: FleetState, tenant?: string): unknown =>
  listHandOffs(fleet.handOffs, tenant).map((line) => ({ ...line, lastAt: 0 }));
const none = { lastAt: 0, messages: 0, calls: 0, done: 0, refused: 0, failed: 0, cancelled: 0 };

test("work is given by the agent around it, or by the flow; what became of it is counted", verifies("O9"), () => {
  const fleet = toFleet([
    started(),
    begins("/lead", "lead"),
    begins("/lead/search", "searcher"),
    ends("/lead/search", "TOOL_FAILED"),
    begins("/lead/part/search#2", "searcher"),
    ends("/lead/part/search#2"),
    ends("/lead"),
    begins("/lead#2", "lead"),
    ends("/lead#2", "RUN_CANCELLED"),
    { kind: "child-started", key: "/sub", body: { child: toRunId("c"), flow: "part", version: "1" } },
    { kind: "child-settled", key: "/sub", body: { child: toRunId("c") } },
    begins("/open", "lead"),
  ]);
  expect(listed(fleet)).toEqual([
    { ...none, from: "brief", to: "lead", calls: 3, done: 1, cancelled: 1 },
    { ...none, from: "lead", to: "searcher", calls: 2, done: 1, failed: 1 },
    { ...none, from: "brief", to: "part", calls: 1, done: 1 },
  ]);
});

test(
  "work on a message was given by its sender, and not by the team around both; a refusal is told apart",
  verifies("O9"),
  () => {
    const fleet = toFleet([
      started(),
      begins("/desk", "desk"),
      told("/desk/message-sent", ["writer", "reviewer"], "/desk/reviewer"),
      begins("/desk/reviewer", "reviewer"),
      ends("/desk/reviewer", "PRECONDITION_FAILED"),
      told("/desk/message-sent#2", ["reviewer", "writer"]),
      ends("/desk"),
    ]);
    expect(listed(fleet)).toEqual([
      { ...none, from: "writer", to: "reviewer", messages: 1, calls: 1, refused: 1 },
      { ...none, from: "brief", to: "desk", calls: 1, done: 1 },
      { ...none, from: "reviewer", to: "writer", messages: 1 },
    ]);
  },
);

test("what a fork took over was handed on once, and its end in the fork counts for nobody", () => {
  const forkedFrom = { run: "run-9", step: "/b", seq: 3, lineage: "run-9", copied: 1 };
  const taken: SampleLine = { ...begins("/lead", "lead"), atMs: 0 };
  const fleet = toFleet([
    started({ forkedFrom }),
    taken,
    { ...begins("/lead/search", "searcher"), atMs: 900 },
    ends("/lead/search"),
    ends("/lead"),
  ]);
  expect(listed(fleet)).toEqual([{ ...none, from: "lead", to: "searcher", calls: 1, done: 1 }]);
});

test("a tenant's pairs are its own, and all together are sums", () => {
  const work = [begins("/lead", "lead"), ends("/lead")];
  const fleet = toFleet([started({ tenant: "acme" }), ...work], [started(), ...work]);
  expect(listed(fleet, "acme")).toEqual([{ ...none, from: "brief", to: "lead", calls: 1, done: 1 }]);
  expect(listed(fleet)).toEqual([{ ...none, from: "brief", to: "lead", calls: 2, done: 2 }]);
  expect(listed(fleet, "other")).toEqual([]);
});

test("whoever writes a new name into every message fills no memory", () => {
  const many = Array.from({ length: pairsMax + 10 }, (_, index) => told(`/m#${index}`, [`a${index}`, "b"]));
  expect(toFleet([started(), ...many]).handOffs.size).toBe(pairsMax);
});
