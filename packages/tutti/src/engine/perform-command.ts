import { TuttiError } from "../base/errors.ts";
import type { FreezeTarget } from "../contracts/freeze.ts";
import type { ControlAnswer, ControlCommand, ControlRequest } from "./control-commands.ts";
import type { ForkEdit, Tutti } from "./tutti.ts";

/**
 * Does what a command says, for another process or for a short-lived one of its own.
 * @throws TuttiError RUN_UNKNOWN, RUN_OVER, EFFECT_UNKNOWN, FLOW_UNKNOWN, USAGE
 */
export function performCommand<Command extends ControlCommand>(
  tutti: Tutti,
  command: Command,
  request: ControlRequest<Command>,
): Promise<ControlAnswer<Command>> {
  return performers[command](tutti, request);
}

type Performers = {
  readonly [Command in ControlCommand]: (
    tutti: Tutti,
    request: ControlRequest<Command>,
  ) => Promise<ControlAnswer<Command>>;
};

const performers: Performers = {
  ping: async () => ({ pid: process.pid }),
  async signal(tutti, { run, name, payload, id }) {
    const handle = await tutti.open(run);
    await handle.signal(name, payload, id === undefined ? {} : { id });
    return {};
  },
  async cancel(tutti, { run, reason, by }) {
    const handle = await tutti.open(run);
    await handle.cancel(reason, by);
    return {};
  },
  async pause(tutti, { run, by }) {
    const handle = await tutti.open(run);
    await handle.pause(by);
    return {};
  },
  async resume(tutti, { run, by }) {
    const handle = await tutti.open(run);
    await handle.resume(by);
    return {};
  },
  async settle(tutti, { effect, verdict }) {
    await tutti.settle(effect, verdict);
    return {};
  },
  async erase(tutti, { subject, by }) {
    await tutti.erase(subject, by);
    return {};
  },
  async decide(tutti, { votes }) {
    const votesById = new Map(votes.map(({ approval, vote }) => [approval, vote]));
    const decided = await tutti.approvals.decideAll(votesById);
    return { decided: decided.map(({ id, run, state }) => ({ id, run, state })) };
  },
  async fork(tutti, request) {
    const handle = await tutti.open(request.run);
    const forked = await handle.fork(request.step, toEdit(request), { by: request.by });
    return { run: forked.id };
  },
  async steer(tutti, { run, directive, ...person }) {
    const handle = await tutti.open(run);
    return handle.steer(directive, person);
  },
  async undo(tutti, { run, ...person }) {
    const handle = await tutti.open(run);
    await handle.undo(person);
    return {};
  },
  async freeze(tutti, request) {
    await tutti.freeze(toFreezeTarget(request), request);
    return {};
  },
  async unfreeze(tutti, request) {
    await tutti.unfreeze(toFreezeTarget(request), request);
    return {};
  },
  async grant(tutti, request) {
    await tutti.autonomy.grant(request);
    return {};
  },
  async withdraw(tutti, request) {
    await tutti.autonomy.withdraw(request);
    return {};
  },
  async cap(tutti, request) {
    await tutti.autonomy.cap(request);
    return {};
  },
  async sample(tutti, request) {
    await tutti.reviews.sample(request);
    return {};
  },
  slots: async (tutti) => ({ slots: tutti.slots() }),
  async waits(tutti, { runs }) {
    const waits = runs.map((run) => [run, tutti.waitsFor(run)] as const);
    return { waits: Object.fromEntries(waits.filter(([, limits]) => limits.length > 0)) };
  },
};

/** What a freeze names. */
export function toFreezeTarget({ reach, name = "" }: Pick<ControlRequest<"freeze">, "reach" | "name">): FreezeTarget {
  return reach === "all" ? { reach } : { reach, name };
}

/** @throws TuttiError USAGE for both at once */
function toEdit(request: { readonly output?: unknown; readonly input?: unknown }): ForkEdit | undefined {
  const hasOutput = "output" in request;
  const hasInput = "input" in request;
  if (hasOutput && hasInput)
    throw new TuttiError("USAGE", "a fork changes the output of a step or its input, not both");
  if (hasOutput) return { output: request.output };
  return hasInput ? { input: request.input } : undefined;
}
