/** What a cell gives a contestant to do: the same trivial work for all. */
export interface Work {
  /** The body of one durable step. */
  readonly step: (run: string, index: number) => unknown;
  /** Called by the flow's code once the step's result was handed to it. */
  readonly acknowledged: (run: string, index: number) => void;
  /** Called by the first code that runs after a signal. */
  readonly continued: (run: string) => void;
}

export interface Job {
  readonly id: string;
  /** Steps in a row, or parallel branches. */
  readonly count: number;
}

/** A contestant over a store, ready to run. */
export interface Engine {
  /** One run of steps that follow each other. */
  readonly chain: (job: Job) => Promise<unknown>;
  /** One run of parallel steps, joined. */
  readonly fanOut?: (job: Job) => Promise<unknown>;
  /** Starts a run of a step, a wait for a person and another step; resolves when it waits. */
  readonly park?: (id: string) => Promise<unknown>;
  /** The person's answer; `delivery` names it. Resolves when the run is over. */
  readonly signal?: (id: string, delivery: string) => Promise<unknown>;
  /** Brings back what an earlier process left waiting, where the engine does not do it by itself. */
  readonly recover?: () => Promise<void>;
  /** Finishes a run that a dead process left. */
  readonly resume?: (job: Job, shape: "chain" | "fanOut") => Promise<unknown>;
  /** What the store takes on disk, with what is journalled beside it moved in. */
  readonly bytes?: () => number | Promise<number>;
  /** The memory of a server that the engine needs, at its peak. */
  readonly serverMb?: () => number;
  readonly close: () => void | Promise<void>;
}

/** A declared agent with a model that answers at once. */
export interface AgentEngine {
  /** One call of the agent: `turns` tool calls, then an answer. */
  readonly run: (id: string) => Promise<AgentCounts>;
  readonly close: () => void | Promise<void>;
}

export interface AgentCounts {
  readonly modelCalls: number;
  readonly toolCalls: number;
}

export interface Opening {
  readonly folder: string;
  readonly work: Work;
  /** The longest run that will come: some contestants build their graph ahead. */
  readonly countMax: number;
  /** The store outlives this process: another one goes on with it. */
  readonly keep: boolean;
  /** How this contestant is set up: see contestants.ts. */
  readonly variant: string;
}

/** What every contestant's module exports. */
export interface Adapter {
  readonly open?: (opening: Opening) => Promise<Engine>;
  readonly openAgent?: (opening: Opening, turns: number) => Promise<AgentEngine>;
}
