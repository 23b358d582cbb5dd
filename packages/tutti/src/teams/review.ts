import { TuttiError } from "../base/errors.ts";
import { toCanonicalJson } from "../base/json.ts";
import type { Reviewed, ReviewVerdict } from "../contracts/agreement.ts";
import type { StepKey } from "../contracts/ids.ts";
import type { ReviewOptions, Run } from "../contracts/run.ts";

const roundsDefault = 2;
const roundsLimit = 20;

type Options = ReviewOptions<unknown, unknown>;

/** Has a work looked at and revised inside `run`, until it is accepted or the rounds are over. */
export async function reviewWork(run: Run, first: unknown, options: Options): Promise<Reviewed<unknown, unknown>> {
  const roundsMax = toRounds(options.roundsMax ?? roundsDefault);
  const rounds: (readonly unknown[])[] = [];
  let work = first;
  let answered: StepKey | undefined;
  for (;;) {
    const verdict = await look(run, work, options);
    rounds.push(verdict.points);
    if (verdict.accepted) return { work, accepted: true, rounds };
    if (rounds.length > roundsMax) return end({ work, rounds }, options, "it had been revised as often as allowed");
    answered = sendPoints(run, verdict, answered);
    const revised = await options.revise(run, work, verdict.points);
    const isSame = toCanonicalJson(revised) === toCanonicalJson(work);
    work = revised;
    if (isSame) return end({ work, rounds }, options, "revising changed nothing");
  }
}

async function look(run: Run, work: unknown, { by }: Options): Promise<ReviewVerdict<unknown>> {
  const verdict = typeof by === "function" ? await by(run, work) : await run.call(by, work);
  if (verdict.accepted || verdict.points.length > 0) return verdict;
  throw new TuttiError("OUTPUT_INVALID", "the reviewer refuses a work and does not say what has to change", {
    hint: "Ask the reviewer for points, for example by a guarantee in `ensures`.",
  });
}

function sendPoints(run: Run, { points }: ReviewVerdict<unknown>, inReplyTo: StepKey | undefined): StepKey {
  return run.record("message-sent", {
    from: "reviewer",
    to: "author",
    intent: "revise",
    bytes: Buffer.byteLength(toCanonicalJson(points)),
    note: `${points.length} ${points.length === 1 ? "point" : "points"}`,
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
  });
}

interface Unaccepted {
  readonly work: unknown;
  readonly rounds: readonly (readonly unknown[])[];
}

function end({ work, rounds }: Unaccepted, { onRejected }: Options, why: string): Reviewed<unknown, unknown> {
  if (onRejected === "return") return { work, accepted: false, rounds };
  const last = rounds.at(-1) ?? [];
  throw new TuttiError("REVIEW_REJECTED", `a work was not accepted after ${rounds.length} looks: ${why}`, {
    hint: 'Allow more rounds, or take the work as it is with onRejected: "return".',
    facts: { looks: rounds.length, points: last.length },
  });
}

function toRounds(count: number): number {
  if (Number.isSafeInteger(count) && count >= 0 && count <= roundsLimit) return count;
  throw new TuttiError("INPUT_INVALID", `\`roundsMax\` of a review is ${count}`, {
    hint: `Give a whole number from 0 to ${roundsLimit}.`,
  });
}
