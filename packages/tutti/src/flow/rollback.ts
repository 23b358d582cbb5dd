import { describeThrown, TuttiError } from "../base/errors.ts";
import { bodyOf, type BodyOf, type LedgerEntry } from "../contracts/entry.ts";
import { toStepKey, type StepKey } from "../contracts/ids.ts";
import { tryRepeatedly } from "./attempts.ts";
import type { Driver } from "./driver.ts";
import { toToolHost } from "./effect-outcome.ts";
import { settleOpenEffects } from "./open-effects.ts";
import { takeRecorded } from "./recorded.ts";
import { takeReport, type Reported } from "./report.ts";
import { isUnder, openPending, openScope } from "./scope.ts";
import { fromStored, toBody } from "./stored-value.ts";

/** An undo must get through: it is tried for about 20 minutes before a person is asked. */
const undoRetry = { attemptsMax: 20, delayMs: 500, factor: 2, delayMaxMs: 120_000 };

/** What is recorded of a rollback: the steps whose effects were taken back. */
export interface RolledBack {
  readonly output: { readonly undone: readonly StepKey[] };
}

/**
 * Takes back every effect under `path` that happened and declares an undo, newest first. Each undo is recorded, so a crash goes on where it
 * was; the whole is one record for replay.
 */
export function rollback(driver: Driver, place: Place): Promise<RolledBack> {
  // A scope of its own: what is rolled back has usually been cancelled.
  const scope = openScope(place.key, undefined);
  const recorded = takeRecorded<RolledBack>(driver, scope, {
    key: place.key,
    kinds: ["scope-closed"],
    verb: "an undo",
  });
  if (recorded !== undefined) return recorded;
  const pending = openPending<RolledBack>(scope, place.key);
  driver.delivery.whenLive(() => {
    void undoAll(driver, place).then(
      (undone) =>
        driver.hand({ kind: "scope-closed", key: place.key, body: toBody({ out: { undone } }) }, "lazy", () =>
          pending.resolve({ output: { undone } }),
        ),
      (error: unknown) => driver.park(toUndoError(place.path, error), place.key),
    );
  });
  return pending.promise;
}

export function toUndoError(path: string, error: unknown): TuttiError {
  return new TuttiError(
    "UNDO_IMPOSSIBLE",
    `what was done under ${path === "" ? "this run" : path} can't be undone: ${describeThrown(error)}`,
    { hint: "Put the reason right and resume the run; it goes on with the undo.", cause: error },
  );
}

interface Undoable {
  readonly intended: BodyOf<"effect-intended">;
  readonly settled: BodyOf<"effect-settled">;
  readonly step: StepKey;
  /** Who did it, as far as the tool said: with its result, or before it was in doubt. */
  readonly doneBy: string | undefined;
}

/** Where an undo is written, and the part of the run that is taken back. */
interface Place {
  readonly key: StepKey;
  readonly path: string;
}

/** Takes back what stands under `path`, and says which steps. What was taken back before a crash is not taken back again. */
export async function undoAll(driver: Driver, place: Place): Promise<readonly StepKey[]> {
  await settleOpenEffects(driver, place.path);
  await driver.log.durable();
  const entries = await driver.host.readEntries(driver.run);
  const undoables = toUndoables(entries, place.path);
  for (const undoable of undoables) await undoOne(driver, place.key, undoable);
  const before = entries.filter(({ kind, key }) => kind === "effect-undone" && isUnder(key, place.key));
  return [...before.map(({ key }) => toStepKey(key.slice(place.key.length))), ...undoables.map(({ step }) => step)];
}

/** Newest first: what happened, declared an undo, and was not taken back yet. */
export function toUndoables(entries: readonly LedgerEntry[], path: string): readonly Undoable[] {
  const intendedByStep = new Map<string, BodyOf<"effect-intended">>();
  const undoables = new Map<string, Undoable>();
  const askedByStep = new Map<string, string | undefined>();
  for (const entry of entries) {
    if (!isUnder(entry.key, path) && entry.kind !== "effect-undone") continue;
    if (entry.kind === "effect-intended") intendedByStep.set(entry.key, bodyOf(entry, entry.kind));
    else if (entry.kind === "effect-in-doubt") askedByStep.set(entry.key, bodyOf(entry, entry.kind).report?.provider);
    else if (entry.kind === "effect-settled") {
      const intended = intendedByStep.get(entry.key);
      const settled = bodyOf(entry, entry.kind);
      const doneBy = settled.report?.provider ?? askedByStep.get(entry.key);
      if (intended?.undo === true)
        undoables.set(intended.effect, { intended, settled, step: toStepKey(entry.key), doneBy });
    } else if (entry.kind === "effect-undone") undoables.delete(bodyOf(entry, entry.kind).effect);
  }
  return [...undoables.values()].toReversed();
}

function undoOne(driver: Driver, undoKey: StepKey, { intended, settled, step, doneBy }: Undoable): Promise<void> {
  const tool = driver.tools.get(intended.tool);
  if (tool?.undo === undefined) {
    throw new TuttiError(
      "UNDO_IMPOSSIBLE",
      `the tool ${intended.tool} is not known to this process, or has no undo any more`,
      { hint: "Pass it to openTutti({ tools: [...] })." },
    );
  }
  const key = toStepKey(`${undoKey}${step}`);
  const pending = openPending<void>(openScope(key, undefined), key);
  const output = fromStored(settled.out, settled.outRef, driver.blobs);
  const input = fromStored(intended.input, intended.inputRef, driver.blobs);
  const called: Reported = {};
  const { effect, class: effectClass, digest: asked, edited: digest = asked } = intended;
  const hosted = {
    effect,
    called,
    tool: tool.name,
    class: effectClass,
    scope: pending.scope,
    digest,
    use: "undo",
  } as const;
  tryRepeatedly(driver, {
    key,
    scope: pending.scope,
    retry: undoRetry,
    timeoutMs: tool.timeoutMs,
    repeatable: true,
    pending,
    reported: called,
    work: (host) => tool.undo?.(output, Object.assign(toToolHost(driver, hosted, host), { input, doneBy })),
    onDone: (_, attempt) => {
      const body = toBody({ effect: intended.effect, ...(attempt === 1 ? {} : { attempt }), ...takeReport(called) });
      void driver
        .append({ kind: "effect-undone", key, body, effect: { kind: "change", key: intended.effect, state: "undone" } })
        .then(() => pending.resolve(undefined));
    },
    onFailed: (error) => pending.reject(error),
  });
  return pending.promise;
}
