import { toCanonicalJson } from "../base/json.ts";
import type { FieldRule, FieldValue } from "../contracts/agreement.ts";
import { findWinner, groupAnswers, sum, toConfidence, type AnswerGroup, type WeighedBallot } from "./weigh-votes.ts";

export type Merged =
  | { readonly kind: "settled"; readonly value: Readonly<Record<string, unknown>>; readonly confidence: number }
  | { readonly kind: "split"; readonly why: string };

/** One object out of several, field by field. The least sure field says how sure the whole is. */
export function mergeFields(
  ballots: readonly WeighedBallot[],
  rules: Readonly<Record<string, FieldRule | undefined>>,
): Merged {
  const odd = ballots.find((ballot) => !isRecord(ballot.answer));
  if (odd !== undefined) return { kind: "split", why: `${odd.voter} did not answer with an object` };
  const names = [...new Set(ballots.flatMap((ballot) => (isRecord(ballot.answer) ? Object.keys(ballot.answer) : [])))];
  const all = sum(ballots.map((ballot) => ballot.weight));
  const open: string[] = [];
  const fields: [string, unknown][] = [];
  let confidence = toConfidence(all, all);
  for (const name of names.toSorted()) {
    const groups = groupAnswers(
      ballots
        .map((ballot) => toFieldBallot(ballot, name))
        .toSorted((left, right) => (left.text < right.text ? -1 : left.text > right.text ? 1 : 0)),
      undefined,
    );
    const settled = settleField(groups, Object.hasOwn(rules, name) ? (rules[name] ?? "vote") : "vote");
    if (settled === undefined) open.push(name);
    else {
      if (settled.value !== undefined) fields.push([name, settled.value]);
      confidence = Math.min(confidence, toConfidence(settled.weight ?? weightOf(groups, settled.value), all));
    }
  }
  if (open.length > 0) return { kind: "split", why: `no value has more than half for ${open.join(", ")}` };
  return { kind: "settled", value: Object.fromEntries(fields), confidence };
}

interface Settled {
  readonly value: unknown;
  /** Where it is not simply that of the voters who said just this. */
  readonly weight?: number;
}

function settleField(groups: readonly AnswerGroup[], rule: FieldRule): Settled | undefined {
  if (typeof rule === "function") return { value: rule(toValues(groups)) };
  switch (rule) {
    case "vote": {
      const winner = findWinner(groups, 0.5);
      return winner === undefined ? undefined : { value: winner.answer, weight: winner.weight };
    }
    case "union":
      return unite(groups);
    case "median":
      return toMedian(groups);
  }
}

/** Different values, heaviest first; those who left the field out have none. */
function toValues(groups: readonly AnswerGroup[]): FieldValue[] {
  return groups.flatMap(({ answer, weight }) => (answer === undefined ? [] : [{ value: answer, weight }]));
}

// Nothing that one voter found is against what another did: everybody who answered stands behind the union.
function unite(groups: readonly AnswerGroup[]): Settled | undefined {
  const weightByText = new Map<string, { readonly item: unknown; readonly weight: number }>();
  for (const { answer = [], weight } of groups) {
    if (!Array.isArray(answer)) return undefined;
    for (const [text, item] of new Map(answer.map((each: unknown) => [toCanonicalJson(each), each])))
      weightByText.set(text, { item, weight: (weightByText.get(text)?.weight ?? 0) + weight });
  }
  const items = [...weightByText].toSorted(
    ([leftText, left], [rightText, right]) => right.weight - left.weight || (leftText < rightText ? -1 : 1),
  );
  return { value: items.map(([, { item }]) => item), weight: sum(groups.map((group) => group.weight)) };
}

function toMedian(groups: readonly AnswerGroup[]): Settled | undefined {
  const numbers = toValues(groups);
  const sorted = numbers
    .flatMap(({ value, weight }) => (typeof value === "number" ? [{ value, weight }] : []))
    .toSorted((left, right) => left.value - right.value);
  if (sorted.length === 0 || sorted.length < numbers.length) return undefined;
  const half = sum(sorted.map((each) => each.weight)) / 2;
  let passed = 0;
  return { value: sorted.find(({ weight }) => (passed += weight) >= half)?.value ?? sorted.at(-1)?.value };
}

function weightOf(groups: readonly AnswerGroup[], value: unknown): number {
  const text = toCanonicalJson(value);
  return groups.find((group) => group.ballots.some((ballot) => ballot.text === text))?.weight ?? 0;
}

function toFieldBallot(ballot: WeighedBallot, name: string): WeighedBallot {
  const answer = isRecord(ballot.answer) && Object.hasOwn(ballot.answer, name) ? ballot.answer[name] : undefined;
  return { ...ballot, answer, text: answer === undefined ? "" : toCanonicalJson(answer) };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
