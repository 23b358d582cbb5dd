import { TuttiError } from "../base/errors.ts";
import type { Callable, Run } from "../contracts/run.ts";
import { noStanding, rankCandidates, type CandidateFacts } from "./rank-candidates.ts";
import type { TrackRecord } from "./track-record.ts";

/** One who could take a task. */
export interface RouteCandidate<Input, Output> {
  readonly callable: Callable<Input, Output>;
  /** What a call costs at most; what the callable guarantees by default. */
  readonly costUsd?: number;
  /** Whether it can be asked now: `true`, or why not. Asked in a step of its own. */
  readonly available?: () => boolean | string | Promise<boolean | string>;
}

export interface RouteOptions {
  /** What is to be done, in words. */
  readonly task: string;
  /** How candidates did so far; without it all are new. */
  readonly record?: TrackRecord;
  readonly name?: string;
}

const candidatesMax = 50;

/**
 * Chooses who is to do a task, by what they say they do, whether they can, what they cost, what they have at work and how they did. The choice
 * is an entry, with everybody who was not chosen and why.
 * @throws TuttiError ROUTE_MISSING when none can take it.
 */
export async function route<Input, Output>(
  run: Run,
  candidates: readonly (Callable<Input, Output> | RouteCandidate<Input, Output>)[],
  { task, record, name = "route" }: RouteOptions,
): Promise<Callable<Input, Output>> {
  const listed = candidates.map((each) => ("callable" in each ? each : { callable: each }));
  checkCandidates(listed.map((each) => each.callable.name));
  const chosen = await run.scope(name, async (inner) => {
    // What holds now is recorded, so that a replay chooses the same.
    const facts = await inner.step("candidates", () => toFacts(listed, record), { effect: "read" });
    const [best, ...others] = rankCandidates(task, facts);
    const alternatives = others.map(({ name: other, score, why }) => ({ name: other, score, why: cut(why) }));
    if (best === undefined || best.score === 0) {
      const reasons = [best, ...others].flatMap((each) => (each === undefined ? [] : [`${each.name} (${each.why})`]));
      throw new TuttiError("ROUTE_MISSING", `nobody can take this: ${reasons.join(", ")}`, {
        hint: "Say in `does` what a candidate can do, in the words of the task, or add one that can.",
      });
    }
    inner.record("decision-made", { about: cut(task), chosen: best.name, why: cut(best.why), alternatives });
    return best.name;
  });
  const found = listed.find((each) => each.callable.name === chosen);
  if (found === undefined) throw new TuttiError("FLOW_DIVERGED", `${chosen} was chosen and is no candidate any more`);
  return found.callable;
}

const charactersMax = 300;

function cut(text: string): string {
  return text.slice(0, charactersMax);
}

function checkCandidates(names: readonly string[]): void {
  if (new Set(names).size === names.length && names.length >= 1 && names.length <= candidatesMax) return;
  throw new TuttiError("INPUT_INVALID", `route was given ${names.length} candidates: ${names.slice(0, 9).join(", ")}`, {
    hint: `Give 1 to ${candidatesMax}, each name once.`,
  });
}

async function toFacts<Input, Output>(
  candidates: readonly RouteCandidate<Input, Output>[],
  record: TrackRecord | undefined,
): Promise<readonly CandidateFacts[]> {
  const standings = await record?.standingOf(candidates.map(({ callable }) => callable.name));
  return Promise.all(
    candidates.map(async ({ callable, costUsd = callable.guarantees?.costUsd, available }, index) => ({
      name: callable.name,
      does: callable.does ?? "",
      ...(callable.tags === undefined ? {} : { tags: callable.tags }),
      ...(costUsd === undefined ? {} : { costUsd }),
      ...(available === undefined ? {} : { available: await available() }),
      standing: standings?.[index] ?? noStanding,
    })),
  );
}
