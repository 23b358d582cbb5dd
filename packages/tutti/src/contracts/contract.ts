import type { Contract, Tool } from "./callable.ts";
import type { Callable } from "./run.ts";
import { findJsonSchema } from "./schema.ts";
import type { Terms } from "./terms.ts";

/** What a callable is and promises, as plain data that JSON can hold. The conditions go by their names: code does not travel. */
export function toContract(callable: Callable): Contract {
  const input = findJsonSchema(callable.input, "input");
  const output = findJsonSchema(callable.output, "output");
  return {
    kind: callable.kind,
    name: callable.name,
    ...(callable.kind === "tool" ? toToolFacts(callable) : { version: callable.version }),
    does: callable.does ?? "",
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    needs: callable.kind === "flow" ? [] : (callable.needs ?? []).map((need) => need.name),
    ensures: callable.kind === "flow" ? [] : (callable.ensures ?? []).map((guarantee) => guarantee.name),
    ...pickTerms(callable),
  };
}

function toToolFacts(tool: Tool): Partial<Contract> {
  return {
    effect: tool.effect,
    ...(tool.effect === "read" || tool.effect === "local"
      ? {}
      : { canBeAsked: tool.check !== undefined, canBeUndone: tool.undo !== undefined }),
    ...(tool.timeoutMs === undefined ? {} : { timeoutMs: tool.timeoutMs }),
    ...(tool.retry === undefined ? {} : { attemptsMax: tool.retry.attemptsMax }),
  };
}

const termNames = [
  "guarantees",
  "failureModes",
  "dataIn",
  "dataOut",
  "trust",
  "clears",
  "reads",
  "writes",
  "tags",
] as const;

/** The declared terms alone, without fields that would be undefined. */
export function pickTerms(declared: Terms): Terms {
  return Object.fromEntries(
    termNames.flatMap((name) => (declared[name] === undefined ? [] : [[name, declared[name]] as const])),
  );
}
