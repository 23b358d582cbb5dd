import { toStem, toTerms } from "../../base/text-rank.ts";
import { toNameWords, toRole } from "./property-role.ts";
import { isObject, type NumberNode, type Wanted } from "./schema-node.ts";
import type { Scope } from "./scope.ts";

const numberPattern = /(?<![\w.])[-+−]?\d{1,3}(?:[ ,’']\d{3})+(?:\.\d+)?(?![\w])|(?<![\w.])[-+−]?\d+(?:\.\d+)?(?!\w)/g;
/** A number counts as named when its name stands so close before it. */
const nearMax = 60;

/** A number that the material names so, or a count of what was found. `undefined` when there is neither. */
export function findNumber({ node, name, description }: Wanted<NumberNode>, scope: Scope): number | undefined {
  const hint = `${name} ${description}`;
  const role = toRole(name);
  if (role === "confidence") {
    const coverage = scope.answering[0]?.coverage;
    if (coverage === undefined) return undefined;
    const full = node.max > 1 && node.max <= 100 ? node.max : 1;
    return toAllowedNumber(
      node.whole && full === 1 ? Math.round(coverage) : Math.round(coverage * full * 100) / 100,
      node,
    );
  }
  const named =
    findNamedNumber(toNameWords(name), scope.raw) ??
    findNamedNumber(toTerms(hint), scope.answering.map((sentence) => sentence.text).join("\n"));
  if (named !== undefined) return toAllowedNumber(named, node);
  return role === "count" || /\bcount|number of|how many/i.test(hint)
    ? toAllowedNumber(countOf(name, scope), node)
    : undefined;
}

// `findingsCount` counts the list of findings, `sources` the different sources, anything else the sentences that answer.
function countOf(name: string, scope: Scope): number {
  const stems = new Set(toNameWords(name).map(toStem));
  for (const [other, value] of Object.entries(scope.own)) {
    if (Array.isArray(value) && toNameWords(other).some((word) => stems.has(toStem(word)))) return value.length;
  }
  if (stems.has("sourc") || stems.has("document"))
    return new Set(scope.answering.map((sentence) => sentence.source)).size;
  return scope.answering.length;
}

function findNamedNumber(words: readonly string[], text: string): number | undefined {
  const stems = words.map(toStem).filter((stem) => stem.length > 1);
  if (stems.length === 0) return undefined;
  let best: { readonly value: number; readonly hits: number; readonly distance: number } | undefined;
  for (const match of text.matchAll(numberPattern)) {
    const before =
      text
        .slice(Math.max(0, match.index - nearMax), match.index)
        .split("\n")
        .at(-1) ?? "";
    const near = toTerms(before);
    const hits = new Set(stems.filter((stem) => near.includes(stem))).size;
    if (hits === 0) continue;
    const distance = near.length - near.findLastIndex((term) => stems.includes(term));
    if (best === undefined || hits > best.hits || (hits === best.hits && distance < best.distance)) {
      best = { value: Number(match[0].replaceAll(/[ ,’']/g, "").replace("−", "-")), hits, distance };
    }
  }
  return best?.value;
}

/** The nearest number that the schema allows. */
export function toAllowedNumber(value: number, node: NumberNode): number {
  let allowed = Math.min(Math.max(value, node.min), node.max);
  if (node.step !== undefined && node.step > 0) {
    allowed = Math.round(allowed / node.step) * node.step;
    if (allowed < node.min) allowed += node.step;
    if (allowed > node.max) allowed -= node.step;
    allowed = Number(allowed.toPrecision(12));
  }
  if (!node.whole) return allowed;
  const whole = Math.round(allowed);
  if (whole < node.min) return Math.ceil(node.min);
  return whole > node.max ? Math.floor(node.max) : whole;
}

const denying =
  /^(?:is_?|has_?|was_?)?(?:empty|missing|unknown|unanswered|unsure|uncertain|failed?|failing|rejected|denied|invalid|blocked|needs?|unsupported|revise|problems?|errors?|not)/i;
const negation =
  /\b(?:not|no|never|none|neither|nor|without|cannot|can't|don't|doesn't|isn't|aren't|won't|nicht|kein|keine|nie)\b/i;

/** Whether the material answers, turned round for names that deny ("empty", "needsWork"). */
export function findFlag(name: string, scope: Scope): boolean | undefined {
  const stems = toNameWords(name)
    .filter((word) => !/^(?:is|has|was|are|can|does|should)$/.test(word))
    .map(toStem);
  const telling = scope.answering.find(
    (sentence) => stems.length > 0 && stems.every((stem) => sentence.terms.includes(stem)),
  );
  if (telling !== undefined) return !negation.test(telling.text);
  if (scope.answering.length === 0) return denying.test(name) ? true : undefined;
  return !denying.test(name);
}

const agreeing =
  /^(?:yes|true|approved?|accept(?:ed)?|support(?:ed|s)?|pass(?:ed)?|ok|keep|publish|found|answered|relevant|valid|confirmed|positive)$/i;

/** The option that most of the evidence speaks for: the answering sentences, and what was handed in under its name. */
export function findChoice(options: readonly unknown[], scope: Scope): unknown {
  const votes = options.map((option) => {
    const terms = [...new Set(toTerms(String(option)))];
    if (terms.length === 0) return 0;
    const said = scope.answering.reduce(
      (sum, sentence) => sum + (terms.every((term) => sentence.terms.includes(term)) ? 1 + sentence.score : 0),
      0,
    );
    return said + factsUnder(option, scope.own, 0);
  });
  const most = Math.max(0, ...votes);
  if (most > 0) {
    const chosen = options[votes.indexOf(most)];
    const others = options.filter((_, index) => (votes[index] ?? 0) > 0 && options[index] !== chosen);
    const rest =
      others.length === 0
        ? "nothing speaks for another option"
        : `it says less about ${others.map((other) => `“${String(other)}”`).join(", ")}`;
    scope.shared.reasons.push(`the given material says most about “${String(chosen)}”; ${rest}.`);
    return chosen;
  }
  return scope.answering.length === 0
    ? undefined
    : options.find((option) => typeof option === "string" && agreeing.test(option));
}

// How many values stand in records that name the option, such as { by: "source", bars: […] }. Long lists say no more than twelve items.
function factsUnder(option: unknown, value: unknown, depth: number): number {
  if (depth > 5 || typeof value !== "object" || value === null) return 0;
  if (isObject(value) && Object.values(value).includes(option)) return countLeaves(value, 0);
  return Object.values(value).reduce<number>((sum, part) => sum + factsUnder(option, part, depth + 1), 0);
}

function countLeaves(value: unknown, depth: number): number {
  if (depth > 5 || typeof value !== "object" || value === null) return 1;
  const parts = Object.values(value);
  return parts.slice(0, 12).reduce<number>((sum, part) => sum + countLeaves(part, depth + 1), 0);
}
