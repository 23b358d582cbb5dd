import type { Facts } from "../base/errors.ts";
import { noUsage, type Usage } from "./outcome.ts";

const counts = ["modelCalls", "inputTokens", "outputTokens"] as const;
const parts = ["cachedInputTokens", "cacheWriteTokens", "reasoningTokens", "costUsd", "unpricedCalls"] as const;

/** What a failed call cost, for the facts of its error: paid is paid. */
export function toSpentFacts(usage: Usage): Facts {
  return { ...usage };
}

/** What was spent on a call that failed, as far as its error, thrown or stored, knows. */
export function spentOn({ facts = {} }: { readonly facts?: Facts | undefined }): Usage {
  const count = (name: string): number | undefined => {
    const value = facts[name];
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
