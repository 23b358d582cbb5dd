import type { Guarantee } from "../../contracts/terms.ts";
import { quoteIsIn } from "../sources/quote-is-in.ts";
import { toShown, toVerdict } from "./faults.ts";

export interface Quoted {
  readonly quote: string;
  /** What the source is called. */
  readonly source: string;
}

export interface QuotesTerms<Input, Output> {
  readonly name?: string;
  /** Every quote of an output. */
  readonly quotes: (output: Output, input: Input) => readonly Quoted[];
  /** The text of a source; nothing if there is none of that name. */
  readonly textOf: (source: string, input: Input) => string | undefined | Promise<string | undefined>;
}

/** Every quote stands in its source, word for word; white space may differ. */
export function quotesAreIn<Input, Output>(terms: QuotesTerms<Input, Output>): Guarantee<Input, Output> {
  return {
    name: terms.name ?? "every quote is in its source",
    async check(output, input) {
      const faults: string[] = [];
      for (const { quote, source } of terms.quotes(output, input)) {
        const text = await terms.textOf(source, input);
        if (text === undefined) faults.push(`there is no source ${toShown(source)}`);
        else if (!quoteIsIn({ text }, quote)) faults.push(`${toShown(source)} does not say ${toShown(quote)}`);
      }
      return toVerdict(faults);
    },
  };
}
