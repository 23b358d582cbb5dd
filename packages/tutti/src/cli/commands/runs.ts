import { existsSync } from "node:fs";

import { systemClock } from "../../base/clock.ts";
import { isOver, openStatuses, type RunRecord, type RunStatus } from "../../contracts/run-record.ts";
import type { RunFilter } from "../../ledger/ledger.ts";
import { toUsage } from "../command-line.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { defaultLedger, toLedgerPath, withReader } from "../ledger-file.ts";
import { say, sayJson, stdoutColumns, stdoutPaint, tell } from "../output.ts";
import { readCount } from "../read-value.ts";
import {
  cutToColumns,
  fitToColumns,
  toColumns,
  toDuration,
  toElapsed,
  toMoment,
  toPlainLine,
  type Paint,
} from "../terminal-text.ts";

const limitDefault = 20;
const statuses: readonly RunStatus[] = [...openStatuses, "done", "failed", "cancelled"];

/** `tutti runs`: lists runs, the newest first. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const limit = readCount(call.text("limit"), "limit") ?? limitDefault;
  const flow = call.text("flow");
  const filter: RunFilter = {
    limit: limit + 1,
    ...readStatuses(call.text("status")),
    ...(flow === undefined ? {} : { flow }),
  };
  // Nothing has run here yet: that is an answer, not a mistake.
  const found =
    path === defaultLedger && !existsSync(path) ? [] : await withReader(path, (ledger) => ledger.listRuns(filter));
  const records = found.slice(0, limit);
  const waits = await findWaits(path, records);
  if (call.flag("json")) {
    for (const record of records) {
      const waitsFor = waits[record.id];
      sayJson(waitsFor === undefined ? record : { ...record, waitsFor });
    }
    return exitCodes.done;
  }
  if (records.length === 0) tell("No runs. `tutti run <file>` starts one.");
  for (const line of toTable(records, waits, systemClock.now())) say(line);
  if (found.length > limit) tell(`There are more; --limit ${limit * 2} shows them.`);
  return exitCodes.done;
}

function readStatuses(typed: string | undefined): Pick<RunFilter, "statuses"> {
  if (typed === undefined) return {};
  const words = typed.split(",").map((word) => word.trim());
  const chosen = statuses.filter((status) => words.includes(status));
  const wrong = words.find((word) => !statuses.some((status) => status === word));
  if (wrong !== undefined) throw toUsage(`no run is "${wrong}"`, `--status takes: ${statuses.join(", ")}`);
  return { statuses: chosen };
}

type Waits = Readonly<Record<string, readonly string[]>>;

/** What runs wait for that goes on by itself. Where all are over nobody is asked, and nothing is loaded for it. */
async function findWaits(path: string, records: readonly RunRecord[]): Promise<Waits> {
  const open = records.filter(({ status }) => !isOver(status)).map(({ id }) => id);
  if (open.length === 0) return {};
  const { askWaits } = await import("../ask-engine.ts");
  return askWaits(path, open);
}

function toTable(records: readonly RunRecord[], waits: Waits, now: number): readonly string[] {
  const paint = stdoutPaint();
  const waitColumn = Object.keys(waits).length === 0 ? [] : ["waits for"];
  const rows = records.map((record) => [
    toPlainLine(record.id),
    toPlainLine(record.flow),
    record.status,
    toStarted(record, now),
    toTime(record, now),
    ...waitColumn.map(() => toPlainLine((waits[record.id] ?? []).join(", "))),
  ]);
  if (rows.length === 0) return [];
  const titles = ["run", "flow", "status", "started", "took", ...waitColumn];
  const titled = [titles, ...rows];
  const widths = titles
    .map((_, column) => column)
    .map((column) => Math.max(...titled.map((row) => toColumns(row[column] ?? ""))));
  return titled.map((row, index) => {
    const cells = row.map((cell, column) => fitToColumns(cell, widths[column] ?? 0));
    const line = cutToColumns(cells.join("  ").trimEnd(), stdoutColumns());
    return index === 0 ? paint("dim", line) : paintStatus(line, row[2] ?? "", paint);
  });
}

function paintStatus(line: string, status: string, paint: Paint): string {
  const at = line.indexOf(`  ${status}`);
  if (at < 0) return line;
  const tone =
    status === "done"
      ? "green"
      : status === "failed" || status === "parked"
        ? "red"
        : status === "in-doubt"
          ? "yellow"
          : "cyan";
  return `${line.slice(0, at)}  ${paint(tone, status)}${line.slice(at + 2 + status.length)}`;
}

function toStarted({ startedAt }: RunRecord, now: number): string {
  const ago = now - startedAt;
  return ago < 86_400_000 ? `${toElapsed(ago)} ago` : toMoment(startedAt, now);
}

function toTime({ startedAt, endedAt, status }: RunRecord, now: number): string {
  if (!isOver(status)) return toElapsed(now - startedAt);
  return endedAt === undefined ? "" : toDuration(endedAt - startedAt);
}
