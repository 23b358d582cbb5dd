import type { Guarantee } from "../../contracts/terms.ts";
import { toShown, toVerdict } from "./faults.ts";

export interface Claimed {
  readonly claim: string;
  /** The words that it rests on. */
  readonly evidence: readonly string[];
}

export interface ClaimsTerms<Input, Output> {
  readonly name?: string;
  readonly claims: (output: Output, input: Input) => readonly Claimed[];
  /** How many pieces of evidence each claim needs; 1 by default. */
  readonly evidenceMin?: number;
}

/**
 * Every claim has evidence, and every number in it stands in that evidence. Whether the evidence means what the claim says is not
 * looked at: that is for a reviewer.
 */
export function claimsAreProved<Input, Output>(terms: ClaimsTerms<Input, Output>): Guarantee<Input, Output> {
  const { evidenceMin = 1 } = terms;
  return {
    name: terms.name ?? "every claim has evidence, and no number of its own",
    check: (output, input) => toVerdict(terms.claims(output, input).flatMap((each) => findFaults(each, evidenceMin))),
  };
}

function findFaults({ claim, evidence }: Claimed, evidenceMin: number): readonly string[] {
  const found = evidence.filter((words) => words.trim() !== "");
  if (found.length < evidenceMin) return [`${toShown(claim)} has ${found.length} of ${evidenceMin} pieces of evidence`];
  const proved = new Set(found.flatMap(toNumbers));
  const own = toNumbers(claim).filter((number) => !proved.has(number));
  return own.length === 0 ? [] : [`no evidence of ${toShown(claim)} says ${own.join(", ")}`];
}

// 1,200 and 1200 are one number, 1.50 and 1.5, and so is the 1.200,50 of other countries; a full stop at the end is none of it.
const numberPattern = /(?:\d{1,3}(?:[.,\u{202f}\u{a0}’']\d{3})+(?!\d)|\d+)(?:[.,]\d+)?/gu;

/** The numbers in a text, each written in one way. */
export function toNumbers(text: string): readonly string[] {
  return (text.match(numberPattern) ?? []).map((written) => {
    const decimals = /[.,](\d{1,2}|\d{4,})$/u.exec(written);
    const whole = written.slice(0, decimals?.index ?? written.length).replaceAll(/\D/gu, "");
    return String(Number(`${whole}.${decimals?.[1] ?? "0"}`));
  });
}
