import { TuttiError } from "../base/errors.ts";
import { closeWindowAfterMicrotasks, takeTurnNext, type TurnTaker } from "../base/turns.ts";
import type { Delivered } from "./history.ts";
import type { Pending } from "./scope.ts";

/**
 * Hands results to the flow's code: strictly in the order of the ledger, one per macrotask, the same way when they are replayed as when
 * they happen. So native `Promise.all`, `race`, loops and shared variables see one interleaving, however often the run is recovered.
 *
 * While the recorded part is being replayed no new work starts: it waits at the gate. From handing something over until the microtasks have
 * drained a window is open; a verb called outside any window means that the code awaited something the ledger does not know.
 */
export interface Delivery {
  /** True once the recorded part is used up. */
  readonly live: boolean;
  readonly windowOpen: boolean;
  /** Nothing is being handed over, and nothing is queued for it. */
  readonly idle: boolean;
  /** The code wants the recorded result of this key. */
  ask(pending: Pending): void;
  /** Calls `start` now, or when the recorded part is used up; never for something that was cancelled meanwhile. `key` names the step, for people. */
  whenLive(start: () => void, key?: string): void;
  /** Queues the handing over of an entry that was just appended, behind all earlier ones. */
  enqueue(handing: Handing): void;
  /** Says that a queued one may be handed over when its turn comes. */
  ready(handing: Handing): void;
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
  apply(item: Delivered, asked: Pending | undefined): void;
  /** True when nothing will ask for this key, because its branch was cancelled. */
  isAbandoned(key: string): boolean;
  /** True when the code waits for something that only a later entry can bring, or has ended. */
  isBlocked(): boolean;
  onDiverged(item: Delivered, asked: readonly string[]): void;
  /** Nothing to hand over and nothing to start. Called once per pause. */
  onQuiet(): void;
  /** Something of the run is recorded, be it nothing that is handed over: then what is new waits until the code was led through it. */
  readonly hasPast: boolean;
  /** Called when the recorded part is used up, before what the code asks for then begins. */
  onCaughtUp(asked: readonly string[]): void;
}

/** Something new that waits until the recorded part is used up. */
interface Gate {
  readonly start: () => void;
  readonly key: string | undefined;
}

/** An entry's way to the flow's code. Those of one run form a queue themselves. */
export interface Handing {
  isReady: boolean;
  /** The one behind it in the queue. */
  next: Handing | undefined;
  apply(): void;
}

const nothingAsked: ReadonlyMap<string, Pending> = new Map();
const nothingAbandoned: ReadonlySet<string> = new Set();

export function openDelivery(order: readonly Delivered[], host: DeliveryHost): Delivery {
  return new Mailbox(order, host);
}

/** Most runs are never replayed, so what only replay needs is made on first use. */
class Mailbox implements Delivery, TurnTaker {
  live: boolean;
  windowOpen = false;
  private readonly order: readonly Delivered[];
  private readonly host: DeliveryHost;
  private asks: Map<string, Pending> | undefined;
  private abandoned: Set<string> | undefined;
  private gates: Gate[] | undefined;
  /** The next recorded item to hand over. */
  private position = 0;
  /** The next live item to hand over. */
  private first: Handing | undefined = undefined;
  private last: Handing | undefined = undefined;
  /** Something was handed over in this macrotask; the next thing has to wait for the next. */
  private hasTurn = false;
  private stopped = false;

  constructor(order: readonly Delivered[], host: DeliveryHost) {
    this.order = order;
    this.host = host;
    this.live = !host.hasPast;
  }

  get idle(): boolean {
    return this.live && !this.hasTurn && this.first === undefined;
  }

  ask(pending: Pending): void {
    const { key } = pending;
    (this.asks ??= new Map()).set(key, pending);
    pending.onCancel = () => {
      this.asks?.delete(key);
      this.abandon(key);
    };
  }

  whenLive(start: () => void, key?: string): void {
    if (this.live) start();
    else (this.gates ??= []).push({ start, key });
  }

  enqueue(handing: Handing): void {
    if (this.last === undefined) this.first = handing;
    else this.last.next = handing;
    this.last = handing;
  }

  ready(handing: Handing): void {
    handing.isReady = true;
    if (this.live && !this.hasTurn && !this.stopped && this.first === handing) this.handLive();
  }

  abandon(key: string): void {
    (this.abandoned ??= new Set()).add(key);
  }

  begin(run: () => void): void {
    this.openWindow();
    run();
  }

  halt(): void {
    this.stopped = true;
  }

  stop(): void {
    this.stopped = true;
    this.asks = undefined;
    this.gates = undefined;
    this.first = undefined;
    this.last = undefined;
  }

  closeWindow(): void {
    this.windowOpen = false;
  }

  takeTurn(): void {
    this.hasTurn = false;
    // What was handed over last has had its say, whatever it began.
    if (this.stopped) this.host.onQuiet();
    else if (this.live) this.handLive();
    else this.handRecorded();
  }

  /** The window stays open while microtasks drain; the next macrotask hands over the next item. */
  private openWindow(): void {
    this.windowOpen = true;
    closeWindowAfterMicrotasks(this);
    if (this.hasTurn) return;
    this.hasTurn = true;
    takeTurnNext(this);
  }

  private handRecorded(): void {
    const { host } = this;
    for (;;) {
      const item = this.order[this.position];
      if (item === undefined) {
        this.goLive();
        return;
      }
      const { asks = nothingAsked, abandoned = nothingAbandoned } = this;
      const asked = asks.get(item.key);
      if (asked !== undefined || isUnasked(item.kind)) {
        this.position++;
        this.forgetAsk(item.key);
        this.openWindow();
        host.apply(item, asked);
        return;
      }
      if (!abandoned.has(item.key) && !host.isAbandoned(item.key)) {
        if (asks.size > 0 || (this.gates?.length ?? 0) > 0 || host.isBlocked())
          host.onDiverged(item, [...asks.keys(), ...this.gatedKeys()]);
        else host.onQuiet();
        return;
      }
      this.position++;
    }
  }

  /** With its last entry the map goes as a whole: to empty it makes another one. */
  private forgetAsk(key: string): void {
    if (this.asks?.size === 1 && this.asks.has(key)) this.asks = undefined;
    else this.asks?.delete(key);
  }

  private goLive(): void {
    this.host.onCaughtUp(this.gatedKeys());
    if (this.stopped) return;
    this.live = true;
    const waiting = this.gates ?? [];
    this.gates = undefined;
    this.openWindow();
    for (const { start } of waiting) start();
  }

  private gatedKeys(): readonly string[] {
    return (this.gates ?? []).flatMap(({ key }) => key ?? []);
  }

  private handLive(): void {
    const handing = this.first;
    if (handing === undefined) {
      this.host.onQuiet();
      return;
    }
    if (!handing.isReady) return;
    this.first = handing.next;
    if (this.first === undefined) this.last = undefined;
    this.openWindow();
    handing.apply();
  }
}

/** What comes from outside, whether or not the code asks. */
function isUnasked(kind: Delivered["kind"]): boolean {
  return kind === "signal-received" || kind === "directive-given" || kind === "cancel-requested";
}

/** The first line of the stack that lies outside Tutti: the flow's own. */
export function callerLine(stack: string | undefined): string | undefined {
  const lines = (stack ?? "").split("\n").slice(1);
  const own = lines.find((line) => !line.includes("node:") && !isOurs(line));
  return own?.trim().replace(/^at (?:async )?/u, "");
}

// The whole of Tutti, so that an agent's verbs do not name the agent loop; its tests are somebody else's code.
const ownFolder = new URL("..", import.meta.url).pathname;

function isOurs(line: string): boolean {
  return line.includes(ownFolder) && !line.includes(".test.ts:");
}

export function toCalledAfterEnd(verb: string, line: string | undefined): TuttiError {
  return new TuttiError(
    "FLOW_ENDED",
    `${verb}${line === undefined ? "" : ` at ${line}`} was called after its flow or scope had ended; it does nothing`,
    { hint: "Await everything that the flow starts before it returns." },
  );
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
