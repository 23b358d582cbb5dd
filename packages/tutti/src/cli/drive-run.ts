import type { ErrorCode } from "../base/error-codes.ts";
import { isTuttiError, TuttiError } from "../base/errors.ts";
import type { ApprovalRecord } from "../contracts/approval.ts";
import { describeFreeze, type Freeze } from "../contracts/freeze.ts";
import type { RunId } from "../contracts/ids.ts";
import { openStatuses } from "../contracts/run-record.ts";
import type { Activity, RunHandle, RunState, Tutti } from "../engine/tutti.ts";
import type { StepNode } from "../insight/run-tree.ts";
import { toTypedId } from "./approval-text.ts";
import { toUsage } from "./command-line.ts";
import type { CommandCall } from "./command.ts";
import { toErrorLine, toErrorText } from "./error-text.ts";
import { exitCodes, type ExitCode } from "./exit-codes.ts";
import { quote, toLedgerOption, toLedgerPath } from "./ledger-file.ts";
import { chooseMode, openLiveView, type LiveView } from "./live-view.ts";
import type { FlowFile } from "./load-flows.ts";
import { openEngine } from "./open-engine.ts";
import { put, say, stderrPaint, tell, toResultText } from "./output.ts";
import { toPlainLine } from "./terminal-text.ts";

/**
 * Drives one run of a file's flows in this process, shows its progress, and says how it ended.
 * `begin` starts the run, or takes up one that exists.
 */
export async function driveRun(
  call: CommandCall,
  file: FlowFile,
  begin: (tutti: Tutti) => Promise<RunHandle>,
): Promise<ExitCode> {
  const stays = readStays(call);
  const view = openLiveView({
    mode: call.flag("json") ? "json" : call.flag("quiet") ? "quiet" : chooseMode(process.stderr),
  });
  const changes = openChanges();
  const onActivity = (activity: Activity): void => {
    view.show(activity);
    changes.note();
  };
  const place: Place = { file: file.path, ledger: toLedgerOption(toLedgerPath(call)) };
  const interrupt = openInterrupt(view);
  let tutti: Tutti | undefined;
  try {
    tutti = await openEngine(call, file, { onActivity });
    const handle = await begin(tutti);
    view.follow(handle.id, await handle.entries());
    interrupt.pauses(handle);
    const rest = await waitForRest({ tutti, handle, view, changes, stays, place });
    view.remark(undefined);
    view.close();
    return report(call, { handle, rest, place, interrupted: interrupt.happened, view });
  } finally {
    interrupt.close();
    view.close();
    await tutti?.close();
  }
}

/** Whether to stay when the run waits: for nothing, for times only, or for anything. */
type Stays = "never" | "for-times" | "always";

function readStays(call: CommandCall): Stays {
  if (call.flag("wait") && call.flag("no-wait"))
    throw toUsage("--wait and --no-wait contradict each other", "Leave one of them out.");
  if (call.flag("no-wait")) return "never";
  return call.flag("wait") || (process.stderr.isTTY && process.stdin.isTTY) ? "always" : "for-times";
}

/** What a command needs to name this run again. */
interface Place {
  readonly file: string;
  readonly ledger: string;
}

type RestlessKind = "running" | "asking" | "waiting" | "frozen" | "in-doubt";

/** Where a run came to rest. A waiting run may in truth wait for one of its children. */
type Rest =
  | { readonly kind: "over"; readonly state: Exclude<RunState, { readonly kind: RestlessKind }> }
  | { readonly kind: "waiting"; readonly needs: readonly Need[] };

/** What would let a run go on, and the command that gives it. */
interface Need {
  readonly text: string;
  readonly command: string | undefined;
  readonly isTime: boolean;
}

interface Watch {
  readonly tutti: Tutti;
  readonly handle: RunHandle;
  readonly view: LiveView;
  readonly changes: Changes;
  readonly stays: Stays;
  readonly place: Place;
}

async function waitForRest(watch: Watch): Promise<Rest> {
  const { handle, view, changes, stays } = watch;
  for (;;) {
    const seen = changes.count;
    const state = await handle.settled();
    if (
      state.kind !== "waiting" &&
      state.kind !== "asking" &&
      state.kind !== "frozen" &&
      state.kind !== "in-doubt" &&
      state.kind !== "running"
    )
      return { kind: "over", state };
    const needs = await findNeeds(watch, handle.id, state);
    // Nothing to name: a child or another run's effect is at work.
    const isStuck = needs.some((need) => !need.isTime);
    if (needs.length > 0 && (stays === "never" || (isStuck && stays !== "always"))) return { kind: "waiting", needs };
    if (isStuck)
      view.remark(needs.map(({ text, command }) => (command === undefined ? text : `${text}: ${command}`)).join(" · "));
    await changes.after(seen, needs.length > 0 ? stillHereMs : lookAgainMs);
    view.remark(undefined);
  }
}

async function findNeeds(watch: Pick<Watch, "tutti" | "place">, run: RunId, state: RunState): Promise<readonly Need[]> {
  const { tutti, place } = watch;
  if (state.kind === "in-doubt") {
    return state.effects.map(({ key }) => ({
      text: `can't tell whether ${key} happened`,
      command: `tutti settle ${quote(key)} done|not-done${place.ledger}`,
      isTime: false,
    }));
  }
  if (state.kind === "asking") return state.approvals.map((approval) => toApprovalNeed(approval, place.ledger));
  if (state.kind === "frozen") return [toFrozenNeed(state.freeze, place)];
  if (state.kind !== "waiting") return [];
  const needs = [...new Set(state.signals)].map((name): Need => ({
    text: `waits for the signal ${name}`,
    command: `tutti signal ${quote(run)} ${quote(name)} '<json>'${place.ledger}`,
    isTime: false,
  }));
  for (const agent of state.takenOver ?? [])
    needs.push({
      text: `waits for a person's result for ${agent}`,
      command: `tutti steer ${quote(run)} --hand-back --agent ${quote(agent)} --output '<json>'${place.ledger}`,
      isTime: false,
    });
  if (state.untilMs !== undefined)
    needs.push({ text: `waits until ${new Date(state.untilMs).toISOString()}`, command: undefined, isTime: true });
  if (needs.length > 0) return needs;
  const children = await tutti.runs({ parent: run, statuses: openStatuses });
  const below = await Promise.all(children.map(async ({ id }) => findNeeds(watch, id, await readRest(tutti, id))));
  // As long as one child is at work, the run is.
  return below.some((list) => list.length === 0) ? [] : below.flat();
}

/** A question is answered, anything else is approved or rejected. */
function toApprovalNeed(approval: ApprovalRecord, ledger: string): Need {
  const typed = toTypedId(approval);
  const command = approval.kind === "question" ? `tutti answer ${typed} '<answer>'` : `tutti approve|reject ${typed}`;
  return { text: `waits for people: ${toPlainLine(approval.about)}`, command: `${command}${ledger}`, isTime: false };
}

function toFrozenNeed(freeze: Freeze, { ledger }: Place): Need {
  const { target } = freeze;
  const named = target.reach === "all" ? "all" : `${target.reach} ${quote(target.name)}`;
  return { text: describeFreeze(freeze), command: `tutti unfreeze ${named}${ledger}`, isTime: false };
}

/** What a run waits for. One that was let go from memory is taken up again to be asked, because only its code knows which signal it wants. */
async function readRest(tutti: Tutti, run: RunId): Promise<RunState> {
  const handle = await tutti.open(run);
  const state = await handle.state();
  if (state.kind !== "waiting" || state.signals.length > 0 || state.untilMs !== undefined) return state;
  await handle.resume("tutti");
  return handle.settled();
}

interface Ending {
  readonly handle: RunHandle;
  readonly rest: Rest;
  readonly place: Place;
  readonly interrupted: boolean;
  readonly view: LiveView;
}

function report(call: CommandCall, { handle, rest, place, interrupted, view }: Ending): ExitCode {
  const run = quote(handle.id);
  const resume = `tutti resume ${run} ${quote(place.file)}${place.ledger}`;
  const facts = { run: handle.id };
  if (rest.kind === "waiting") {
    const [first, ...others] = rest.needs;
    const commands = [...rest.needs.flatMap(({ command }) => command ?? []), resume];
    const what = first === undefined || others.length > 0 ? `waits for ${rest.needs.length} things` : first.text;
    complain(
      call,
      new TuttiError("RUN_WAITS", `run ${handle.id} ${what}`, {
        hint: commands.join("\n"),
        facts: { ...facts, commands },
      }),
    );
    return exitCodes.waiting;
  }
  const { state } = rest;
  switch (state.kind) {
    case "done":
      if (!call.flag("json") && state.output !== undefined) say(toResultText(state.output));
      return exitCodes.done;
    case "failed": {
      const step = findFailed(view.tree.root);
      const again =
        step === undefined
          ? []
          : [
              `tutti fork ${run} ${quote(step)} ${quote(place.file)}${place.ledger}   (goes on from there, once it is put right)`,
            ];
      complain(call, withHints(state.error, [`tutti why ${run}${place.ledger}`, ...again]));
      return policyCodes.has(state.error.code) ? exitCodes.policy : exitCodes.failed;
    }
    case "cancelled":
      complain(call, new TuttiError("RUN_CANCELLED", `run ${handle.id} was cancelled: ${state.reason}`, { facts }));
      return exitCodes.cancelled;
    case "parked":
      complain(call, withHints(state.error, [`${resume}   (tries again)`]));
      return exitCodes.failed;
    case "paused":
      complain(
        call,
        new TuttiError("RUN_WAITS", `run ${handle.id} is paused`, {
          hint: resume,
          facts: { ...facts, commands: [resume] },
        }),
      );
      return interrupted ? exitCodes.interrupted : exitCodes.waiting;
  }
}

const policyCodes: ReadonlySet<ErrorCode> = new Set([
  "BUDGET_SPENT",
  "POLICY_DENIED",
  "APPROVAL_REJECTED",
  "APPROVAL_EXPIRED",
]);

/** The first step that failed by itself, not only through what lies in it. */
function findFailed(node: StepNode): string | undefined {
  for (const child of node.children) {
    const inside = findFailed(child);
    if (inside !== undefined) return inside;
    if (child.state.kind === "failed") return child.path;
  }
  return undefined;
}

function withHints({ code, message, facts, effect, hint, cause }: TuttiError, hints: readonly string[]): TuttiError {
  return new TuttiError(code, message, {
    facts,
    effect,
    hint: [...(hint === undefined ? [] : [hint]), ...hints].join("\n"),
    cause,
  });
}

function complain(call: CommandCall, error: TuttiError): void {
  if (call.flag("json")) put(toErrorLine(error));
  else process.stderr.write(toErrorText(error, stderrPaint()));
}

interface Interrupt {
  readonly happened: boolean;
  /** The run that Ctrl-C pauses from now on. */
  pauses(handle: RunHandle): void;
  close(): void;
}

/** Ctrl-C once pauses the run at a safe point, twice leaves at once: the ledger has everything that was recorded. */
function openInterrupt(view: LiveView): Interrupt {
  let happened = false;
  let run: RunHandle | undefined;
  const pause = (): void => {
    view.remark("pausing when what is going on has ended; Ctrl-C again leaves at once");
    run?.pause("Ctrl-C").catch((error: unknown) => {
      // It ended in this very moment, which the one who waits for it sees too.
      if (!isTuttiError(error) || error.code !== "RUN_OVER") throw error;
    });
  };
  const onSignal = (): void => {
    if (happened) {
      view.close();
      tell(
        `left at once; what was recorded is safe${run === undefined ? "" : `: tutti resume ${quote(run.id)} <file>`}`,
      );
      process.exit(exitCodes.interrupted);
    }
    happened = true;
    pause();
  };
  process.on("SIGINT", onSignal);
  return {
    get happened() {
      return happened;
    },
    pauses(handle) {
      run = handle;
      if (happened) pause();
    },
    close: () => void process.off("SIGINT", onSignal),
  };
}

/** Tells when something has happened in the engine. */
interface Changes {
  readonly count: number;
  note(): void;
  /** Resolves when there are more than `count`, or after a time. */
  after(count: number, timeoutMs: number): Promise<void>;
}

const lookAgainMs = 1_000;
// Nothing else may keep the process alive while it waits for a signal from another one.
const stillHereMs = 60_000;

function openChanges(): Changes {
  let count = 0;
  let wake: (() => void) | undefined;
  return {
    get count() {
      return count;
    },
    note() {
      count += 1;
      wake?.();
    },
    after: (seen, timeoutMs) =>
      new Promise((resolve) => {
        if (count > seen) {
          resolve();
          return;
        }
        const timer = setTimeout(() => wake?.(), timeoutMs);
        wake = () => {
          clearTimeout(timer);
          wake = undefined;
          resolve();
        };
      }),
  };
}
