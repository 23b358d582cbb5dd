import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";

import { systemClock } from "../base/clock.ts";
import { toRunId } from "../contracts/ids.ts";
import type { Ledger, NewEntry } from "../ledger/ledger.ts";
import { openMemoryLedger } from "../ledger/memory/memory-ledger.ts";
import { openFleet, type Fleet } from "./fleet/fleet.ts";
import { applyToScore, emptyScore } from "./score/score-state.ts";
import { viewChanges, viewPhase, viewScore } from "./score/score-view.ts";
import { openScores } from "./score/scores.ts";

const usage = { modelCalls: 1, inputTokens: 100, outputTokens: 10, costUsd: 0.25 };
const error = { code: "TOOL_FAILED", message: "no" };

const word = fc.constantFrom("a", "b", "c");
const path = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => `/${words.join("/")}`);

/** Entries as they may follow each other, however little sense the whole makes: a projection takes what the ledger has. */
const anyEntry: fc.Arbitrary<NewEntry> = fc.oneof(
  path.map((key) => toEntry("step-done", key, { out: 1, call: "web.search" })),
  path.map((key) => toEntry("step-done", `${key}/model`, { out: { text: "x", toolCalls: [], usage, model: "m" } })),
  path.map((key) => toEntry("step-failed", key, { error, call: "web.search" })),
  path.map((key) => toEntry("attempt-failed", key, { error: { ...error, facts: usage }, attempt: 1, nextAt: 5 })),
  path.map((key) => toEntry("agent-started", key, { agent: `agent-${key.at(-1)}`, version: "2", uses: ["/a"] })),
  path.map((key) =>
    toEntry("scope-closed", key, {
      agent: `agent-${key.at(-1)}@2`,
      usage,
      confidence: { value: 0.5, source: "check" },
    }),
  ),
  path.map((key) => toEntry("scope-closed", key, { error })),
  path.map((key) => toEntry("effect-in-doubt", key, { effect: `e${key}`, why: "lost" })),
  path.map((key) => toEntry("effect-settled", key, { effect: `e${key}`, by: "person" })),
  path.map((key) => toEntry("effect-intended", key, { effect: `e${key}`, tool: "t", class: "once", digest: "d" })),
  path.map((key) =>
    toEntry("message-sent", `${key}/message-sent`, { from: "a", to: "b", intent: "i", bytes: 1, readBy: "/a/b" }),
  ),
  path.map((key) => toEntry("note-written", `${key}/note`, { text: "so" })),
  path.map((key) =>
    toEntry("document-committed", key, { reads: {}, writes: [{ document: "stock/x", version: 1, value: 1 }] }),
  ),
  fc.constant(toEntry("run-paused", "", { by: "anna" })),
  fc.constant(toEntry("run-resumed", "", { by: "anna" })),
);

function toEntry(kind: NewEntry["kind"], key: string, body: object): NewEntry {
  return { kind, key, body: JSON.stringify(body) };
}

const anyRun = fc.record({
  tenant: fc.constantFrom(undefined, "acme", "other"),
  entries: fc.array(anyEntry, { maxLength: 25 }),
  end: fc.constantFrom("run-done", "run-failed", undefined),
});

async function write(
  ledger: Ledger,
  id: string,
  run: typeof anyRun extends fc.Arbitrary<infer Run> ? Run : never,
): Promise<void> {
  const body = JSON.stringify({ flow: "f", version: "1", ...(run.tenant === undefined ? {} : { tenant: run.tenant }) });
  const started = await ledger.start({ id: toRunId(id), flow: "f", version: "1", body });
  if (started.kind !== "started") return;
  for (const entry of run.entries) await started.claim.log.append(entry);
  if (run.end === "run-done") await started.claim.log.append({ ...toEntry("run-done", "", {}), status: "done" });
  if (run.end === "run-failed")
    await started.claim.log.append({ ...toEntry("run-failed", "", { error }), status: "failed" });
}

async function look(fleet: Fleet): Promise<unknown> {
  const { runs, tallies, documents, handOffs, lsn, hash } = await fleet.catchUp();
  const shown = await fleet.listRuns({ limit: 200 });
  const callables = await fleet.listCallables("acme");
  return structuredClone({ runs, tallies, documents, handOffs, lsn, hash, shown, callables });
}

test("what was built entry by entry, from a snapshot or at once is the same", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tutti-fleet-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyRun, { minLength: 1, maxLength: 5 }), async (runs) => {
      const ledger = openMemoryLedger({ clock: systemClock });
      const snapshotFile = join(folder, String(count++));
      let followed = await openFleet(ledger, { snapshotFile });
      for (const [index, run] of runs.entries()) {
        await write(ledger, `run-${index}`, run);
        await followed.catchUp();
        if (index % 2 === 0) continue;
        await followed.close();
        followed = await openFleet(ledger, { snapshotFile });
      }
      expect(await look(followed)).toEqual(await look(await openFleet(ledger)));
      await ledger.close();
    }),
    { numRuns: 60 },
  );
});

test("a score that followed its run is the one that is built at once; what was drawn never moves", async () => {
  await fc.assert(
    fc.asyncProperty(anyRun, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), async (run, steps) => {
      const ledger = openMemoryLedger({ clock: systemClock });
      await write(ledger, "run", run);
      const entries = await ledger.read(toRunId("run"));
      const followed = emptyScore();
      const places = new Map<string, number>();
      for (let from = 0, turn = 0; from < entries.length; turn++) {
        const until = from + (steps[turn % steps.length] ?? 1);
        applyToScore(followed, entries.slice(from, until));
        from = until;
        viewScore(followed, "running"); // heads that are kept must not go stale
        for (const { path: at, phase } of followed.places.values()) {
          expect(places.get(at) ?? phase).toBe(phase);
          places.set(at, phase);
        }
      }
      const whole = emptyScore();
      applyToScore(whole, entries);
      const phases = followed.phases.map(({ number }) => number);
      const shownOf = (score: typeof whole): unknown => ({
        score: viewScore(score, "done"),
        phases: phases.map((phase) => viewPhase(score, phase)),
      });
      expect(withoutChanges(shownOf(followed))).toEqual(withoutChanges(shownOf(whole)));
      await ledger.close();
    }),
    { numRuns: 150 },
  );
});

/** When something was last changed depends on how the entries came together; everything else does not. */
function withoutChanges(shown: unknown): unknown {
  return JSON.parse(JSON.stringify(shown, (name, value: unknown) => (name === "changedSeq" ? 0 : value)));
}

const byPath = (left: { readonly path: string }, right: { readonly path: string }): number =>
  left.path < right.path ? -1 : 1;

test("the changes since any entry bring an older score up to the newest", async () => {
  await fc.assert(
    fc.asyncProperty(anyRun, fc.nat(), async (run, place) => {
      const ledger = openMemoryLedger({ clock: systemClock });
      await write(ledger, "run", run);
      const entries = await ledger.read(toRunId("run"));
      const cut = 1 + (place % entries.length);
      const score = emptyScore();
      applyToScore(score, entries.slice(0, cut));
      const shown = new Map(
        score.phases.flatMap(({ number }) => viewPhase(score, number)?.nodes ?? []).map((node) => [node.path, node]),
      );
      applyToScore(score, entries.slice(cut));
      for (const node of viewChanges(score, cut, "done").nodes) shown.set(node.path, node);
      const newest = score.phases.flatMap(({ number }) => viewPhase(score, number)?.nodes ?? []);
      expect([...shown.values()].toSorted(byPath)).toEqual(newest.toSorted(byPath));
      await ledger.close();
    }),
    { numRuns: 150 },
  );
});

test("a score of a moment in the past has nothing of what came later", async () => {
  const ledger = openMemoryLedger({ clock: systemClock });
  await write(ledger, "run", {
    tenant: undefined,
    end: "run-done",
    entries: ["/a", "/b", "/c"].map((key) => toEntry("step-done", key, {})),
  });
  const scores = openScores(ledger);
  expect((await scores.read(toRunId("run"), 3)).places.size).toBe(2);
  expect((await scores.read(toRunId("run"))).places.size).toBe(3);
});

test("a snapshot that is damaged, or of another ledger, is passed over", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tutti-fleet-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const snapshotFile = join(folder, "insight.json");
  const run = { tenant: undefined, end: undefined, entries: [toEntry("step-done", "/a", {})] };
  const ledger = openMemoryLedger({ clock: systemClock });
  await write(ledger, "one", run);
  const fleet = await openFleet(ledger, { snapshotFile });
  await fleet.catchUp();
  await fleet.close();
  const saved = readFileSync(snapshotFile, "utf8");
  writeFileSync(snapshotFile, saved.replace('"stepsDone":1', '"stepsDone":9'));
  expect((await (await openFleet(ledger, { snapshotFile })).listRuns({})).runs).toMatchObject([{ stepsDone: 1 }]);
  writeFileSync(snapshotFile, saved);
  const other = openMemoryLedger({ clock: systemClock });
  await write(other, "two", run);
  expect((await (await openFleet(other, { snapshotFile })).listRuns({})).runs).toMatchObject([{ run: "two" }]);
});

test("an entry that can't be read is said whenever somebody asks, and never passed over", async () => {
  const ledger = openMemoryLedger({ clock: systemClock });
  await write(ledger, "one", {
    tenant: undefined,
    end: undefined,
    entries: [{ kind: "step-done", key: "/a", body: `{"attempt": "first"}` }],
  });
  const fleet = await openFleet(ledger);
  for (let time = 0; time < 2; time++)
    await expect(fleet.listRuns({})).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
});
