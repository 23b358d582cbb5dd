import { realpathSync, rmSync } from "node:fs";

import { systemChance, toShortId } from "../base/chance.ts";
import { systemClock, type Clock } from "../base/clock.ts";
import { describeThrown, TuttiError } from "../base/errors.ts";
import { watchEnvironment } from "../base/known-secrets.ts";
import { toContract } from "../contracts/contract.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import { toRunId, type ApprovalId } from "../contracts/ids.ts";
import type { Flow } from "../contracts/run.ts";
import type { ToolServer } from "../contracts/tool-server.ts";
import { readOverrides } from "../insight/oversight/overrides.ts";
import type { Ledger, StartOutcome } from "../ledger/ledger.ts";
import { evictAfterMs, openActiveRuns } from "./active-runs.ts";
import { openApprovals } from "./approvals.ts";
import { checkPeople, toStarterFields } from "./check-people.ts";
import type { ControlEndpoint } from "./control-endpoint.ts";
import { toControlFile } from "./control-file.ts";
import { readDirectiveVersions } from "./direct-run.ts";
import type { ActiveRuns, Engine } from "./engine-parts.ts";
import { eraseSubject, toPersonalField } from "./erase-subject.ts";
import { openFreezes } from "./freezes.ts";
import { isJournalId } from "./journal.ts";
import { openListeners } from "./listeners.ts";
import { toInputLabels, toNewRun } from "./new-run.ts";
import { openDocuments, toSharedDocuments } from "./open-documents.ts";
import { checkIdentity, openIdentity } from "./open-identity.ts";
import { openOversight } from "./oversight/open-oversight.ts";
import { openReviews } from "./oversight/reviews.ts";
import { checkProtection, listSlots, listWaits, openProtection, toPayerFields } from "./protection.ts";
import { openHandle } from "./run-handle.ts";
import { findRun, settleEffect } from "./steer-run.ts";
import { toTriggers, type Triggers } from "./triggers.ts";
import type { RunHandle, StartOptions, Tutti, TuttiOptions } from "./tutti.ts";

const defaultLedger = ".tutti/ledger.db";
const closeGraceMs = 10_000;
const defaultStallMs = 5_000;
/** Long enough for whatever ends at all; without it a tool that never answers would keep its run busy for ever. */
const toolTimeoutDefaultMs = 900_000;

/** Tunings that tests need and users do not. */
export interface InnerOptions {
  readonly evictAfterMs?: number;
  readonly stallMs?: number;
  /** `commit`: work on what has a newer version is not stopped, only refused in the end. */
  readonly invalidation?: "push" | "commit";
}

/**
 * Opens an engine over a ledger: by default a SQLite file in this folder. Open runs go on by themselves.
 * @throws TuttiError DEFINITION_INVALID, LEDGER_BUSY, LEDGER_UNWRITABLE, LEDGER_CORRUPT, LEDGER_TOO_NEW
 */
export async function openTutti(options: TuttiOptions, inner: InnerOptions = {}): Promise<Tutti> {
  watchEnvironment(process.env);
  const { on = [], schedules = [] } = options;
  const flows = toFlowTable([...options.flows, ...[...on, ...schedules].map((trigger) => trigger.flow)]);
  checkProtection(options);
  checkPeople(options);
  checkIdentity(options);
  const clock = options.clock ?? systemClock;
  const chance = options.chance ?? systemChance;
  const { onActivity } = options;
  const onEntry = onActivity === undefined ? undefined : (entry: LedgerEntry) => onActivity({ kind: "entry", entry });
  const ledger = await openLedger(options, onEntry);
  const freezes = await openFreezes(ledger, () => clock.now());
  const votes = openListeners<ApprovalId, void>();
  const engine: Engine = {
    ledger,
    clock,
    chance,
    tools: options.tools ?? [],
    models: options.models ?? {},
    evictAfterMs: inner.evictAfterMs ?? evictAfterMs,
    stallMs: inner.stallMs ?? defaultStallMs,
    toolTimeoutMs: options.toolTimeoutMs ?? toolTimeoutDefaultMs,
    protection: await openProtection(ledger, options, clock),
    documents: openDocuments(ledger, clock, inner.invalidation ?? "push"),
    policy: options.policy,
    people: options.people,
    ladders: options.approvals ?? {},
    watchApproval: (id, wake) => votes.add(id, wake),
    approvalChanged: (id) => votes.tell(id, undefined),
    freezes,
    grants: options.grants ?? {},
    identity: openIdentity(options, { ledger, freezes, defaultLedger }),
    oversight: await openOversight({
      ledger,
      clock,
      people: options.people,
      policy: options.policy,
      onBackgroundError: toBackground,
    }),
    reviews: await openReviews({
      ledger,
      clock,
      chance,
      peopleKnown: options.people !== undefined,
      policy: options.policy,
    }),
    directiveVersions: await readDirectiveVersions(ledger),
    watchers: new Set(onActivity === undefined ? [] : [onActivity]),
    findFlow: (name, version) => flows.get(`${name}@${version}`),
    team: toTeam(options),
    loadEvents: () => triggers.loadEvents(),
    onBackgroundError: toBackground,
  };
  const runs = openActiveRuns(engine);
  const triggers = toTriggers(engine, runs, { on, schedules });
  const telemetry = await openTelemetry(ledger, options, clock);
  if (options.recover !== false) await recover(engine, runs);
  const tutti = toTutti(engine, runs, { triggers, telemetry, servers: options.servers ?? [] });
  await openTriggers(tutti, triggers, options.recover !== false);
  return typeof options.ledger === "object" || options.control === false
    ? tutti
    : withControl(tutti, options.ledger ?? defaultLedger);
}

/** The ledger has stopped or was closed: every caller who waits for a run is told so by the run itself. */
function toBackground(error: unknown): void {
  if (!(error instanceof TuttiError)) throw error;
}

/** What a program does first goes before the door for others, which takes as long to open as the ledger; other processes take longer to start. */
const controlDelayMs = 200;

/** Opens the door for other processes in the background: nobody has to wait for it. */
function withControl(tutti: Tutti, path: string): Tutti {
  const file = realpathSync(path);
  rmSync(toControlFile(file), { force: true }); // who holds the ledger now knows that it leads nowhere
  let endpoint: Promise<ControlEndpoint> | undefined;
  const timer = setTimeout(() => {
    endpoint = import("./control-endpoint.ts").then(({ openControlEndpoint }) => openControlEndpoint(tutti, file));
    endpoint.catch((error: unknown) =>
      process.emitWarning(`other processes can't reach this engine: ${describeThrown(error)}`, "TuttiWarning"),
    );
  }, controlDelayMs);
  timer.unref();
  return {
    ...tutti,
    async close() {
      clearTimeout(timer);
      await endpoint?.then(
        (open) => open.close(),
        () => {},
      );
      await tutti.close();
    },
  };
}

/** What can't be taken up is said before anybody gets the engine, which is then closed. */
async function openTriggers(tutti: Tutti, triggers: Triggers, isRecovering: boolean): Promise<void> {
  try {
    await triggers.open(isRecovering);
  } catch (error) {
    await tutti.close();
    throw error;
  }
}

/** What can't be sent is said before anybody gets the engine. */
async function openTelemetry(ledger: Ledger, { telemetry }: TuttiOptions, clock: Clock): Promise<Owned["telemetry"]> {
  if (telemetry === undefined) return undefined;
  try {
    const { openTelemetry: open } = await import("./telemetry/open-telemetry.ts");
    return await open(ledger, telemetry, clock);
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

/** What an engine closes besides its runs. */
interface Owned {
  readonly triggers: Triggers;
  readonly telemetry: { close(): Promise<void> } | undefined;
  readonly servers: readonly ToolServer[];
}

function toTutti(engine: Engine, runs: ActiveRuns, { triggers, telemetry, servers }: Owned): Tutti {
  const { publish, events, schedules } = triggers;
  const tutti: Tutti = {
    ledger: engine.ledger,
    publish,
    events,
    schedules,
    documents: toSharedDocuments(engine.ledger),
    approvals: openApprovals(engine, runs),
    autonomy: engine.oversight.desk,
    reviews: engine.reviews,
    overrides: { read: () => readOverrides(engine.ledger) },
    run: (flow, input, options) => tutti.start(flow, input, options).then((handle) => handle.result()),
    async start<Input, Output>(
      flow: Flow<Input, Output>,
      input: Input,
      options: StartOptions = {},
    ): Promise<RunHandle<Output>> {
      const outcome = await start(engine, flow, { input, options });
      const id = outcome.run;
      if (outcome.kind === "started") runs.adopt(flow, outcome.claim);
      else void runs.drive(id).catch(engine.onBackgroundError);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the run's output was parsed by this flow's schema
      return openHandle(engine, runs, id) as RunHandle<Output>;
    },
    async open(run) {
      const id = toRunId(run);
      if (runs.find(id) === undefined) await findRun(engine, id); // one that is driven here is known
      return openHandle(engine, runs, id);
    },
    runs: (filter = {}) => engine.ledger.listRuns(filter),
    accounts: (filter) => engine.ledger.listAccounts(filter),
    watch(watcher) {
      engine.watchers.add(watcher);
      return () => void engine.watchers.delete(watcher);
    },
    slots: () => listSlots(engine.protection),
    waitsFor: (run) => listWaits(engine.protection, toRunId(run)),
    inDoubt: () => engine.ledger.listEffects({ states: ["in-doubt"] }),
    freeze: (target, person) => engine.freezes.freeze(target, person),
    unfreeze: (target, person) => engine.freezes.unfreeze(target, person),
    freezes: () => engine.freezes.list(),
    identity: engine.identity.shown,
    erase: (subject, by) => eraseSubject(engine.ledger, runs, { subject, by }),
    settle: (effect, verdict) => settleEffect(engine, runs, { effect, verdict }),
    async close() {
      try {
        await triggers.close();
        await runs.close(closeGraceMs);
        await engine.oversight.close();
        await engine.reviews.close();
        await telemetry?.close();
        await engine.ledger.close();
      } finally {
        await Promise.all(servers.map((server) => server.close()));
      }
    },
  };
  return tutti;
}

const idPattern = /^[\w.~:-]{1,120}$/u;

function start<Input>(
  engine: Engine,
  flow: Flow<Input>,
  request: { readonly input: Input; readonly options: StartOptions },
): Promise<StartOutcome> {
  const { id, key, windowMs } = request.options;
  if (engine.findFlow(flow.name, flow.version) !== flow) {
    throw new TuttiError("FLOW_UNKNOWN", `the flow ${flow.name} version ${flow.version} is not one of this engine's`, {
      hint: "Pass it to openTutti({ flows: [...] }).",
    });
  }
  if (id !== undefined && (!idPattern.test(id) || isJournalId(id))) {
    throw new TuttiError("INPUT_INVALID", `"${id}" can't name a run`, {
      hint: "Use letters, digits and . ~ : - _, at most 120; topic:, subscription:, schedule:, freeze:, request:, erasure:, autonomy: and review: are taken.",
    });
  }
  const run = toRunId(id ?? `${flow.name}-${toShortId()}`);
  const payer = {
    ...toPayerFields(run, request.options),
    ...toStarterFields(request.options),
    ...toInputLabels(request.options.labels),
    ...toPersonalField(engine.ledger, request.options.subject),
  };
  const made = toNewRun(flow, { id: run, input: request.input, key, windowMs, payer, engine });
  return made instanceof Promise ? made.then((newRun) => engine.ledger.start(newRun)) : engine.ledger.start(made);
}

/** What agents are told of each other; made when the first one asks. */
function toTeam({ flows, agents = [], tools = [] }: TuttiOptions): Engine["team"] {
  let team: ReturnType<Engine["team"]> | undefined;
  return () => (team ??= [...agents, ...tools, ...flows].map(toContract));
}

function toFlowTable(flows: readonly Flow[]): ReadonlyMap<string, Flow> {
  const table = new Map<string, Flow>();
  for (const flow of flows) {
    const name = `${flow.name}@${flow.version}`;
    if (table.has(name) && table.get(name) !== flow) {
      throw new TuttiError("DEFINITION_INVALID", `two flows are named ${flow.name} in version ${flow.version}`, {
        hint: "Give one another name, or another version.",
      });
    }
    table.set(name, flow);
  }
  return table;
}

async function openLedger(options: TuttiOptions, onEntry: ((entry: LedgerEntry) => void) | undefined): Promise<Ledger> {
  if (typeof options.ledger === "object") return options.ledger;
  const { openPersonalSqliteLedger } = await import("../ledger/personal/open-personal-ledger.ts");
  return openPersonalSqliteLedger(options.ledger ?? defaultLedger, {
    clock: options.clock ?? systemClock,
    durability: options.durability ?? "power",
    ...(onEntry === undefined ? {} : { onEntry }),
  });
}

/** Takes up what an earlier process left: what was running goes on, what waits for a time is armed, the rest stays where it is. */
async function recover(engine: Engine, runs: ActiveRuns): Promise<void> {
  const open = (await engine.ledger.listRuns({ statuses: ["running", "in-doubt", "waiting"] })).toReversed();
  for (const { id, status, wakeAt } of open) if (status === "waiting" && wakeAt !== undefined) runs.wakeAt(id, wakeAt);
  const driven = open.flatMap(({ id, status }) => (status === "waiting" ? [] : id));
  await Promise.all(driven.map((run) => runs.drive(run).catch(engine.onBackgroundError)));
}
