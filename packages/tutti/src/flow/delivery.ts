import { TuttiError } from "../base/errors.ts";
import type { Delivered } from "./history.ts";
import type { Pending } from "./scope.ts";

/**
 * Hands results to the flow's code: strictly in the order of the ledger, one per macrotask, the same way when they are replayed as when
 * they happen. So native `Promise.all`, `race`, loops and shared variables see one interleaving, however often the run is recovered.
 *
 * While the recorded part is being replayed no new work starts: it waits at the gate. Between handing something over and the next macrotask
 * a window is open; a verb called outside any window means that the code awaited something the ledger does not know.
 */
export interface Delivery {
  /** True once the recorded part is used up. */
  readonly live: boolean;
  readonly windowOpen: boolean;
  /** Nothing is being handed over, and nothing is queued for it. */
  readonly idle: boolean;
  /** The code wants the recorded result of this key. */
  ask(pending: Pending): void;
  /** Calls `start` now, or when the recorded part is used up; never for something that was cancelled meanwhile. */
  whenLive(start: () => void): void;
  /** Queues the handing over of an entry that was just appended, behind all earlier ones; returns the function that says it is ready. */
  enqueue(apply: () => void): () => void;
  /** The key will not be asked for any more, so a record of it is passed over. */
  abandon(key: string): void;
  /** Calls the flow's function: opens the first window. */
  begin(run: () => void): void;
  /** Hands nothing over any more, but keeps taking in what is recorded. */
  halt(): void;
  /** Stops for good. */
  stop(): void;
}

/** What the driver knows and the delivery does not. */
export interface DeliveryHost {
  /** Hands a recorded item to what asked for it, to the signals or to the root scope. `asked` is undefined for the last two. */
  readonly apply: (item: Delivered, asked: Pending | undefined) => void;
  /** True when nothing will ask for this key, because its branch was cancelled. */
  readonly isAbandoned: (key: string) => boolean;
  /** True when the code waits for something that only a later entry can bring, or has ended. */
  readonly isBlocked: () => boolean;
  readonly onDiverged: (item: Delivered, asked: readonly string[]) => void;
  /** Nothing to hand over and nothing to start. Called once per pause. */
  readonly onQuiet: () => void;
}

// Handed items are dropped from the queue in one go, so that a long run neither copies the queue at every step nor keeps it for ever.
const handledMax = 1_000;

interface LiveItem {
  ready: boolean;
  readonly apply: () => void;
}

export function openDelivery(order: readonly Delivered[], host: DeliveryHost): Delivery {
  const asks = new Map<string, Pending>();
  const abandoned = new Set<string>();
  let gates: (() => void)[] = [];
  let position = 0;
  let queue: LiveItem[] = [];
  let head = 0;
  let live = order.length === 0;
  let windowOpen = false;
  let stopped = false;

  const openWindow = (): void => {
    windowOpen = true;
    setImmediate(turn);
  };

  const turn = (): void => {
    windowOpen = false;
    if (stopped) return;
    if (live) handLive();
    else handRecorded();
  };

  const handRecorded = (): void => {
    for (;;) {
      const item = order[position];
      if (item === undefined) {
        goLive();
        return;
      }
      const unasked = item.kind === "signal-received" || item.kind === "cancel-requested";
      const asked = asks.get(item.key);
      if (asked !== undefined || unasked) {
        position++;
        asks.delete(item.key);
        openWindow();
        host.apply(item, asked);
        return;
      }
      if (!abandoned.has(item.key) && !host.isAbandoned(item.key)) {
        if (asks.size > 0 || gates.length > 0 || host.isBlocked()) host.onDiverged(item, [...asks.keys()]);
        else host.onQuiet();
        return;
      }
      position++;
    }
  };

  const goLive = (): void => {
    live = true;
    const waiting = gates;
    gates = [];
    openWindow();
    for (const start of waiting) start();
  };

  const handLive = (): void => {
    const item = queue[head];
    if (item === undefined) {
      host.onQuiet();
      return;
    }
    if (!item.ready) return;
    head++;
    if (head === queue.length || head > handledMax) {
      queue = queue.slice(head);
      head = 0;
    }
    openWindow();
    item.apply();
  };

  return {
    get live() {
      return live;
    },
    get windowOpen() {
      return windowOpen;
    },
    get idle() {
      return live && !windowOpen && head === queue.length;
    },
    ask(pending) {
      asks.set(pending.key, pending);
      pending.onCancel = () => {
        asks.delete(pending.key);
        abandoned.add(pending.key);
      };
    },
    whenLive(start) {
      if (live) start();
      else gates.push(start);
    },
    enqueue(apply) {
      const item: LiveItem = { ready: false, apply };
      queue.push(item);
      return () => {
        item.ready = true;
        if (live && !windowOpen && !stopped && queue[head] === item) handLive();
      };
    },
    abandon: (key) => void abandoned.add(key),
    begin(run) {
      openWindow();
      run();
    },
    halt() {
      stopped = true;
    },
    stop() {
      stopped = true;
      asks.clear();
      gates = [];
      queue = [];
      head = 0;
    },
  };
}

/** The first line of the stack that lies outside Tutti: the flow's own. */
export function callerLine(stack: string | undefined): string | undefined {
  const lines = (stack ?? "").split("\n").slice(1);
  const own = lines.find((line) => !line.includes("node:") && !isOurs(line));
  return own?.trim().replace(/^at (?:async )?/u, "");
}

const ownFolder = new URL(".", import.meta.url).pathname;

function isOurs(line: string): boolean {
  return line.includes(ownFolder);
}

export function toCalledAfterEnd(verb: string, line: string | undefined): TuttiError {
  return new TuttiError("FLOW_ENDED", `${verb}${line === undefined ? "" : ` at ${line}`} was called after its flow or scope had ended; it does nothing`, {
    hint: "Await everything that the flow starts before it returns.",
  });
}

/** What the code did, said so that its author finds the line. */
export function toNonDurableAwait(verb: string, line: string | undefined): TuttiError {
  return new TuttiError(
    "FLOW_NONDURABLE_AWAIT",
    `before ${verb}${line === undefined ? "" : ` at ${line}`} the flow awaited something that the ledger does not know`,
    {
      hint: "Put it into run.step(…), so that its result is recorded. A step must not call other steps either; use run.scope(…) for that.",
    },
  );
}
