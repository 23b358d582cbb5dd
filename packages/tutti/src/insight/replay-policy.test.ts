import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { errorOf } from "../../../../test/engine/engine-fixture.ts";
import { recordDecisions } from "../../../../test/policy/recorded-decisions.ts";
import { toRequest } from "../../../../test/policy/requests.ts";
import { verifies } from "../../../../test/verifies.ts";
import { systemClock } from "../base/clock.ts";
import { sha256 } from "../base/hash.ts";
import type { PolicyRequest } from "../contracts/policy.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { openSqliteLedger } from "../ledger/sqlite/sqlite-ledger.ts";
import { defaultPolicy } from "../policy/default-policy.ts";
import { policy } from "../policy/policy.ts";
import { replayPolicy } from "./replay-policy.ts";

let folder: string;
let ledger: Ledger;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "tutti-replay-"));
  ledger = await openSqliteLedger(path.join(folder, "ledger.db"), { clock: systemClock, durability: "process" });
});
afterEach(async () => {
  await ledger.close();
  rmSync(folder, { recursive: true });
});

/** Every third pays, every third looks, every third writes; what is paid grows. */
const toPast = (count: number): readonly PolicyRequest[] =>
  Array.from({ length: count }, (_, at) => {
    if (at % 3 === 0) return toRequest({ resource: { name: "bank.pay" }, context: { costCents: at } });
    return at % 3 === 1 ? toRequest({ resource: { effect: "read" } }) : toRequest({ action: "write-document" });
  });

test(
  "a changed policy is replayed over 12,000 recorded decisions, page by page: what it would have decided otherwise, and which rules never fired",
  verifies("G3"),
  async () => {
    await recordDecisions(ledger, defaultPolicy, { requests: toPast(12_000) });
    const changed = await policy({
      name: "changed",
      cedar: `
@id("small") permit(principal, action == Tutti::Action::"call-tool", resource) when { context has costCents && context.costCents < 6000 };
@id("ask") @approvals("2") permit(principal, action == Tutti::Action::"call-tool", resource) when { context has costCents };
@id("reads") permit(principal, action == Tutti::Action::"call-tool", resource) when { resource.effect == "read" };
@id("frozen") @says("Nothing is written.") forbid(principal, action == Tutti::Action::"write-document", resource);
@id("idle") permit(principal, action == Tutti::Action::"send", resource);`,
    });
    const pages: number[] = [];
    const watched = {
      scan: async (after: number, limit: number) => {
        const page = await ledger.scan(after, limit);
        pages.push(page.length);
        return page;
      },
      readBlob: (hash: string) => ledger.readBlob(hash),
    };
    const found = await replayPolicy(watched, changed);
    expect(found).toMatchObject({
      decisions: 12_000,
      same: 4_000,
      changes: { "needs → allow": 2_000, "needs → needs": 2_000, "allow → deny": 4_000 },
      firings: { small: 2_000, ask: 2_000, reads: 4_000, frozen: 4_000, idle: 0 },
    });
    expect(found.differences).toHaveLength(20);
    expect(found.differences[1]).toMatchObject({
      run: "run-1",
      step: "/step#3",
      recorded: { kind: "allow", rules: ["writing-inside"] },
      now: { kind: "deny", rules: ["frozen"], why: "Nothing is written." },
      policy: { name: "default", version: defaultPolicy.version },
    });
    expect(Math.max(...pages)).toBeLessThanOrEqual(1_000);
    expect(pages.length).toBeGreaterThan(12);
  },
);

test("the policy that decided decides the same again", verifies("G3"), async () => {
  await recordDecisions(ledger, defaultPolicy, { requests: toPast(100) });
  expect(await replayPolicy(ledger, defaultPolicy)).toMatchObject({
    decisions: 100,
    same: 100,
    changes: {},
    differences: [],
  });
  expect(await replayPolicy(ledger, defaultPolicy, { differencesMax: 0 })).toMatchObject({ decisions: 100 });
});

test("a large input, which is stored apart, is seen by the rules; if it is gone, that is said", async () => {
  const note = "x".repeat(100);
  const input = JSON.stringify({ note });
  const capped = await policy({
    name: "capped",
    cedar: `@id("no-notes") @input("note: String") forbid(principal, action, resource) when { context.input has note };`,
  });
  const inputRef = { hash: sha256(input), bytes: input.length };
  await recordDecisions(ledger, capped, {
    requests: [toRequest()],
    inputRef,
    blobs: [{ hash: inputRef.hash, content: input }],
  });
  expect(await replayPolicy(ledger, capped)).toMatchObject({ firings: { "no-notes": 1 } });
  const gone = { scan: ledger.scan.bind(ledger), readBlob: () => Promise.resolve(undefined) };
  expect(await errorOf(replayPolicy(gone, capped))).toMatchObject({ code: "LEDGER_CORRUPT" });
});

test("a replay that is aborted ends at the next page", async () => {
  await recordDecisions(ledger, defaultPolicy, { requests: toPast(3) });
  const stopped = AbortSignal.abort(new Error("enough"));
  await expect(replayPolicy(ledger, defaultPolicy, { signal: stopped })).rejects.toThrow("enough");
});
