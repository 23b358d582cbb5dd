import { systemChance } from "../base/chance.ts";
import { systemClock } from "../base/clock.ts";
import { TuttiError } from "../base/errors.ts";
import { trustDomainDefault } from "../contracts/capability.ts";
import type { RunId } from "../contracts/ids.ts";
import type { Model } from "../contracts/model.ts";
import type { Flow } from "../contracts/run.ts";
import type { DriverHost } from "../flow/driver.ts";
import { openDriver } from "../flow/open-driver.ts";
import { runFlow } from "../flow/run-flow.ts";
import type { Ledger, NewEntry, RunLog } from "../ledger/ledger.ts";
import { toRunLog } from "../ledger/run-log.ts";
import { teamVerbs } from "../teams/team-verbs.ts";
import { openDocuments } from "./open-documents.ts";
import { readBlobs } from "./read-blobs.ts";

/** What a run would do under a flow's code. */
export type DryReplay =
  /** It takes all `recorded` results, and goes on from there: with the steps in `next`, or waiting as before. */
  | { readonly kind: "goes-on"; readonly recorded: number; readonly next: readonly string[] }
  /** It would be parked: the error says where, what is recorded, and what the code asks for. */
  | { readonly kind: "stops"; readonly error: TuttiError };

export interface DryReplayRequest {
  readonly run: RunId;
  readonly flow: Flow;
  /** Models by tier, as they would be configured. None of them is asked. */
  readonly models: Readonly<Record<string, Model>>;
}

/** How long code may be quiet that waits for nothing the ledger knows. */
const stallMs = 2_000;

/**
 * Runs a flow's code against what is recorded of a run, and stops before the first thing that is not: nothing is written, no step, tool or
 * model is called. Flow code that reaches for the world outside its steps does so here too.
 * @throws TuttiError LEDGER_CORRUPT
 */
export async function replayDry(ledger: Ledger, { run, flow, models }: DryReplayRequest): Promise<DryReplay> {
  const entries = await ledger.read(run);
  const blobs = await readBlobs(ledger, entries);
  return new Promise((resolve) => {
    const host = toDryHost(ledger, {
      models,
      onCaughtUp(next) {
        driver.stop();
        resolve({ kind: "goes-on", recorded: driver.history.order.length, next });
      },
      onStopped(error) {
        driver.stop();
        resolve({ kind: "stops", error });
      },
    });
    const driver = openDriver({ log: toDryLog(run), entries, blobs, host });
    runFlow(driver, flow);
  });
}

/** Takes entries and keeps none. Only a parking is answered: it is the last one, and its driver tells the host. */
function toDryLog(run: RunId): RunLog {
  return toRunLog({
    run,
    epoch: 0,
    write(entry: NewEntry, waiter) {
      if (entry.kind === "run-parked") waiter.onAppended({ kind: "recorded", seq: 0, lsn: 0 });
    },
    durable: async () => {},
    mark: () => {},
  });
}

interface DryWatch {
  readonly models: DryReplayRequest["models"];
  readonly onCaughtUp: (next: readonly string[]) => void;
  readonly onStopped: (error: TuttiError) => void;
}

function toDryHost(ledger: Ledger, { models, onCaughtUp, onStopped }: DryWatch): DriverHost {
  return {
    clock: systemClock,
    chance: systemChance,
    policy: undefined,
    approvals: {
      people: undefined,
      ladders: {},
      ofStep: (run, step) => ledger.listApprovals({ run, step }),
      find: (id) => ledger.findApproval(id),
      readBlob: (hash) => ledger.readBlob(hash),
      watch: () => () => {},
    },
    grants: {},
    trustDomain: trustDomainDefault,
    signCapability: refuse,
    autonomy: { levelOf: () => 0, tenantCap: () => undefined, isCertified: () => false, catchUp: refuse },
    precedents: refuse,
    freezes: { any: false, find: () => undefined, onLifted: () => () => {} },
    stallMs,
    toolTimeoutMs: stallMs,
    protection: undefined,
    tools: [],
    teams: teamVerbs,
    documents: openDocuments(ledger, systemClock, "commit"),
    model: (tier) => models[tier] ?? toUnaskedModel(tier),
    onCaughtUp,
    // What follows is only asked for once something new is begun, and nothing is.
    emit: refuse,
    publish: refuse,
    awaitEvent: refuse,
    driveChild: () => {},
    childOutcome: async () => undefined,
    cancelRun: refuse,
    findEffect: (key) => ledger.findEffect(key),
    watchEffect: () => () => {},
    effectChanged: () => {},
    settledOutput: refuse,
    stepStarted: undefined,
    readEntries: refuse,
    warn: () => {},
    progress: () => {},
    onRest: () => {},
    onAbandoned: (_driver, error) => onStopped(error),
    onParked: (_driver, error) => onStopped(error),
    onOver: () => {},
  };
}

function toUnaskedModel(tier: string): Model {
  return { provider: "none", id: tier, generate: refuse };
}

async function refuse(): Promise<never> {
  throw new TuttiError("BUG", "a dry replay was about to do something", {
    hint: "Please report this, with the flow's code.",
  });
}
