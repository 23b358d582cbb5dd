import { inOneGo } from "../base/in-one-go.ts";
import type { RunId } from "../contracts/ids.ts";
import { isOver, type RunRecord } from "../contracts/run-record.ts";
import type { Flow } from "../contracts/run.ts";
import type { Claim, ClaimOutcome } from "../ledger/ledger.ts";
import { catchUp } from "./direct-run.ts";
import type { ActiveRun, Engine } from "./engine-parts.ts";
import { isSelfContained, noBlobs, readBlobs } from "./read-blobs.ts";

/** So many runs are claimed at a time: more would be in memory twice. */
const togetherMax = 500;

export interface Loaded {
  readonly flow: Flow;
  readonly claim: Claim;
  /** The large values that its entries refer to, by hash. */
  readonly blobs: ReadonlyMap<string, string>;
}

export interface TakeUpHost {
  readonly engine: Engine;
  readonly isClosed: () => boolean;
  /** Begins to drive a run that was claimed. */
  readonly begin: (loaded: Loaded) => ActiveRun;
  /** The run has ended already. */
  readonly onOver: (run: RunId) => Promise<void>;
}

interface Asked {
  readonly run: RunId;
  readonly resolve: (taken: ActiveRun | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Takes up runs that nobody drives, those that can go on. What is asked for in one turn is claimed together: after a start that is all that an
 * earlier process left, and when a thousand answers come at once it is the thousand runs that wait for them.
 */
export function openTakeUp(host: TakeUpHost): (run: RunId) => Promise<ActiveRun | undefined> {
  const ask = inOneGo<Asked>((asked) => void takeInParts(host, asked));
  return (run) => new Promise((resolve, reject) => ask({ run, resolve, reject }));
}

async function takeInParts(host: TakeUpHost, asked: readonly Asked[]): Promise<void> {
  for (let from = 0; from < asked.length; from += togetherMax)
    await takeTogether(host, asked.slice(from, from + togetherMax));
}

/** Never rejects: each of those who asked is told by itself. */
async function takeTogether(host: TakeUpHost, asked: readonly Asked[]): Promise<void> {
  let outcomes: readonly ClaimOutcome[] = [];
  try {
    const runs = asked.map(({ run }) => run);
    if (!host.isClosed())
      outcomes = await host.engine.ledger.claimTogether(runs, (record) => canGoOn(host.engine, record));
  } catch (error) {
    asked.forEach(({ reject }) => reject(error));
    return;
  }
  asked.forEach((each, index) => answer(host, each, outcomes[index]));
}

/** Whether it is open, neither paused nor parked, and its flow registered. */
export function canGoOn(engine: Engine, { status, flow, version }: RunRecord): boolean {
  return status !== "paused" && status !== "parked" && !isOver(status) && engine.findFlow(flow, version) !== undefined;
}

function answer(host: TakeUpHost, { run, resolve, reject }: Asked, outcome: ClaimOutcome | undefined): void {
  if (outcome?.kind === "refused") reject(outcome.error);
  else if (outcome?.kind === "passed" && isOver(outcome.record.status))
    host.onOver(run).then(() => resolve(undefined), reject);
  else if (outcome?.kind !== "claimed" || host.isClosed()) resolve(undefined);
  else beginClaimed(host, outcome.claim, { resolve, reject });
}

function beginClaimed(host: TakeUpHost, claim: Claim, { resolve, reject }: Omit<Asked, "run">): void {
  const flow = host.engine.findFlow(claim.record.flow, claim.record.version);
  if (flow === undefined) resolve(undefined);
  else if (host.engine.directiveVersions.size > 0 || !isSelfContained(claim.entries))
    readMore(host, flow, claim).then(resolve, reject);
  else {
    try {
      resolve(host.begin({ flow, claim, blobs: noBlobs }));
    } catch (error) {
      reject(error);
    }
  }
}

async function readMore(host: TakeUpHost, flow: Flow, claim: Claim): Promise<ActiveRun | undefined> {
  const { engine } = host;
  const blobs = await readBlobs(engine.ledger, claim.entries);
  // Nothing is awaited after it, so that nothing is said in between.
  const entries = await catchUp(engine, claim);
  return host.isClosed() ? undefined : host.begin({ flow, claim: { ...claim, entries }, blobs });
}
