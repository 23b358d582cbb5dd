import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { afterEach, beforeEach } from "vitest";

import { isTuttiError } from "../../packages/tutti/src/base/errors.ts";
import type { Ledger } from "../../packages/tutti/src/ledger/ledger.ts";
import { openSqliteLedger, type SqliteLedgerOptions } from "../../packages/tutti/src/ledger/sqlite/sqlite-ledger.ts";
import { createSettableClock, startLogs, toStep } from "./ledger-fixture.ts";

/** A folder with a ledger's file for each test of the file that calls `useLedgerFolder`. */
export interface LedgerFolder {
  readonly folder: string;
  readonly file: string;
  /** Opens a ledger that is closed after the test. */
  open(path?: string, options?: Partial<SqliteLedgerOptions>): Promise<Ledger>;
  /** The code that opening is refused with, and whether there was a hint; "opened" if it is not refused. */
  refusal(path?: string, options?: Partial<SqliteLedgerOptions>): Promise<string>;
  /** Makes and closes a ledger of so many runs with ten steps each. */
  makeLedger(runs?: number): Promise<void>;
  /** Changes the file by hand. */
  edit(sql: string): void;
  /** Runs after the ledgers were closed and before the folder is removed. */
  onCleanUp(cleanUp: () => void): void;
}

export function useLedgerFolder(): LedgerFolder {
  let folder = "";
  const opened: Ledger[] = [];
  const cleanUps: (() => void)[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tutti-ledger-"));
  });
  afterEach(async () => {
    for (const ledger of opened.splice(0)) await ledger.close();
    for (const cleanUp of cleanUps.splice(0)) cleanUp();
    await rm(folder, { recursive: true, force: true });
  });
  const toFile = (): string => join(folder, "ledger.db");
  const open: LedgerFolder["open"] = async (path = toFile(), options = {}) => {
    const ledger = await openSqliteLedger(path, { clock: createSettableClock(), ...options });
    opened.push(ledger);
    return ledger;
  };
  return {
    get folder() {
      return folder;
    },
    get file() {
      return toFile();
    },
    open,
    async refusal(path, options) {
      try {
        await open(path, options);
        return "opened";
      } catch (error) {
        if (!isTuttiError(error)) throw error;
        return error.hint === undefined ? `${error.code} without a hint` : error.code;
      }
    },
    async makeLedger(runs = 3) {
      const ledger = await open();
      const logs = await startLogs(ledger, runs);
      for (let index = 0; index < 10; index++) await Promise.all(logs.map((log) => log.append(toStep(`s${index}`))));
      await ledger.close();
    },
    edit(sql) {
      const database = new DatabaseSync(toFile());
      database.exec(sql);
      database.close();
    },
    onCleanUp(cleanUp) {
      cleanUps.push(cleanUp);
    },
  };
}
