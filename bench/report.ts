import { readFileSync } from "node:fs";
import { arch, availableParallelism, platform, totalmem } from "node:os";

import { measureSync } from "./cells/agent.ts";
import { typical, type CellResult } from "./compete.ts";
import { contestants, isInstalled, toReadyFile } from "./contestants.ts";
import { makeFolder, removeFolder } from "./folder.ts";
import { median, show } from "./numbers.ts";
import { isReached, readBest, targets, type Target } from "./targets.ts";

export interface ReportFacts {
  readonly command: string;
  readonly skipped: readonly string[];
  readonly postgres: string | undefined;
}

/** The tables of one run, as Markdown: for the terminal and for RESULTS.md. */
export function toReport(results: readonly CellResult[], facts: ReportFacts): string {
  const parts = [toHead(facts), toVerdicts(results), ...results.map(toTable)];
  return `${parts.join("\n\n")}\n`;
}

function toHead({ command, skipped, postgres }: ReportFacts): string {
  const node = `Node ${process.versions.node}, SQLite ${process.versions["sqlite"] ?? "?"}`;
  const machine = `${platform()} ${arch()}, ${availableParallelism()} processors, ${Math.round(totalmem() / 1024 ** 3)} GB of memory`;
  const lines = [
    "# What Tutti and others cost",
    "",
    "Every figure is the median of separate processes that ran in turn, each followed at once by its neighbour: the hand-written loop of the",
    "same durability. So ratios compare neighbours in time: **read the ratios**; milliseconds belong to one machine and one afternoon.",
    "",
    `- ${node}; ${machine}; a write of 12 KB with fdatasync takes ${show(readSyncMs())} ms`,
    `- ${toVersions(postgres)}`,
    ...skipped.map((line) => `- not measured: ${line}`),
    `- repeat it: \`${command}\` (peers: \`node scripts/run.mjs bench/setup.ts\` first)`,
  ];
  return lines.join("\n");
}

function readSyncMs(): number {
  const folder = makeFolder("sync");
  const ms = measureSync(folder);
  removeFolder(folder);
  return ms;
}

function toVersions(postgres: string | undefined): string {
  const peers = new Set(contestants.filter(isInstalled).flatMap(({ peer }) => peer ?? []));
  const versions = [...peers].map((peer) => {
    const byPackage: Readonly<Record<string, string>> = JSON.parse(readFileSync(toReadyFile(peer), "utf8"));
    return `${peer}: ${Object.entries(byPackage)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}`;
  });
  if (postgres !== undefined) versions.push(`PostgreSQL ${postgres}`);
  return versions.length === 0 ? "no peers installed" : versions.join("; ");
}

function toVerdicts(results: readonly CellResult[]): string {
  const rows = targets.flatMap((target) => {
    const value = target.read(results);
    if (value === undefined || Number.isNaN(value)) return [];
    const { what, unit } = target;
    const limit = `${target.isFloor === true ? "≥" : "≤"} ${target.limit.toLocaleString("en-US")} ${unit}`;
    const verdict = isReached(target, value)
      ? "reached"
      : `**not reached**${toBound(target, results)}${toThere(target, results)}`;
    return [`| ${what} | ${limit} | ${show(value)} ${unit} | ${show(readBest(target, results))} | ${verdict} |`];
  });
  const head = ["| | target | measured (median) | best round | |", "|---|---|---|---|---|"];
  return [
    "## Targets",
    "",
    "The verdict follows the median. Other work on the machine moves it; the best round shows how far.",
    "",
    ...head,
    ...rows,
  ].join("\n");
}

/** Where even a bare ledger does not reach a target, it says so: then no care of ours would. */
function toBound(target: Target, results: readonly CellResult[]): string {
  const { of: contestant, read } = target.bound ?? {};
  const bound = read?.(results);
  if (bound === undefined || Number.isNaN(bound) || isReached(target, bound)) return "";
  const name = contestant === "hand-written" ? "loop" : "ledger";
  return `; the hand-written ${name} has ${show(bound)} ${target.unit}`;
}

/** Where a target was set on a machine on which the loop by hand took another time, it says what it is in multiples of that. */
function toThere({ there }: Target, results: readonly CellResult[]): string {
  const here = there?.read(results);
  if (there === undefined || here === undefined || Number.isNaN(here)) return "";
  return `; ${show(here)} × ${there.loop}, where the target was set ${show(there.ratio)} ×`;
}

const labels: Readonly<Record<string, string>> = {
  ms: "ms",
  ms95: "ms, 95 %",
  cpuMs: "processor ms",
  stepsPerSecond: "steps/s",
  rssMb: "peak MB",
  serverMb: "server MB",
  kbPerStep: "KB per step",
  kbWrittenPerStep: "KB written by its process",
  lastOverFirst: "last tenth / first",
  actedTwice: "acted twice",
  actedNever: "acted never",
  bootMs: "start of Node before it, ms",
  readyMs: "ready after ms",
  signalsMs: "answers ms",
  crashes: "crashes",
  againAcknowledged: "acknowledged steps again",
  againFinished: "finished steps again",
  lost: "lost",
  stuck: "stuck",
  finishMs: "ms to finish",
  syncMs: "ms of one sync",
};

function toTable({ cell, standings }: CellResult): string {
  const measures = [cell.main, ...cell.beside];
  const head = [
    "",
    "durability",
    ...measures.map((name) => labels[name] ?? name),
    ...(cell.isCompared ? ["× neighbour (least–most)"] : []),
  ];
  const rows = contestants.flatMap(({ name, durability }) => {
    const standing = standings.find(({ contestant }) => contestant === name);
    if (standing === undefined) return [];
    if (standing.rounds.length === 0) return [`| ${name} | ${durability} | failed: ${toCause(standing.failures)} |`];
    const values = measures.map((measure) => show(typical(standing, measure)));
    return [`| ${[name, durability, ...values, ...(cell.isCompared ? [toRatio(standing.ratios)] : [])].join(" | ")} |`];
  });
  return [`## ${cell.title}`, "", `| ${head.join(" | ")} |`, `|${"---|".repeat(head.length)}`, ...rows].join("\n");
}

function toRatio(ratios: readonly number[]): string {
  if (ratios.length === 0) return "";
  const least = Math.min(...ratios);
  const most = Math.max(...ratios);
  return ratios.length === 1 ? show(least) : `${show(median(ratios))} (${show(least)}–${show(most)})`;
}

const causeLength = 80;

/** The first line that says something, without anything of this machine's folders. */
function toCause(failures: readonly string[]): string {
  const line =
    failures
      .join("\n")
      .split("\n")
      .find((each) => /error|not done/i.test(each)) ??
    failures[0] ??
    "";
  return line.replaceAll(/(file:\/\/)?\/[\w./@+-]+/g, "…").slice(0, causeLength);
}
