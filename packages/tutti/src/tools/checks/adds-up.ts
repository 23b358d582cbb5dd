import type { Guarantee } from "../../contracts/terms.ts";
import { toShown, toVerdict } from "./faults.ts";

export interface Sum {
  /** What is added up, in words: `the net total`. */
  readonly what: string;
  readonly parts: readonly number[];
  readonly total: number;
}

export interface SumsTerms<Input, Output> {
  readonly name?: string;
  readonly sums: (output: Output, input: Input) => readonly Sum[];
  /** How far a total may be off: half a cent by default, so that amounts with two decimals have to be exact. */
  readonly tolerance?: number;
}

const toleranceDefault = 0.005;
/** Sums of decimal fractions are off by so much of their size at most, for up to some thousand parts. */
const roundingShare = 1e-12;

/** Every stated total is the sum of its parts. A number that is not finite is wrong, too. */
export function addsUp<Input, Output>(terms: SumsTerms<Input, Output>): Guarantee<Input, Output> {
  const { tolerance = toleranceDefault } = terms;
  return {
    name: terms.name ?? "every total is the sum of its parts",
    check(output, input) {
      const faults = terms.sums(output, input).flatMap(({ what, parts, total }) => {
        const sum = parts.reduce((left, right) => left + right, 0);
        const size = parts.reduce((most, part) => Math.max(most, Math.abs(part)), Math.abs(total));
        // Written so that NaN is a fault.
        const isRight = Math.abs(sum - total) < tolerance + size * roundingShare;
        return isRight ? [] : [`${toShown(what)} is ${total}, and its parts come to ${toReadable(sum)}`];
      });
      return toVerdict(faults);
    },
  };
}

function toReadable(sum: number): number {
  return Number(sum.toPrecision(12));
}
