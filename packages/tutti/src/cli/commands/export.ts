import type { LedgerEntry } from "../../contracts/entry.ts";
import { openOtlpTarget, toOrigin, type OtlpTarget } from "../../engine/telemetry/otlp-target.ts";
import { dialects, type Dialect } from "../../insight/otlp/dialects.ts";
import { eventsToJson, spansToJson } from "../../insight/otlp/encode-json.ts";
import { openSpanReader, type SpanOptions } from "../../insight/otlp/span-reader.ts";
import type { Telemetry } from "../../insight/otlp/span.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { findNamedRun, toLedgerPath, withReader } from "../ledger-file.ts";
import { say, tell } from "../output.ts";
import { readCount, readText } from "../read-value.ts";
import { toNumberOf } from "../terminal-text.ts";

const pageEntries = 500;

/** `tutti export otlp`: what is in the ledger, as traces. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const kind = call.operand("otlp");
  if (kind !== "otlp") throw toUsage(`there is no export "${kind}"`, "tutti export otlp");
  const since = readCount(call.text("since"), "since") ?? 0;
  const options = { bodies: call.flag("bodies"), dialect: readDialect(call.text("dialect")) };
  const target = await openTarget(call, options);
  const { signal } = new AbortController();
  const counts = { spans: 0, events: 0, rejected: 0, lsn: since };
  await withReader(toLedgerPath(call), async (ledger) => {
    const named = [];
    for (const typed of call.operands("run")) named.push((await findNamedRun(ledger, typed)).id);
    const reader = openSpanReader(ledger, options);
    for await (const entries of named.length === 0 ? pagesOf(ledger, since) : pagesOfRuns(ledger, named, since)) {
      const telemetry = await reader.read(entries);
      if (target === undefined) print(telemetry);
      else counts.rejected += (await target.send(telemetry, signal)).rejected;
      counts.spans += telemetry.spans.length;
      counts.events += telemetry.events.length;
      counts.lsn = Math.max(counts.lsn, entries.at(-1)?.lsn ?? 0);
    }
  });
  const what = `${toNumberOf(counts.spans, "span")} and ${toNumberOf(counts.events, "event")}`;
  tell(`${target === undefined ? "Printed" : "Sent"} ${what}, up to position ${counts.lsn}.`);
  if (counts.rejected === 0) return exitCodes.done;
  tell(`The receiver took ${counts.rejected} of them and rejected them.`);
  return exitCodes.failed;
}

async function* pagesOf(ledger: Ledger, since: number): AsyncGenerator<readonly LedgerEntry[]> {
  for (let after = since; ;) {
    const page = await ledger.scan(after, pageEntries);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.lsn;
    yield page;
  }
}

async function* pagesOfRuns(
  ledger: Ledger,
  runs: readonly LedgerEntry["run"][],
  since: number,
): AsyncGenerator<readonly LedgerEntry[]> {
  for (const id of runs) {
    for (let from = 1; ;) {
      const page = await ledger.read(id, from, pageEntries);
      const last = page.at(-1);
      if (last === undefined) break;
      from = last.seq + 1;
      yield page.filter(({ lsn }) => lsn > since);
    }
  }
}

function print({ spans, events }: Telemetry): void {
  if (spans.length > 0) say(spansToJson(spans, toOrigin()));
  if (events.length > 0) say(eventsToJson(events, toOrigin()));
}

async function openTarget(call: CommandCall, options: SpanOptions): Promise<OtlpTarget | undefined> {
  const url = call.text("to");
  const encoding = call.text("encoding") ?? "protobuf";
  if (encoding !== "protobuf" && encoding !== "json")
    throw toUsage(`--encoding is protobuf or json, not "${encoding}"`, "--encoding json");
  if (url === undefined) return undefined;
  const headers: Record<string, string> = {};
  for (const typed of call.texts("header")) {
    const [, name, value] = /^([\w-]+)=(.*)$/u.exec(typed) ?? [];
    if (name === undefined || value === undefined)
      throw toUsage("--header takes a name and a value", "--header x-api-key=… or --header x-api-key=@file");
    headers[name] = (await readText(value, `the header ${name}`)).trim();
  }
  return openOtlpTarget({ url, headers, encoding, bodies: options.bodies ?? false });
}

function readDialect(typed: string | undefined): Dialect | undefined {
  const dialect = dialects.find((each) => each === typed);
  if (typed !== undefined && dialect === undefined)
    throw toUsage(`there is no dialect "${typed}"`, `--dialect ${dialects.join("|")}`);
  return dialect;
}
