import { toCanonicalJson } from "../../base/json.ts";
import type { Guarantee } from "../../contracts/terms.ts";
import { toShown, toVerdict } from "./faults.ts";

type Facts = Readonly<Record<string, unknown>>;

export interface AgreementTerms<Input, Output> {
  readonly name?: string;
  /** What an output says, by subject: `{ "price of A": 12 }`. */
  readonly stated: (output: Output, input: Input) => Facts;
  /** What is known, by the same names: from shared documents that the caller has read and handed in, for example. */
  readonly known: (input: Input, output: Output) => Facts;
}

/** Nothing that is stated contradicts what is known. What nobody knows may be stated. */
export function agreesWith<Input, Output>(terms: AgreementTerms<Input, Output>): Guarantee<Input, Output> {
  return {
    name: terms.name ?? "nothing contradicts what is known",
    check(output, input) {
      const known = terms.known(input, output);
      const faults = Object.entries(terms.stated(output, input)).flatMap(([subject, value]) => {
        if (!Object.hasOwn(known, subject) || toCanonicalJson(known[subject]) === toCanonicalJson(value)) return [];
        return [`${toShown(subject)} is ${toText(value)} here, and ${toText(known[subject])} is known`];
      });
      return toVerdict(faults);
    },
  };
}

function toText(value: unknown): string {
  return toShown(typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing"));
}
