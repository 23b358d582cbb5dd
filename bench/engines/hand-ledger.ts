import { hash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import type { Engine, Job, Opening } from "../contestant.ts";

/**
 * The far limit of what a ledger on SQLite gives: the hand-written loop, with a start and an end for every step, both dated and in a chain
 * of SHA-256 hashes, and one synced commit for all that a turn of the event loop brings. No recovery, no retries, no schemas, no effects.
 */
export async function open({ folder, work }: Opening): Promise<Engine> {
  const ledger = openGroupedLedger(folder);

  async function step(run: string, index: number): Promise<unknown> {
    const output = await work.step(run, index);
    void ledger.append({ run, position: index, kind: "step-started", body: '{"step":"work"}' });
    await ledger.append({ run, position: index, kind: "step-done", body: JSON.stringify(output) });
    work.acknowledged(run, index);
    return output;
  }

  return {
    async chain({ id, count }: Job) {
      await ledger.append({ run: id, position: -1, kind: "run-started", body: "{}" });
      for (let index = 0; index < count; index++) await step(id, index);
      await ledger.append({ run: id, position: count, kind: "run-done", body: "{}" });
    },
    async fanOut({ id, count }: Job) {
      await ledger.append({ run: id, position: -1, kind: "run-started", body: "{}" });
      await Promise.all(Array.from({ length: count }, (_, index) => step(id, index)));
      await ledger.append({ run: id, position: count, kind: "run-done", body: "{}" });
    },
    close: () => ledger.close(),
  };
}

interface Entry {
  readonly run: string;
  readonly position: number;
  readonly kind: string;
  readonly body: string;
}

interface GroupedLedger {
  append(entry: Entry): Promise<void>;
  close(): void;
}

function openGroupedLedger(folder: string): GroupedLedger {
  const database = new DatabaseSync(join(folder, "hand-ledger.db"));
  database.exec(`
    pragma journal_mode = wal; pragma synchronous = full;
    create table entry(lsn integer primary key, run text, position integer, kind text, at integer, actor text, body text, hash text);`);
  const insert = database.prepare(
    "insert into entry(run, position, kind, at, actor, body, hash) values (?, ?, ?, ?, ?, ?, ?)",
  );
  let previous = "";
  let waiting: { readonly entry: Entry; readonly done: () => void }[] = [];

  function commit(): void {
    const rows = waiting;
    waiting = [];
    database.exec("begin");
    for (const { entry } of rows) {
      const { run, position, kind, body } = entry;
      const at = Date.now();
      previous = hash("sha256", `${previous}\n${run}\n${position}\n${kind}\n${at}\n${body}`);
      insert.run(run, position, kind, at, "agent:bench", body, previous);
    }
    database.exec("commit");
    for (const { done } of rows) done();
  }

  return {
    append: (entry) =>
      new Promise((resolve) => {
        if (waiting.push({ entry, done: resolve }) === 1) setImmediate(commit);
      }),
    close: () => database.close(),
  };
}
