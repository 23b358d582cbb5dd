import { TuttiError } from "../base/errors.ts";
import type { SilentVoter } from "../contracts/agreement.ts";
import { addUsage, noUsage, type Outcome, type Result, type Usage } from "../contracts/outcome.ts";
import type { Callable, Need, Run, Voter, Voters } from "../contracts/run.ts";
import { toModelFamily } from "./model-family.ts";
import type { Ballot } from "./weigh-votes.ts";

/** Voters of one question; more would say nothing that these do not. */
const votersMax = 32;
const reasonCharactersMax = 1_000;

/** One voice: a voter that is asked twice has two. */
export interface Seat {
  readonly name: string;
  readonly callable: Callable;
  readonly weight: number;
  readonly family: string | undefined;
}

/** What came of asking everybody. */
export interface Poll {
  readonly ballots: readonly Ballot[];
  readonly silent: readonly SilentVoter[];
  readonly usage: Usage;
}

/** @throws TuttiError INPUT_INVALID */
export function toSeats(voters: Voters<unknown, unknown>, times: number): readonly Seat[] {
  const listed: readonly (Callable | Voter<unknown, unknown>)[] = isList(voters) ? voters : [voters];
  const taken = new Set<string>();
  const seats = listed.flatMap((each) => {
    const voter = "callable" in each ? each : { callable: each };
    return Array.from({ length: times }, (): Seat => {
      const name = toFreeName(voter.name ?? voter.callable.name, taken);
      return { name, callable: voter.callable, weight: voter.weight ?? 1, family: voter.family };
    });
  });
  if (seats.length < 1 || seats.length > votersMax)
    throw new TuttiError("INPUT_INVALID", `run.agree was given ${seats.length} voters`, {
      hint: `Give 1 to ${votersMax}, those that are asked several times counted so often.`,
    });
  const wrong = seats.find((seat) => !(seat.weight > 0 && Number.isFinite(seat.weight)));
  if (wrong !== undefined)
    throw new TuttiError("INPUT_INVALID", `the vote of ${wrong.name} has the weight ${wrong.weight}`, {
      hint: "Give a positive number, or leave the voter out.",
    });
  return seats;
}

function isList(voters: Voters<unknown, unknown>): voters is Exclude<typeof voters, Callable> {
  return Array.isArray(voters);
}

function toFreeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${name}-${count}`;
  taken.add(free);
  return free;
}

interface Question {
  readonly name: string;
  readonly toInput: (seat: Seat) => unknown;
  readonly need: number;
  readonly reasonOf: (answer: unknown) => string | undefined;
}

/**
 * Asks everybody at once, each for an answer of its own.
 * @throws TuttiError BRANCHES_FAILED when fewer than needed answer.
 */
export async function askAll(run: Run, seats: readonly Seat[], question: Question): Promise<Poll> {
  const branches = Object.fromEntries(
    seats.map((seat) => [
      seat.name,
      (branch: Run) => branch.result(seat.callable, question.toInput(seat), { fresh: true }),
    ]),
  );
  const need: Need = { atLeast: question.need };
  const outcomes = await run.all(branches, { name: question.name, need });
  const ballots: Ballot[] = [];
  const silent: SilentVoter[] = [];
  let usage = noUsage;
  for (const seat of seats) {
    const outcome = outcomes[seat.name];
    if (outcome?.kind === "done") {
      ballots.push(toBallot(seat, outcome.value, question.reasonOf));
      usage = addUsage(usage, outcome.value.usage ?? noUsage);
    } else silent.push({ voter: seat.name, code: toCode(outcome) });
  }
  return { ballots, silent, usage };
}

function toBallot(seat: Seat, result: Result<unknown>, reasonOf: Question["reasonOf"]): Ballot {
  const reason = reasonOf(result.output);
  const family = seat.family ?? (result.model === undefined ? seat.callable.name : toModelFamily(result.model));
  return {
    voter: seat.name,
    step: result.step,
    answer: result.output,
    family,
    declared: seat.weight,
    ...(reason === undefined ? {} : { reason: reason.slice(0, reasonCharactersMax) }),
  };
}

function toCode(outcome: Outcome<unknown> | undefined): SilentVoter["code"] {
  return outcome?.kind === "failed" ? outcome.error.code : "RUN_CANCELLED";
}
