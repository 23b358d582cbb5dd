import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { bodyOf, openTutti, type LedgerEntry, type Tutti } from "tutti";
import { openManualClock, type ManualClock } from "tutti/testing";
import { z } from "zod";

import { isIntact, makeLedgerPath, openAccount, readJson, type Account } from "../stage/account.ts";
import { openModel } from "./agents.ts";
import { openOutbox, type Line } from "./outbox.ts";
import { quietMinutes, toReactions, type House } from "./reactions.ts";
import { CustomerOrder, Delay, delayTopic, Part, Stock, stockTopic } from "./shapes.ts";

const Arrival = z.object({ arrives: z.number(), id: z.string() });
const Event = z.discriminatedUnion("topic", [
  z.object({ topic: z.literal("stock"), ...Arrival.shape, ...Stock.shape }),
  z.object({ topic: z.literal("delays"), ...Arrival.shape, ...Delay.shape }),
]);
type Event = z.infer<typeof Event>;

const inputs = path.join(import.meta.dirname, "inputs");
const minuteMs = 60_000;
const turnsMax = 5_000;

process.exitCode = await main();

async function main(): Promise<number> {
  const account = openAccount("Supply chain: events that come twice and late, and two agents with one idea");
  const lines = readFileSync(path.join(inputs, "events.jsonl"), "utf8").trim().split("\n");
  const events = lines.map((line) => Event.parse(JSON.parse(line)));
  const ledger = makeLedgerPath("supply-chain");
  const house: House = {
    parts: readJson(path.join(inputs, "parts.json"), z.array(Part)),
    orders: readJson(path.join(inputs, "customer-orders.json"), z.array(CustomerOrder)),
    outbox: openOutbox(path.join(path.dirname(ledger), "outbox.jsonl")),
  };
  const clock = openManualClock(Date.UTC(2026, 2, 2, 8));
  const tutti = await openTutti({ flows: [], on: toReactions(house), models: { fast: openModel() }, ledger, clock });
  const repeated = await playDay(tutti, clock, events);
  const entries = await readEntries(tutti);
  tell(account, { events, repeated, entries, sent: house.outbox.lines() });
  check(account, { events, entries, house });
  account.check("the ledger's chain is intact", await isIntact(tutti));
  await tutti.close();
  return account.end({
    ledger,
    next: [`npm run tutti -- runs --ledger ${ledger}    then why, with a run of buy or care`],
  });
}

/** Lets the day pass as the file says, and then long enough for the last burst to be over. Returns how many events were repeated. */
async function playDay(tutti: Tutti, clock: ManualClock, events: readonly Event[]): Promise<number> {
  let minute = 0;
  let repeated = 0;
  for (const { arrives, id, topic, ...payload } of events) {
    await clock.advance((arrives - minute) * minuteMs);
    minute = Math.max(minute, arrives);
    const published =
      topic === "stock"
        ? await tutti.publish(stockTopic, Stock.parse(payload), { id })
        : await tutti.publish(delayTopic, Delay.parse(payload), { id });
    repeated += published.kind === "repeated" ? 1 : 0;
    await rest(tutti);
  }
  for (let minutes = 0; minutes < quietMinutes * 2; minutes++) {
    await clock.advance(minuteMs);
    await rest(tutti);
  }
  return repeated;
}

/** Until every reaction to what came so far is over. */
async function rest(tutti: Tutti): Promise<void> {
  for (let turn = 0; turn < turnsMax; turn++) {
    await pause(2);
    const open = await tutti.runs({ statuses: ["running"] });
    if (open.length === 0) return;
  }
  throw new Error("the reactions do not come to an end");
}

async function readEntries(tutti: Tutti): Promise<readonly LedgerEntry[]> {
  await tutti.ledger.flush();
  return tutti.ledger.scan(0, 10_000);
}

interface Day {
  readonly events: readonly Event[];
  readonly repeated: number;
  readonly entries: readonly LedgerEntry[];
  readonly sent: readonly Line[];
}

function tell(account: Account, { events, repeated, entries, sent }: Day): void {
  const starts = entries.flatMap((entry) => (entry.kind === "run-started" ? [bodyOf(entry, entry.kind).flow] : []));
  const count = (flow: string): number => starts.filter((each) => each === flow).length;
  account.tell("A day of events", [
    `${events.length} came, ${repeated} of them for the second time, some late`,
    `${count("watch-stock")} looks at the stock, ${count("watch-delays")} at delays; ${count("buy")} shortages`,
  ]);
  account.tell(
    "What left the house",
    sent.map(({ kind, content }) =>
      kind === "purchase"
        ? `purchase  ${content.pieces} × ${content.part} from ${content.supplier}, because ${content.shipment} is late`
        : `notice    ${content.customer}: ${content.order} comes ${content.days} days later`,
    ),
  );
  account.tell(
    "Shared, not done twice",
    entries.flatMap((entry) =>
      entry.kind === "effect-shared"
        ? [`${bodyOf(entry, entry.kind).effect} was done in ${bodyOf(entry, entry.kind).from.run}`]
        : [],
    ),
  );
}

/** What the file calls for, worked out without any of the machinery. */
function check(
  account: Account,
  { events, entries, house }: Pick<Day, "events" | "entries"> & { readonly house: House },
): void {
  const sent = house.outbox.lines();
  const expected = house.parts.flatMap(({ part, reorderAt }) => {
    const stock = events
      .flatMap((event) => (event.topic === "stock" && event.part === part ? [event] : []))
      .toSorted((left, right) => right.at - left.at)[0];
    const delay = events
      .flatMap((event) => (event.topic === "delays" && event.part === part ? [event] : []))
      .toSorted((left, right) => right.at - left.at)[0];
    if (stock === undefined || delay === undefined || stock.level > reorderAt) return [];
    const late = house.orders.filter((order) => order.part === part && order.dueInDays < delay.days);
    return [`purchase ${part}`, ...late.map(({ order }) => `notice ${order}`)];
  });
  const found = sent.map(({ kind, content }) =>
    kind === "purchase" ? `purchase ${content.part}` : `notice ${content.order}`,
  );
  account.check(
    "what left the house is what the events call for, each once",
    found.toSorted().join() === expected.toSorted().join(),
  );
  const published = entries.filter(({ kind, run }) => kind === "event-published" && run !== "topic:shortages").length;
  account.check("an event that came twice is one event", published === new Set(events.map(({ id }) => id)).size);
  const shared = entries.filter(({ kind }) => kind === "effect-shared").length;
  account.check(
    "two agents wanted the same notices: each was sent by one and shared by the other",
    shared === found.filter((each) => each.startsWith("notice")).length,
  );
  const looks = entries.filter(
    (entry) => entry.kind === "run-started" && bodyOf(entry, entry.kind).flow === "watch-stock",
  ).length;
  account.check(
    "a burst of readings was looked at once",
    looks > 0 && looks < events.filter(({ topic }) => topic === "stock").length - 1,
  );
}
