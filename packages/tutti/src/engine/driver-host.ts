import { TuttiError } from "../base/errors.ts";
import { redactSecrets } from "../base/known-secrets.ts";
import { bodyOf } from "../contracts/entry.ts";
import type { Model } from "../contracts/model.ts";
import type { EffectRecord } from "../contracts/run-record.ts";
import type { Flow } from "../contracts/run.ts";
import type { DriverHost } from "../flow/driver.ts";
import { teamVerbs } from "../teams/team-verbs.ts";
import type { ActiveRuns, Engine } from "./engine-parts.ts";
import { toGuardedModel } from "./guarded-model.ts";
import { readChildOutcome, readOutput } from "./run-end.ts";
import { cancelRun, signalRun } from "./steer-run.ts";
import type { PassingActivity } from "./tutti.ts";

/** Told of what becomes of the runs. */
type RunCallbacks = Pick<DriverHost, "onRest" | "onParked" | "onAbandoned" | "onOver">;

/** So many earlier decisions people and agents are told of. */
const precedentsMax = 3;

/** What the engine does for the drivers of one flow's runs. */
export function toDriverHost(
  engine: Engine,
  runs: ActiveRuns,
  { flow, callbacks }: { readonly flow: Flow; readonly callbacks: RunCallbacks },
): DriverHost {
  const { ledger, clock, chance, watchers } = engine;
  const { stepStarted, progress, tell } = toTelling(engine);
  return {
    clock,
    chance,
    stallMs: engine.stallMs,
    toolTimeoutMs: engine.toolTimeoutMs,
    protection: engine.protection,
    tools: engine.tools,
    teams: teamVerbs,
    documents: engine.documents,
    policy: engine.policy,
    approvals: {
      people: engine.people,
      ladders: engine.ladders,
      ofStep: (run, step) => ledger.listApprovals({ run, step }),
      find: (id) => ledger.findApproval(id),
      readBlob: (hash) => ledger.readBlob(hash),
      watch: engine.watchApproval,
    },
    autonomy: engine.oversight,
    // Without a policy nobody was ever asked about a call.
    precedents: async (like) =>
      engine.policy === undefined && like.question === undefined
        ? []
        : engine.oversight.findPrecedents(like, precedentsMax),
    freezes: engine.freezes,
    grants: engine.grants,
    trustDomain: engine.identity.shown.trustDomain,
    signCapability: (capability) => engine.identity.sign(capability),
    model: openTiers(engine.models),
    emit: (to, signal) => signalRun(engine, runs, { run: to, signal }),
    publish: async (topic, event) => (await engine.loadEvents()).emit(topic, event),
    awaitEvent: async (wanted) => (await engine.loadEvents()).awaitEvent(wanted),
    driveChild: (child) => void runs.drive(child).catch(engine.onBackgroundError),
    childOutcome: (of) => readChildOutcome(ledger, of),
    cancelRun: (run, reason) => cancelRun(engine, runs, { run, reason, by: "its parent" }).catch(ignoreEnded(engine)),
    findEffect: (key) => ledger.findEffect(key),
    watchEffect: runs.watchEffect,
    effectChanged: runs.effectChanged,
    settledOutput: (effect) => readSettledOutput(engine, effect),
    get stepStarted() {
      return watchers.size === 0 ? undefined : stepStarted;
    },
    readEntries: (run) => ledger.read(run),
    warn: (error) =>
      process.emitWarning(`${error.message}. ${error.hint ?? ""}`, { type: "TuttiWarning", code: error.code }),
    progress,
    get tell() {
      return watchers.size === 0 ? undefined : tell;
    },
    objective: flow.does,
    team: () => engine.team().filter((contract) => contract.kind !== "flow" || contract.name !== flow.name),
    ...callbacks,
  };
}

/** What tells those who watch; what they are told carries no secret that is known. */
function toTelling({
  watchers,
  clock,
}: Engine): Required<Pick<DriverHost, "progress">> & {
  readonly stepStarted: NonNullable<DriverHost["stepStarted"]>;
  readonly tell: NonNullable<DriverHost["tell"]>;
} {
  const show = (activity: PassingActivity): void => {
    for (const watcher of watchers) watcher(activity);
  };
  return {
    stepStarted: (run, step, attempt) => show({ kind: "step-started", run, step, attempt, at: clock.now() }),
    progress(run, step, text) {
      if (watchers.size > 0) show({ kind: "progress", run, step, text: redactSecrets(text), at: clock.now() });
    },
    tell: (run, agent, piece) =>
      show({ kind: "delta", run, agent, ...piece, text: redactSecrets(piece.text), at: clock.now() }),
  };
}

/** Each tier's model, guarded once. */
function openTiers(models: Engine["models"]): DriverHost["model"] {
  const guardedByTier = new Map<string, Model>();
  return (tier) => {
    const known = guardedByTier.get(tier);
    if (known !== undefined) return known;
    const model = models[tier];
    if (model === undefined)
      throw new TuttiError("MODEL_UNKNOWN", `no model is configured under the tier "${tier}"`, {
        hint: `Pass it to openTutti({ models: { ${tier}: … } }), or name it in tutti.config.ts. Configured: ${Object.keys(models).join(", ") || "none"}.`,
      });
    const guarded = toGuardedModel(model);
    guardedByTier.set(tier, guarded);
    return guarded;
  };
}

// A child that has ended by itself meanwhile needs no cancelling.
function ignoreEnded(engine: Engine): (error: unknown) => void {
  return (error) => {
    if (error instanceof TuttiError && (error.code === "RUN_OVER" || error.code === "LEDGER_CLOSED")) return;
    engine.onBackgroundError(error);
  };
}

async function readSettledOutput(engine: Engine, effect: EffectRecord): ReturnType<DriverHost["settledOutput"]> {
  const [entry] = effect.settledLsn === undefined ? [] : await engine.ledger.scan(effect.settledLsn - 1, 1);
  if (entry === undefined || entry.kind !== "effect-settled") {
    throw new TuttiError("LEDGER_CORRUPT", `the entry that settled ${effect.key} is missing`, {
      hint: "Run `tutti verify`.",
    });
  }
  const body = bodyOf(entry, entry.kind);
  return { output: await readOutput(engine.ledger, body), labels: body.labels };
}
