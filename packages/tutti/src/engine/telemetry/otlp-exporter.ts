import type { Clock } from "../../base/clock.ts";
import { describeThrown, isTuttiError } from "../../base/errors.ts";
import { keepPosition, readPositions } from "../../insight/otlp/position.ts";
import { openSpanReader, type SpanReader } from "../../insight/otlp/span-reader.ts";
import type { Telemetry } from "../../insight/otlp/span.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { openOtlpTarget, type OtlpOptions, type OtlpTarget } from "./otlp-target.ts";

/** Follows the ledger and sends what it says. */
export interface Exporter {
  /** Sends what is there, as far as it can within a few seconds, and stops. What is left is sent by the next one. */
  close(): Promise<void>;
}

const pageEntries = 500;
const pollMs = 1_000;
const pauseFirstMs = 1_000;
const pauseMaxMs = 60_000;
const flushMs = 5_000;

/**
 * Sends the ledger from where the last exporter to this address came to, in the background. No run waits for it. Nothing is left out: when
 * the receiver is away or refuses, it tries the same again, and lags. At most one page of entries is in memory.
 * @throws TuttiError DEFINITION_INVALID
 */
export async function openExporter(ledger: Ledger, options: OtlpOptions, clock: Clock): Promise<Exporter> {
  const { bodies = false, dialect, url } = options;
  const address = withoutKeys(url);
  const target = openOtlpTarget(options);
  const course: Course = {
    ledger,
    clock,
    target,
    address,
    reader: openSpanReader(ledger, { bodies, dialect }),
    position: (await readPositions(ledger)).get(address) ?? 0,
    page: undefined,
    pausedMs: 0,
    abort: new AbortController(),
    isClosing: false,
    wake: () => {},
    isLagging: false,
    warned: new Set(),
  };
  const done = follow(course);
  return {
    async close() {
      course.isClosing = true;
      course.wake();
      // The process is what ends here, so its own time counts, whatever clock the runs live by.
      const timer = setTimeout(() => course.abort.abort(), flushMs);
      await done;
      clearTimeout(timer);
    },
  };
}

interface Course {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly target: OtlpTarget;
  /** What the receiver has taken for good is kept under it. */
  readonly address: string;
  readonly reader: SpanReader;
  /** Everything up to this entry was taken. */
  position: number;
  /** What is being sent. */
  page: { readonly telemetry: Telemetry; readonly upTo: number } | undefined;
  pausedMs: number;
  readonly abort: AbortController;
  isClosing: boolean;
  wake: () => void;
  /** It was said that the receiver does not take what is sent. */
  isLagging: boolean;
  /** What is said once. */
  readonly warned: Set<string>;
}

async function follow(course: Course): Promise<void> {
  for (;;) {
    const outcome = await sendPage(course);
    if (outcome === "stopped" || (course.isClosing && outcome !== "sent")) return;
    if (outcome === "sent") course.pausedMs = 0;
    else if (outcome === "nothing") await pause(course, pollMs);
    else {
      course.pausedMs = Math.min(Math.max(course.pausedMs * 2, pauseFirstMs, outcome.retryAfterMs), pauseMaxMs);
      await pause(course, course.pausedMs);
    }
  }
}

type PageOutcome = "sent" | "nothing" | "stopped" | { readonly retryAfterMs: number };

async function sendPage(course: Course): Promise<PageOutcome> {
  const { ledger, target, abort } = course;
  try {
    course.page ??= await readPage(course);
    if (course.page === undefined) return "nothing";
    const { telemetry, upTo } = course.page;
    if (telemetry.spans.length + telemetry.events.length > 0) {
      const { rejected, skippedEvents } = await target.send(telemetry, abort.signal);
      course.isLagging = false;
      if (rejected > 0) warnOnce(course, "the receiver took some spans or events and rejected them");
      if (skippedEvents > 0) warnOnce(course, "the receiver takes no events; what they say stands on the spans too");
    }
    course.position = upTo;
    course.page = undefined;
    keepPosition(ledger, course.address, upTo);
    return "sent";
  } catch (error) {
    if (abort.signal.aborted) return "stopped";
    const isOver = isTuttiError(error) && (error.code === "LEDGER_CLOSED" || error.code === "LEDGER_STOPPED");
    if (!course.isLagging || isOver) warn(isOver ? "it has stopped" : "it lags", error);
    course.isLagging = true;
    if (isOver) return "stopped";
    return { retryAfterMs: (isTuttiError(error) ? error.retryAfterMs : undefined) ?? 0 };
  }
}

async function readPage({ ledger, reader, position }: Course): Promise<Course["page"]> {
  const entries = await ledger.scan(position, pageEntries);
  const last = entries.at(-1);
  if (last === undefined) return undefined;
  await ledger.flush(); // what is told outside is durable first
  return { telemetry: await reader.read(entries), upTo: last.lsn };
}

function pause(course: Course, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (course.isClosing) {
      resolve();
      return;
    }
    const forget = course.clock.after(delayMs, resolve);
    course.wake = () => {
      forget();
      resolve();
    };
  });
}

function warnOnce({ warned }: Course, what: string): void {
  if (warned.has(what)) return;
  warned.add(what);
  process.emitWarning(`telemetry: ${what}`, "TuttiWarning");
}

function warn(what: string, error: unknown): void {
  const hint = isTuttiError(error) && error.hint !== undefined ? ` ${error.hint}` : "";
  process.emitWarning(`telemetry: ${what}: ${describeThrown(error)}${hint}`, "TuttiWarning");
}

/** An address may have a key in it. */
function withoutKeys(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/+$/u, "")}`;
}
