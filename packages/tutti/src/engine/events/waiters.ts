import { isTuttiError } from "../../base/errors.ts";
import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import type { RunId } from "../../contracts/ids.ts";
import { isOver } from "../../contracts/run-record.ts";
import type { TopicEvent } from "../../contracts/topic.ts";
import type { AwaitedEvent } from "../../flow/driver.ts";
import { toEventSignal } from "../../flow/events.ts";
import { toBody } from "../../flow/stored-value.ts";
import type { ActiveRuns, Engine } from "../engine-parts.ts";
import { findLast, type Journal } from "../journal.ts";
import { openPump, type Pump } from "../pump.ts";
import { signalRun } from "../steer-run.ts";
import { readEvents, type Heard, type Topics } from "./topics.ts";

/** The runs that wait for events of one topic. */
export interface Waiters {
  /** Resolves when the wish is durable. A step wishes once, however often it says so. */
  add(wanted: AwaitedEvent): Promise<void>;
  close(): Promise<void>;
}

/** Events that one run wants under one key. */
interface Interest {
  readonly run: RunId;
  readonly key: string | undefined;
  readonly since: number;
  /** How many more events it wants. */
  wanted: number;
  /** The last event that it was handed. */
  handed: number;
  /** The last position that was looked at for it; unknown until the topic was searched. */
  looked: number | undefined;
}

interface Waiting {
  readonly topic: string;
  readonly engine: Engine;
  readonly runs: ActiveRuns;
  readonly journal: Journal;
  readonly interests: Map<string, Interest>;
  readonly pump: Pump;
}

const pageEntries = 256;

/** Takes up what the topic's entries say about who waits. */
export async function openWaiters(
  place: { readonly engine: Engine; readonly runs: ActiveRuns; readonly topics: Topics },
  topic: string,
): Promise<Waiters> {
  const { engine, runs, topics } = place;
  const journal = await topics.journal(topic);
  const waiting: Waiting = {
    topic,
    engine,
    runs,
    journal,
    interests: readInterests(journal.entries),
    pump: openPump(engine, `waiting for events of ${topic}`, () => serveAll(waiting)),
  };
  const forget = topics.listen(topic, (heard) => {
    if (isWanted(waiting, heard)) waiting.pump.wake();
  });
  for (const { run } of Array.from(waiting.interests.values())) watchEnd(waiting, run);
  await dropEnded(waiting);
  waiting.pump.wake();
  return {
    async add(wanted) {
      const { run, step, since, key } = wanted;
      const appended = await journal.append({
        kind: "event-awaited",
        key: "",
        body: toBody({ run, step, since, ...toKeyField(key) }),
        onceKey: `@await:${topic}:${run}${step}`,
      });
      if (appended.kind !== "recorded") return;
      noteWish(waiting.interests, wanted);
      watchEnd(waiting, run);
      waiting.pump.wake();
    },
    close() {
      forget();
      return waiting.pump.close();
    },
  };
}

function toKeyField(key: string | undefined): { readonly eventKey?: string } {
  return key === undefined ? {} : { eventKey: key };
}

function readInterests(entries: readonly LedgerEntry[]): Map<string, Interest> {
  const interests = new Map<string, Interest>();
  for (const entry of entries) {
    if (entry.kind === "event-awaited") {
      const { run, since, eventKey } = bodyOf(entry, entry.kind);
      noteWish(interests, { run, since, key: eventKey });
    } else if (entry.kind === "event-handed") {
      const { run, event, eventKey } = bodyOf(entry, entry.kind);
      const interest = interests.get(toInterestKey(run, eventKey));
      if (interest !== undefined) noteHanded(interest, event);
    }
  }
  return interests;
}

// A run's id holds no space.
function toInterestKey(run: RunId, key: string | undefined): string {
  return key === undefined ? run : `${run} ${key}`;
}

function noteWish(
  interests: Map<string, Interest>,
  { run, since, key }: Pick<AwaitedEvent, "run" | "since" | "key">,
): void {
  const name = toInterestKey(run, key);
  const present = interests.get(name);
  if (present === undefined) interests.set(name, { run, key, since, wanted: 1, handed: 0, looked: undefined });
  else present.wanted += 1;
}

function noteHanded(interest: Interest, event: number): void {
  interest.wanted -= 1;
  interest.handed = event;
  interest.looked = Math.max(interest.looked ?? 0, event);
}

function isWanted({ interests }: Waiting, { key }: Heard): boolean {
  for (const interest of interests.values())
    if (interest.wanted > 0 && (interest.key === undefined || interest.key === key)) return true;
  return false;
}

/** A run that is over wants nothing any more. */
function watchEnd({ runs, interests }: Waiting, run: RunId): void {
  const forget = runs.onRest(run, (rest) => {
    if (rest.kind !== "over" && rest.kind !== "lost") return;
    forget();
    for (const [name, interest] of Array.from(interests)) if (interest.run === run) interests.delete(name);
  });
}

async function dropEnded({ engine, interests }: Waiting): Promise<void> {
  for (const [name, { run }] of Array.from(interests)) {
    const record = await engine.ledger.findRun(run);
    if (record === undefined || isOver(record.status)) interests.delete(name);
  }
}

async function serveAll(waiting: Waiting): Promise<undefined> {
  for (const [name, interest] of Array.from(waiting.interests)) {
    if (interest.wanted === 0) continue;
    const isOpen = await serve(waiting, interest);
    if (!isOpen) waiting.interests.delete(name);
  }
}

/** Hands over what the run wants, oldest first. False when the run has ended. */
async function serve(waiting: Waiting, interest: Interest): Promise<boolean> {
  const { engine, topic, journal } = waiting;
  interest.looked ??= await findLast(engine.ledger, journal.run, (entry) => entry.at < interest.since);
  while (interest.wanted > 0) {
    const page = await readEvents(engine.ledger, topic, { after: interest.looked, limit: pageEntries });
    if (page.next === interest.looked) return true;
    for (const event of page.events) {
      if (interest.wanted === 0 || (interest.key !== undefined && event.key !== interest.key)) continue;
      const isTaken = await hand(waiting, interest, event);
      if (!isTaken) return false;
    }
    if (interest.wanted > 0) interest.looked = page.next;
  }
  return true;
}

/** The run has the event before the topic says so: after a crash in between it is sent again, under the same id. */
async function hand(
  { engine, runs, topic, journal }: Waiting,
  interest: Interest,
  event: Pick<TopicEvent, "position" | "payload" | "labels">,
): Promise<boolean> {
  const { run, key } = interest;
  const name = toEventSignal(topic, key);
  const id = `${name} ${event.position}`;
  try {
    await signalRun(engine, runs, { run, signal: { name, id, payload: event.payload, labels: event.labels } });
  } catch (error) {
    if (isTuttiError(error) && (error.code === "RUN_OVER" || error.code === "RUN_UNKNOWN")) return false;
    throw error;
  }
  const body = toBody({ run, event: event.position, ...toKeyField(key) });
  await journal.append({ kind: "event-handed", key: "", body });
  noteHanded(interest, event.position);
  return true;
}
