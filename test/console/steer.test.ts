import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { agent } from "../../packages/tutti/src/agents/agent.ts";
import { TuttiError } from "../../packages/tutti/src/base/errors.ts";
import type { EntryKind } from "../../packages/tutti/src/contracts/entry.ts";
import { scriptedModel } from "../../packages/tutti/src/testing/scripted-model.ts";
import { tool } from "../../packages/tutti/src/tools/tool.ts";
import { buildConsole } from "../../scripts/build-console.mjs";
import { anything, errorOf, plainFlow } from "../engine/engine-fixture.ts";
import { verifies } from "../verifies.ts";
import { hasBrowser, openConsoleStand, refunds, waits, type ConsoleStand } from "./console-stand.ts";

const writer = agent({
  name: "writer",
  does: "Writes.",
  model: "fast",
  input: z.object({}),
  output: z.object({ words: z.number() }),
  instructions: "",
});

/** Begins to write when it is told to. */
const writing = plainFlow("writing", async (run) => {
  await run.wait("begin");
  return run.call(writer, {});
});

/** The answer of the bank is lost, so that nobody knows whether it paid. */
const paid: string[] = [];
const pay = tool({
  name: "bank.pay",
  does: "Pays.",
  input: z.object({ bill: z.string() }),
  output: anything,
  effect: "once",
  key: ({ bill }) => bill,
  run: ({ bill }) => {
    paid.push(bill);
    throw new TuttiError("TOOL_INTERRUPTED", "the line is dead");
  },
});
const paying = plainFlow("paying", (run) => run.call(pay, { bill: run.id }));

const asking = plainFlow("asking", (run) =>
  run.ask("Which colour?", { of: "person:anna", schema: anything, options: ["red", "green"] }),
);

const adding = plainFlow("adding", async (run) => {
  const two = await run.step("two", () => 2);
  return run.step("sum", () => two + 1);
});

let stand: ConsoleStand;
beforeAll(async () => {
  buildConsole();
  if (!hasBrowser) return;
  stand = await openConsoleStand({
    flows: [writing, paying, asking, adding],
    tools: [pay],
    models: { fast: scriptedModel(() => ({ answer: { words: 7 } })) },
  });
});
afterAll(async () => {
  await stand?.close();
});

async function kindsOf(run: string): Promise<readonly EntryKind[]> {
  return (await (await stand.tutti.open(run)).entries()).map(({ kind }) => kind);
}

/** The newest entry of a kind in the run, as what it says. */
async function findBody(run: string, kind: EntryKind): Promise<unknown> {
  const entries = await (await stand.tutti.open(run)).entries();
  const found = entries.findLast((entry) => entry.kind === kind);
  return found === undefined ? undefined : JSON.parse(found.body);
}

test.skipIf(!hasBrowser)(
  "a run is paused, goes on and gets its signal by clicks, and comes to its end",
  verifies("O11", "G5"),
  async () => {
    const handle = await stand.tutti.start(waits, {}, { id: "steered" });
    await handle.settled();
    const page = await stand.open("/runs/steered/steer");
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Go on" }).waitFor();
    expect(await findBody("steered", "run-paused")).toEqual({ by: "anna" });
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("button", { name: "Pause" }).waitFor();
    expect(await findBody("steered", "run-resumed")).toEqual({ by: "anna" });
    await page.getByLabel("Name").fill("go");
    await page.getByLabel("What it brings, as JSON").fill(`{"by": `);
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("This is not JSON").waitFor();
    expect(await kindsOf("steered")).not.toContain("signal-received");
    await page.getByLabel("What it brings, as JSON").fill(`{"by": "hand"}`);
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("This run is over").waitFor();
    expect(await findBody("steered", "signal-received")).toMatchObject({ name: "go", payload: { by: "hand" } });
    expect(await handle.result()).toEqual({});
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)(
  "a run is cancelled and another stopped, each after it was asked twice and with the reason that was given",
  verifies("O11", "G5"),
  async () => {
    for (const { name, id } of [
      { name: "Cancel", id: "to-cancel" },
      { name: "Stop", id: "to-stop" },
    ]) {
      await (await stand.tutti.start(waits, {}, { id })).settled();
      const page = await stand.open(`/runs/${id}/steer`);
      await page.getByLabel("Why, for whoever reads this later").fill("wrong customer");
      await page.getByRole("button", { name, exact: true }).click();
      await page.getByRole("button", { name: "Sure?" }).waitFor();
      expect(await kindsOf(id)).not.toContain("run-cancelled");
      await page.getByRole("button", { name: "Sure?" }).click();
      await page.getByText("This run is over").waitFor();
      expect(JSON.stringify(await findBody(id, "run-cancelled"))).toContain("wrong customer");
      await page.context().close();
    }
    expect(await findBody("to-stop", "directive-given")).toMatchObject({ kind: "stop", by: "anna" });
  },
);

test.skipIf(!hasBrowser)(
  "a fork goes on from a step with the result that was typed, and takes the rest from the ledger",
  verifies("O11", "D8"),
  async () => {
    await stand.tutti.run(adding, {}, { id: "sum" });
    const page = await stand.open("/runs/sum?step=/two");
    await page.getByRole("button", { name: "Fork from here" }).click();
    await page.getByLabel("The result, as JSON").fill("40");
    await page.getByRole("button", { name: "Start the fork" }).click();
    await page.getByText("forked from").waitFor();
    const fork = decodeURIComponent(new URL(page.url()).pathname.split("/").at(-1) ?? "");
    expect(fork).not.toBe("sum");
    expect(await (await stand.tutti.open(fork)).result()).toBe(41);
    expect(await (await stand.tutti.open("sum")).result()).toBe(3);
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)(
  "an agent that a person has taken over asks no model until it is handed back",
  verifies("O11", "G5"),
  async () => {
    const handle = await stand.tutti.start(writing, {}, { id: "taken" });
    await handle.settled();
    const page = await stand.open("/runs/taken/steer");
    await page.getByRole("button", { name: "Take over" }).click();
    await page.getByRole("button", { name: "Give directive" }).click();
    await page.locator(".given").getByText("take-over").waitFor();
    await handle.signal("begin", {});
    expect(await handle.settled()).toMatchObject({ kind: "waiting" });
    expect(await kindsOf("taken")).not.toContain("step-done");
    await page.getByRole("button", { name: "Hand back" }).click();
    await page.getByRole("button", { name: "Give directive" }).click();
    await page.getByText("This run is over").waitFor();
    expect(await handle.result()).toEqual({ words: 7 });
    expect(await kindsOf("taken")).toEqual(expect.arrayContaining(["directive-given", "directive-given", "step-done"]));
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)(
  "an effect of which nobody knows is settled from the inbox: it happened, or it did not",
  verifies("O11", "D3"),
  async () => {
    for (const id of ["bill-1", "bill-2"]) await (await stand.tutti.start(paying, {}, { id })).settled();
    const page = await stand.open("/inbox");
    const doubt = page.getByRole("article", { name: "Did bank.pay happen?" });
    await page.locator(".inbox-row").filter({ hasText: "bill-1" }).click();
    await doubt.getByText("bill-1").first().waitFor();
    await doubt.getByLabel("What it returned, as JSON, if it happened").fill(`{"receipt": "seen at the bank"}`);
    await doubt.getByLabel("A note, for whoever reads this later").fill("asked the bank");
    await doubt.getByRole("button", { name: "It happened" }).click();
    await doubt.getByText("bill-2").first().waitFor();
    await doubt.getByRole("button", { name: "It did not", exact: true }).click();
    await doubt.waitFor({ state: "detached" });
    expect(await (await stand.tutti.open("bill-1")).result()).toEqual({ receipt: "seen at the bank" });
    expect((await errorOf((await stand.tutti.open("bill-2")).result())).message).toBe("the line is dead");
    expect(await kindsOf("bill-2")).toContain("effect-failed");
    expect(paid.toSorted()).toEqual(["bill-1", "bill-2"]);
    expect(JSON.stringify(await findBody("bill-1", "effect-settled"))).toContain("anna");
    await page.context().close();
  },
);

test.skipIf(!hasBrowser)("a question is answered with one of its answers", verifies("O11", "G4"), async () => {
  const handle = await stand.tutti.start(asking, {}, { id: "asked" });
  await handle.settled();
  const page = await stand.open("/inbox");
  await page.locator(".inbox-row").filter({ hasText: "asked" }).click();
  await page.getByRole("button", { name: "Answer" }).click();
  await page.getByRole("dialog").getByLabel("green").check();
  await page.getByRole("dialog").getByRole("button", { name: "Answer" }).click();
  await page.getByText("Answered. It is in the ledger.").waitFor();
  expect(await handle.result()).toBe("green");
  await page.context().close();
});

test.skipIf(!hasBrowser)(
  "of two people who decide at once one decides, and the other is told by whom it was decided",
  verifies("O11", "G4"),
  async () => {
    const handle = await stand.tutti.start(refunds, { order: "twice", euros: 9 }, { id: "twice" });
    await handle.settled();
    const asked = (await stand.tutti.approvals.list()).find(({ run }) => run === handle.id);
    const path = `/inbox?item=${encodeURIComponent(asked?.id ?? "")}`;
    const [anna, bert] = [await stand.open(path), await stand.open(path, { as: "bert" })];
    // What bert says arrives when anna has decided, although he said it before he could know.
    const { promise: isDecided, resolve: decided } = Promise.withResolvers<void>();
    await bert.route("**/api/approvals/**", async (route) => {
      if (route.request().method() === "POST") await isDecided;
      await route.continue();
    });
    await bert.locator(".approval").waitFor();
    await bert.keyboard.press("r");
    await bert.keyboard.type("too much");
    await bert.getByRole("dialog").getByRole("button", { name: "Reject" }).click();
    await anna.locator(".approval").getByRole("button", { name: "Approve" }).click();
    await anna.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
    expect(await handle.result()).toEqual({ receipt: "twice/9" });
    decided();
    await bert.getByText("APPROVAL_DECIDED").waitFor();
    await bert.keyboard.press("Escape");
    await bert.getByText("by anna. Nothing is left to decide.").waitFor();
    const kinds = await kindsOf("twice");
    expect(kinds.filter((kind) => kind === "approval-voted")).toHaveLength(1);
    expect(stand.faults).toEqual([]);
    await Promise.all([anna.context().close(), bert.context().close()]);
  },
);
