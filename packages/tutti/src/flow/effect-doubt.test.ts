import { expect, test } from "vitest";

import {
  anything,
  bodiesOf,
  errorOf,
  linesOf,
  makeGate,
  openStage,
  plainFlow,
  type Stage,
  until,
} from "../../../../test/engine/engine-fixture.ts";
import {
  type MailDefinition,
  openPostOffice,
  type PostOffice,
  toMailTool,
} from "../../../../test/engine/world-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { TuttiError } from "../base/errors.ts";
import { toEffectKey } from "../contracts/ids.ts";
import type { Flow } from "../contracts/run.ts";
import type { RunHandle, Tutti } from "../engine/tutti.ts";
import { signal } from "./flow.ts";

const key = toEffectKey("mail.send:anna");

interface Crashed {
  readonly stage: Stage;
  readonly office: PostOffice;
  readonly flow: Flow;
}

/** A run whose process died while its tool was at work: before or after the mail had left. The second life's tool works. */
async function crash(
  when: "before" | "after",
  toChange: (office: PostOffice) => Partial<MailDefinition> = () => ({}),
): Promise<Crashed> {
  const stage = openStage();
  const office = openPostOffice();
  let calls = 0;
  const mail = toMailTool(office, {
    async run({ to }, { idempotencyKey }) {
      const isFirst = ++calls === 1;
      if (isFirst && when === "before") await makeGate().opened;
      const receipt = office.send(to, idempotencyKey);
      if (isFirst) await makeGate().opened;
      return receipt;
    },
    ...toChange(office),
  });
  const flow = plainFlow("post", (run) => run.call(mail, { to: "anna" }));
  const tutti = await stage.open([flow]);
  await tutti.start(flow, null, { id: "r" });
  await until(() => calls === 1);
  return { stage, office, flow };
}

async function recover({ stage, flow }: Crashed): Promise<{ readonly tutti: Tutti; readonly run: RunHandle }> {
  const tutti = await stage.open([flow]);
  return { tutti, run: await tutti.open("r") };
}

/** Until the doubt is on disk. */
async function comeInDoubt(stage: Stage, run: RunHandle): Promise<void> {
  expect((await run.settled()).kind).toBe("in-doubt");
  await stage.ledger.flush();
}

const receipt = { receipt: "receipt of anna" };

test(
  "a crash while a tool without a check was at work leaves the effect in doubt; the tool is never called again",
  verifies("D3"),
  async () => {
    const crashed = await crash("after");
    for (let life = 2; life <= 4; life++) {
      const { tutti, run } = await recover(crashed);
      await comeInDoubt(crashed.stage, run);
      expect(await tutti.inDoubt()).toMatchObject([{ key, run: "r", tool: "mail.send", state: "in-doubt" }]);
    }
    expect(crashed.office.sent).toEqual(["anna"]);
    expect(bodiesOf(crashed.stage.entries, "effect-in-doubt")).toEqual([
      { effect: key, why: expect.stringContaining("died") },
    ]);
  },
);

test("a check that finds the effect done gives its output; the tool is not called again", verifies("D3"), async () => {
  const crashed = await crash("after", (office) => ({ check: ({ to }) => office.receiptOf(to) }));
  const { run } = await recover(crashed);
  expect(await run.result()).toEqual(receipt);
  expect(crashed.office.sent).toEqual(["anna"]);
  expect(bodiesOf(crashed.stage.entries, "effect-settled")).toEqual([{ effect: key, by: "check", out: receipt }]);
});

test("a check that finds the effect not done has it intended anew and done, once", verifies("D3"), async () => {
  const crashed = await crash("before", (office) => ({ check: ({ to }) => office.receiptOf(to) }));
  const { run } = await recover(crashed);
  expect(await run.result()).toEqual(receipt);
  expect(crashed.office.sent).toEqual(["anna"]);
  expect(linesOf(crashed.stage.entries)).toEqual([
    "run-started",
    "effect-intended /mail.send",
    "effect-resolved /mail.send",
    "effect-intended /mail.send",
    "effect-settled /mail.send",
    "run-done",
  ]);
});

test("a check that throws can't tell: a person is asked and is told why", verifies("D3"), async () => {
  const crashed = await crash("after", () => ({
    check: () => {
      throw new Error("the post office is closed");
    },
  }));
  const { run } = await recover(crashed);
  await comeInDoubt(crashed.stage, run);
  expect(bodiesOf(crashed.stage.entries, "effect-in-doubt")).toMatchObject([
    { why: expect.stringContaining("the post office is closed") },
  ]);
  expect(crashed.office.sent).toEqual(["anna"]);
});

test("a check that never answers can't tell either: the run does not hang on it", verifies("D3"), async () => {
  let isAsked = false;
  const crashed = await crash("after", () => ({
    check: () => {
      isAsked = true;
      return makeGate().opened.then(() => undefined);
    },
  }));
  const { run } = await recover(crashed);
  await until(() => isAsked);
  await crashed.stage.clock.advance(60_000);
  await comeInDoubt(crashed.stage, run);
  expect(bodiesOf(crashed.stage.entries, "effect-in-doubt")).toMatchObject([
    { why: expect.stringContaining("did not answer in 60000 ms") },
  ]);
});

test("an idempotent tool is called again under its key after a crash", verifies("D3"), async () => {
  const crashed = await crash("after", () => ({ effect: "idempotent" }));
  const { run } = await recover(crashed);
  expect(await run.result()).toEqual(receipt);
  expect(crashed.office.keys).toEqual([key, key]);
});

test("a clean failure after a crash does not mean that nothing had happened", verifies("D3"), async () => {
  const stage = openStage();
  const office = openPostOffice();
  let calls = 0;
  const mail = toMailTool(office, {
    effect: "idempotent",
    async run({ to }, { idempotencyKey }) {
      if (++calls > 1) throw new TuttiError("TOOL_FAILED", "the post office is closed");
      const receiptOf = office.send(to, idempotencyKey);
      await makeGate().opened;
      return receiptOf;
    },
  });
  const flow = plainFlow("post", (run) => run.call(mail, { to: "anna" }));
  await (await stage.open([flow])).start(flow, null, { id: "r" });
  await until(() => office.sent.length === 1);
  const next = await stage.open([flow]);
  await comeInDoubt(stage, await next.open("r"));
  expect(linesOf(stage.entries)).not.toContain("effect-failed /mail.send");
});

test("who is told of a doubt can settle it at once", verifies("D3", "D10"), async () => {
  const { tutti, run } = await recover(await crash("after"));
  expect(await run.settled()).toMatchObject({ kind: "in-doubt", effects: [{ key, state: "in-doubt" }] });
  expect(await tutti.inDoubt()).toMatchObject([{ key }]);
  await tutti.settle(key, { kind: "done", output: receipt, by: "anna" });
  expect(await run.result()).toEqual(receipt);
});

test("a person says that it was done and what it returned; the run goes on with that", verifies("D3"), async () => {
  const crashed = await crash("after");
  const { tutti, run } = await recover(crashed);
  await comeInDoubt(crashed.stage, run);
  await tutti.settle(key, { kind: "done", output: { receipt: "found on paper" }, by: "anna", note: "saw it" });
  expect(await run.result()).toEqual({ receipt: "found on paper" });
  expect(bodiesOf(crashed.stage.entries, "effect-settled")).toMatchObject([{ by: "person", note: "by anna: saw it" }]);
  expect(crashed.office.sent).toEqual(["anna"]);
  expect(await tutti.inDoubt()).toEqual([]);
});

test("a person says that it was not done; it is intended anew and done", verifies("D3"), async () => {
  const crashed = await crash("before");
  const { tutti, run } = await recover(crashed);
  await comeInDoubt(crashed.stage, run);
  await tutti.settle(key, { kind: "not-done", by: "anna" });
  expect(await run.result()).toEqual(receipt);
  expect(crashed.office.sent).toEqual(["anna"]);
  expect(bodiesOf(crashed.stage.entries, "effect-intended")).toHaveLength(2);
});

test(
  "a verdict is taken before the run has been let go, after it, and by an engine that can't drive it",
  verifies("D3"),
  async () => {
    for (const place of ["let go", "unknown flow"] as const) {
      const crashed = await crash("after");
      const { tutti, run } = await recover(crashed);
      await comeInDoubt(crashed.stage, run);
      await crashed.stage.clock.advance(1_000);
      expect((await crashed.stage.ledger.listRuns({}))[0]?.status).toBe("in-doubt");
      const teller = place === "let go" ? tutti : await crashed.stage.open([]);
      await teller.settle(key, { kind: "done", output: receipt, by: "anna" });
      const last = await crashed.stage.open([crashed.flow]);
      expect(await (await last.open("r")).result()).toEqual(receipt);
      expect(crashed.office.sent).toEqual(["anna"]);
    }
  },
);

test("only an effect that is in doubt can be settled", verifies("D3"), async () => {
  const crashed = await crash("after", (office) => ({ check: ({ to }) => office.receiptOf(to) }));
  const { tutti, run } = await recover(crashed);
  await run.result();
  const verdict = { kind: "not-done", by: "anna" } as const;
  expect(await errorOf(tutti.settle(key, verdict))).toMatchObject({ code: "EFFECT_UNKNOWN", facts: { effect: key } });
  expect(await errorOf(tutti.settle(toEffectKey("mail.send:nobody"), verdict))).toMatchObject({
    code: "EFFECT_UNKNOWN",
  });
});

interface Played {
  readonly stage: Stage;
  readonly office: PostOffice;
  readonly run: RunHandle;
  readonly tutti: Tutti;
}

async function play(toChange: (office: PostOffice) => Partial<MailDefinition>): Promise<Played> {
  const stage = openStage();
  const office = openPostOffice();
  const mail = toMailTool(office, toChange(office));
  const flow = plainFlow("post", (run) => run.call(mail, { to: "anna" }));
  const tutti = await stage.open([flow]);
  return { stage, office, tutti, run: await tutti.start(flow, null, { id: "r" }) };
}

test(
  "a verdict that comes while the check of a run that was taken up again has the answer is refused, and leaves the key free",
  verifies("D3"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const check = makeGate();
    let checks = 0;
    let calls = 0;
    const mail = toMailTool(office, {
      run: ({ to }, { idempotencyKey }) => {
        if (++calls === 1) throw new Error("the connection broke");
        return office.send(to, idempotencyKey);
      },
      async check() {
        if (++checks === 1) throw new Error("nobody there");
        await check.opened;
        return undefined;
      },
    });
    const again = signal({ name: "again", payload: anything });
    const flow = plainFlow("post", async (run) => {
      const first = await run.call(mail, { to: "anna" }).catch(() => undefined);
      if (first !== undefined) return first;
      await run.wait(again);
      return run.call(mail, { to: "anna" });
    });
    const tutti = await stage.open([flow], { evictAfterMs: 1 });
    const run = await tutti.start(flow, null, { id: "r" });
    await comeInDoubt(stage, run);
    await stage.clock.advance(10);
    const verdict = tutti.settle(key, { kind: "not-done", by: "ops" });
    await until(() => checks === 2);
    check.open();
    expect(await errorOf(verdict)).toMatchObject({ code: "EFFECT_UNKNOWN" });
    await run.signal(again, null);
    expect(await run.result()).toEqual(receipt);
    expect(office.sent).toHaveLength(1);
  },
);

test("what a tool throws and nobody knows is a doubt: it is not tried again", verifies("D3", "D5"), async () => {
  let calls = 0;
  const { stage, run, tutti } = await play(() => ({
    retry: { attemptsMax: 5 },
    run: () => {
      calls++;
      throw new Error("the line went dead");
    },
  }));
  await comeInDoubt(stage, run);
  expect(calls).toBe(1);
  expect(bodiesOf(stage.entries, "effect-in-doubt")).toMatchObject([
    { why: expect.stringContaining("the line went dead"), error: { code: "STEP_FAILED" } },
  ]);
  await tutti.settle(key, { kind: "not-done", by: "anna" });
  expect(await errorOf(run.result())).toMatchObject({ code: "STEP_FAILED" });
  expect(calls).toBe(1);
});

test("an unknown error of a tool with a check is resolved by asking it, either way", verifies("D3"), async () => {
  const thrownAfter = await play((office) => ({
    check: ({ to }) => office.receiptOf(to),
    run: ({ to }, { idempotencyKey }) => {
      office.send(to, idempotencyKey);
      throw new Error("the line went dead");
    },
  }));
  expect(await thrownAfter.run.result()).toEqual(receipt);
  const thrownBefore = await play((office) => ({
    check: ({ to }) => office.receiptOf(to),
    run: () => {
      throw new Error("the line went dead");
    },
  }));
  expect(await errorOf(thrownBefore.run.result())).toMatchObject({ code: "STEP_FAILED" });
  expect(linesOf(thrownBefore.stage.entries)).toEqual([
    "run-started",
    "effect-intended /mail.send",
    "effect-failed /mail.send",
    "run-failed",
  ]);
});

test("an error that says that nothing happened is a clean failure, with no doubt", verifies("D3", "K4"), async () => {
  const { stage, run, tutti } = await play(() => ({
    run: () => {
      throw new TuttiError("TOOL_FAILED", "no such address");
    },
  }));
  expect(await errorOf(run.result())).toMatchObject({ code: "TOOL_FAILED", effect: "none" });
  expect(bodiesOf(stage.entries, "effect-failed")).toHaveLength(1);
  expect(await tutti.inDoubt()).toEqual([]);
});

test(
  "each dispatch of a `once` tool has an intent of its own, so that a crash in the second try is in doubt",
  verifies("D3", "D5"),
  async () => {
    let calls = 0;
    const { stage, run } = await play(() => ({
      retry: { attemptsMax: 3, delayMs: 1_000 },
      async run() {
        if (++calls === 1) throw new TuttiError("TOOL_UNAVAILABLE", "busy");
        return makeGate().opened.then(() => ({ receipt: "never" }));
      },
    }));
    await until(() => stage.entries.some((entry) => entry.kind === "attempt-failed"));
    await stage.clock.advance(1_000);
    await until(() => calls === 2);
    expect(linesOf(stage.entries)).toEqual([
      "run-started",
      "effect-intended /mail.send",
      "attempt-failed /mail.send",
      "effect-intended /mail.send",
    ]);
    expect((await run.state()).kind).toBe("running");
  },
);

test(
  "a crash between two tries of a `once` tool is no doubt: the pause and the count go on",
  verifies("D3", "D5"),
  async () => {
    const stage = openStage();
    const office = openPostOffice();
    const attempts: number[] = [];
    const mail = toMailTool(office, {
      retry: { attemptsMax: 3, delayMs: 1_000 },
      run({ to }, { idempotencyKey, attempt }) {
        attempts.push(attempt);
        if (attempt < 3) throw new TuttiError("TOOL_UNAVAILABLE", "busy");
        return office.send(to, idempotencyKey);
      },
    });
    const flow = plainFlow("post", (run) => run.call(mail, { to: "anna" }));
    const first = await stage.open([flow]);
    await first.start(flow, null, { id: "r" });
    await until(() => stage.entries.some((entry) => entry.kind === "attempt-failed"));
    const second = await stage.open([flow]);
    const result = (await second.open("r")).result();
    await stage.clock.advance(60_000);
    expect((await second.runs())[0]?.status).toBe("done");
    expect(await result).toEqual(receipt);
    expect(attempts).toEqual([1, 2, 3]);
    expect(office.sent).toEqual(["anna"]);
  },
);
