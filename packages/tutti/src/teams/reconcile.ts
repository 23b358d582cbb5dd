import { TuttiError } from "../base/errors.ts";
import type { Candidate, FieldRule } from "../contracts/agreement.ts";
import type { Confidence, Usage } from "../contracts/outcome.ts";
import type { AgreementRule, AgreeOptions, Run } from "../contracts/run.ts";
import { parseWith, type Schema } from "../contracts/schema.ts";
import { mergeFields } from "./merge-fields.ts";
import { findWinner, groupAnswers, type AnswerGroup, type WeighedBallot } from "./weigh-votes.ts";

/** What a rule makes of the answers. */
export type Ruling =
  | {
      readonly kind: "settled";
      readonly value: unknown;
      /** Where the rule knows better than the votes say. */
      readonly confidence?: Confidence;
      readonly reason?: string;
      readonly usage?: Usage;
    }
  | { readonly kind: "split"; readonly why: string; readonly usage?: Usage };

interface Reconciling {
  readonly ballots: readonly WeighedBallot[];
  readonly input: unknown;
  readonly options: AgreeOptions<unknown, unknown>;
  /** What a merged answer has to be. */
  readonly output: Schema | undefined;
}

const half = 0.5;

/** Applies the declared rule. */
export async function reconcile(run: Run, request: Reconciling): Promise<Ruling> {
  const { ballots, options } = request;
  const groups = groupAnswers(ballots, options.same);
  const { by } = options;
  switch (by.kind) {
    case "vote":
    case "debate":
      return count(groups, by.moreThan ?? half);
    case "escalate":
      return groups.length === 1
        ? { kind: "settled", value: groups[0]?.answer }
        : { kind: "split", why: `there are ${groups.length} different ones` };
    case "judge":
      return groups.length === 1
        ? { kind: "settled", value: groups[0]?.answer }
        : judge(run, by.judge, { request, groups });
    case "merge":
      return merge(run, request, by);
  }
}

function count(groups: readonly AnswerGroup[], moreThan: number): Ruling {
  const winner = findWinner(groups, moreThan);
  if (winner !== undefined) return { kind: "settled", value: winner.answer };
  const share = `${Math.round(moreThan * 100)} %`;
  return {
    kind: "split",
    why: `there are ${groups.length} different ones, and none alone has more than ${share} of the weight`,
  };
}

interface Judged {
  readonly request: Reconciling;
  readonly groups: readonly AnswerGroup[];
}

async function judge(run: Run, callable: JudgeCallable, { request, groups }: Judged): Promise<Ruling> {
  const answers = groups.toSorted((left, right) => (textOf(left) < textOf(right) ? -1 : 1));
  const candidates = answers.map(toCandidate);
  const result = await run.result(callable, { question: request.input, candidates }, { name: "judge" });
  const { choice, reason } = result.output;
  const chosen = answers[candidates.findIndex((candidate) => candidate.id === choice)];
  if (chosen === undefined)
    throw new TuttiError(
      "OUTPUT_INVALID",
      `the judge ${callable.name} chose ${JSON.stringify(choice)}, which is no candidate`,
      {
        hint: `It has to answer with the id of a candidate: ${candidates.map((candidate) => candidate.id).join(", ")}.`,
        facts: { step: result.step },
      },
    );
  return {
    kind: "settled",
    value: chosen.answer,
    reason,
    ...(result.confidence === undefined ? {} : { confidence: { value: result.confidence.value, source: "judge" } }),
    ...(result.usage === undefined ? {} : { usage: result.usage }),
  };
}

type JudgeCallable = Extract<AgreementRule<unknown, unknown>, { kind: "judge" }>["judge"];

function textOf(group: AnswerGroup): string {
  return group.ballots[0]?.text ?? "";
}

function toCandidate({ answer, ballots }: AnswerGroup, index: number): Candidate {
  const reasons = ballots.flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
  return { id: `answer-${index + 1}`, answer, reasons };
}

/** In a step: a function for a field, and the schema of the whole, are asked once. */
function merge(
  run: Run,
  { ballots, output }: Reconciling,
  { fields = {} }: { readonly fields?: Readonly<Record<string, FieldRule | undefined>> },
): Promise<Ruling> {
  return run.step("merge", async (): Promise<Ruling> => {
    const merged = mergeFields(ballots, fields);
    if (merged.kind === "split" || output === undefined)
      return { kind: "split", why: "why" in merged ? merged.why : "nobody answered" };
    const value = await parseWith(output, merged.value, { code: "OUTPUT_INVALID", what: "the merged answer" });
    return { kind: "settled", value, confidence: { value: merged.confidence, source: "agreement" } };
  });
}
