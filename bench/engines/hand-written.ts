import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";

import type { AgentEngine, Engine, Job, Opening } from "../contestant.ts";
import { folderBytes } from "../folder.ts";

/**
 * Async functions and one INSERT per step: what somebody writes who needs no more than that. The near limit of what SQLite gives. As variant
 * `grouped`, whatever one turn of the event loop writes shares a synced commit.
 */
export async function open(opening: Opening): Promise<Engine> {
  const { folder, work, variant } = opening;
  const database = openDatabase(folder, variant);
  const statements = prepare(database);
  const write = variant === "grouped" ? openGroup(database) : writeAlone;
  const waiting = new Map<string, () => void>();
  const running = new Map<string, Promise<unknown>>();
  const flows = declareFlows(opening, statements, waiting);

  async function drive(row: { readonly kind: string } & Job, onParked?: () => void): Promise<unknown> {
    const recorded = new Map(
      statements.findSteps.all(row.id).map((step) => [Number(step["position"]), String(step["output"])]),
    );
    const step = async (index: number): Promise<unknown> => {
      const earlier = recorded.get(index);
      if (earlier !== undefined) return JSON.parse(earlier);
      const output = await work.step(row.id, index);
      const committed = write(statements.insertStep, row.id, index, JSON.stringify(output));
      if (committed !== undefined) await committed;
      return output;
    };
    const output = await flows[row.kind]?.({ id: row.id, count: row.count, step, onParked });
    await write(statements.endRun, "done", row.id);
    return output;
  }

  async function start(kind: string, job: Job, onParked?: () => void): Promise<unknown> {
    await write(statements.insertRun, job.id, kind, job.count, "running");
    return drive({ kind, ...job }, onParked);
  }

  return {
    chain: (job) => start("chain", job),
    fanOut: (job) => start("fanOut", job),
    park: (id) =>
      new Promise<void>((resolve) => {
        running.set(id, start("park", { id, count: 0 }, resolve));
      }),
    async signal(id) {
      await write(statements.insertSignal, id, "yes");
      waiting.get(id)?.();
      waiting.delete(id);
      await running.get(id);
      running.delete(id);
    },
    async recover() {
      const rows = statements.openRuns.all();
      await Promise.all(
        rows.map(
          (row) =>
            new Promise<void>((resolve) => {
              const id = String(row["id"]);
              running.set(id, drive({ id, kind: String(row["kind"]), count: Number(row["count"]) }, resolve));
            }),
        ),
      );
    },
    async resume(job, shape) {
      const row = statements.findRun.get(job.id);
      if (row === undefined) return start(shape, job);
      return row["status"] === "running" ? drive({ kind: shape, ...job }) : undefined;
    },
    bytes() {
      database.exec("pragma wal_checkpoint(truncate)");
      return folderBytes(folder);
    },
    close: () => database.close(),
  };
}

type Write = (statement: StatementSync, ...values: readonly (string | number)[]) => Promise<void> | undefined;

function writeAlone(statement: StatementSync, ...values: readonly (string | number)[]): undefined {
  statement.run(...values);
}

function openGroup(database: DatabaseSync): Write {
  let committed: Promise<void> | undefined;
  return (statement, ...values) => {
    if (committed === undefined) {
      database.exec("begin");
      committed = new Promise((resolve) => {
        setImmediate(() => {
          database.exec("commit");
          committed = undefined;
          resolve();
        });
      });
    }
    statement.run(...values);
    return committed;
  };
}

interface OpenRun extends Job {
  readonly step: (index: number) => Promise<unknown>;
  readonly onParked: (() => void) | undefined;
}

type Flows = Readonly<Record<string, (run: OpenRun) => Promise<unknown>>>;

function declareFlows({ work }: Opening, { findSignal }: Statements, waiting: Map<string, () => void>): Flows {
  return {
    async chain({ id, count, step }) {
      for (let index = 0; index < count; index++) {
        await step(index);
        work.acknowledged(id, index);
      }
      return count;
    },
    async fanOut({ id, count, step }) {
      const outputs = Array.from({ length: count }, async (_, index) => {
        await step(index);
        work.acknowledged(id, index);
      });
      return (await Promise.all(outputs)).length;
    },
    async park({ id, step, onParked }) {
      await step(0);
      if (findSignal.get(id) === undefined) {
        await new Promise<void>((resolve) => {
          waiting.set(id, resolve);
          onParked?.();
        });
      }
      work.continued(id);
      return step(1);
    },
  };
}

function openDatabase(folder: string, variant: string): DatabaseSync {
  const synchronous = variant === "grouped" ? "full" : variant;
  const database = new DatabaseSync(join(folder, "hand-written.db"));
  database.exec(`
    pragma journal_mode = wal; pragma synchronous = ${synchronous};
    create table if not exists run(id text primary key, kind text, count integer, status text) without rowid;
    create table if not exists step(run text, position integer, output text);
    create unique index if not exists step_by_run on step(run, position);
    create table if not exists signal(run text primary key, value text) without rowid;`);
  return database;
}

type Statements = ReturnType<typeof prepare>;

function prepare(database: DatabaseSync) {
  return {
    insertRun: database.prepare("insert or ignore into run(id, kind, count, status) values (?, ?, ?, ?)"),
    endRun: database.prepare("update run set status = ? where id = ?"),
    findRun: database.prepare("select status from run where id = ?"),
    openRuns: database.prepare("select id, kind, count from run where status = 'running'"),
    insertStep: database.prepare("insert into step(run, position, output) values (?, ?, ?)"),
    findSteps: database.prepare("select position, output from step where run = ?"),
    insertSignal: database.prepare("insert or ignore into signal(run, value) values (?, ?)"),
    findSignal: database.prepare("select value from signal where run = ?"),
  };
}

interface Turn {
  readonly call?: { readonly id: string; readonly left: number; readonly right: number };
  readonly text?: string;
}

/** The bare loop of an agent: every model call and every tool call is one INSERT. */
export async function openAgent({ folder, variant }: Opening, turns: number): Promise<AgentEngine> {
  const database = openDatabase(folder, variant);
  const { insertStep } = prepare(database);
  let modelCalls = 0;
  let toolCalls = 0;
  const model = async (messages: readonly { readonly role: string }[]): Promise<Turn> => {
    modelCalls++;
    const made = messages.filter((message) => message.role === "tool").length;
    return made < turns ? { call: { id: `c${made}`, left: made, right: 1 } } : { text: "done" };
  };
  const add = async (left: number, right: number): Promise<{ readonly sum: number }> => {
    toolCalls++;
    return { sum: left + right };
  };
  return {
    async run(id) {
      modelCalls = 0;
      toolCalls = 0;
      const messages: { readonly role: string; readonly content: string }[] = [{ role: "user", content: "go" }];
      for (let index = 0; ;) {
        const turn = await model(messages);
        insertStep.run(id, index++, JSON.stringify(turn));
        if (turn.call === undefined) return { modelCalls, toolCalls };
        messages.push({ role: "assistant", content: JSON.stringify(turn.call) });
        const result = await add(turn.call.left, turn.call.right);
        insertStep.run(id, index++, JSON.stringify(result));
        messages.push({ role: "tool", content: JSON.stringify(result) });
      }
    },
    close: () => database.close(),
  };
}
