import { TuttiError } from "../base/errors.ts";
import { toCanonicalJson } from "../base/json.ts";
import type { Agreement, Split, Vote } from "../contracts/agreement.ts";
import type { BodyOf } from "../contracts/entry.ts";
import { addUsage, noUsage, type Usage } from "../contracts/outcome.ts";
import type { AgreeOptions, Run, Voters } from "../contracts/run.ts";
import { debate } from "./debate.ts";
import { askAll, toSeats, type Poll, type Seat } from "./poll.ts";
import { reconcile, type Ruling } from "./reconcile.ts";
import { sum, toConfidence, weighBallots, type WeighedBallot } from "./weigh-votes.ts";

export interface AgreeRequest {
  readonly voters: Voters<unknown, unknown>;
  readonly input: unknown;
  readonly options: AgreeOptions<unknown, unknown>;
}

export interface Agreed {
  readonly agreement: Agreement;
  /** What the voters and a judge spent. */
  readonly usage: Usage;
}

/** Asks the voters inside `run`, and settles on one answer by the declared rule. */
export async function agreeOn(run: Run, { voters, input, options }: AgreeRequest): Promise<Agreed> {
  const seats = toSeats(voters, toCount("times", options.times ?? 1));
  const need = toNeed(options, seats.length);
  checkShare(options.by);
  const { reasonOf = findReason, by, same } = options;
  const ask = (name: string, toInput: (seat: Seat) => unknown): Promise<Poll> =>
    askAll(run, seats, { name, toInput, need, reasonOf });
  const first = await ask("voters", () => input);
  const { poll, rounds } =
    by.kind === "debate" ? await debate(first, { rule: by, input, same, ask }) : { poll: first, rounds: 1 };
  const ballots = weighBallots(poll.ballots);
  const ruling = await reconcile(run, { ballots, input, options, output: seats[0]?.callable.output });
  const agreement = await conclude(run, { options, seats, poll, ballots, ruling, rounds });
  return { agreement, usage: addUsage(poll.usage, ruling.usage ?? noUsage) };
}

interface Counted {
  readonly options: AgreeOptions<unknown, unknown>;
  readonly seats: readonly Seat[];
  readonly poll: Poll;
  readonly ballots: readonly WeighedBallot[];
  readonly ruling: Ruling;
  readonly rounds: number;
}

async function conclude(run: Run, counted: Counted): Promise<Agreement> {
  const { options, poll, ruling, rounds } = counted;
  const { silent } = poll;
  if (ruling.kind === "split") {
    const votes = toVotes(counted, () => false);
    run.record("votes-counted", toBody(counted, { votes, reason: ruling.why }));
    if (options.onSplit === undefined) throw toSplitError({ why: ruling.why, votes, silent });
    const value = await options.onSplit(run, { why: ruling.why, votes, silent });
    return toAgreement(value, { votes: toVotes(counted, toSameAs(value, options)), silent, rounds });
  }
  const votes = toVotes(counted, toSameAs(ruling.value, options));
  const agreement = toAgreement(ruling.value, { votes, silent, rounds });
  const whole: Agreement = {
    ...agreement,
    ...(ruling.confidence === undefined ? {} : { confidence: ruling.confidence }),
    ...(ruling.reason === undefined ? {} : { reason: ruling.reason }),
  };
  run.record("votes-counted", toBody(counted, whole));
  return whole;
}

/** Votes in the order in which the voters were named. */
function toVotes({ seats, ballots }: Counted, agrees: (ballot: WeighedBallot) => boolean): Vote[] {
  return seats.flatMap((seat) => {
    const ballot = ballots.find((each) => each.voter === seat.name);
    if (ballot === undefined) return [];
    const { voter, step, answer, family, weight, reason } = ballot;
    return [
      { voter, step, answer, family, weight, agrees: agrees(ballot), ...(reason === undefined ? {} : { reason }) },
    ];
  });
}

function toSameAs(value: unknown, { same }: AgreeOptions<unknown, unknown>): (ballot: WeighedBallot) => boolean {
  const text = toCanonicalJson(value);
  return (ballot) => ballot.text === text || same?.(ballot.answer, value) === true;
}

function toAgreement(value: unknown, rest: Pick<Agreement, "votes" | "silent" | "rounds">): Agreement {
  const agreeing = sum(rest.votes.map((vote) => (vote.agrees ? vote.weight : 0)));
  return {
    value,
    confidence: { value: toConfidence(agreeing, sum(rest.votes.map((vote) => vote.weight))), source: "agreement" },
    ...rest,
    dissent: rest.votes.filter((vote) => !vote.agrees),
  };
}

const recordedReasonCharactersMax = 200;

/** The answers themselves are in the voters' own entries. */
function toBody(
  { options, ruling, poll, rounds }: Counted,
  told: Pick<Agreement, "votes" | "reason"> & Partial<Pick<Agreement, "confidence">>,
): BodyOf<"votes-counted"> {
  return {
    rule: options.by.kind,
    outcome: ruling.kind === "split" ? "split" : "agreed",
    votes: told.votes.map(({ voter, step, family, weight, agrees, reason }) => ({
      voter,
      step,
      family,
      weight,
      agrees,
      ...(reason === undefined ? {} : { reason: reason.slice(0, recordedReasonCharactersMax) }),
    })),
    silent: poll.silent,
    rounds,
    ...(told.confidence === undefined ? {} : { confidence: told.confidence }),
    ...(told.reason === undefined ? {} : { reason: told.reason.slice(0, 5 * recordedReasonCharactersMax) }),
  };
}

function toSplitError({ why, votes, silent }: Split): TuttiError {
  return new TuttiError("AGREEMENT_SPLIT", `${votes.length} answers could not become one: ${why}`, {
    hint: "Give `onSplit` to ask a person or another agent, add voters, or let a judge choose.",
    facts: { votes: votes.length, silent: silent.length, steps: votes.map((vote) => vote.step) },
  });
}

function toNeed({ need }: AgreeOptions<unknown, unknown>, seats: number): number {
  if (need === "all") return seats;
  const count = toCount("need", need?.atLeast ?? Math.floor(seats / 2) + 1);
  if (count <= seats) return count;
  throw new TuttiError("INPUT_INVALID", `run.agree needs ${count} answers of ${seats} voters`, {
    hint: "Ask for fewer, or give more voters.",
  });
}

function toCount(name: string, count: number): number {
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new TuttiError("INPUT_INVALID", `\`${name}\` is ${count}`, { hint: "Give a whole number from 1 up." });
}

function checkShare(by: AgreeOptions<unknown, unknown>["by"]): void {
  const share = "moreThan" in by ? by.moreThan : undefined;
  if (share === undefined || (share >= 0 && share < 1)) return;
  throw new TuttiError("INPUT_INVALID", `\`moreThan\` is ${share}`, { hint: "Give a share from 0 to less than 1." });
}

function findReason(answer: unknown): string | undefined {
  const isObject = typeof answer === "object" && answer !== null && "reason" in answer;
  return isObject && typeof answer.reason === "string" ? answer.reason : undefined;
}
