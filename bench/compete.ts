import { findContestant, type Contestant } from "./contestants.ts";
import { median, show, type Measures } from "./numbers.ts";
import type { PlannedCell } from "./plan.ts";
import type { Spawned } from "./spawn-cell.ts";

/** Everything that one contestant did in one cell. */
export interface Standing {
  readonly contestant: string;
  readonly rounds: readonly Measures[];
  /** Its main measure over its neighbour's, round by round. */
  readonly ratios: readonly number[];
  readonly failures: readonly string[];
}

export interface CellResult {
  readonly cell: PlannedCell;
  readonly standings: readonly Standing[];
}

interface OpenStanding {
  readonly rounds: Measures[];
  readonly ratios: number[];
  readonly failures: string[];
}

export interface CompeteOptions {
  readonly quick: boolean;
  readonly takesPart: (contestant: Contestant) => boolean;
}

/** One cell: all contestants in turn, each with its neighbour right behind, and that several times over. */
export async function compete(cell: PlannedCell, { quick, takesPart }: CompeteOptions): Promise<CellResult> {
  const standings = new Map<string, OpenStanding>();
  const entrants = cell.entrants.map(findContestant).filter(takesPart);
  for (let round = 0; round < (quick ? 1 : cell.rounds); round++) {
    for (const entrant of entrants) {
      const standing = open(standings, entrant);
      if (standing.failures.length > 0) continue; // what does not work once is not tried again
      if (entrant.peer !== undefined && round >= cell.peerRounds) continue;
      const outcome = await take(cell, entrant, quick);
      note(standing, outcome);
      say(cell, entrant, outcome);
      if (!cell.isCompared || entrant.neighbour === undefined || outcome.kind === "failed") continue;
      const neighbour = findContestant(entrant.neighbour);
      const beside = await take(cell, neighbour, quick);
      note(open(standings, neighbour), beside);
      if (beside.kind === "failed") continue;
      const ratio = (outcome.measures[cell.main] ?? Number.NaN) / (beside.measures[cell.main] ?? Number.NaN);
      standing.ratios.push(ratio);
    }
  }
  return { cell, standings: [...standings].map(([contestant, standing]) => ({ contestant, ...standing })) };
}

function open(standings: Map<string, OpenStanding>, { name }: Contestant): OpenStanding {
  const present = standings.get(name) ?? { rounds: [], ratios: [], failures: [] };
  standings.set(name, present);
  return present;
}

function take(cell: PlannedCell, entrant: Contestant, quick: boolean): Promise<Spawned> {
  const options = {
    ...cell.options,
    ...(entrant.peer === undefined ? {} : cell.peerOptions),
    ...(quick ? cell.quickOptions : {}),
  };
  return cell.measure({ cell: cell.name, entrant, options, limitMs: cell.limitMs });
}

function note(standing: OpenStanding, outcome: Spawned): void {
  if (outcome.kind === "measured") standing.rounds.push(outcome.measures);
  else standing.failures.push(outcome.why);
}

function say(cell: PlannedCell, { name }: Contestant, outcome: Spawned): void {
  const what = outcome.kind === "measured" ? `${cell.main} ${show(outcome.measures[cell.main])}` : outcome.why;
  process.stderr.write(`  ${cell.name} · ${name}: ${what.split("\n")[0]}\n`);
}

/** The median of a measure over a contestant's rounds. */
export function typical({ rounds }: Standing, measure: string): number {
  return median(rounds.map((round) => round[measure] ?? Number.NaN));
}

export function findStanding(results: readonly CellResult[], cell: string, contestant: string): Standing | undefined {
  const found = results.find((result) => result.cell.name === cell);
  return found?.standings.find((standing) => standing.contestant === contestant && standing.rounds.length > 0);
}
