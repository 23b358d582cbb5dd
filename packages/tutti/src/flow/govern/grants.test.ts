import { expect, test } from "vitest";
import { z } from "zod";

import { toAskingPolicy, vote } from "../../../../../test/approvals/approval-fixture.ts";
import {
  anything,
  bodiesOf,
  errorOf,
  linesOf,
  openStage,
  plainFlow,
  until,
} from "../../../../../test/engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import type { Permissions } from "../../contracts/grant.ts";
import { toStepKey } from "../../contracts/ids.ts";
import type { Agent, Callable } from "../../contracts/run.ts";
import { team } from "../../teams/team.ts";
import { tool } from "../../tools/tool.ts";
import { documentTools } from "../document-tools.ts";
import { document } from "../document.ts";
import { flow } from "../flow.ts";

/** An agent that calls one thing, with an input of its own. */
function toCaller(name: string, callee: Callable, options: { input?: unknown; permissions?: Permissions } = {}): Agent {
  const { input = { to: "anna" }, permissions } = options;
  return team({
    name,
    does: "Calls one thing.",
    input: anything,
    output: anything,
    members: [callee],
    ...(permissions === undefined ? {} : { permissions }),
    how: async (run) => ({ output: await run.call(callee, input) }),
  });
}

const look = tool({ name: "look", does: "Looks.", input: anything, output: z.number(), effect: "read", run: () => 7 });

test(
  "a tool that a run may not call is not called, whatever its effect, and the model is told",
  verifies("G9"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const mail = toMailTool(office);
    const send = plainFlow("send", (run) => run.call(mail, { to: "anna" }));
    const see = plainFlow("see", (run) => run.call(look, null));
    const tutti = await stage.open([send, see], {
      grants: { "flow/send": { tools: { look: {} } }, "*": { tools: { "mail.*": {} } } },
    });
    const error = await errorOf(tutti.run(send, null));
    expect(error).toMatchObject({ code: "GRANT_EXCEEDED", disposition: "tell-model", effect: "none" });
    expect(error.message).toContain("flow/send may not call mail.send");
    expect(await errorOf(tutti.run(see, null))).toMatchObject({ code: "GRANT_EXCEEDED" });
    expect(office.sent).toEqual([]);
    expect(linesOf(stage.entries)).toEqual([
      "run-started",
      "step-failed /mail.send",
      "run-failed",
      "run-started",
      "step-failed /look",
      "run-failed",
    ]);
  },
);

test("what an agent, its members and its children may do is what all of them may", verifies("G9"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office);
  const child = plainFlow("child", async (run) => [await run.call(look, null), await run.call(mail, { to: "anna" })]);
  const inner = toCaller("inner", child, { permissions: { tools: { "*": {} } }, input: null });
  const narrow = toCaller("narrow", inner, { permissions: { tools: { look: {} } }, input: null });
  const parent = plainFlow("parent", (run) => run.call(narrow, null));
  const free = plainFlow("free", (run) => run.call(inner, null));
  const tutti = await stage.open([parent, free, child]);
  const error = await errorOf(tutti.run(parent, null, { id: "p" }));
  expect(error).toMatchObject({ code: "GRANT_EXCEEDED" });
  expect(error.message).toContain("p/agent/narrow may not call mail.send");
  expect(office.sent).toEqual([]);
  const [, below] = bodiesOf(stage.entries, "run-started");
  expect(below?.grant).toEqual({
    actors: [`narrow@${narrow.version}`, `inner@${inner.version}`],
    parts: [
      { of: "p/agent/narrow", tools: { look: {} } },
      { of: "p/agent/inner", tools: { "*": {} } },
    ],
  });
  expect(await tutti.run(free, null)).toMatchObject([7, { receipt: "receipt of anna" }]);
});

test("calls of a tool are counted over a run and its children, also after a crash", verifies("G9", "G11"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office);
  const child = plainFlow("child", (run) => run.call(mail, { to: "bert" }));
  const parent = plainFlow("parent", async (run) => {
    await run.call(mail, { to: "anna" });
    await run.call(look, null);
    await run.call(child, null);
    await run.step("ready", () => true);
    await run.wait("go");
    return run.call(mail, { to: "carl" });
  });
  const grants = { "flow/parent": { tools: { "mail.*": { calls: 2 }, look: {} } } };
  const before = await stage.open([parent, child], { grants });
  const handle = await before.start(parent, null, { id: "p" });
  await until(() => stage.entries.some(({ kind, key }) => kind === "step-done" && key === "/ready"));
  expect(await handle.settled()).toMatchObject({ kind: "waiting", signals: ["go"] });
  // The engine that takes it up knows nothing of the grant: what the run began with counts.
  const after = await stage.open([parent, child]);
  const taken = await after.open("p");
  await taken.signal("go", null);
  expect(await errorOf(taken.result())).toMatchObject({ code: "BUDGET_SPENT" });
  expect(office.sent).toEqual(["anna", "bert"]);
});

test("an agent of one person does nothing for another", verifies("G9"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const clerk = toCaller("clerk", toMailTool(office), { permissions: { actsFor: ["bert"] } });
  const ask = plainFlow("ask", (run) => run.call(clerk, null));
  const tutti = await stage.open([ask]);
  const error = await errorOf(tutti.run(ask, null, { id: "a", by: "ann" }));
  expect(error).toMatchObject({ code: "GRANT_EXCEEDED", effect: "none" });
  expect(error.message).toContain("a/agent/clerk may not act for ann");
  expect(await errorOf(tutti.run(ask, null))).toMatchObject({ code: "GRANT_EXCEEDED" });
  expect(office.sent).toEqual([]);
  await tutti.run(ask, null, { by: "bert" });
  expect(office.sent).toEqual(["anna"]);
});

test("agents that call each other without an end are stopped", verifies("G9"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  let next: Callable = toMailTool(office);
  for (let depth = 0; depth < 17; depth++) next = toCaller(`a${depth}`, next, depth === 0 ? {} : { input: null });
  const last = next;
  const chain = plainFlow("chain", (run) => run.call(last, null));
  const error = await errorOf((await stage.open([chain])).run(chain, null));
  expect(error).toMatchObject({ code: "GRANT_EXCEEDED" });
  expect(error.message).toContain("more than 16 agents");
  expect(office.sent).toEqual([]);
});

test("when the time of a run is over it calls nothing, also not on a yes that came late", verifies("G9"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office);
  const send = plainFlow("send", (run) => run.call(mail, { to: "anna" }));
  const later = plainFlow("later", async (run) => {
    await run.wait("go");
    return run.call(look, null);
  });
  const tutti = await stage.open([send, later], { policy: toAskingPolicy(), grants: { "*": { lifetimeMs: 1_000 } } });
  const asking = await tutti.start(send, null, { id: "s" });
  const waiting = await tutti.start(later, null, { id: "l" });
  await Promise.all([asking.settled(), waiting.settled()]);
  await stage.clock.advance(1_000);
  await vote(tutti, "ann");
  expect(await errorOf(asking.result())).toMatchObject({ code: "GRANT_EXCEEDED" });
  await waiting.signal("go", null);
  expect((await errorOf(waiting.result())).message).toContain("ended at");
  expect(office.sent).toEqual([]);
});

const stock = document({
  name: "stock",
  value: z.object({ left: z.int() }),
  initial: { left: 9 },
  onConflict: { again: "rerun" },
});

test("a tool of documents is a tool like others, and its refusal is replayed", verifies("G9"), async () => {
  const stage = openStage();
  const { read } = documentTools(stock);
  const peek = flow({
    name: "peek",
    input: anything,
    output: anything,
    async run(run) {
      const outcome = await run.call(read, { key: "apples" }).catch((error: unknown) => error);
      await run.wait("go");
      return outcome instanceof Error ? outcome.message : "it was read";
    },
  });
  const before = await stage.open([peek], { grants: { "flow/peek": { tools: {} } } });
  await (await before.start(peek, null, { id: "d" })).settled();
  const after = await (await stage.open([peek])).open("d");
  await after.signal("go", null);
  expect(await after.result()).toContain("d/flow/peek may not call");
});

test("a fork may do what the run that it comes from may", async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office);
  const send = plainFlow("send", (run) => run.call(mail, { to: "anna" }));
  const tutti = await stage.open([send], { grants: { "flow/send": { tools: {} } } });
  const handle = await tutti.start(send, null, { id: "f" });
  await errorOf(handle.result());
  const fork = await handle.fork(toStepKey("/mail.send"));
  expect(await errorOf(fork.result())).toMatchObject({ code: "GRANT_EXCEEDED" });
});

test.each([
  [{ grants: { "run/x": {} } }, "nobody is named so"],
  [{ grants: { "flow/x": { autonomyMax: -1 } } }, "autonomyMax"],
  [{ identity: { trustDomain: "Not A Domain" } }, "trust domain"],
])("%j is refused before anything is opened", async (options, says) => {
  const error = await errorOf(openStage().open([], options));
  expect(error).toMatchObject({ code: "DEFINITION_INVALID" });
  expect(error.message).toContain(says);
});
