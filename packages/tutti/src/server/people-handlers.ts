import { TuttiError } from "../base/errors.ts";
import type {
  ApprovalDetail,
  ApprovalLine,
  DirectiveRequest,
  FreezeLine,
  VoteRequest,
} from "../contracts/api/people.ts";
import { amountShape } from "../contracts/budget.ts";
import { describeDirective, type Directive } from "../contracts/directive.ts";
import { bodyOf } from "../contracts/entry.ts";
import type { Freeze, FreezeTarget } from "../contracts/freeze.ts";
import { toRunId } from "../contracts/ids.ts";
import type { PersonsVote, ShownApproval } from "../engine/inbox.ts";
import type { Caller } from "./callers.ts";
import { findOwnRun, isOwn, type Call, type Desk, type Handlers } from "./desk.ts";

const inboxMax = 200;

/** What people are asked, and what they say. Who says it is always whoever the token belongs to. */
export const peopleHandlers: Handlers<
  | "listInbox"
  | "showApproval"
  | "decideApproval"
  | "listDirectives"
  | "steerRun"
  | "listFreezes"
  | "setFreeze"
  | "liftFreeze"
> = {
  async listInbox({ tutti, fleet }, { caller }) {
    const { runs } = await fleet.catchUp();
    const open = (await tutti.approvals.list()).filter(({ run }) => isOwn(caller, runs.get(run)?.tenant));
    const soonest = open.toSorted((left, right) => left.dueAt - right.dueAt).slice(0, inboxMax);
    const shown = await Promise.all(soonest.map(({ id }) => tutti.approvals.show(id)));
    return { approvals: shown.map(toLine), isCut: open.length > soonest.length };
  },
  async showApproval(desk, call) {
    return toDetail(await findOwnApproval(desk, call));
  },
  async decideApproval(desk, call) {
    const { approval } = await findOwnApproval(desk, call);
    const decided = await desk.tutti.approvals.decide(approval.id, toVote(call.caller.name, call.body));
    return toLine(await desk.tutti.approvals.show(decided.id));
  },
  async listDirectives(desk, call) {
    const { notes } = await findOwnRun(desk, call);
    const given = (await desk.tutti.ledger.read(toRunId(notes.run))).filter(({ kind }) => kind === "directive-given");
    const directives = given.map((entry) => {
      const body = bodyOf(entry, "directive-given");
      const { version, kind, by, from, reason } = body;
      return { version, kind, by, from, reason, seq: entry.seq, at: entry.at, says: describeDirective(body) };
    });
    return { directives };
  },
  async steerRun(desk, call) {
    const { notes } = await findOwnRun(desk, call);
    const handle = await desk.tutti.open(toRunId(notes.run));
    return handle.steer(toDirective(call.body), { by: call.caller.name, reason: call.body.reason });
  },
  async listFreezes({ tutti, fleet }, { caller }) {
    const { runs } = await fleet.catchUp();
    const seen = tutti.freezes().filter(({ target }) => reaches(target, caller, (run) => runs.get(run)?.tenant));
    return { freezes: seen.map(toFreezeLine) };
  },
  async setFreeze(desk, call) {
    const { reason } = call.body;
    await desk.tutti.freeze(await toOwnTarget(desk, call), { by: call.caller.name, reason });
    return {};
  },
  async liftFreeze(desk, call) {
    const { reason } = call.body;
    await desk.tutti.unfreeze(await toOwnTarget(desk, call), { by: call.caller.name, reason });
    return {};
  },
};

/** @throws TuttiError APPROVAL_UNKNOWN, also for one of another tenant */
async function findOwnApproval(desk: Desk, { caller, param }: Pick<Call, "caller" | "param">): Promise<ShownApproval> {
  const id = param("approval");
  const shown = await desk.tutti.approvals.show(id);
  const run = await desk.fleet.findRun(shown.approval.run);
  if (run !== undefined && isOwn(caller, run.notes.tenant)) return shown;
  throw new TuttiError("APPROVAL_UNKNOWN", `no approval ${id} in this ledger`, {
    hint: "`GET /api/inbox` lists what waits for people.",
    facts: { approval: id },
  });
}

function toLine({ approval, package: shown }: ShownApproval): ApprovalLine {
  const { id, kind, state, run, step, about, package: saw, round, stage, stages, dueAt, votes } = approval;
  const { initiator, decidedBy, why } = approval;
  return {
    approval: id,
    kind,
    state,
    run,
    step,
    about,
    saw,
    round,
    stage,
    dueAt,
    initiator,
    decidedBy,
    why,
    stages: stages.length,
    votes: votes.map(({ by, verdict, stage: at, seatOf }) => ({ by, verdict, stage: at, seatOf })),
    risk: shown.risk.level,
    tool: shown.action?.tool,
  };
}

function toDetail(shown: ShownApproval): ApprovalDetail {
  const { summary, askedBy, rules, recommendation, reasons, alternatives, evidence, risk } = shown.package;
  const { otherwise, deciders, versions, details, options, why, confidence, costUsd, action } = shown.package;
  return {
    line: toLine(shown),
    package: {
      summary,
      askedBy,
      rules,
      recommendation,
      reasons,
      alternatives,
      risk,
      otherwise,
      deciders,
      versions,
      details,
      options,
      why,
      confidence,
      costUsd,
      evidence: evidence.map(({ step, what }) => ({ step, what })),
      action: action === undefined ? undefined : toAction(action),
    },
  };
}

type Action = NonNullable<ShownApproval["package"]["action"]>;

function toAction(action: Action): NonNullable<ApprovalDetail["package"]["action"]> {
  const { tool, does, input, changes, canBeUndone, preview, previewProblem } = action;
  const seen = typeof preview === "string" ? { after: preview } : preview;
  return { tool, does, input, changes, canBeUndone, preview: seen, previewProblem };
}

/** @throws TuttiError INPUT_INVALID */
function toVote(by: string, request: VoteRequest): PersonsVote {
  const { saw, verdict, reason, note, to } = request;
  const said = { by, saw, ...(note === undefined ? {} : { note }) };
  switch (verdict) {
    case "approve":
    case "abstain":
      return { ...said, verdict };
    case "reject":
      return { ...said, verdict, reason: need(reason, "reason") };
    case "edit":
      if (!("input" in request)) throw toMissing("input");
      return { ...said, verdict, input: request.input };
    case "answer":
      if (!("answer" in request)) throw toMissing("answer");
      return { ...said, verdict, answer: request.answer };
    case "delegate":
      return { ...said, verdict, to: need(to, "to") };
  }
}

/** What it says is checked by whoever takes it. @throws TuttiError INPUT_INVALID */
function toDirective(request: DirectiveRequest): Directive {
  const { kind, text, budget, level, agent } = request;
  const named = agent === undefined ? {} : { agent };
  switch (kind) {
    case "goal":
    case "constraint":
    case "context":
      return { kind, text: need(text, "text") };
    case "budget":
      return { kind, budget: amountShape(budget, "budget") };
    case "autonomy":
      if (level === undefined) throw toMissing("level");
      return { kind, level };
    case "stop":
      return { kind };
    case "take-over":
      return { kind, ...named };
    case "hand-back":
      return "output" in request ? { kind, ...named, output: request.output } : { kind, ...named };
  }
}

function need(value: string | undefined, name: string): string {
  if (value !== undefined && value.trim() !== "") return value;
  throw toMissing(name);
}

function toMissing(name: string): TuttiError {
  return new TuttiError("INPUT_INVALID", `the request has no ${name}`, { hint: `Send "${name}" with it.` });
}

/** @throws TuttiError INPUT_INVALID, RUN_UNKNOWN, CALLER_REFUSED */
async function toOwnTarget(desk: Desk, call: Call<"setFreeze" | "liftFreeze">): Promise<FreezeTarget> {
  const { caller, body } = call;
  const { reach } = body;
  if (reach === "run") {
    const { notes } = await findOwnRun(desk, { caller, param: () => need(body.name, "name") });
    return { reach, name: notes.run };
  }
  if (caller.tenant !== undefined && (reach !== "tenant" || body.name !== caller.tenant))
    throw new TuttiError("CALLER_REFUSED", `${caller.name} may freeze runs of ${caller.tenant}, and that tenant`, {
      hint: "Ask with a token without a tenant.",
    });
  return reach === "all" ? { reach } : { reach, name: need(body.name, "name") };
}

/** A caller of a tenant sees the freezes that its runs feel, and not the names of others. */
function reaches(target: FreezeTarget, { tenant }: Caller, tenantOf: (run: string) => string | undefined): boolean {
  if (tenant === undefined || target.reach === "all") return true;
  return target.reach === "tenant"
    ? target.name === tenant
    : target.reach === "run" && tenantOf(target.name) === tenant;
}

function toFreezeLine({ target, by, reason, at }: Freeze): FreezeLine {
  return { reach: target.reach, name: target.reach === "all" ? undefined : target.name, by, reason, at };
}
