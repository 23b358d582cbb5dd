import { expect, test } from "vitest";

import {
  bodiesOf,
  errorOf,
  linesOf,
  makeGate,
  openStage,
  plainFlow,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import {
  type MailDefinition,
  type MailTool,
  openPostOffice,
  type PostOffice,
  toMailTool,
} from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import type { Flow, Run } from "../contracts/run.ts";
import { takeTurns } from "../testing/manual-clock.ts";

const fail = (): never => {
  throw new TuttiError("TOOL_FAILED", "it can't go on");
};

function toRecallable(office: PostOffice, change: Partial<MailDefinition> = {}): MailTool {
  return toMailTool(office, { undo: (_, { input }) => office.recall(input.to), ...change });
}

async function sendAll(run: Run, mail: MailTool, to: readonly string[]): Promise<void> {
  for (const name of to) await run.call(mail, { to: name });
}

test("when a flow fails, what was done is undone in reverse order, once each", verifies("D6"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toRecallable(office);
  const final = toMailTool(office, { name: "letter.send" });
  const flow = plainFlow(
    "saga",
    async (run) => {
      await sendAll(run, mail, ["a", "b"]);
      await run.call(final, { to: "no way back" });
      await sendAll(run, mail, ["c"]);
      fail();
    },
    { onFailure: "undo" },
  );
  const tutti = await stage.open([flow]);
  expect(await errorOf(tutti.run(flow, null))).toMatchObject({ code: "TOOL_FAILED" });
  expect(office.recalled).toEqual(["c", "b", "a"]);
  expect(linesOf(stage.entries).slice(-5)).toEqual([
    "rollback-started /undo",
    "effect-undone /undo/mail.send#3",
    "effect-undone /undo/mail.send#2",
    "effect-undone /undo/mail.send",
    "run-failed",
  ]);
  expect(await stage.ledger.listEffects({ states: ["settled"] })).toMatchObject([{ tool: "letter.send" }]);
});

test("without onFailure: undo what was done stays", verifies("D6"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toRecallable(office);
  const flow = plainFlow("keeps", (run) => sendAll(run, mail, ["a"]).then(fail));
  const tutti = await stage.open([flow]);
  await errorOf(tutti.run(flow, null));
  expect(office.recalled).toEqual([]);
});

test(
  "when a run is cancelled, what was done is undone, and the run is cancelled all the same",
  verifies("D6", "D11"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const mail = toRecallable(office);
    const flow = plainFlow("saga", (run) => sendAll(run, mail, ["a", "b"]).then(() => run.wait("never")), {
      onFailure: "undo",
    });
    const tutti = await stage.open([flow]);
    const run = await tutti.start(flow, null);
    await run.settled();
    await run.cancel("enough");
    expect(await errorOf(run.result())).toMatchObject({ code: "RUN_CANCELLED" });
    expect(await run.state()).toEqual({ kind: "cancelled", reason: "enough" });
    expect(office.recalled).toEqual(["b", "a"]);
  },
);

test("an undo is tried until it gets through, with its attempts in the ledger", verifies("D5", "D6"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  let tries = 0;
  const mail = toRecallable(office, {
    undo(_, { input }) {
      if (++tries < 4) throw new Error("nobody opens");
      office.recall(input.to);
    },
  });
  const flow = plainFlow("saga", (run) => sendAll(run, mail, ["a"]).then(fail), { onFailure: "undo" });
  const tutti = await stage.open([flow]);
  const failed = errorOf(tutti.run(flow, null));
  await stage.clock.advance(60_000);
  expect(await failed).toMatchObject({ code: "TOOL_FAILED" });
  expect(office.recalled).toEqual(["a"]);
  expect(bodiesOf(stage.entries, "attempt-failed").map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect(bodiesOf(stage.entries, "effect-undone")).toMatchObject([{ attempt: 4 }]);
});

test(
  "a crash in the middle of a rollback: the next engine undoes the rest, and nothing twice",
  verifies("D1", "D6"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    let lives = 0;
    const mail = toRecallable(office, {
      async undo(_, { input }) {
        if (lives === 1 && input.to === "b") await makeGate().opened;
        office.recall(input.to);
      },
    });
    const flow = plainFlow(
      "saga",
      async (run) => {
        lives++;
        await sendAll(run, mail, ["a", "b", "c"]);
        fail();
      },
      { onFailure: "undo" },
    );
    const first = await stage.open([flow]);
    await first.start(flow, null, { id: "r" });
    await until(() => office.recalled.length === 1);
    await takeTurns(20);
    const second = await stage.open([flow]);
    expect(await errorOf((await second.open("r")).result())).toMatchObject({ code: "TOOL_FAILED" });
    expect(office.recalled).toEqual(["c", "b", "a"]);
    expect(office.sent).toEqual(["a", "b", "c"]);
    expect(bodiesOf(stage.entries, "rollback-started")).toHaveLength(1);
    expect(bodiesOf(stage.entries, "effect-undone")).toHaveLength(3);
  },
);

test("siblings: undo takes back the group's effects and leaves those before it", verifies("C2", "D6"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toRecallable(office);
  const flow = plainFlow("group", async (run) => {
    await sendAll(run, mail, ["before"]);
    const error = await errorOf(
      run.all(
        {
          one: (branch) => sendAll(branch, mail, ["one"]),
          two: (branch) => sendAll(branch, mail, ["two", "three"]),
          bad: async (branch) => {
            await branch.sleep(1_000);
            fail();
          },
        },
        { siblings: "undo" },
      ),
    );
    await sendAll(run, mail, ["after"]);
    return error.code;
  });
  const tutti = await stage.open([flow]);
  const result = tutti.run(flow, null);
  await stage.clock.advance(2_000);
  expect(await result).toBe("TOOL_FAILED");
  expect(office.recalled.toSorted()).toEqual(["one", "three", "two"]);
  expect(office.recalled.indexOf("three")).toBeLessThan(office.recalled.indexOf("two"));
  expect(office.sent).toContain("after");
});

test("a rolled back group replays as it was after a crash", verifies("D2", "D6"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toRecallable(office);
  const flow = plainFlow("group", async (run) => {
    const error = await errorOf(
      run.all({ one: (branch) => sendAll(branch, mail, ["one"]).then(fail) }, { siblings: "undo" }),
    );
    return [error.code, await run.wait("go")];
  });
  const first = await stage.open([flow]);
  await (await first.start(flow, null, { id: "r" })).settled();
  await stage.ledger.flush();
  const second = await stage.open([flow]);
  const run = await second.open("r");
  await run.signal("go", "went");
  expect(await run.result()).toEqual(["TOOL_FAILED", "went"]);
  expect(office.recalled).toEqual(["one"]);
});

test("an effect still at work when the flow fails is waited for, and then undone", verifies("D3", "D6"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  const gate = makeGate();
  const mail = toRecallable(office, {
    async run({ to }, { idempotencyKey }) {
      await gate.opened;
      return office.send(to, idempotencyKey);
    },
  });
  let isCalled = false;
  const flow = plainFlow(
    "saga",
    (run) =>
      Promise.all([
        run.call(mail, { to: "slow" }),
        run.step("bad", () => {
          isCalled = true;
          fail();
        }),
      ]),
    { onFailure: "undo" },
  );
  const tutti = await stage.open([flow]);
  const failed = errorOf(tutti.run(flow, null));
  await until(() => isCalled);
  await takeTurns(20);
  expect(stage.entries.at(-1)?.kind).not.toBe("run-failed");
  gate.open();
  expect(await failed).toMatchObject({ code: "TOOL_FAILED" });
  expect(office.sent).toEqual(["slow"]);
  expect(office.recalled).toEqual(["slow"]);
});

interface Impossible {
  readonly stage: ReturnType<typeof openStage>;
  readonly office: PostOffice;
  readonly lame: Flow;
  readonly healed: Flow;
}

/** A flow whose undo does not work: it fails for good, or the tool that could do it is not known any more. */
function impossible(): Impossible {
  const stage = openStage();
  const office = openPostOffice();
  const toFlow = (change: Partial<MailDefinition>): Flow => {
    const mail = toRecallable(office, change);
    return plainFlow("saga", (run) => sendAll(run, mail, ["a", "b"]).then(fail), { onFailure: "undo" });
  };
  const lame = toFlow({
    undo: () => {
      throw new TuttiError("TOOL_FAILED", "it is already read");
    },
  });
  return { stage, office, lame, healed: toFlow({}) };
}

test(
  "an undo that fails for good parks the run; a resume with a better one goes on with the undo",
  verifies("D6", "D11"),
  async () => {
    const { stage, office, lame, healed } = impossible();
    const first = await stage.open([lame]);
    const run = await first.start(lame, null, { id: "r" });
    expect(await errorOf(run.result())).toMatchObject({ code: "UNDO_IMPOSSIBLE" });
    expect(await run.state()).toMatchObject({
      kind: "parked",
      error: { code: "UNDO_IMPOSSIBLE", message: expect.stringContaining("already read"), hint: expect.any(String) },
    });
    const second = await stage.open([healed]);
    const again = await second.open("r");
    expect((await again.state()).kind).toBe("parked");
    await again.resume();
    expect(await errorOf(again.result())).toMatchObject({ code: "TOOL_FAILED" });
    expect(office.recalled).toEqual(["b", "a"]);
  },
);

test(
  "an undo whose tool only a closed scope named is found among the engine's tools, or parks the run",
  verifies("D6"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const mail = toRecallable(office);
    const flow = plainFlow(
      "saga",
      async (run) => {
        await run.scope("inside", (inner) => inner.call(mail, { to: "a" }));
        await run.wait("go");
        fail();
      },
      { onFailure: "undo" },
    );
    const first = await stage.open([flow]);
    await (await first.start(flow, null, { id: "r" })).settled();
    await stage.ledger.flush();

    const second = await stage.open([flow]);
    const run = await second.open("r");
    await run.signal("go", null);
    expect(await errorOf(run.result())).toMatchObject({
      code: "UNDO_IMPOSSIBLE",
      message: expect.stringContaining("mail.send"),
    });
    expect(office.recalled).toEqual([]);

    const third = await stage.open([flow], { tools: [mail] });
    await (await third.open("r")).resume();
    expect(await errorOf((await third.open("r")).result())).toMatchObject({ code: "TOOL_FAILED" });
    expect(office.recalled).toEqual(["a"]);
  },
);
