import { TuttiError } from "../base/errors.ts";
import { amountShape } from "../contracts/budget.ts";
import { toEffectKey, toStepKey } from "../contracts/ids.ts";
import type { Flow } from "../contracts/run.ts";
import type { StartOptions } from "../engine/tutti.ts";
import { toEditSignal } from "../teams/plan/edits.ts";
import { isOwn, openOwn, type Call, type Desk, type Handlers } from "./desk.ts";

/** What people and programs command. */
export const commandHandlers: Handlers<
  | "startRun"
  | "callTool"
  | "signalRun"
  | "cancelRun"
  | "pauseRun"
  | "resumeRun"
  | "forkRun"
  | "editPlan"
  | "settleEffect"
  | "releaseEvent"
  | "pauseSchedule"
  | "resumeSchedule"
> = {
  async startRun(desk, call) {
    const { flow, version, input, id, key, windowMs, budget, priority } = call.body;
    const tenant = toTenant(call);
    const options = {
      id: id ?? `${flow}-${call.command.slice(0, 20)}`,
      by: call.caller.name,
      // Keys of different tenants are different keys.
      ...(key === undefined ? {} : { key: tenant === undefined ? key : `${tenant}/${key}` }),
      ...(windowMs === undefined ? {} : { windowMs }),
      ...(budget === undefined ? {} : { budget: amountShape(budget, "budget") }),
      ...(tenant === undefined ? {} : { tenant }),
      ...(priority === undefined ? {} : { priority }),
    };
    return start(desk, call, { flow: chooseFlow(desk.flows, flow, version), input, options });
  },
  async callTool(desk, call) {
    const name = call.param("tool");
    const flow = desk.flows.find((each) => each.name === `tool:${name}`);
    if (flow === undefined) throw toUnknownFlow(`no tool ${name} can be called here`, "`GET /api/tools` lists them.");
    const tenant = call.caller.tenant;
    const options = {
      id: call.body.id ?? `tool-${call.command.slice(0, 20)}`,
      by: call.caller.name,
      ...(tenant === undefined ? {} : { tenant }),
    };
    return start(desk, call, { flow, input: call.body.input, options });
  },
  async signalRun(desk, call) {
    const { name, payload, id } = call.body;
    await (await openOwn(desk, call)).signal(name, payload, { id: id ?? call.command });
    return {};
  },
  async cancelRun(desk, call) {
    await (await openOwn(desk, call)).cancel(call.body.reason, call.caller.name);
    return {};
  },
  async pauseRun(desk, call) {
    await (await openOwn(desk, call)).pause(call.caller.name);
    return {};
  },
  async resumeRun(desk, call) {
    await (await openOwn(desk, call)).resume(call.caller.name);
    return {};
  },
  async forkRun(desk, call) {
    const { step, ...change } = call.body;
    if ("output" in change && "input" in change)
      throw new TuttiError("USAGE", "a fork changes the output of a step or its input, not both");
    const edit =
      "output" in change ? { output: change.output } : "input" in change ? { input: change.input } : undefined;
    const handle = await openOwn(desk, call);
    const forked = await handle.fork(toStepKey(step), edit, {
      id: `${handle.id}~${call.command.slice(0, 12)}`,
      by: call.caller.name,
    });
    return { run: forked.id };
  },
  async editPlan(desk, call) {
    const { plan, edited, why } = call.body;
    const payload = { plan: edited, by: call.caller.name, ...(why === undefined ? {} : { why }) };
    await (await openOwn(desk, call)).signal(toEditSignal(plan), payload, { id: call.command });
    return {};
  },
  async settleEffect(desk, call) {
    const { effect, verdict, output, note } = call.body;
    const key = toEffectKey(effect);
    const record = await desk.tutti.ledger.findEffect(key);
    const found = record === undefined ? undefined : await desk.fleet.findRun(record.run);
    if (record === undefined || found === undefined || !isOwn(call.caller, found.notes.tenant))
      throw new TuttiError("EFFECT_UNKNOWN", `no effect ${effect} in this ledger`, {
        hint: "`GET /api/effects/in-doubt` lists what waits for a person.",
      });
    const said = { by: call.caller.name, ...(note === undefined ? {} : { note }) };
    const has = "output" in call.body;
    await desk.tutti.settle(
      key,
      verdict === "done" ? { kind: "done", ...said, ...(has ? { output } : {}) } : { kind: "not-done", ...said },
    );
    return {};
  },
  async releaseEvent({ tutti }, { caller, param, body }) {
    await tutti.events[body.verdict](param("subscription"), body.event, caller.name);
    return {};
  },
  async pauseSchedule({ tutti }, { caller, param }) {
    await tutti.schedules.pause(param("schedule"), caller.name);
    return {};
  },
  async resumeSchedule({ tutti }, { caller, param }) {
    await tutti.schedules.resume(param("schedule"), caller.name);
    return {};
  },
};

interface Wanted {
  readonly flow: Flow;
  readonly input: unknown;
  readonly options: StartOptions & { readonly id: string };
}

/** An id that another tenant's run has counts as taken. @throws TuttiError INPUT_INVALID */
async function start(desk: Desk, call: Call, { flow, input, options }: Wanted): Promise<{ readonly run: string }> {
  const { id } = await desk.tutti.start(flow, input ?? {}, options);
  const started = await desk.fleet.findRun(id);
  if (started === undefined || !isOwn(call.caller, started.notes.tenant))
    throw new TuttiError("INPUT_INVALID", `"${id}" can't name a run: it is taken`, { hint: "Choose another id." });
  return { run: id };
}

/** @throws TuttiError CALLER_REFUSED when it names a tenant that is not the caller's */
function toTenant({ caller, body }: Call<"startRun">): string | undefined {
  if (caller.tenant === undefined) return body.tenant;
  if (body.tenant === undefined || body.tenant === caller.tenant) return caller.tenant;
  throw new TuttiError("CALLER_REFUSED", `${caller.name} belongs to another tenant`, {
    hint: "Leave `tenant` out: the run gets the token's.",
  });
}

/** Of several versions the highest. @throws TuttiError FLOW_UNKNOWN */
function chooseFlow(flows: readonly Flow[], name: string, version: string | undefined): Flow {
  const named = flows.filter((flow) => flow.name === name && (version === undefined || flow.version === version));
  const [newest] = named.toSorted((left, right) => right.version.localeCompare(left.version, "en", { numeric: true }));
  if (newest !== undefined && !newest.name.startsWith("tool:")) return newest;
  throw toUnknownFlow(
    `no flow ${name}${version === undefined ? "" : ` in version ${version}`} can be started here`,
    "`GET /api/flows` lists them.",
  );
}

function toUnknownFlow(message: string, hint: string): TuttiError {
  return new TuttiError("FLOW_UNKNOWN", message, { hint });
}
