import { existsSync } from "node:fs";

import { systemClock } from "../../base/clock.ts";
import type { AccountRecord, Amount } from "../../contracts/budget.ts";
import { readGateStates, type GateState } from "../../limits/gate-state.ts";
import type { SlotUse } from "../../limits/slot-use.ts";
import { askSlots } from "../ask-engine.ts";
import type { CommandCall } from "../command.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { defaultLedger, toLedgerPath, withReader } from "../ledger-file.ts";
import { say, sayJson, stdoutColumns, stdoutPaint, tell } from "../output.ts";
import { readCount } from "../read-value.ts";
import {
  cutToColumns,
  fitToColumns,
  toColumns,
  toCount,
  toDuration,
  toMoment,
  toNumberOf,
  toPlainLine,
  toUsd,
} from "../terminal-text.ts";

const limitDefault = 50;

/** `tutti limits`: what accounts may spend, what is left alone for now, and in a running engine who is in and who waits. */
export async function run(call: CommandCall): Promise<ExitCode> {
  const path = toLedgerPath(call);
  const limit = readCount(call.text("limit"), "limit") ?? limitDefault;
  const under = call.text("under") ?? "";
  const isNew = path === defaultLedger && !existsSync(path);
  const { accounts, gates } = isNew
    ? { accounts: [], gates: [] }
    : await withReader(path, async (ledger) => ({
        accounts: await ledger.listAccounts({ under, limit: limit + 1 }),
        gates: [...(await readGateStates(ledger))].filter(([key]) => key.startsWith(under)),
      }));
  const slots = (await askSlots(path)).filter((use) => use.limit.startsWith(under));
  const now = systemClock.now();
  const shown = accounts.slice(0, limit);
  if (call.flag("json")) {
    for (const account of shown) sayJson(account);
    for (const [key, state] of gates) sayJson({ limit: key, ...state });
    for (const use of slots) sayJson(use);
    return exitCodes.done;
  }
  sayTable([["account", "limit", "spent", "reserved"], ...shown.map(toAccountRow)]);
  if (accounts.length > limit) tell(`There are more; --limit ${limit * 2} shows them.`);
  const left = gates.flatMap(([key, state]) => describeGate(state, now).map((text) => [toPlainLine(key), text]));
  if (left.length > 0 && shown.length > 0) say("");
  sayTable([["limit", "now"], ...left]);
  if (slots.length > 0 && shown.length + left.length > 0) say("");
  sayTable([["limit", "of", "in use", "waiting"], ...slots.map(toSlotRow)]);
  if (shown.length + left.length + slots.length === 0) tell("Nothing was reserved, and nothing is left alone.");
  return exitCodes.done;
}

function toAccountRow({ account, limit, spent, reserved }: AccountRecord): readonly string[] {
  return [toPlainLine(account), describeAmount(limit), describeAmount(spent), describeAmount(reserved)];
}

function toSlotRow({ limit, of, slots, inUse, waiting }: SlotUse): readonly string[] {
  const waits = waiting.map(
    ({ priority, tenant, count }) =>
      `${toCount(count)} ${priority}${tenant === "" ? "" : ` of ${toPlainLine(tenant)}`}`,
  );
  const used = slots === undefined ? toCount(inUse) : `${toCount(inUse)} of ${toCount(slots)}`;
  return [toPlainLine(limit), of, used, waits.length === 0 ? "–" : waits.join(", ")];
}

function describeAmount({ usd, tokens, calls, timeMs }: Amount): string {
  const parts = [
    ...(usd === undefined ? [] : [toUsd(usd)]),
    ...(tokens === undefined ? [] : [toCount(tokens) + " tokens"]),
    ...(calls === undefined ? [] : [toNumberOf(calls, "call")]),
    ...(timeMs === undefined ? [] : [toDuration(timeMs)]),
  ];
  return parts.length === 0 ? "–" : parts.join(" ");
}

/** What holds calls up; nothing when nothing does. */
function describeGate({ breaker, pausedUntilMs, retries }: GateState, now: number): readonly string[] {
  return [
    ...(breaker === undefined ? [] : [`left alone ${toUntil(breaker.untilMs, now)} after failures`]),
    ...(pausedUntilMs === undefined || pausedUntilMs <= now ? [] : [`asked to wait ${toUntil(pausedUntilMs, now)}`]),
    ...(retries === undefined || retries >= 1 ? [] : ["no repetitions left"]),
  ];
}

function toUntil(atMs: number, now: number): string {
  return atMs <= now ? "until the next call tries it" : `until ${toMoment(atMs, now)}`;
}

/** A title and rows, if there are rows. */
function sayTable(rows: readonly (readonly string[])[]): void {
  const [title] = rows;
  if (title === undefined || rows.length === 1) return;
  const paint = stdoutPaint();
  const widths = title.map((_, column) => Math.max(...rows.map((row) => toColumns(row[column] ?? ""))));
  for (const [index, row] of rows.entries()) {
    const cells = row.map((cell, column) => fitToColumns(cell, widths[column] ?? 0));
    const line = cutToColumns(cells.join("  ").trimEnd(), stdoutColumns());
    say(index === 0 ? paint("dim", line) : line);
  }
}
