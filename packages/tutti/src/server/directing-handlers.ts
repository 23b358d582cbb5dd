import { TuttiError } from "../base/errors.ts";
import type { DirectiveLine, FreezeLine, FreezeRequest } from "../contracts/api/people.ts";
import type { ToldError } from "../contracts/api/runs.ts";
import { describeDirective } from "../contracts/directive.ts";
import { bodyOf, type LedgerEntry } from "../contracts/entry.ts";
import type { Freeze, FreezeTarget } from "../contracts/freeze.ts";
import { wantedDirectiveShape } from "../engine/control-commands.ts";
import { toFreezeTarget } from "../engine/perform-command.ts";
import type { FleetState } from "../insight/fleet/fleet-state.ts";
import type { RunNotes } from "../insight/fleet/run-notes.ts";
import type { Caller } from "./callers.ts";
import { findOwnRun, isOwn, openOwn, type Call, type Desk, type Handlers } from "./desk.ts";
import { readEntries } from "./run-handlers.ts";
import { toToldValue } from "./told-value.ts";
import { toUndoPreview } from "./undo-preview.ts";

/** How people lead what runs: directives, freezes, and taking back. */
export const directingHandlers: Handlers<
  "listDirectives" | "giveDirective" | "showUndo" | "undoRun" | "listFreezes" | "freeze" | "liftFreeze"
> = {
  async listDirectives(desk, call) {
    const entries = await readEntries(desk, call);
    return { directives: entries.filter(({ kind }) => kind === "directive-given").map(toDirectiveLine) };
  },
  async giveDirective(desk, call) {
    const handle = await openOwn(desk, call);
    const { reason, ...wanted } = call.body;
    const directive = wantedDirectiveShape(wanted, "");
    const beyond = Object.keys(wanted).find((field) => !Object.hasOwn(directive, field));
    if (beyond !== undefined)
      throw new TuttiError("INPUT_INVALID", `${wanted.kind} takes no ${beyond}`, { hint: "Leave it out." });
    return handle.steer(directive, { by: call.caller.name, reason });
  },
  async showUndo(desk, call) {
    const entries = await readEntries(desk, call);
    const { notes } = await findOwnRun(desk, call);
    return { ...toUndoPreview(entries), refusal: findUndoRefusal(desk, notes) };
  },
  async undoRun(desk, call) {
    await (await openOwn(desk, call)).undo({ by: call.caller.name, reason: call.body.reason });
    return {};
  },
  async listFreezes({ tutti, fleet }, { caller }) {
    const state = await fleet.catchUp();
    return {
      freezes: tutti
        .freezes()
        .filter(({ target }) => reachesOwn(caller, target, state))
        .map(toFreezeLine),
    };
  },
  async freeze(desk, call) {
    await desk.tutti.freeze(await toOwnTarget(desk, call), toSpeaker(call));
    return {};
  },
  async liftFreeze(desk, call) {
    await desk.tutti.unfreeze(await toOwnTarget(desk, call), toSpeaker(call));
    return {};
  },
};

/** What `undoRun` would say no with, as far as it can be known before. */
function findUndoRefusal(desk: Desk, { run, flow, version, status }: RunNotes): ToldError | undefined {
  if (status !== "failed" && status !== "cancelled")
    return {
      code: "INPUT_INVALID",
      message: `run ${run} is ${status}; only what failed or was cancelled is undone`,
      hint: "Stop it first.",
    };
  if (desk.flows.some((known) => known.name === flow && known.version === version)) return undefined;
  return {
    code: "FLOW_UNKNOWN",
    message: `the code of ${flow}@${version} is not here, and only it names the tools that take things back`,
    hint: "Serve the flow's file in this version.",
  };
}

function toDirectiveLine(entry: LedgerEntry): DirectiveLine {
  const { payload, payloadRef, ...given } = bodyOf(entry, "directive-given");
  const output = given.kind === "hand-back" ? toToldValue(payload, payloadRef) : undefined;
  return { ...given, at: entry.at, seq: entry.seq, sentence: describeDirective(given), output };
}

function toFreezeLine({ target, by, reason, at }: Freeze): FreezeLine {
  return { ...target, by, reason, at };
}

function toSpeaker({ caller, body }: { readonly caller: Caller; readonly body: FreezeRequest }): {
  readonly by: string;
  readonly reason: string | undefined;
} {
  return { by: caller.name, reason: body.reason };
}

/** Agents and flows are shared by tenants; a freeze of all reaches everybody, so everybody may know of it. */
function reachesOwn(caller: Caller, target: FreezeTarget, { runs }: FleetState): boolean {
  if (caller.tenant === undefined || target.reach === "all") return true;
  if (target.reach === "tenant") return target.name === caller.tenant;
  return target.reach === "run" && runs.get(target.name)?.tenant === caller.tenant;
}

/** @throws TuttiError CALLER_REFUSED for what reaches beyond the caller's tenant, INPUT_INVALID, RUN_UNKNOWN */
async function toOwnTarget(
  desk: Desk,
  { caller, body }: Pick<Call<"freeze">, "caller" | "body">,
): Promise<FreezeTarget> {
  const { reach, name } = body;
  if ((reach === "all") === (name !== undefined))
    throw new TuttiError("INPUT_INVALID", reach === "all" ? "all has no name" : `which ${reach}?`, {
      hint: "Name what is to stand still, and nothing for `all`.",
    });
  if (reach === "all" && (caller.role !== "admin" || caller.tenant !== undefined))
    throw toRefused(caller, "Only an admin without a tenant stops everything.");
  const target = toFreezeTarget({ reach, ...(name === undefined ? {} : { name }) });
  if (target.reach === "run") {
    const found = await desk.fleet.findRun(target.name);
    if (found !== undefined && isOwn(caller, found.notes.tenant)) return target;
    throw new TuttiError("RUN_UNKNOWN", `no run ${target.name} in this ledger`, {
      hint: "`GET /api/runs` lists them.",
    });
  }
  if (reachesOwn(caller, target, await desk.fleet.catchUp())) return target;
  throw toRefused(caller, "Freeze the tenant's runs, or the tenant.");
}

function toRefused({ name }: Caller, hint: string): TuttiError {
  return new TuttiError("CALLER_REFUSED", `${name} may not stop what others use`, { hint });
}
