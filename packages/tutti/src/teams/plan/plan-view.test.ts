import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";

import { toPlanning, toTeller } from "../../../../../test/plans/plan-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { systemClock } from "../../base/clock.ts";
import { TuttiError } from "../../base/errors.ts";
import { openTutti } from "../../engine/open-tutti.ts";
import { toRunTree } from "../../insight/next-run-tree.ts";
import { openMemoryLedger } from "../../ledger/memory/memory-ledger.ts";
import { tool } from "../../tools/tool.ts";
import { drawPlan } from "./draw-plan.ts";
import { toMermaid } from "./drawing.ts";
import { readPlanEvents } from "./plan-events.ts";
import { viewPlans } from "./plan-view.ts";
import { toRoster } from "./roster.ts";

test(
  "what a failed plan took back is seen with the plan, also when it is too large for an entry",
  verifies("C5"),
  async () => {
    const publish = tool({
      name: "publish",
      does: "Publishes.",
      input: z.object({ text: z.string() }),
      output: z.object({ url: z.string() }),
      effect: "once",
      undo: () => {},
      run: ({ text }) => ({ url: text }),
    });
    const broken = toTeller("broken", {
      run: () => {
        throw new TuttiError("TOOL_FAILED", "never");
      },
    });
    const tasks = [
      { id: "publish", call: "publish", does: "x".repeat(40_000), input: { text: "page" } },
      { id: "broken", call: "broken", after: ["publish"], input: { text: "" } },
    ];
    const planning = toPlanning({ name: "p", tasks }, { callables: [publish, broken], onFailure: "undo" });
    const ledger = openMemoryLedger({ clock: systemClock });
    const tutti = await openTutti({ flows: [planning], ledger });
    onTestFinished(() => tutti.close());
    const handle = await tutti.start(planning, {}, { id: "run" });
    await handle.result();
    const entries = await handle.entries();
    const events = await readPlanEvents(entries, (hash) => ledger.readBlob(hash));
    expect(viewPlans(events, toRunTree(entries))).toMatchObject([
      {
        name: "p",
        state: "failed",
        versions: [{ version: 1 }],
        tasks: [
          { id: "publish", state: "undone" },
          { id: "broken", state: "failed", why: "never" },
        ],
      },
    ]);
  },
);

test(
  "a drawing shows plans inside plans, repetition, and who may not be at work beside whom; no label breaks out of it",
  verifies("X4", "C12"),
  () => {
    const writer = toTeller("writer", { writes: ["site"] });
    const reader = toTeller("reader", { reads: ["site"] });
    const inner = { name: "inner", tasks: [{ id: "deep", call: "reader", input: { text: { $from: "input.text" } } }] };
    const drawing = drawPlan(
      {
        name: "p",
        goal: 'A "quoted" <goal>',
        tasks: [
          { id: "a", call: "writer", input: { text: { $from: "input.text" } } },
          { id: "b", call: "reader", after: ["a"], input: { text: "x" } },
          {
            id: "c",
            plan: inner,
            input: { text: "y" },
            repeat: { until: { value: "output.deep", is: "equal", to: '"]' }, max: 3 },
          },
        ],
      },
      toRoster([writer, reader]),
    );
    expect(drawing.arrows).toEqual(
      expect.arrayContaining([
        { from: "input", to: "a", kind: "data", label: "text" },
        { from: "a", to: "b", kind: "order" },
        { from: "c", to: "c/deep", kind: "data", label: "text" },
        { from: "a", to: "b", kind: "conflict", label: "site" },
        { from: "a", to: "c", kind: "conflict", label: "site" },
        { from: "c", to: "c", kind: "data", label: expect.stringContaining("at most 3 times") },
      ]),
    );
    expect(
      toMermaid(drawing)
        .split("\n")
        .filter((line) => line.includes('"]"')),
    ).toEqual([]);
  },
);
