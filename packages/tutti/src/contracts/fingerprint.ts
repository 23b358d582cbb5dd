import type { Tool } from "./callable.ts";
import { toContract } from "./contract.ts";

/**
 * What a change of a tool shows in: all that it promises, and the text of its functions. What they import or close over can't be told.
 */
export function toFingerprint(tool: Tool): Readonly<Record<string, unknown>> {
  const code = (["run", "key", "check", "undo"] as const).map((name) => toCodeText(tool[name]));
  return { contract: toContract(tool), scope: tool.scope, code };
}

/** The same of a condition. */
export function toConditionPrint({
  name,
  check,
}: {
  readonly name: string;
  readonly check: unknown;
}): readonly string[] {
  return [name, toCodeText(check)];
}

/** The text of a function; nothing where there is none. */
export function toCodeText(code: unknown): string {
  return typeof code === "function" ? Function.prototype.toString.call(code) : "";
}
