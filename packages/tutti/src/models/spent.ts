import type { Facts, TuttiError } from "../base/errors.ts";
import { noUsage, type Usage } from "../contracts/outcome.ts";

const counts = ["modelCalls", "inputTokens", "outputTokens"] as const;
const parts = ["cachedInputTokens", "cacheWriteTokens", "reasoningTokens", "costUsd", "unpricedCalls"] as const;

/** What a failed call cost, for the facts of its error: paid is paid. */
export function toSpentFacts(usage: Usage): Facts {
  return { ...usage };
}

/** What was spent on a call that failed, as far as its error knows. */
export function spentOn(error: TuttiError): Usage {
  const count = (name: string): number | undefined => {
    const value = error.facts[name];
    return typeof value === "number" ? value : undefined;
  };
  const spent: { -readonly [Name in keyof Usage]: Usage[Name] } = { ...noUsage };
  for (const name of counts) spent[name] = count(name) ?? 0;
  for (const name of parts) {
    const value = count(name);
    if (value !== undefined) spent[name] = value;
  }
  return spent;
}
