import { spawnSync } from "node:child_process";
import path from "node:path";

import { expect, test } from "vitest";

import { readBytes } from "../../../../test/canary.ts";
import { anything, errorOf, makeLedgerFile, plainFlow } from "../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../test/verifies.ts";
import { toAuditFolder } from "../audit/audit-file.ts";
import { takeCheckpoint } from "../audit/take-checkpoint.ts";
import { readOwnNotes, verifyAudit } from "../audit/verify-audit.ts";
import { must } from "../base/assert.ts";
import { TuttiError } from "../base/errors.ts";
import { toStepKey } from "../contracts/ids.ts";
import type { Flow } from "../contracts/run.ts";
import { toRunTree } from "../insight/next-run-tree.ts";
import { whyOf, type Reason } from "../insight/why.ts";
import { verifyLedger } from "../ledger/verify.ts";
import { tool } from "../tools/tool.ts";
import { openTutti } from "./open-tutti.ts";
import type { Tutti } from "./tutti.ts";

/** Stands in everything that the runs below are given, make, say and fail with. */
const personal = "anna.bloom@example.com";
const large = `${personal} `.repeat(3_000);

const greet = tool({
  name: "mail.greet",
  does: "Writes a greeting.",
  input: anything,
  output: anything,
  effect: "once",
  guarantees: { costUsd: 0.01 },
  key: () => "greeting",
  scope: "run",
  run: () => ({ said: `dear ${personal}` }),
});

const child = plainFlow("child", (run) => run.step("inside", () => ({ inner: `${personal} inside` })));

const visit: Flow = plainFlow("visit", async (run) => {
  const found = await run.step("look-up", () => ({ address: personal, large }));
  run.note(`met ${personal}`, { about: personal });
  run.record("decision-made", { about: personal, chosen: "greet", why: `${personal} is kind` });
  await run.call(greet, { to: personal });
  await run
    .step("fail", () => {
      throw new TuttiError("TOOL_FAILED", `${personal} is away`, { hint: personal });
    })
    .catch(() => undefined);
  await run.child(child, { name: personal });
  const answer = await run.wait("answer");
  return { found, answer, thanks: `thanks, ${personal}` };
});

const flows = [visit, child];

async function withEngine<Result>(ledger: string, work: (tutti: Tutti) => Promise<Result>): Promise<Result> {
  const tutti = await openTutti({ flows, tools: [greet], ledger, control: false, durability: "process" });
  try {
    return await work(tutti);
  } finally {
    await tutti.close();
  }
}

/** A run about a subject, which is driven by two engines, one after the other, and a fork of it. */
async function visitFor(ledger: string, subject: string | undefined, id: string): Promise<unknown> {
  const options = { id, budget: { calls: 100, usd: 1 }, ...(subject === undefined ? {} : { subject }) };
  await withEngine(ledger, async (tutti) => {
    const handle = await tutti.start(visit, { name: personal }, options);
    await handle.signal("before", personal);
    expect(await handle.settled()).toMatchObject({ kind: "waiting" });
  });
  return withEngine(ledger, async (tutti) => {
    const handle = await tutti.open(id);
    await handle.signal("answer", { from: personal });
    const result = await handle.result();
    const fork = await handle.fork(toStepKey("/look-up"));
    await fork.signal("answer", "no");
    await fork.result();
    return result;
  });
}

function findPersonal(file: string): readonly string[] {
  return Object.entries(readBytes(path.dirname(file))).flatMap(([name, bytes]) =>
    Buffer.from(bytes, "latin1").includes(personal) ? [path.basename(name)] : [],
  );
}

function sentencesOf(reason: Reason): string {
  return [reason.sentence, ...reason.because.map(sentencesOf)].join("\n");
}

test("what a run about a person holds is found nowhere on disk, and replays as it was", verifies("G12"), async () => {
  const [sealed, plain] = [await makeLedgerFile(), await makeLedgerFile()];
  const expected = await visitFor(plain, undefined, "r1");
  expect(await visitFor(sealed, "customer-17", "r1")).toEqual(expected);
  expect(findPersonal(plain)).toContain("ledger.db"); // the search does find what is there
  expect(findPersonal(sealed)).toEqual([]);
});

test(
  "after an erasure the data is gone, and chain, checkpoints and both verifiers say that nothing was changed",
  verifies("G12", "G13"),
  async () => {
    const file = await makeLedgerFile();
    await visitFor(file, "customer-17", "r1");
    await visitFor(file, "customer-18", "r2");
    const { signal } = new AbortController();
    const folder = toAuditFolder(file);
    await withEngine(file, async (tutti) => {
      await takeCheckpoint({ ledger: tutti.ledger, folder, anchors: [], signal });
      const keys = must(tutti.ledger.personal, "this ledger seals").keys;
      const key = must(keys.find(keys.findId("customer-17") ?? ""), "a key was made");
      const keyOnDisk = (): readonly string[] =>
        Object.entries(readBytes(path.dirname(file))).flatMap(([name, bytes]) =>
          Buffer.from(bytes, "latin1").includes(key) || Buffer.from(bytes, "latin1").includes("customer-17")
            ? [path.basename(name)]
            : [],
        );
      expect(keyOnDisk()).toEqual(["ledger.db-subjects"]);
      await tutti.erase("customer-17", "dana");
      expect(keyOnDisk()).toEqual([]);
      expect(await verifyLedger(tutti.ledger)).toMatchObject({ kind: "intact" });
      const verified = await verifyAudit(tutti.ledger, readOwnNotes(folder), []);
      expect(verified).toMatchObject({ findings: [], unsigned: 2 }); // the run of erasures and the order
    });
    const verifier = path.resolve(import.meta.dirname, "../../../../tools/verify-ledger.mjs");
    expect(spawnSync(process.execPath, [verifier, file], { encoding: "utf8" })).toMatchObject({ status: 0 });
  },
);

test(
  "an erased run is told as one: shown, explained, and not replayed, forked or gone on with",
  verifies("G13"),
  async () => {
    const file = await makeLedgerFile();
    await visitFor(file, "customer-17", "r1");
    await visitFor(file, "customer-18", "r2");
    await withEngine(file, async (tutti) => {
      const open = await tutti.start(visit, { name: personal }, { id: "open", subject: "customer-17" });
      expect(await open.settled()).toMatchObject({ kind: "waiting" });
    });
    await withEngine(file, (tutti) => tutti.erase("customer-17", "dana"));
    await withEngine(file, async (tutti) => {
      const handle = await tutti.open("r1");
      const entries = await tutti.ledger.read(handle.id);
      expect(toRunTree(entries).root.children.map(({ path: step }) => step)).toContain("/look-up");
      expect(entries.map(({ body }) => body).join("\n")).not.toContain(personal);
      const told = sentencesOf(whyOf(entries));
      expect(told).toContain("The run of visit (version 1) is done: (erased).");
      expect(told).not.toContain(personal);
      expect(await errorOf(handle.result())).toMatchObject({ code: "DATA_ERASED" });
      expect(await errorOf(handle.fork(toStepKey("/look-up")))).toMatchObject({ code: "DATA_ERASED" });
      const other = await tutti.open("open");
      expect(await errorOf(other.signal("answer", 1))).toMatchObject({ code: "RUN_OVER" });
      expect(await errorOf(other.result())).toMatchObject({
        code: "RUN_CANCELLED",
        message: expect.stringContaining("the data of its subject was erased"),
      });
      expect(await (await tutti.open("r2")).result()).toMatchObject({ thanks: `thanks, ${personal}` });
      expect(await errorOf(tutti.erase("customer-17", "dana"))).toMatchObject({ code: "INPUT_INVALID" });
      const order = (await tutti.ledger.scan(0, 1_000)).find(({ kind }) => kind === "erasure-ordered");
      expect(JSON.parse(order?.body ?? "")).toEqual({ key: expect.stringMatching(/^[0-9a-f]{16}$/u), by: "dana" });
    });
  },
);

test("who waits for an open run of an erased subject is told that it was cancelled", async () => {
  const file = await makeLedgerFile();
  await withEngine(file, async (tutti) => {
    const handle = await tutti.start(visit, { name: personal }, { subject: "customer-17" });
    expect(await handle.settled()).toMatchObject({ kind: "waiting" });
    const result = errorOf(handle.result());
    await tutti.erase("customer-17", "dana");
    expect(await result).toMatchObject({ code: "RUN_CANCELLED" });
    expect(await handle.state()).toMatchObject({ kind: "cancelled" });
  });
});

test("a ledger that can't seal says so instead of storing a person's data open", async () => {
  const { openMemoryLedger } = await import("../ledger/memory/memory-ledger.ts");
  const { systemClock } = await import("../base/clock.ts");
  const tutti = await openTutti({ flows, ledger: openMemoryLedger({ clock: systemClock }) });
  expect(await errorOf(tutti.start(visit, {}, { subject: "customer-17" }))).toMatchObject({ code: "CONFIG_INVALID" });
  await tutti.close();
});
