import { listEvents, listSubscriptions, listTopics } from "../../engine/events/open-events.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { toLedgerPath, withReader } from "../ledger-file.ts";
import { say, sayJson, tell } from "../output.ts";
import { readCount } from "../read-value.ts";
import { toPlainLine } from "../terminal-text.ts";

const limitDefault = 20;

/** `tutti events`: the events of a topic; without one the subscriptions, with what is parked. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const topic = call.optional("topic");
  await withReader(toLedgerPath(call), async (ledger) => {
    if (topic === undefined) {
      const subscriptions = await listSubscriptions(ledger);
      if (call.flag("json")) for (const each of subscriptions) sayJson(each);
      else sayLines(subscriptions.flatMap(toSubscriptionLines), "No subscriptions.");
      const topics = await listTopics(ledger);
      if (!call.flag("json") && topics.length > 0) tell(`Topics: ${topics.map(toPlainLine).join(", ")}.`);
      return;
    }
    const after = readCount(call.text("after"), "after") ?? 0;
    const limit = readCount(call.text("limit"), "limit") ?? limitDefault;
    const events = await listEvents(ledger, topic, { after, limit });
    if (call.flag("json")) for (const event of events) sayJson(event);
    else sayLines(events.map(toEventLine), `No events of ${toPlainLine(topic)} after ${after}.`);
  });
  return exitCodes.done;
}

function sayLines(lines: readonly string[], nothing: string): void {
  if (lines.length === 0) tell(nothing);
  for (const line of lines) say(line);
}

type Subscribed = Awaited<ReturnType<typeof listSubscriptions>>[number];
type Event = Awaited<ReturnType<typeof listEvents>>[number];

function toSubscriptionLines({ name, topic, flow, position, tail, acted, parked }: Subscribed): readonly string[] {
  const place = position >= tail ? "up to date" : `at ${position} of ${tail}`;
  return [
    toPlainLine(`${name}  ${topic} → ${flow}  ${place}  ${acted} started  ${parked.length} parked`),
    ...parked.map(({ events, error }) => toPlainLine(`  parked ${events.join(", ")}: ${error.code} ${error.message}`)),
  ];
}

function toEventLine({ position, at, id, key, payload }: Event): string {
  const moment = new Date(at).toISOString();
  return toPlainLine(`${position}  ${moment}  ${id}${key === undefined ? "" : `  ${key}`}  ${JSON.stringify(payload)}`);
}
