import { expect, test } from "vitest";

import type { Amount, Budget } from "../../packages/tutti/src/contracts/budget.ts";
import { bodyOf } from "../../packages/tutti/src/contracts/entry.ts";
import { toRunId } from "../../packages/tutti/src/contracts/ids.ts";
import type { Ledger, NewEntry } from "../../packages/tutti/src/ledger/ledger.ts";
import { verifies } from "../verifies.ts";
import {
  keysOf,
  openForTest,
  startAndClaim,
  startLogs,
  toChange,
  toIntent,
  toSettled,
  toStep,
  type LedgerUnderTest,
} from "./ledger-fixture.ts";

/** Accounts: what is reserved and spent, decided where the entry is stored. */
export function describeBudgets(under: LedgerUnderTest): void {
  describeReserving(under);
  describeGranting(under);
  describeSettling(under);
  describeEnding(under);
  describeKeeping(under);
}

export function toReserve(key: string, amount: Amount, limits: Readonly<Record<string, Budget>>): NewEntry {
  const levels = Object.entries(limits).map(([account, limit]) => ({ account, limit }));
  return { kind: "budget-reserved", key, body: "", budget: { kind: "reserve", levels, amount } };
}

export function toSettle(key: string, actual?: Amount): NewEntry {
  const budget = { kind: "settle", by: "call", ...(actual === undefined ? {} : { actual }) } as const;
  return { kind: "budget-settled", key, body: "", budget };
}

const recorded = expect.objectContaining({ kind: "recorded" });
const ten = { "tenant/acme": { usd: 10 } };

async function amountsOf(ledger: Ledger, account = "tenant/acme"): Promise<unknown> {
  const [record] = await ledger.listAccounts({ under: account });
  return record === undefined ? "none" : [record.spent, record.reserved];
}

function describeReserving(under: LedgerUnderTest): void {
  test(
    "what fits on every account is reserved on all of them; what does not leaves nothing",
    verifies("G11"),
    async () => {
      const ledger = await openForTest(under);
      const [log] = await startLogs(ledger, 1);
      const limits = { "tenant/acme": { usd: 1 }, "flow/brief": { usd: 0.5, calls: 9 } };
      expect(await log?.append(toReserve("/a", { usd: 0.4, calls: 1 }, limits))).toEqual({
        kind: "recorded",
        seq: 2,
        lsn: 2,
        reserved: { usd: 0.4, calls: 1 },
      });
      expect(await log?.append(toReserve("/b", { usd: 0.2, calls: 1 }, limits))).toEqual({
        kind: "spent",
        shortage: { account: "flow/brief", unit: "usd", limit: 0.5, spent: 0, reserved: 0.4, asked: 0.2 },
      });
      expect(await log?.append(toReserve("/b", { usd: 0.1, calls: 1 }, limits))).toEqual(recorded);
      expect(await ledger.listAccounts()).toEqual([
        { account: "flow/brief", limit: { usd: 0.5, calls: 9 }, spent: {}, reserved: { usd: 0.5, calls: 2 } },
        { account: "tenant/acme", limit: { usd: 1 }, spent: {}, reserved: { usd: 0.5, calls: 2 } },
      ]);
      expect((await ledger.listAccounts({ under: "tenant/" })).length).toBe(1);
      expect((await ledger.listAccounts({ limit: 1 })).map((record) => record.account)).toEqual(["flow/brief"]);
      expect(await keysOf(ledger, toRunId("run-0"))).toEqual(["/a", "/b"]);
      const [, first] = await ledger.read(toRunId("run-0"));
      if (first?.kind !== "budget-reserved") throw new Error("a reservation is an entry");
      expect(bodyOf(first, first.kind)).toEqual({ amount: { usd: 0.4, calls: 1 }, budgets: limits });
    },
  );

  test("parallel reservations of many runs are decided one after the other", verifies("G11"), async () => {
    const ledger = await openForTest(under);
    const logs = await startLogs(ledger, 12);
    const answers = await Promise.all(logs.map((log) => log.append(toReserve("/a", { usd: 3 }, ten))));
    expect(answers.map((answer) => answer.kind)).toEqual([
      ...Array.from({ length: 3 }, () => "recorded"),
      ...Array.from({ length: 9 }, () => "spent"),
    ]);
    expect(await amountsOf(ledger)).toEqual([{}, { usd: 9 }]);
  });
}

function describeGranting(under: LedgerUnderTest): void {
  test(
    "sums of dollars are whole millionths: a hundred times a tenth of ten is all of it",
    verifies("G11"),
    async () => {
      const ledger = await openForTest(under);
      const [log] = await startLogs(ledger, 1);
      for (let index = 0; index < 100; index++) {
        expect(await log?.append(toReserve(`/a#${index}`, { usd: 0.1 }, ten))).toEqual(recorded);
      }
      expect(await log?.append(toReserve("/b", { usd: 0.000001 }, ten))).toMatchObject({ kind: "spent" });
      expect(await amountsOf(ledger)).toEqual([{}, { usd: 10 }]);
    },
  );

  test("of time, what is left is granted; none is refused", verifies("G11"), async () => {
    const ledger = await openForTest(under);
    const [log] = await startLogs(ledger, 1);
    const limits = { "agent/run-0/writer": { timeMs: 100 } };
    expect(await log?.append(toReserve("/a", { timeMs: 70 }, limits))).toMatchObject({ reserved: { timeMs: 70 } });
    expect(await log?.append(toReserve("/b", { timeMs: 70 }, limits))).toMatchObject({ reserved: { timeMs: 30 } });
    expect(await log?.append(toReserve("/c", { timeMs: 70 }, limits))).toMatchObject({
      kind: "spent",
      shortage: { unit: "timeMs", asked: 70 },
    });
  });

  test(
    "an intent reserves in its own transaction: taken or too dear, it leaves nothing",
    verifies("G11", "D3"),
    async () => {
      const ledger = await openForTest(under);
      const [left, right] = await startLogs(ledger, 2);
      const budget = {
        kind: "reserve",
        levels: [{ account: "tenant/acme", limit: { usd: 1 } }],
        amount: { usd: 1 },
      } as const;
      expect(await left?.append({ ...toIntent("/a"), budget })).toEqual(recorded);
      expect((await ledger.read(toRunId("run-0"))).map((entry) => entry.kind)).toEqual([
        "run-started",
        "budget-reserved",
        "effect-intended",
      ]);
      expect(await right?.append({ ...toIntent("/a"), budget })).toMatchObject({ kind: "taken" });
      await left?.append(toChange("a", "failed"));
      expect(await right?.append({ ...toIntent("/a"), budget: { ...budget, amount: { usd: 1.1 } } })).toMatchObject({
        kind: "spent",
      });
      expect(await ledger.read(toRunId("run-1"))).toHaveLength(1);
      expect(await right?.append(toIntent("/a"))).toEqual(recorded); // the key stayed free
    },
  );
}

function describeSettling(under: LedgerUnderTest): void {
  test("a call is settled at what it cost, once; the rest is free again", verifies("G11"), async () => {
    const ledger = await openForTest(under);
    const [log] = await startLogs(ledger, 1);
    await log?.append(toReserve("/a", { usd: 6, tokens: 100 }, ten));
    await log?.append(toSettle("/a", { usd: 2, tokens: 40 }));
    expect(await amountsOf(ledger)).toEqual([{ usd: 2, tokens: 40 }, {}]);
    await log?.append(toSettle("/a", { usd: 2, tokens: 40 }));
    await log?.append(toReserve("/b", { usd: 8 }, ten));
    await log?.append(toSettle("/b"));
    expect(await amountsOf(ledger)).toEqual([{ usd: 10, tokens: 40 }, {}]);
    const settled = (await ledger.read(toRunId("run-0"))).filter((entry) => entry.kind === "budget-settled");
    expect(settled.map((entry) => bodyOf(entry, "budget-settled").charged)).toEqual([
      { usd: 2, tokens: 40 },
      {},
      { usd: 8 },
    ]);
  });

  test(
    "the outcome of an effect settles what nobody settled: all if it happened, nothing if not",
    verifies("G11"),
    async () => {
      const ledger = await openForTest(under);
      const [log] = await startLogs(ledger, 1);
      const limits = [{ account: "tenant/acme", limit: { usd: 10 } }];
      const intend = (usd: number): Promise<unknown> | undefined =>
        log?.append({ ...toIntent("/a"), budget: { kind: "reserve", levels: limits, amount: { usd } } });
      await intend(1);
      await log?.append(toChange("a", "in-doubt"));
      expect(await amountsOf(ledger)).toEqual([{}, { usd: 1 }]);
      await log?.append(toChange("a", "intended"));
      expect(await amountsOf(ledger)).toEqual([{}, {}]);
      await intend(2);
      await log?.append(toChange("a", "failed"));
      expect(await amountsOf(ledger)).toEqual([{}, {}]);
      await intend(4);
      await log?.append(toSettled("/a"));
      expect(await amountsOf(ledger)).toEqual([{ usd: 4 }, {}]);
    },
  );
}

function describeEnding(under: LedgerUnderTest): void {
  test(
    "reserving again for a step whose call nobody heard of any more spends what it had reserved",
    verifies("G11"),
    async () => {
      const ledger = await openForTest(under);
      const [log] = await startLogs(ledger, 1);
      await log?.append(toReserve("/a", { usd: 4 }, ten));
      expect(await log?.append(toReserve("/a", { usd: 7 }, ten))).toMatchObject({ kind: "spent" });
      expect(await amountsOf(ledger)).toEqual([{}, { usd: 4 }]);
      await log?.append(toReserve("/a", { usd: 5 }, ten));
      expect(await amountsOf(ledger)).toEqual([{ usd: 4 }, { usd: 5 }]);
    },
  );

  test("the end of a run leaves nothing reserved, and counts what was open as spent", verifies("G11"), async () => {
    const ledger = await openForTest(under);
    const [left, right] = await startLogs(ledger, 2);
    await left?.append(toReserve("/a", { usd: 1 }, ten));
    await left?.append(toReserve("/b", { usd: 2 }, ten));
    await right?.append(toReserve("/a", { usd: 4 }, ten));
    const { log } = await startAndClaim(ledger, "run-0");
    await log.append({ kind: "run-cancelled", key: "", body: '{"reason":"no"}', status: "cancelled" });
    expect(await amountsOf(ledger)).toEqual([{ usd: 3 }, { usd: 4 }]);
    const entries = await ledger.read(toRunId("run-0"));
    expect(entries.slice(-3).map((entry) => `${entry.kind} ${entry.key}`)).toEqual([
      "budget-settled /a",
      "budget-settled /b",
      "run-cancelled ",
    ]);
  });

  test("an entry of a driver that lost its run changes no account", verifies("G11", "D1"), async () => {
    const ledger = await openForTest(under);
    const [late] = await startLogs(ledger, 1);
    await late?.append(toReserve("/a", { usd: 1 }, ten));
    await startAndClaim(ledger, "run-0");
    await expect(late?.append(toSettle("/a", {}))).rejects.toMatchObject({ code: "LEDGER_FENCED" });
    await expect(late?.append(toReserve("/b", { usd: 1 }, ten))).rejects.toMatchObject({ code: "LEDGER_FENCED" });
    expect(await amountsOf(ledger)).toEqual([{}, { usd: 1 }]);
  });
}

function describeKeeping(under: LedgerUnderTest): void {
  test("the last state of a name is kept, and costs no entry", verifies("D7"), async () => {
    const ledger = await openForTest(under);
    const [log] = await startLogs(ledger, 1);
    ledger.keep("limit:b", "one");
    ledger.keep("limit:a", "two");
    ledger.keep("limit:b", "three");
    await log?.append(toStep("a"));
    expect(await ledger.listKept()).toEqual([
      { name: "limit:a", state: "two" },
      { name: "limit:b", state: "three" },
    ]);
    expect(await ledger.scan(0, 100)).toHaveLength(2);
  });

  test("a ledger that is closed keeps nothing more, and says nothing", verifies("D7"), async () => {
    const ledger = await openForTest(under);
    await ledger.close();
    expect(() => ledger.keep("limit:a", "late")).not.toThrow();
  });
}
