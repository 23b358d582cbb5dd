import { TuttiError } from "../../base/errors.ts";
import type { Tool } from "../../contracts/callable.ts";
import { tool } from "../tool.ts";
import {
  codeInputOf,
  codeOutput,
  type CodeInput,
  type CodeLanguage,
  type CodeOutput,
  type CodeProvider,
} from "./code-provider.ts";
import { quickJsCode } from "./quickjs-code.ts";

/**
 * The tool `code.run`: runs a program that nobody has to trust, in the first of the providers that knows its language. It changes nothing
 * outside, so it is `local`: its outcome is one entry, and is not asked for again.
 * @throws TuttiError DEFINITION_INVALID when there is no provider.
 */
export function codeTool(providers: readonly CodeProvider[] = [quickJsCode()]): Tool<CodeInput, CodeOutput> {
  const languages = [...new Set(providers.flatMap((provider) => provider.languages))];
  const [first] = languages;
  if (first === undefined)
    throw new TuttiError("DEFINITION_INVALID", "code.run has no provider", {
      hint: "Leave the list out, or give it quickJsCode().",
    });
  return tool<CodeInput, CodeOutput>({
    name: "code.run",
    does: "Runs a small program in a sandbox without files or network, and returns its result and what it printed.",
    input: codeInputOf(languages),
    output: codeOutput,
    effect: "local",
    run(input, host) {
      const language: CodeLanguage = input.language ?? first;
      const provider = providers.find((candidate) => candidate.languages.includes(language));
      if (provider !== undefined) return provider.run({ ...input, language }, host);
      throw new TuttiError("INPUT_INVALID", `nothing here runs ${language}`, {
        hint: `Use ${languages.join(" or ")}.`,
      });
    },
  });
}
