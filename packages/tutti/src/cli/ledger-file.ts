import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";

import { systemClock } from "../base/clock.ts";
import { TuttiError } from "../base/errors.ts";
import { toRunId } from "../contracts/ids.ts";
import type { RunRecord } from "../contracts/run-record.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { CommandCall } from "./command.ts";

export const defaultLedger = ".tutti/ledger.db";

/** The ledger that a command names. */
export function toLedgerPath(call: CommandCall): string {
  return call.text("ledger") ?? defaultLedger;
}

/** ` --ledger x` for a command that shall find the same ledger again; "" for the default one. */
export function toLedgerOption(path: string): string {
  return path === defaultLedger ? "" : ` --ledger ${quote(path)}`;
}

/** A word as a shell takes it back. */
export function quote(word: string): string {
  return /^[\w@%+=:,./#-]+$/u.test(word) && !word.startsWith("-") && !word.startsWith("#")
    ? word
    : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The ledger's file under its one true name, so that two names of one file mean one engine.
 * @throws TuttiError SOURCE_UNREADABLE
 */
export function findLedgerFile(path: string): string {
  const file = resolve(path);
  if (existsSync(file)) return realpathSync(file);
  throw new TuttiError("SOURCE_UNREADABLE", `there is no ledger at ${path}`, {
    hint: "`tutti run <file>` makes one; --ledger <path> names another.",
    facts: { path: file },
  });
}

/**
 * Looks into a ledger while work goes on and closes it again. Reading disturbs nobody, also while an engine runs.
 * @throws TuttiError SOURCE_UNREADABLE, LEDGER_CORRUPT, LEDGER_TOO_NEW
 */
export async function withReader<Result>(path: string, look: (ledger: Ledger) => Promise<Result>): Promise<Result> {
  const file = findLedgerFile(path);
  const ledger = await openReader(file);
  try {
    return await look(ledger);
  } finally {
    await ledger.close();
  }
}

/** Most ledgers keep nothing sealed, and their readers load nothing for it. */
async function openReader(file: string): Promise<Ledger> {
  const options = { clock: systemClock, readOnly: true };
  const { besides } = await import("../ledger/sqlite/ledger-file.ts");
  if (existsSync(file + besides.subjects)) {
    const { openPersonalSqliteLedger } = await import("../ledger/personal/open-personal-ledger.ts");
    return openPersonalSqliteLedger(file, options);
  }
  const { openSqliteLedger } = await import("../ledger/sqlite/sqlite-ledger.ts");
  return openSqliteLedger(file, options);
}

const namedMax = 5;

/**
 * The run with this id, or the only one whose id begins so.
 * @throws TuttiError RUN_UNKNOWN, USAGE for a beginning that several share
 */
export async function findNamedRun(ledger: Ledger, named: string): Promise<RunRecord> {
  const exact = named === "" ? undefined : await ledger.findRun(toRunId(named));
  if (exact !== undefined) return exact;
  const near = named === "" ? [] : (await ledger.listRuns({})).filter(({ id }) => id.startsWith(named));
  const [only, ...others] = near;
  if (only === undefined) {
    throw new TuttiError("RUN_UNKNOWN", `no run begins with "${named}"`, {
      hint: "`tutti runs` lists them.",
      facts: { run: named },
    });
  }
  if (others.length === 0) return only;
  const ids = near.slice(0, namedMax).map(({ id }) => id);
  throw new TuttiError("USAGE", `${near.length} runs begin with "${named}"`, {
    hint: `Type more of it: ${ids.join(", ")}${near.length > namedMax ? ", …" : ""}`,
    facts: { runs: ids },
  });
}
