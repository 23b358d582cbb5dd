import { TuttiError } from "../../base/errors.ts";
import { codeLimits, type CodeInput } from "./code-provider.ts";

/** @throws TuttiError INPUT_INVALID when the program or its input is larger than every sandbox allows. */
export function checkCodeInput({ code, input }: CodeInput): void {
  if (code.length > codeLimits.codeCharsMax) throw tooLong("the program", code.length, codeLimits.codeCharsMax);
  const inputLength = JSON.stringify(input ?? null).length;
  if (inputLength > codeLimits.inputCharsMax)
    throw tooLong("the program's input", inputLength, codeLimits.inputCharsMax);
}

function tooLong(what: string, length: number, max: number): TuttiError {
  return new TuttiError("INPUT_INVALID", `${what} has ${length} characters; ${max} are allowed`, {
    hint: "Give the program only the part of the data that it needs.",
    facts: { length, max },
  });
}
