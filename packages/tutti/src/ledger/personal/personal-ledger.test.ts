import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";

import { describeLedger } from "../../../../../test/ledger/ledger-conformance.ts";
import {
  codeOf,
  createSettableClock,
  toNewRun,
  toStep,
  toStepWithBlob,
} from "../../../../../test/ledger/ledger-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { must } from "../../base/assert.ts";
import { sha256 } from "../../base/hash.ts";
import { watchSecret } from "../../base/known-secrets.ts";
import { toRunId } from "../../contracts/ids.ts";
import { storedOf, type Ledger } from "../ledger.ts";
import { verifyLedger } from "../verify.ts";
import { openPersonalSqliteLedger } from "./open-personal-ledger.ts";

let folder = "";
let files = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tutti-personal-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const open = (options: Parameters<typeof openPersonalSqliteLedger>[1]): Promise<Ledger> =>
  openPersonalSqliteLedger(join(folder, `${(files += 1)}.db`), { ...options, durability: "process" });

describeLedger("ledger with keys of subjects", { durability: "process", open });

test("a secret is refused before it is sealed, where nobody could see it", verifies("G10"), async () => {
  const ledger = await open({ clock: createSettableClock() });
  onTestFinished(() => ledger.close());
  const personal = must(ledger.personal, "this ledger seals").keys.provide("customer-17");
  watchSecret("crm", "canary-behind-the-seal");
  const body = { flow: "brief", version: "1", personal };
  const started = await ledger.start(toNewRun("r1", { body: JSON.stringify(body) }));
  if (started.kind === "exists") throw new Error("the ledger was new");
  expect(await codeOf(started.claim.log.append(toStep("canary-behind-the-seal")))).toBe("SECRET_EXPOSED");
  const exposing = JSON.stringify({ ...body, input: "canary-behind-the-seal" });
  expect(await codeOf(ledger.start(toNewRun("r2", { body: exposing })))).toBe("SECRET_EXPOSED");
});

test(
  "a sealed run is read open, stored sealed, listened to open, and chained over what is stored",
  verifies("G12"),
  async () => {
    const heard: string[] = [];
    const ledger = await open({ clock: createSettableClock(), onEntry: ({ body }) => heard.push(body) });
    onTestFinished(() => ledger.close());
    const { keys } = must(ledger.personal, "this ledger seals");
    const personal = keys.provide("customer-17");
    const body = JSON.stringify({ flow: "brief", version: "1", input: "anna", personal });
    const started = await ledger.start(toNewRun("r1", { body }));
    if (started.kind === "exists") throw new Error("the ledger was new");
    const { log } = started.claim;
    await log.append(toStep("anna"));
    await log.append(toStepWithBlob("large", "anna ".repeat(10)));
    await log.append(toStepWithBlob("again", "anna ".repeat(10)));
    await log.append({
      ...toStep("starts"),
      starts: toNewRun("r2", { body: JSON.stringify({ flow: "brief", version: "1", input: "anna" }) }),
    });
    const stored = await storedOf(ledger).scan(0, 100);
    expect(
      stored
        .map((entry) => entry.body)
        .join("\n")
        .replaceAll('"/anna"', ""),
    ).not.toContain("anna");
    const [first, step, large, again, , child] = await ledger.scan(0, 100);
    expect([first, step, child].map((entry) => entry?.body.includes("anna"))).toEqual([true, true, true]);
    expect(heard.slice(0, 2)).toEqual([first?.body, step?.body]);
    expect(large?.body).toBe(again?.body); // one blob
    const hash = /[0-9a-f]{64}/u.exec(large?.body ?? "")?.[0] ?? "";
    expect(await ledger.readBlob(hash)).toBe("anna ".repeat(10));
    expect(sha256((await storedOf(ledger).readBlob(hash)) ?? "")).toBe(hash);
    expect(await verifyLedger(ledger)).toMatchObject({ kind: "intact", runs: 2 });
    keys.destroy(personal);
    expect(await ledger.readBlob(hash)).toBe('"(erased)"');
    expect(await codeOf(ledger.claim(toRunId("r1")))).toBe("DATA_ERASED");
    const together = await ledger.claimTogether([toRunId("r1"), toRunId("r2")], () => true);
    const refused = { kind: "refused", error: { code: "DATA_ERASED" } };
    expect(together).toMatchObject([refused, refused]);
    expect(await codeOf(ledger.start(toNewRun("r3", { body })))).toBe("DATA_ERASED");
    expect(await verifyLedger(ledger)).toMatchObject({ kind: "intact", runs: 2 });
  },
);
