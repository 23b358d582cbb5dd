import type { Adapter, Engine, Opening, Work } from "./contestant.ts";
import type { Contestant } from "./contestants.ts";
import type { Measures } from "./numbers.ts";

/** What one process is asked to do. */
export interface Assignment {
  readonly contestant: string;
  readonly cell: string;
  readonly folder: string;
  readonly options: CellOptions;
}

export interface CellOptions {
  /** Steps in a row, branches, waiting runs or turns of an agent. */
  readonly count: number;
  /** How often it is measured in one process; the median counts. */
  readonly repeats?: number;
  readonly warmUps?: number;
  /** Runs at the same time. */
  readonly runs?: number;
  readonly outputBytes?: number;
  /** For trials that kill the process: which one, its shape, and how long a step takes at most. */
  readonly trial?: number;
  readonly shape?: "chain" | "fanOut";
  readonly delayMsMax?: number;
}

/** An assignment with everything that is needed to carry it out. */
export interface Stage extends Assignment {
  readonly entrant: Contestant;
  readonly adapter: Adapter;
  /** When loading the contestant began. */
  readonly loadedFromMs: number;
}

export type CellBody = (stage: Stage) => Promise<Measures>;

/** Opens the contestant's engine for this cell's work. */
export async function openEngine(stage: Stage, work: Work, keep = false): Promise<Engine> {
  if (stage.adapter.open === undefined) throw new Error(`${stage.contestant} runs no flows`);
  return stage.adapter.open(toOpening(stage, work, keep));
}

export function toOpening({ folder, entrant, options }: Stage, work: Work, keep = false): Opening {
  return { folder, work, countMax: options.count, keep, variant: entrant.variant };
}
