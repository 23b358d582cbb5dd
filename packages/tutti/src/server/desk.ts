import { TuttiError } from "../base/errors.ts";
import type { DoubtfulEffects } from "../contracts/api/commands.ts";
import type { AnswerOf, BodyOfRoute, Operation, QueryOf } from "../contracts/api/routes.ts";
import type { Tool } from "../contracts/callable.ts";
import type { Flow } from "../contracts/run.ts";
import type { RunHandle, Tutti } from "../engine/tutti.ts";
import type { Fleet, FoundRun } from "../insight/fleet/fleet.ts";
import type { Metrics } from "../insight/metrics/metrics.ts";
import type { Scores } from "../insight/score/scores.ts";
import type { Caller, Callers } from "./callers.ts";
import type { Tail } from "./tail.ts";

/** What those who answer requests share. */
export interface Desk {
  readonly tutti: Tutti;
  readonly flows: readonly Flow[];
  readonly tools: readonly Tool[];
  readonly fleet: Fleet;
  readonly scores: Scores;
  readonly metrics: Metrics;
  readonly callers: Callers;
  readonly tail: Tail;
  /** Aborted when the server begins to drain. */
  readonly draining: AbortSignal;
}

/** A request that was checked: who asks, and for what. */
export interface Call<Name extends Operation = Operation> {
  readonly caller: Caller;
  /** The parts of the path that the route names. */
  readonly param: (name: string) => string;
  readonly query: QueryOf<Name>;
  readonly body: BodyOfRoute<Name>;
  readonly request: Request;
  /** Of a command: a hash that is the same whenever the same command is sent again. */
  readonly command: string;
}

type Answer<Name extends Operation> = AnswerOf<Name> extends undefined ? Response : AnswerOf<Name>;
export type Handler<Name extends Operation> = (desk: Desk, call: Call<Name>) => Promise<Answer<Name> | Response>;
export type Handlers<Names extends Operation = Operation> = { readonly [Name in Names]: Handler<Name> };

/**
 * The run that the path names, if the caller may know of it: what belongs to another tenant is as unknown as what is not there.
 * @throws TuttiError RUN_UNKNOWN
 */
export async function findOwnRun(
  { fleet }: Desk,
  { caller, param }: Pick<Call, "caller" | "param">,
): Promise<FoundRun> {
  const found = await fleet.findRun(param("run"));
  if (found === undefined || !isOwn(caller, found.notes.tenant)) throw toUnknownRun(param("run"));
  return found;
}

/** @throws TuttiError RUN_UNKNOWN */
export async function openOwn(desk: Desk, call: Pick<Call, "caller" | "param">): Promise<RunHandle> {
  const { notes } = await findOwnRun(desk, call);
  return desk.tutti.open(notes.run);
}

/** Effects that wait for a person to say whether they happened. */
export async function listOwnDoubtful({ tutti, fleet }: Desk, caller: Caller): Promise<DoubtfulEffects["effects"]> {
  const { runs } = await fleet.catchUp();
  const effects = (await tutti.inDoubt()).filter(({ run }) => isOwn(caller, runs.get(run)?.tenant));
  return effects.map(({ key, run, step, tool }) => ({ effect: key, run, step, tool }));
}

/** Whether the role lets them decide for people. */
export function isDecider({ role }: Caller): boolean {
  return role === "approver" || role === "admin";
}

export function isOwn(caller: Caller, tenant: string | undefined): boolean {
  return caller.tenant === undefined || caller.tenant === tenant;
}

function toUnknownRun(run: string): TuttiError {
  return new TuttiError("RUN_UNKNOWN", `no run ${run} in this ledger`, {
    hint: "`GET /api/runs` lists them.",
    facts: { run },
  });
}
