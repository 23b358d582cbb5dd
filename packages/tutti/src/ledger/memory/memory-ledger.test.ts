import { expect, test } from "vitest";

import { describeLedger } from "../../../../../test/ledger/ledger-conformance.ts";
import { createSettableClock, startAndClaim, toStep } from "../../../../../test/ledger/ledger-fixture.ts";
import { openMemoryLedger } from "./memory-ledger.ts";

describeLedger("memory ledger, power", { durability: "power", open: async (options) => openMemoryLedger(options) });
describeLedger("memory ledger, process", {
  durability: "process",
  open: async (options) => openMemoryLedger({ ...options, durability: "process" }),
});

test("a sync can be made to take as long as a disk would, on the given clock", async () => {
  const wakes: (() => void)[] = [];
  const clock = { ...createSettableClock(), after: (_: number, wake: () => void) => (wakes.push(wake), () => {}) };
  const ledger = openMemoryLedger({ clock, delayMs: 20 });
  const turn = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const wake of wakes.splice(0)) wake();
  };
  const claimed = startAndClaim(ledger, "run");
  await turn();
  const { log } = await claimed;
  let isAcknowledged = false;
  const appended = log.append(toStep("a")).then(() => (isAcknowledged = true));
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(isAcknowledged).toBe(false);
  await turn();
  await appended;
});
