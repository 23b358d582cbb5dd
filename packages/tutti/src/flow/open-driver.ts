import { TuttiError, toStoredError, toTuttiError } from "../base/errors.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import { toStepKey } from "../contracts/ids.ts";
import type { RunLog } from "../ledger/ledger.ts";
import { callerLine, openDelivery, toCalledAfterEnd, toNonDurableAwait } from "./delivery.ts";
import type { Driver, DriverHost, Wait } from "./driver.ts";
import { readHistory, type Delivered } from "./history.ts";
import { openProvenance } from "./provenance.ts";
import { handRecorded } from "./recorded.ts";
import { openScope } from "./scope.ts";
import { openSignals } from "./signals.ts";
import { toBody } from "./stored-value.ts";

export interface DriverStart {
  readonly log: RunLog;
  readonly entries: readonly LedgerEntry[];
  readonly blobs: ReadonlyMap<string, string>;
  readonly host: DriverHost;
}

export function openDriver({ log, entries, blobs, host }: DriverStart): Driver {
  const history = readHistory(entries);
  const root = openScope("", undefined);
  const waits = new Set<Wait>();
  const tools = new Map(host.tools.map((tool) => [tool.name, tool]));
  const timers = new Set<() => void>();
  let busy = 0;
  let stopped = false;
  let ended = false;
  let halted: (() => void) | undefined;
  let forgetStall: (() => void) | undefined;
  const never = new Promise<never>(() => {});

  const abandon = (error: unknown): Promise<never> => {
    if (!stopped) {
      driver.stop();
      host.onAbandoned(toTuttiError(error, "BUG"));
    }
    return never;
  };

  const onDiverged = (item: Delivered, asked: readonly string[]): void => {
    const wanted = asked.length > 0 ? asked.join(", ") : ended ? "nothing more: it has ended" : [...waits].map((wait) => `a ${wait.kind}`).join(", ");
    driver.park(
      new TuttiError("FLOW_DIVERGED", `the ledger's next record is ${item.kind} ${item.key} (entry ${item.seq}); the code asks for ${wanted === "" ? "a new step" : wanted}`, {
        hint: "The flow's code changed while this run was open. Register the old version beside the new one, or fork the run.",
        facts: { seq: item.seq, recorded: item.key, asked: [...asked] },
      }),
      toStepKey(item.key),
    );
  };

  const onQuiet = (): void => {
    if (busy > 0 || ended || stopped) return;
    if (waits.size > 0) host.onRest();
    else watchStall();
  };

  // Not a heuristic about order: the code is quiet, nothing is outstanding, so only the outside world could still move it.
  const watchStall = (): void => {
    forgetStall ??= host.clock.after(host.stallMs, () => {
      forgetStall = undefined;
      if (stopped || ended || busy > 0 || waits.size > 0 || driver.delivery.windowOpen) return;
      driver.park(
        new TuttiError("FLOW_STALLED", "the flow neither ends nor waits for anything that Tutti knows", {
          hint: "It awaits something that is not durable (fetch, a timer, a promise that never settles). Put it into run.step(…).",
        }),
      );
    });
  };

  const driver: Driver = {
    run: log.run,
    lineage: history.started.forkedFrom?.lineage ?? log.run,
    log,
    history,
    blobs,
    delivery: openDelivery(history.order, {
      apply: (item, asked) => handRecorded(driver, item, asked),
      isAbandoned: (key) => root.isCancelled(key),
      isBlocked: () => ended || waits.size > 0,
      onDiverged,
      onQuiet,
    }),
    host,
    root,
    signals: openSignals(),
    signalIds: new Set(history.signalIds),
    provenance: openProvenance(),
    tools,
    waits,
    inFlight: new Map(),
    taken: new Set(),
    doubts: new Map(),
    children: new Map(),
    get busy() {
      return busy;
    },
    get stopped() {
      return stopped;
    },
    enter(scope, name, verb) {
      if (ended || scope.isClosed()) {
        // A branch that lost a race goes on until its next verb, and stops there. Anything else is a call from outside.
        if (!driver.delivery.windowOpen) host.warn(toCalledAfterEnd(verb, callerLine(new Error(verb).stack)));
        return undefined;
      }
      if (!driver.delivery.windowOpen) {
        driver.park(toNonDurableAwait(verb, callerLine(new Error(verb).stack)), toStepKey(scope.path));
        return undefined;
      }
      return scope.nextKey(name);
    },
    begin() {
      busy++;
    },
    finish() {
      busy--;
      if (busy > 0) return;
      if (halted !== undefined) halted();
      else if (driver.delivery.idle) onQuiet();
    },
    wait(wait) {
      waits.add(wait);
      return () => void waits.delete(wait);
    },
    at(dueAt, wake) {
      const release = driver.wait({ kind: "timer", dueAt });
      const forget = (): void => {
        release();
        forgetTimer();
        timers.delete(forget);
      };
      const forgetTimer = host.clock.after(dueAt - host.clock.now(), () => {
        forget();
        if (!stopped) wake();
      });
      timers.add(forget);
      return forget;
    },
    append: (entry) => (stopped ? never : log.append(entry).catch(abandon)),
    hand(entry, ahead, apply) {
      if (stopped) return never;
      const ready = driver.delivery.enqueue(apply);
      const appended = log.append(entry);
      if (ahead) ready();
      else void appended.then(ready, () => {});
      return appended.catch(abandon);
    },
    halt(onHalted) {
      halted = onHalted;
      driver.delivery.halt();
      for (const forget of timers) forget();
      if (busy === 0) onHalted();
    },
    park(error, step) {
      if (stopped) return;
      const body = toBody({ error: toStoredError(error), ...(step === undefined || step === "" ? {} : { step }) });
      const parked = log.append({ kind: "run-parked", key: "", body, status: "parked" });
      driver.stop();
      parked.then(() => host.onParked(error), (failure: unknown) => host.onAbandoned(toTuttiError(failure, "BUG")));
    },
    end(entry) {
      if (stopped) return never;
      const appended = log.append(entry);
      driver.stop();
      return appended.catch((error: unknown) => {
        host.onAbandoned(toTuttiError(error, "BUG"));
        return never;
      });
    },
    ended() {
      ended = true;
    },
    stop() {
      stopped = true;
      forgetStall?.();
      for (const forget of timers) forget();
      driver.delivery.stop();
    },
  };
  return driver;
}
