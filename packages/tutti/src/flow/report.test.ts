import { expect, test } from "vitest";
import { z } from "zod";

import { anything, bodiesOf, errorOf, openStage, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { must } from "../base/assert.ts";
import { TuttiError } from "../base/errors.ts";
import type { ToolReport } from "../contracts/callable.ts";
import { tool } from "../tools/tool.ts";

const usage = { modelCalls: 1, inputTokens: 10, outputTokens: 2, costUsd: 0.5 };

function toReader(run: (report: (report: ToolReport) => void, attempt: number) => void) {
  return tool({
    name: "page.read",
    does: "Reads a page.",
    input: anything,
    output: anything,
    effect: "read",
    run(_, { report, attempt }) {
      run(report, attempt);
      return "text";
    },
  });
}

test("what a tool reports is merged and stored with its result, and with nothing else", verifies("O1"), async () => {
  const stage = openStage();
  const reader = toReader((report) => {
    report({ tried: [{ provider: "first", code: "TOOL_UNAVAILABLE" }], usage, note: "one" });
    report({ provider: "second", tried: [{ provider: "other", code: "TOOL_EMPTY" }], usage, note: "x".repeat(2_000) });
  });
  const silent = tool({ ...reader, name: "page.skip", run: () => "nothing" });
  const reading = plainFlow("reading", async (run) => {
    await run.call(reader, {});
    await run.call(silent, {});
  });
  const tutti = await stage.open([reading]);
  await tutti.run(reading, {});
  expect(bodiesOf(stage.entries, "step-done").map((body) => body.report)).toEqual([
    {
      provider: "second",
      tried: [
        { provider: "first", code: "TOOL_UNAVAILABLE" },
        { provider: "other", code: "TOOL_EMPTY" },
      ],
      usage: { modelCalls: 2, inputTokens: 20, outputTokens: 4, costUsd: 1 },
      note: "x".repeat(1_000),
    },
    undefined,
  ]);
});

test("what was reported before a failure is stored with that attempt, and with the failure", async () => {
  const stage = openStage();
  const reader = toReader((report, attempt) => {
    report({ provider: `at try ${attempt}`, usage });
    throw new TuttiError(attempt === 1 ? "TOOL_UNAVAILABLE" : "TOOL_FAILED", "no");
  });
  const reading = plainFlow("reading", (run) => run.call(reader, {}));
  const tutti = await stage.open([reading]);
  const run = await tutti.start(reading, {});
  const failed = errorOf(run.result());
  await stage.clock.advance(60_000);
  expect((await failed).code).toBe("TOOL_FAILED");
  expect(bodiesOf(stage.entries, "attempt-failed").map((body) => body.report)).toEqual([
    { provider: "at try 1", usage },
  ]);
  expect(bodiesOf(stage.entries, "step-failed").map((body) => body.report)).toEqual([{ provider: "at try 2", usage }]);
});

test("an effect's entries carry what its tool reported: settled, failed, in doubt, taken back", async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office, {
    run({ to }, { report, idempotencyKey }) {
      report({ provider: `to ${to}` });
      if (to === "nobody") throw new TuttiError("TOOL_FAILED", "no such person");
      if (to === "somebody") throw new Error("the line broke");
      return office.send(to, idempotencyKey);
    },
    undo: (_, { report, input }) => report({ note: `${input.to} forgets` }),
  });
  const sending = plainFlow(
    "sending",
    async (run) => {
      await run.call(mail, { to: "anna" });
      await run.call(mail, { to: "nobody" }).catch(() => {});
      await run.call(mail, { to: "somebody" });
    },
    { onFailure: "undo" },
  );
  const tutti = await stage.open([sending]);
  const run = await tutti.start(sending, {});
  await run.settled();
  const [doubt] = await tutti.inDoubt();
  await tutti.settle(must(doubt, "one effect is in doubt").key, { kind: "not-done", by: "ben" });
  await errorOf(run.result());
  expect(bodiesOf(stage.entries, "effect-settled")[0]?.report).toEqual({ provider: "to anna" });
  expect(bodiesOf(stage.entries, "effect-failed").map((body) => body.report)).toEqual([
    { provider: "to nobody" },
    undefined,
  ]);
  expect(bodiesOf(stage.entries, "effect-in-doubt")[0]?.report).toEqual({ provider: "to somebody" });
  expect(bodiesOf(stage.entries, "effect-undone")[0]?.report).toEqual({ note: "anna forgets" });
});

test("a report of another shape stops the tool that made it; the ledger stays readable", async () => {
  const stage = openStage();
  const reader = toReader((report) => report(z.custom<ToolReport>().parse({ tried: "everybody" })));
  const reading = plainFlow("reading", (run) => run.call(reader, {}));
  const tutti = await stage.open([reading]);
  expect((await errorOf(tutti.run(reading, {}))).message).toContain("report.tried should be a list");
  expect(bodiesOf(stage.entries, "step-failed")[0]?.report).toBeUndefined();
});
