import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import path from "node:path";
import { createInterface } from "node:readline";

import { openTutti, type LedgerEntry } from "tutti";
import { verifyLedger } from "tutti/insight";

import { ledgerPath } from "./brief-flow.ts";
import { say } from "./say.ts";

/** What a child process told before it ended. */
interface Life {
  readonly started: readonly string[];
  readonly entries: number;
  readonly page: string | undefined;
  readonly run: string | undefined;
  readonly killed: boolean;
  readonly code: number | null;
}

// A kill after so many entries falls into the middle of most jobs; a job that was faster is tried again with fewer.
const firstEntriesMax = 40;
const triesMax = 4;

/** Kills the job at a random moment, starts it again, and shows from the ledger that nothing ran twice. */
export async function crashAndRecover(words: readonly string[]): Promise<number> {
  let most = firstEntriesMax;
  for (let tries = 0; tries < triesMax; tries++) {
    const killAfter = randomInt(2, Math.max(3, most));
    say(`Starting the job in a process of its own; it will be killed after ${killAfter} entries of the ledger.`);
    const first = await live([...words, "--again", "--json"], killAfter);
    if (!first.killed) {
      if (first.code !== 0) return first.code ?? 1;
      most = Math.min(most, first.entries) - 1;
      say("It was faster than the kill; once more.\n");
      continue;
    }
    const before = await readNewestRun();
    say(`SIGKILL. The ledger has ${before.entries.length} entries of run ${before.run}. Starting it again.\n`);
    const second = await live([...words, "--json"], undefined);
    if (second.code !== 0) return second.code ?? 1;
    return prove({ first, second, before: before.entries, after: await readNewestRun() });
  }
  say("The job is too fast to be killed in the middle.");
  return 1;
}

function live(words: readonly string[], killAfter: number | undefined): Promise<Life> {
  return new Promise((resolve, reject) => {
    const [node, ...flags] = [process.execPath, ...process.execArgv];
    const child = spawn(node ?? "node", [...flags, path.join(import.meta.dirname, "main.ts"), ...words], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const told = {
      started: new Array<string>(),
      entries: 0,
      page: undefined as string | undefined,
      run: undefined as string | undefined,
      killed: false,
    };
    createInterface(child.stdout).on("line", (line) => {
      const event: { kind?: string; key?: string; path?: string; run?: string } = JSON.parse(line);
      if (event.kind === "step-started" && event.key !== undefined) told.started.push(event.key);
      if (event.kind === "page") Object.assign(told, { page: event.path, run: event.run });
      if (event.kind !== "entry") return;
      told.entries += 1;
      if (killAfter !== undefined && told.entries >= killAfter && !told.killed) told.killed = child.kill("SIGKILL");
    });
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ ...told, killed: signal === "SIGKILL", code }));
  });
}

async function readNewestRun(): Promise<{
  readonly run: string;
  readonly entries: readonly LedgerEntry[];
  readonly chain: string;
}> {
  const tutti = await openTutti({ flows: [], ledger: ledgerPath, recover: false });
  try {
    const [newest] = await tutti.runs({ flow: "brief", limit: 1 });
    const entries = newest === undefined ? [] : await (await tutti.open(newest.id)).entries();
    const verified = await verifyLedger(tutti.ledger);
    return {
      run: newest?.id ?? "",
      entries,
      chain: verified.kind === "intact" ? "chain intact" : `chain BROKEN at entry ${verified.lsn}: ${verified.why}`,
    };
  } finally {
    await tutti.close();
  }
}

interface Evidence {
  readonly first: Life;
  readonly second: Life;
  readonly before: readonly LedgerEntry[];
  readonly after: { readonly entries: readonly LedgerEntry[]; readonly chain: string };
}

function prove({ second, before, after }: Evidence): number {
  const recordedBefore = countSteps(before);
  const recorded = countSteps(after.entries);
  const startedAgain = second.started.filter((key) => recordedBefore.has(key));
  const effects = countEffects(after.entries);
  const rows = toRows([...recorded], recordedBefore, new Set(startedAgain));
  say(toTable(["part of the job", "steps", "before the kill", "reused", "after", "most records of a step"], rows));
  say("");
  say(
    toTable(
      ["effect", "times done"],
      [...effects].map(([key, count]) => [key, String(count)]),
    ),
  );
  const twice = [...recorded.values()].filter((count) => count > 1).length + startedAgain.length;
  const effectsTwice = [...effects.values()].filter((count) => count > 1).length;
  say(`\n${twice} steps ran twice, ${effectsTwice} effects twice, ${after.chain}`);
  process.stdout.write(`${second.page ?? ""}\n`);
  return twice === 0 && effectsTwice === 0 && after.chain === "chain intact" ? 0 : 1;
}

function countSteps(entries: readonly LedgerEntry[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const entry of entries) {
    if (entry.kind === "step-done" || entry.kind === "effect-settled")
      counts.set(entry.key, (counts.get(entry.key) ?? 0) + 1);
  }
  return counts;
}

function countEffects(entries: readonly LedgerEntry[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const entry of entries) {
    if (entry.kind === "effect-settled") counts.set(entry.key, (counts.get(entry.key) ?? 0) + 1);
  }
  return counts;
}

/** One row for every agent's call and for the steps of the flow itself. */
function toRows(
  recorded: readonly (readonly [string, number])[],
  before: ReadonlyMap<string, number>,
  again: ReadonlySet<string>,
): string[][] {
  const parts = new Map<string, { steps: number; before: number; reused: number; most: number }>();
  for (const [key, count] of recorded) {
    const part = key.slice(0, key.lastIndexOf("/")) || key;
    const row = parts.get(part) ?? { steps: 0, before: 0, reused: 0, most: 0 };
    const wasBefore = before.has(key);
    parts.set(part, {
      steps: row.steps + 1,
      before: row.before + (wasBefore ? 1 : 0),
      reused: row.reused + (wasBefore && !again.has(key) ? 1 : 0),
      most: Math.max(row.most, count),
    });
  }
  return [...parts].map(([part, row]) => [
    part,
    ...[row.steps, row.before, row.reused, row.steps - row.before, row.most].map(String),
  ]);
}

function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  return [line(head), widths.map((width) => "─".repeat(width)).join("  "), ...rows.map(line)].join("\n");
}
