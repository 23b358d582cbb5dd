import type { Flow } from "../contracts/callable.ts";
import type { EffectKey, RunId } from "../contracts/ids.ts";
import { isOver, type RunRecord } from "../contracts/run-record.ts";
import type { Driver, DriverHost } from "../flow/driver.ts";
import { openDriver } from "../flow/open-driver.ts";
import { runFlow, type RunEnd } from "../flow/run-flow.ts";
import { blobHashesOf } from "../flow/stored-value.ts";
import type { Claim } from "../ledger/ledger.ts";
import type { ActiveRun, ActiveRuns, Engine, Rest } from "./engine-parts.ts";
import { toChildOutcome } from "./run-end.ts";
import { toDriverHost } from "./driver-host.ts";

/** How long a run may rest in memory before it is let go. */
export const evictAfterMs = 100;

export function openActiveRuns(engine: Engine): ActiveRuns {
  const active = new Map<RunId, ActiveRun>();
  const loading = new Map<RunId, Promise<ActiveRun | undefined>>();
  const listeners = new Map<RunId, Set<(rest: Rest) => void>>();
  const wakers = new Map<RunId, () => void>();
  const evictions = new Map<RunId, () => void>();
  const watchers = new Map<EffectKey, Set<() => void>>();
  let closed = false;

  const runs: ActiveRuns = {
    find: (run) => active.get(run),
    drive(run) {
      const present = active.get(run);
      if (present !== undefined) return Promise.resolve(present);
      const already = loading.get(run);
      if (already !== undefined) return already;
      const loaded = load(run).finally(() => loading.delete(run));
      loading.set(run, loaded);
      return loaded;
    },
    onRest(run, listener) {
      const set = listeners.get(run) ?? new Set();
      listeners.set(run, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(run);
      };
    },
    wakeAt(run, dueAt) {
      wakers.get(run)?.();
      const forget = engine.clock.after(dueAt - engine.clock.now(), () => {
        wakers.delete(run);
        void runs.drive(run).catch((error: unknown) => engine.onBackgroundError(error));
      });
      wakers.set(run, forget);
    },
    watchEffect(key, wake) {
      const set = watchers.get(key) ?? new Set();
      watchers.set(key, set.add(wake));
      return () => {
        set.delete(wake);
        if (set.size === 0) watchers.delete(key);
      };
    },
    effectChanged(key) {
      for (const wake of [...(watchers.get(key) ?? [])]) wake();
    },
    tell(run, rest) {
      for (const listener of [...(listeners.get(run) ?? [])]) listener(rest);
    },
    async close(graceMs) {
      closed = true;
      for (const forget of [...wakers.values(), ...evictions.values()]) forget();
      await Promise.all([...loading.values()].map((loaded) => loaded.catch(() => undefined)));
      await Promise.all([...active.values()].map(({ driver }) => haltWithin(engine, driver, graceMs)));
      for (const { driver } of active.values()) driver.stop();
      active.clear();
    },
    release(run) {
      active.get(run)?.driver.stop();
      active.delete(run);
      evictions.get(run)?.();
      evictions.delete(run);
    },
  };

  const load = async (run: RunId): Promise<ActiveRun | undefined> => {
    const found = await engine.ledger.findRun(run);
    if (closed || found === undefined || isOver(found.status) || found.status === "paused" || found.status === "parked") return undefined;
    const flow = engine.findFlow(found.flow, found.version);
    if (flow === undefined) return undefined;
    const claim = await engine.ledger.claim(run);
    const blobs = await readBlobs(engine, claim);
    if (closed) return undefined;
    return begin(flow, claim, blobs);
  };

  const begin = (flow: Flow, claim: Claim, blobs: ReadonlyMap<string, string>): ActiveRun => {
    const { record, log } = claim;
    const run = record.id;
    wakers.get(run)?.();
    wakers.delete(run);
    if (record.status !== "running") log.mark("running");
    const leave = (rest: Rest): void => {
      if (active.get(run)?.driver !== driver) return;
      active.delete(run);
      evictions.get(run)?.();
      evictions.delete(run);
      runs.tell(run, rest);
    };
    const host: DriverHost = toDriverHost(engine, runs, {
      run,
      onRest: () => rest(run),
      onParked: (error) => leave({ kind: "parked", error }),
      onAbandoned: (error) => leave({ kind: "lost", error }),
    });
    const driver = openDriver({ log, entries: claim.entries, blobs, host });
    const present: ActiveRun = { driver, record };
    active.set(run, present);
    runFlow(driver, flow, (end) => {
      leave({ kind: "over", end });
      tellParent(record, end);
    });
    return present;
  };

  const tellParent = (record: RunRecord, end: RunEnd): void => {
    if (record.parent === undefined || closed) return;
    const parent = active.get(record.parent);
    if (parent === undefined) void runs.drive(record.parent).catch((error: unknown) => engine.onBackgroundError(error));
    else parent.driver.children.get(record.id)?.(toChildOutcome(record.id, end));
  };

  const rest = (run: RunId): void => {
    if (closed) return;
    if (!evictions.has(run)) {
      evictions.set(
        run,
        engine.clock.after(engine.evictAfterMs, () => {
          evictions.delete(run);
          evict(run);
        }),
      );
    }
    runs.tell(run, { kind: "waiting" });
  };

  const evict = (run: RunId): void => {
    const driver = active.get(run)?.driver;
    if (driver === undefined || driver.stopped || driver.busy > 0 || !driver.delivery.idle) return;
    const waits = [...driver.waits];
    if (waits.length === 0) return;
    const dueAt = waits.flatMap((wait) => (wait.kind === "timer" ? [wait.dueAt] : []));
    const effects = waits.flatMap((wait) => (wait.kind === "effect" ? [wait.key] : []));
    const inDoubt = waits.some((wait) => wait.kind === "doubt");
    const wake = dueAt.length === 0 ? undefined : Math.min(...dueAt);
    // A run that waits for another's effect stays "running", so that a new process takes it up: nobody would send it a signal.
    if (effects.length > 0) driver.log.mark("running");
    else driver.log.mark(inDoubt ? "in-doubt" : "waiting", wake);
    driver.stop();
    active.delete(run);
    if (wake !== undefined) runs.wakeAt(run, wake);
    for (const key of effects) {
      const forget = runs.watchEffect(key, () => {
        forget();
        void runs.drive(run).catch((error: unknown) => engine.onBackgroundError(error));
      });
    }
  };

  return runs;
}

async function haltWithin(engine: Engine, driver: Driver, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const forget = engine.clock.after(graceMs, resolve);
    driver.halt(() => {
      forget();
      resolve();
    });
  });
}

async function readBlobs(engine: Engine, claim: Claim): Promise<ReadonlyMap<string, string>> {
  const blobs = new Map<string, string>();
  for (const entry of claim.entries) {
    for (const hash of blobHashesOf(entry.body)) {
      if (blobs.has(hash)) continue;
      const content = await engine.ledger.readBlob(hash);
      if (content !== undefined) blobs.set(hash, content);
    }
  }
  return blobs;
}
