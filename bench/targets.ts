import { findStanding, typical, type CellResult, type Standing } from "./compete.ts";
import { findContestant } from "./contestants.ts";
import { median } from "./numbers.ts";

/** What Tutti promises about its speed, and where it is measured. */
export interface Target {
  readonly what: string;
  readonly limit: number;
  /** A rate has to be at least the limit; everything else at most. */
  readonly isFloor?: boolean;
  readonly unit: string;
  readonly bound?: Bound;
  readonly there?: There;
  /** `undefined` when this run did not measure it. */
  readonly read: (results: readonly CellResult[]) => number | undefined;
}

/** The same measure of what is written by hand: what that can't reach, SQLite on this machine does not give. */
interface Bound {
  readonly of: "hand-written" | "hand-written-ledger";
  readonly read: Target["read"];
}

/** The same as multiples of a loop written by hand, which a slower machine slows too: the limit over its time where the limit was set, and ours over its time here. */
interface There {
  readonly loop: "hand-written" | "hand-written-grouped" | "hand-written-process";
  readonly ratio: number;
  readonly read: Target["read"];
}

type Reading = (standing: Standing) => number;
const of =
  (measure: string): Reading =>
  (standing) =>
    typical(standing, measure);
const ratio: Reading = ({ ratios }) => median(ratios);

function at(cell: string, contestant: string, reading: Reading): Target["read"] {
  return (results) => {
    const standing = findStanding(results, cell, contestant);
    return standing === undefined ? undefined : reading(standing);
  };
}

function boundAt(cell: string, contestant: Bound["of"], reading: Reading): Bound {
  return { of: contestant, read: at(cell, contestant, reading) };
}

function overGroupedReturn(results: readonly CellResult[]): number | undefined {
  const [ours, grouped] = ["tutti", "hand-written-grouped"].map((name) => at("return", name, of("ms"))(results));
  return ours === undefined || grouped === undefined ? undefined : ours / grouped;
}

const crashCells = ["crash-chain", "crash-fan-out", "crash-instant"] as const;

function overCrashes(measure: string): Target["read"] {
  return (results) => {
    const standings = crashCells.flatMap((cell) => findStanding(results, cell, "tutti") ?? []);
    if (standings.length < crashCells.length) return undefined;
    return standings.reduce((sum, standing) => sum + typical(standing, measure), 0);
  };
}

function overBestPeer(results: readonly CellResult[], name = "tutti"): number | undefined {
  const standings = results.find((result) => result.cell.name === "crowd")?.standings ?? [];
  const peers = standings.filter(
    ({ contestant, rounds }) => rounds.length > 0 && findContestant(contestant).peer !== undefined,
  );
  const measured = findStanding(results, "crowd", name);
  if (peers.length === 0 || measured === undefined) return undefined;
  return typical(measured, "stepsPerSecond") / Math.max(...peers.map(of("stepsPerSecond")));
}

/** Each over its neighbour in time, whose turns all take the same: the two cells are measured minutes apart. */
function overTurns(results: readonly CellResult[]): number | undefined {
  const few = findStanding(results, "agent-20", "tutti-process");
  const many = findStanding(results, "agent-100", "tutti-process");
  return few === undefined || many === undefined ? undefined : ratio(many) / ratio(few);
}

/** What a turn takes beyond two syncs, which the same process measured beside it. It makes one, so it may be less than nothing. */
function beyondSyncs(standing: Standing): number {
  return median(standing.rounds.map(({ ms = Number.NaN, syncMs = Number.NaN }) => ms - 2 * syncMs));
}

export const targets: readonly Target[] = [
  {
    what: "1,000 steps in a row, over the hand-written loop",
    limit: 1.4,
    unit: "×",
    read: at("chain", "tutti", ratio),
  },
  {
    what: "the same with 19 of 20 steps that only read",
    limit: 0.3,
    unit: "×",
    read: at("chain", "tutti-reads", ratio),
  },
  {
    what: 'the same with durability "process", per step',
    limit: 0.05,
    unit: "ms",
    read: at("chain", "tutti-process", of("ms")),
  },
  {
    what: "500 runs of 10 steps, each synced",
    limit: 60_000,
    isFloor: true,
    unit: "steps/s",
    read: at("crowd", "tutti", of("stepsPerSecond")),
    bound: boundAt("crowd", "hand-written-ledger", of("stepsPerSecond")),
  },
  {
    what: "the same over the best peer",
    limit: 13,
    isFloor: true,
    unit: "×",
    read: (results) => overBestPeer(results),
    bound: { of: "hand-written-ledger", read: (results) => overBestPeer(results, "hand-written-ledger") },
  },
  { what: "the same, peak memory", limit: 120, unit: "MB", read: at("crowd", "tutti", of("rssMb")) },
  { what: "1,000 parallel steps joined", limit: 20, unit: "ms", read: at("fan-out", "tutti", of("ms")) },
  {
    what: "2,000 steps of 1 KB, on disk per step",
    limit: 1.8,
    unit: "KB",
    read: at("growth", "tutti", of("kbPerStep")),
  },
  {
    what: "2,000 steps, last tenth over the first",
    limit: 1.2,
    unit: "×",
    read: at("growth", "tutti", of("lastOverFirst")),
  },
  {
    what: "20,000 steps, last tenth over the first",
    limit: 1.2,
    unit: "×",
    read: at("growth-long", "tutti", of("lastOverFirst")),
  },
  {
    what: "a person's answer until the run goes on",
    limit: 0.35,
    unit: "ms",
    read: at("signal", "tutti", of("ms")),
    bound: boundAt("signal", "hand-written", of("ms")),
    there: { loop: "hand-written", ratio: 0.35 / 0.26, read: at("signal", "tutti", ratio) },
  },
  {
    what: "the same answer twice: acted twice",
    limit: 0,
    unit: "times",
    read: at("signal", "tutti", of("actedTwice")),
  },
  {
    what: "1,000 waiting runs, fresh process until all went on",
    limit: 150,
    unit: "ms",
    read: at("return", "tutti", of("ms")),
    there: { loop: "hand-written-grouped", ratio: 150 / 45, read: overGroupedReturn },
  },
  { what: "crashes survived", limit: 200, isFloor: true, unit: "crashes", read: overCrashes("crashes") },
  {
    what: "steps done again whose result was acknowledged",
    limit: 0,
    unit: "steps",
    read: overCrashes("againAcknowledged"),
  },
  { what: "steps lost", limit: 0, unit: "steps", read: overCrashes("lost") },
  { what: "runs stuck", limit: 0, unit: "runs", read: overCrashes("stuck") },
  {
    what: 'agent turn with durability "process"',
    limit: 0.1,
    unit: "ms",
    read: at("agent-20", "tutti-process", of("ms")),
    there: { loop: "hand-written-process", ratio: 0.1 / 0.039, read: at("agent-20", "tutti-process", ratio) },
  },
  {
    what: "the same in a process that has just started",
    limit: 0.1,
    unit: "ms",
    read: at("agent-fresh", "tutti-process", of("ms")),
    there: { loop: "hand-written-process", ratio: 0.1 / 0.039, read: at("agent-fresh", "tutti-process", ratio) },
  },
  {
    what: "agent turn beyond two syncs, of which it makes one",
    limit: 0.1,
    unit: "ms",
    read: at("agent-20", "tutti", beyondSyncs),
  },
  { what: "agent turn, 100 turns over 20", limit: 1.3, unit: "×", read: overTurns },
  { what: "importing the core", limit: 60, unit: "ms", read: at("start", "tutti", of("ms")) },
  { what: "memory after importing the core", limit: 70, unit: "MB", read: at("start", "tutti", of("rssMb")) },
];

export function isReached({ limit, isFloor }: Target, value: number): boolean {
  return isFloor === true ? value >= limit : value <= limit;
}

/** The target's measure in the round that was disturbed least: what the machine shows when it has nothing else to do. */
export function readBest(target: Target, results: readonly CellResult[]): number | undefined {
  const rounds = Math.max(...results.map(({ cell }) => cell.rounds));
  const values = Array.from({ length: rounds }, (_, round) =>
    target.read(results.map((result) => atRound(result, round))),
  );
  const known = values.filter((value): value is number => value !== undefined && !Number.isNaN(value));
  if (known.length === 0) return undefined;
  return target.isFloor === true ? Math.max(...known) : Math.min(...known);
}

function atRound({ cell, standings }: CellResult, round: number): CellResult {
  return {
    cell,
    standings: standings.map((standing) => ({
      ...standing,
      rounds: standing.rounds.slice(round, round + 1),
      ratios: standing.ratios.slice(round, round + 1),
    })),
  };
}
