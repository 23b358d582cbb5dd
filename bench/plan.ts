import type { CellOptions } from "./assignment.ts";
import { measureCrashes } from "./crash-trials.ts";
import { measureImport } from "./import-cost.ts";
import { measureReturnAfterKill } from "./return-trial.ts";
import { measureOnce, type Measure } from "./turn.ts";

export interface PlannedCell {
  readonly name: string;
  readonly title: string;
  /** The measure that is compared, and the others that are shown. */
  readonly main: string;
  readonly beside: readonly string[];
  readonly entrants: readonly string[];
  readonly options: CellOptions;
  /** What peers get where the full work would take minutes. */
  readonly peerOptions?: Partial<CellOptions>;
  readonly quickOptions?: Partial<CellOptions>;
  readonly rounds: number;
  /** Peers take part in the first so many. */
  readonly peerRounds: number;
  readonly limitMs: number;
  /** Neighbours are measured only to compare speed. */
  readonly isCompared: boolean;
  readonly measure: Measure;
}

const ours = ["tutti", "tutti-process"] as const;
const durable = ["langgraph", "langgraph-functional", "mastra", "mastra-loop", "dbos", "restate"] as const;
const withPeople = ["langgraph", "mastra", "dbos", "restate"] as const;
const agents = ["langgraph", "mastra", "ai-sdk", "openai-agents"] as const;
const packages = ["langgraph", "mastra", "dbos", "restate", "ai-sdk", "openai-agents"] as const;

const usual = {
  beside: [],
  rounds: 3,
  peerRounds: 1,
  limitMs: 120_000,
  isCompared: true,
  measure: measureOnce,
} as const;
const quickRun = { repeats: 1, warmUps: 1 } as const;
const crash = {
  ...usual,
  main: "againAcknowledged",
  beside: ["crashes", "againFinished", "lost", "stuck", "finishMs"],
  entrants: ["tutti", ...durable],
  rounds: 1,
  isCompared: false,
  measure: measureCrashes,
  peerOptions: { repeats: 5 },
  quickOptions: { repeats: 3 },
} as const;
/** As many before a short agent is measured as before a long one: what V8 has optimised by then would be taken for growth, or hide it. */
const warmTurns = 2_000;
const agent = {
  ...usual,
  main: "ms",
  beside: ["syncMs"],
  entrants: [...ours, ...agents],
  quickOptions: { repeats: 3, warmUps: 2 },
} as const;

export const plan: readonly PlannedCell[] = [
  {
    ...usual,
    name: "chain",
    title: "1,000 steps in a row, ms per step",
    main: "ms",
    beside: ["cpuMs"],
    entrants: [...ours, "tutti-reads", "hand-written-ledger", ...durable],
    options: { count: 1_000, repeats: 5, warmUps: 2 },
    peerOptions: quickRun,
    quickOptions: quickRun,
  },
  {
    ...usual,
    name: "crowd",
    title: "500 runs of 10 steps at once, steps per second",
    main: "stepsPerSecond",
    beside: ["rssMb", "serverMb"],
    entrants: [...ours, "hand-written-ledger", ...durable],
    options: { count: 10, runs: 500, warmUps: 2, repeats: 1 },
    quickOptions: quickRun,
  },
  {
    ...usual,
    name: "fan-out",
    title: "1,000 parallel steps joined, ms",
    main: "ms",
    entrants: [...ours, "hand-written-ledger", ...durable.filter((name) => name !== "mastra-loop")],
    options: { count: 1_000, repeats: 5, warmUps: 3 },
    peerOptions: quickRun,
    quickOptions: quickRun,
  },
  {
    ...usual,
    name: "growth",
    title: "2,000 steps with 1 KB each in one run, KB on disk per step",
    main: "kbPerStep",
    beside: ["kbWrittenPerStep", "ms", "lastOverFirst"],
    entrants: [...ours, ...durable.filter((name) => name !== "mastra")],
    options: { count: 2_000 },
    quickOptions: { count: 500 },
  },
  {
    ...usual,
    name: "growth-long",
    title: "20,000 steps with 1 KB each in one run, KB on disk per step",
    main: "kbPerStep",
    beside: ["kbWrittenPerStep", "ms", "lastOverFirst", "rssMb"],
    entrants: ours,
    options: { count: 20_000 },
    quickOptions: { count: 2_000 },
  },
  {
    ...usual,
    name: "signal",
    title: "A person's answer until the run goes on, ms",
    main: "ms",
    beside: ["ms95", "actedTwice", "actedNever"],
    entrants: [...ours, ...withPeople],
    options: { count: 200 },
    peerOptions: { count: 30 },
    quickOptions: { count: 20, repeats: 3 },
  },
  {
    ...usual,
    name: "return",
    title: "1,000 waiting runs: fresh process until all went on, from the first import on, ms",
    main: "ms",
    beside: ["bootMs", "readyMs", "signalsMs", "rssMb"],
    entrants: [...ours, "hand-written-grouped", ...withPeople],
    options: { count: 1_000 },
    quickOptions: { count: 100 },
    measure: measureReturnAfterKill,
  },
  {
    ...crash,
    name: "crash-chain",
    title: "kill -9 in a chain of 2 ms steps",
    options: { count: 100, shape: "chain", delayMsMax: 2, repeats: 67 },
  },
  {
    ...crash,
    name: "crash-fan-out",
    title: "kill -9 in 50 parallel steps of 1–20 ms",
    options: { count: 50, shape: "fanOut", delayMsMax: 20, repeats: 67 },
    entrants: crash.entrants.filter((name) => name !== "mastra-loop"),
  },
  {
    ...crash,
    name: "crash-instant",
    title: "kill -9 in a chain of steps that take no time",
    options: { count: 1_000, shape: "chain", repeats: 66 },
    entrants: crash.entrants.filter((name) => name !== "mastra"),
  },
  {
    ...agent,
    name: "agent-20",
    title: "An agent of 20 turns (model call and tool call), ms per turn",
    options: { count: 20, repeats: 50, warmUps: warmTurns / 20 },
  },
  {
    ...agent,
    name: "agent-100",
    title: "An agent of 100 turns, ms per turn",
    options: { count: 100, repeats: 10, warmUps: warmTurns / 100 },
  },
  {
    ...agent,
    name: "agent-fresh",
    title: "An agent of 20 turns in a process that has just started, ms per turn",
    options: { count: 20, repeats: 25, warmUps: 10 },
  },
  {
    ...usual,
    name: "start",
    title: "Importing the package, ms",
    main: "ms",
    beside: ["rssMb"],
    entrants: ["tutti", ...packages],
    options: { count: 1 },
    isCompared: false,
    rounds: 5,
    measure: measureImport,
  },
];
