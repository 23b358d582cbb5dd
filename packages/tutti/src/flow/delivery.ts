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
  readonly apply: (item: Delivered, asked: Pending | undefined) => void;
  /** True when nothing will ask for this key, because its branch was cancelled. */
  readonly isAbandoned: (key: string) => boolean;
  /** True when the code waits for something that only a later entry can bring, or has ended. */
  readonly isBlocked: () => boolean;
  readonly onDiverged: (item: Delivered, asked: readonly string[]) => void;
  /** Nothing to hand over and nothing to start. Called once per pause. */
  readonly onQuiet: () => void;
  /** Something of the run is recorded, be it nothing that is handed over: then what is new waits until the code was led through it. */
  readonly hasPast: boolean;
  /** Called when the recorded part is used up, before what the code asks for then begins. */
  readonly onCaughtUp?: ((asked: readonly string[]) => void) | undefined;
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

interface Mailbox extends TurnTaker {
  readonly order: readonly Delivered[];
  readonly host: DeliveryHost;
  readonly asks: Map<string, Pending>;
  readonly abandoned: Set<string>;
  gates: Gate[];
  /** The next recorded item to hand over. */
  position: number;
  /** The next live item to hand over. */
  first: Handing | undefined;
  last: Handing | undefined;
  live: boolean;
  windowOpen: boolean;
  /** Something was handed over in this macrotask; the next thing has to wait for the next. */
  hasTurn: boolean;
  stopped: boolean;
}

export function openDelivery(order: readonly Delivered[], host: DeliveryHost): Delivery {
  const mailbox: Mailbox = {
    order,
    host,
    asks: new Map(),
    abandoned: new Set(),
    gates: [],
    position: 0,
    first: undefined,
    last: undefined,
    live: !host.hasPast,
    windowOpen: false,
    hasTurn: false,
    stopped: false,
    takeTurn: () => takeTurn(mailbox),
    closeWindow: () => void (mailbox.windowOpen = false),
  };
  return {
    get live() {
      return mailbox.live;
    },
    get windowOpen() {
      return mailbox.windowOpen;
    },
    get idle() {
      return mailbox.live && !mailbox.hasTurn && mailbox.first === undefined;
    },
    ask: (pending) => ask(mailbox, pending),
    whenLive(start, key) {
      if (mailbox.live) start();
      else mailbox.gates.push({ start, key });
    },
    enqueue: (handing) => enqueue(mailbox, handing),
    ready: (handing) => ready(mailbox, handing),
    abandon: (key) => void mailbox.abandoned.add(key),
    begin(run) {
      openWindow(mailbox);
      run();
    },
    halt() {
      mailbox.stopped = true;
    },
    stop() {
      mailbox.stopped = true;
      mailbox.asks.clear();
      mailbox.gates = [];
      mailbox.first = undefined;
      mailbox.last = undefined;
    },
  };
}

/** The window stays open while microtasks drain; the next macrotask hands over the next item. */
function openWindow(mailbox: Mailbox): void {
  mailbox.windowOpen = true;
  closeWindowAfterMicrotasks(mailbox);
  if (mailbox.hasTurn) return;
  mailbox.hasTurn = true;
  takeTurnNext(mailbox);
}

function takeTurn(mailbox: Mailbox): void {
  mailbox.hasTurn = false;
  // What was handed over last has had its say, whatever it began.
  if (mailbox.stopped) mailbox.host.onQuiet();
  else if (mailbox.live) handLive(mailbox);
  else handRecorded(mailbox);
}

function handRecorded(mailbox: Mailbox): void {
  const { asks, host } = mailbox;
  for (;;) {
    const item = mailbox.order[mailbox.position];
    if (item === undefined) {
      goLive(mailbox);
      return;
    }
    const unasked = isUnasked(item.kind);
    const asked = asks.get(item.key);
    if (asked !== undefined || unasked) {
      mailbox.position++;
      asks.delete(item.key);
      openWindow(mailbox);
      host.apply(item, asked);
      return;
    }
    if (!mailbox.abandoned.has(item.key) && !host.isAbandoned(item.key)) {
      if (asks.size > 0 || mailbox.gates.length > 0 || host.isBlocked())
        host.onDiverged(item, [...asks.keys(), ...toKeys(mailbox)]);
      else host.onQuiet();
      return;
    }
    mailbox.position++;
  }
}

/** What comes from outside, whether or not the code asks. */
function isUnasked(kind: Delivered["kind"]): boolean {
  return kind === "signal-received" || kind === "directive-given" || kind === "cancel-requested";
}

function goLive(mailbox: Mailbox): void {
  mailbox.host.onCaughtUp?.(toKeys(mailbox));
  if (mailbox.stopped) return;
  mailbox.live = true;
  const waiting = mailbox.gates;
  mailbox.gates = [];
  openWindow(mailbox);
  for (const { start } of waiting) start();
}

function toKeys({ gates }: Mailbox): readonly string[] {
  return gates.flatMap(({ key }) => key ?? []);
}

function handLive(mailbox: Mailbox): void {
  const handing = mailbox.first;
  if (handing === undefined) {
    mailbox.host.onQuiet();
    return;
  }
  if (!handing.isReady) return;
  mailbox.first = handing.next;
  if (mailbox.first === undefined) mailbox.last = undefined;
  openWindow(mailbox);
  handing.apply();
}

function ask(mailbox: Mailbox, pending: Pending): void {
  mailbox.asks.set(pending.key, pending);
  pending.onCancel = () => {
    mailbox.asks.delete(pending.key);
    mailbox.abandoned.add(pending.key);
  };
}

function enqueue(mailbox: Mailbox, handing: Handing): void {
  if (mailbox.last === undefined) mailbox.first = handing;
  else mailbox.last.next = handing;
  mailbox.last = handing;
}

function ready(mailbox: Mailbox, handing: Handing): void {
  handing.isReady = true;
  if (mailbox.live && !mailbox.hasTurn && !mailbox.stopped && mailbox.first === handing) handLive(mailbox);
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
