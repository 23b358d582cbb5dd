import fc from "fast-check";
import { expect, test } from "vitest";

import { assert } from "../../packages/tutti/src/base/assert.ts";
import { toEffectKey, toRunId, toStepKey } from "../../packages/tutti/src/contracts/ids.ts";
import type { EffectRecord, RunStatus } from "../../packages/tutti/src/contracts/run-record.ts";
import type { EffectChange, Ledger, NewEntry, RunLog } from "../../packages/tutti/src/ledger/ledger.ts";
import { verifyLedger } from "../../packages/tutti/src/ledger/verify.ts";
import { verifies } from "../verifies.ts";
import { codeOf, createSettableClock, scanAll, toNewRun, toStep, type LedgerUnderTest } from "./ledger-fixture.ts";

/** Whatever is asked for in whatever order, with or without waiting: a model of 80 lines says the same as the store. */
export function describeProperties(under: LedgerUnderTest): void {
  const property = fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 60 }), async (actions) => {
    const ledger = await under.open({ clock: createSettableClock() });
    try {
      await compare(ledger, actions);
    } finally {
      await ledger.close();
    }
  });
  test(
    "any interleaving of starts, claims, entries and effects ends as a plain model says",
    verifies("D1", "D3", "G12"),
    async () => {
      await expect(fc.assert(property, { numRuns: 60 })).resolves.toBeUndefined();
    },
  );
}

type Action =
  | { readonly kind: "start"; readonly run: string; readonly startKey: string | undefined; readonly waits: boolean }
  | { readonly kind: "claim"; readonly run: string }
  /** `age` 0 is the newest log of the run, 1 the one before. */
  | {
      readonly kind: "append";
      readonly run: string;
      readonly age: number;
      readonly name: string;
      readonly status: RunStatus | undefined;
    }
  | { readonly kind: "intend"; readonly run: string; readonly age: number; readonly key: string; readonly step: string }
  | {
      readonly kind: "change";
      readonly run: string;
      readonly age: number;
      readonly key: string;
      readonly state: EffectRecord["state"];
    }
  | { readonly kind: "wait" };

const run = fc.constantFrom("r1", "r2", "r3");
const age = fc.constantFrom(0, 0, 0, 1);
const key = fc.constantFrom("k1", "k2");
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    kind: fc.constant("start" as const),
    run,
    startKey: fc.constantFrom(undefined, "s1", "s2"),
    waits: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("claim" as const), run }),
  fc.record({
    kind: fc.constant("append" as const),
    run,
    age,
    name: fc.string({ maxLength: 8 }),
    status: fc.constantFrom<(RunStatus | undefined)[]>(undefined, "waiting", "running", "done"),
  }),
  fc.record({ kind: fc.constant("intend" as const), run, age, key, step: fc.constantFrom("/a", "/b") }),
  fc.record({
    kind: fc.constant("change" as const),
    run,
    age,
    key,
    state: fc.constantFrom<EffectRecord["state"][]>("settled", "failed", "in-doubt", "undone", "intended"),
  }),
  fc.record({ kind: fc.constant("wait" as const) }),
);

/** What the model says: entries by run, the owner of each key, who may write. */
interface Model {
  readonly keysByRun: Map<string, string[]>;
  readonly statusByRun: Map<string, RunStatus>;
  /** Oldest first; who starts a run holds the first, and may not have waited for it. */
  readonly logsByRun: Map<string, readonly (RunLog | undefined)[]>;
  readonly runByStartKey: Map<string, string>;
  readonly effects: Map<string, { run: string; step: string; state: EffectRecord["state"] }>;
}

async function compare(ledger: Ledger, actions: readonly Action[]): Promise<void> {
  const model: Model = {
    keysByRun: new Map(),
    statusByRun: new Map(),
    logsByRun: new Map(),
    runByStartKey: new Map(),
    effects: new Map(),
  };
  const answers: Promise<unknown>[] = [];
  const expected: unknown[] = [];
  const ask = (answer: Promise<unknown>, wanted: unknown): void => {
    answers.push(codeOf(answer));
    expected.push(wanted);
  };
  for (const each of actions) await perform({ ledger, model, ask }, each);
  expect(await Promise.all(answers)).toEqual(expected);
  for (const [id, keys] of model.keysByRun) {
    const entries = await ledger.read(toRunId(id));
    expect(entries.map((entry) => entry.key)).toEqual(keys);
    expect((await ledger.findRun(toRunId(id)))?.status).toBe(model.statusByRun.get(id));
  }
  for (const [id, effect] of model.effects) expect(await ledger.findEffect(toEffectKey(id))).toMatchObject(effect);
  const count = [...model.keysByRun.values()].flat().length;
  expect((await scanAll(ledger)).length).toBe(count);
  expect(await verifyLedger(ledger)).toEqual({ kind: "intact", entries: count, runs: model.keysByRun.size });
}

interface Trial {
  readonly ledger: Ledger;
  readonly model: Model;
  readonly ask: (answer: Promise<unknown>, wanted: unknown) => void;
}

async function perform({ ledger, model, ask }: Trial, each: Action): Promise<void> {
  switch (each.kind) {
    case "wait":
      await ledger.flush();
      return;
    case "start": {
      const expected = startModel(model, each);
      const starting = ledger.start(toNewRun(each.run, each.startKey === undefined ? {} : { startKey: each.startKey }));
      ask(starting, { resolved: expect.objectContaining(expected) });
      if (expected.kind === "exists") return;
      const outcome = each.waits ? await starting : undefined;
      model.logsByRun.set(each.run, [outcome?.kind === "started" ? outcome.claim.log : undefined]);
      return;
    }
    case "claim": {
      const claimed = ledger.claim(toRunId(each.run));
      if (!model.keysByRun.has(each.run)) {
        ask(claimed, "RUN_UNKNOWN");
        return;
      }
      const { log, entries } = await claimed;
      expect(entries.map((entry) => entry.key)).toEqual(model.keysByRun.get(each.run));
      const logs = model.logsByRun.get(each.run) ?? [];
      expect(log.epoch).toBe(logs.length + 1);
      model.logsByRun.set(each.run, [...logs, log]);
      return;
    }
    case "append":
    case "intend":
    case "change": {
      const log = model.logsByRun.get(each.run)?.at(-1 - each.age);
      if (log === undefined) return;
      ask(log.append(toEntry(each)), appendModel(model, each));
    }
  }
}

interface ModelStart {
  readonly kind: "started" | "exists";
  readonly run: string;
}

function startModel(model: Model, { run: id, startKey }: Extract<Action, { kind: "start" }>): ModelStart {
  if (model.keysByRun.has(id)) return { kind: "exists", run: id };
  const earlier = startKey === undefined ? undefined : model.runByStartKey.get(startKey);
  if (earlier !== undefined) return { kind: "exists", run: earlier };
  if (startKey !== undefined) model.runByStartKey.set(startKey, id);
  model.keysByRun.set(id, [""]);
  model.statusByRun.set(id, "running");
  return { kind: "started", run: id };
}

type Append = Extract<Action, { kind: "append" | "intend" | "change" }>;

function appendModel(model: Model, each: Append): unknown {
  if (each.age > 0) return "LEDGER_FENCED";
  if (each.kind === "intend") {
    const owner = model.effects.get(each.key);
    const isFree = owner === undefined || owner.state === "failed" || owner.state === "undone";
    const isOwn = owner?.run === each.run && owner.step === each.step && owner.state !== "settled";
    if (!isFree && !isOwn)
      return { resolved: expect.objectContaining({ kind: "taken", effect: expect.objectContaining({ ...owner }) }) };
    model.effects.set(each.key, { run: each.run, step: each.step, state: "intended" });
  }
  if (each.kind === "change") {
    const owner = model.effects.get(each.key);
    const isFork = each.state === "undone" && (owner?.state === "settled" || owner?.state === "undone");
    if (owner === undefined || (owner.run !== each.run && !isFork)) return "EFFECT_UNKNOWN";
    owner.state = each.state;
  }
  const keys = model.keysByRun.get(each.run);
  assert(keys !== undefined, "a claimed run was started");
  keys.push(toEntry(each).key);
  if (each.kind === "append" && each.status !== undefined) model.statusByRun.set(each.run, each.status);
  return { resolved: expect.objectContaining({ kind: "recorded", seq: keys.length }) };
}

function toEntry(each: Append): NewEntry {
  if (each.kind === "append") return toStep(each.name, each.status === undefined ? {} : { status: each.status });
  if (each.kind === "change") {
    const effect: EffectChange = { kind: "change", key: toEffectKey(each.key), state: each.state };
    return { ...toStep("change"), effect };
  }
  const effect = {
    key: toEffectKey(each.key),
    step: toStepKey(each.step),
    tool: "t",
    class: "once",
    digest: "d",
  } as const;
  return { ...toStep("intend"), effect: { kind: "intend", effect } };
}
