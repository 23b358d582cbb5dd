import { TuttiError } from "../base/errors.ts";
import { toCanonicalJson } from "../base/json.ts";
import type { OtherAnswer } from "../contracts/agreement.ts";
import { addUsage } from "../contracts/outcome.ts";
import type { AgreementRule } from "../contracts/run.ts";
import type { Poll, Seat } from "./poll.ts";
import { groupAnswers, weighBallots, type Ballot, type Same } from "./weigh-votes.ts";

const roundsDefault = 3;
const roundsLimit = 10;

interface Debate {
  readonly rule: Extract<AgreementRule<unknown, unknown>, { kind: "debate" }>;
  readonly input: unknown;
  readonly same: Same | undefined;
  readonly ask: (name: string, toInput: (seat: Seat) => unknown) => Promise<Poll>;
}

/**
 * Shows everybody the others' last answers and asks again, until all answer the same, nobody changes their mind, or the rounds are over. A
 * voter that fails on the way keeps the answer that it gave before, and is listed as silent.
 */
export async function debate(
  first: Poll,
  { rule, input, same, ask }: Debate,
): Promise<{ readonly poll: Poll; readonly rounds: number }> {
  const roundsMax = toRounds(rule.roundsMax ?? roundsDefault);
  let poll = first;
  let rounds = 1;
  while (rounds < roundsMax && !isUnanimous(poll, same)) {
    rounds += 1;
    const before = poll;
    const next = await ask(`round-${rounds}`, (seat) => rule.show(input, toOthers(before, seat)));
    poll = { ballots: keepLast(before, next), silent: next.silent, usage: addUsage(before.usage, next.usage) };
    if (saysTheSame(before, poll)) break;
  }
  return { poll, rounds };
}

function toRounds(count: number): number {
  if (Number.isSafeInteger(count) && count >= 1 && count <= roundsLimit) return count;
  throw new TuttiError("INPUT_INVALID", `\`roundsMax\` of a debate is ${count}`, {
    hint: `Give a whole number from 1 to ${roundsLimit}.`,
  });
}

function isUnanimous({ ballots }: Poll, same: Same | undefined): boolean {
  return groupAnswers(weighBallots(ballots), same).length === 1;
}

/** In an order that does not say who is who. */
function toOthers({ ballots }: Poll, seat: Seat): readonly OtherAnswer[] {
  return weighBallots(ballots)
    .filter((ballot) => ballot.voter !== seat.name)
    .map(({ answer, reason }) => ({ answer, ...(reason === undefined ? {} : { reason }) }));
}

function keepLast(before: Poll, next: Poll): readonly Ballot[] {
  const fresh = new Map(next.ballots.map((ballot) => [ballot.voter, ballot]));
  const known = new Map([...before.ballots.map((ballot) => [ballot.voter, ballot] as const), ...fresh]);
  return [...known.values()];
}

function saysTheSame(before: Poll, after: Poll): boolean {
  return toSaid(before) === toSaid(after);
}

function toSaid({ ballots }: Poll): string {
  return toCanonicalJson(Object.fromEntries(ballots.map((ballot) => [ballot.voter, ballot.answer])));
}
