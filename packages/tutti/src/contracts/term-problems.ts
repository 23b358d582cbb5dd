import { isErrorCode } from "../base/error-codes.ts";
import type { Terms } from "./terms.ts";

/** What is wrong with a declaration, and what to do about it. */
export interface Problem {
  readonly what: string;
  readonly hint: string;
}

interface Declared extends Terms {
  readonly needs?: readonly unknown[] | undefined;
  readonly ensures?: readonly unknown[] | undefined;
}

const wordLists = ["dataIn", "dataOut", "clears", "reads", "writes", "tags"] as const;
const figures = ["latencyMs", "costUsd", "idempotencyMs"] as const;

/** The first problem of a declared contract. The types rule most of this out; plain JavaScript and casts do not. */
export function findTermProblem(declared: Declared): Problem | undefined {
  return (
    findConditionProblem("needs", declared.needs) ??
    findConditionProblem("ensures", declared.ensures) ??
    findFigureProblem(declared.guarantees) ??
    findFailureProblem(declared.failureModes) ??
    findWordProblem(declared) ??
    findTrustProblem(declared.trust)
  );
}

function findConditionProblem(
  part: "needs" | "ensures",
  conditions: readonly unknown[] | undefined,
): Problem | undefined {
  if (conditions === undefined) return undefined;
  const hint = `Write \`${part}: [{ name: "…", check: (…) => true }]\`.`;
  if (!Array.isArray(conditions)) return { what: `its \`${part}\` is not a list`, hint };
  const names = new Set<string>();
  for (const condition of conditions) {
    const { name, check } = toParts(condition);
    if (typeof name !== "string" || name.trim() === "")
      return { what: `one of its \`${part}\` has no name`, hint: "Name what must hold: refusals quote it." };
    if (typeof check !== "function") return { what: `\`${part}\` "${name}" has no check`, hint };
    if (names.has(name)) return { what: `it has two \`${part}\` named "${name}"`, hint: "Give one another name." };
    names.add(name);
  }
  return undefined;
}

function toParts(value: unknown): { readonly name?: unknown; readonly check?: unknown } {
  return typeof value === "object" && value !== null ? value : {};
}

function findFigureProblem(guarantees: Terms["guarantees"]): Problem | undefined {
  const wrong = figures.find((name) => {
    const figure = guarantees?.[name];
    return figure !== undefined && !(figure >= 0);
  });
  if (wrong === undefined) return undefined;
  return { what: `its guarantees.${wrong} is ${guarantees?.[wrong]}`, hint: "Give a number from 0 up." };
}

function findFailureProblem(failureModes: Terms["failureModes"]): Problem | undefined {
  for (const [code, means] of Object.entries(failureModes ?? {})) {
    if (!isErrorCode(code))
      return { what: `its failure mode ${code} is no error code`, hint: "Use the codes of docs/errors.md." };
    if (typeof means !== "string" || means.trim() === "")
      return { what: `its failure mode ${code} does not say what it means`, hint: "Give each code one sentence." };
  }
  return undefined;
}

function findTrustProblem(trust: unknown): Problem | undefined {
  if (trust === undefined || trust === "untrusted") return undefined;
  return { what: `its trust is ${JSON.stringify(trust)}`, hint: 'Say "untrusted", or leave it out.' };
}

function findWordProblem(declared: Terms): Problem | undefined {
  for (const list of wordLists) {
    const words: unknown = declared[list];
    if (words === undefined) continue;
    if (!Array.isArray(words) || words.some((word) => typeof word !== "string" || word.trim() === ""))
      return { what: `its \`${list}\` is not a list of words`, hint: `Write \`${list}: ["…"]\`.` };
  }
  return undefined;
}
