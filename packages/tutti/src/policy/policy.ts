import { readFile } from "node:fs/promises";
import path from "node:path";

import { TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { toCanonicalJson } from "../base/json.ts";
import type { Policy } from "../contracts/policy.ts";
import { compileRules } from "./cedar/compiled-rules.ts";
import { loadCedar } from "./cedar/load-cedar.ts";
import { readRules, type PolicyFinding } from "./cedar/read-rules.ts";
import { openWasmRules } from "./cedar/wasm-rules.ts";
import { decide } from "./decide.ts";
import type { PolicyRule, Rules } from "./rule.ts";

/** A policy whose rules can be listed. */
export interface RuledPolicy extends Policy {
  readonly rules: readonly PolicyRule[];
}

export interface PolicyText {
  readonly name: string;
  /** Rules in the language of Cedar, against the schema of docs/policy.md. */
  readonly cedar: string;
}

/**
 * A policy from its text. Every rule is checked against the schema first. It needs the package `@cedar-policy/cedar-wasm`.
 * @throws TuttiError POLICY_INVALID with the first finding; DEFINITION_INVALID when the package is missing
 */
export async function policy({ name, cedar: text }: PolicyText): Promise<RuledPolicy> {
  const cedar = await loadCedar();
  const { rules, inputs, schema, findings } = readRules(cedar, text);
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw toInvalid(name, errors);
  const version = toVersion(text, schema);
  return toPolicy(
    name,
    version,
    compileRules(rules, inputs, (left) => openWasmRules(cedar, version, left)),
  );
}

/**
 * A policy from a file, named like it.
 * @throws TuttiError SOURCE_UNREADABLE, and what `policy` throws
 */
export async function loadPolicy(file: string): Promise<RuledPolicy> {
  return policy({ name: path.basename(file, path.extname(file)), cedar: await readPolicyText(file) });
}

/**
 * Everything that is wrong with a text, or worth a look; nothing, if it can be used as it is.
 * @throws TuttiError DEFINITION_INVALID when Cedar's package is missing
 */
export async function checkPolicy(text: string): Promise<readonly PolicyFinding[]> {
  return readRules(await loadCedar(), text).findings;
}

/** @throws TuttiError SOURCE_UNREADABLE */
export async function readPolicyText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new TuttiError("SOURCE_UNREADABLE", `the policy can't be read from ${file}`, {
      hint: "Name an existing file with rules.",
      cause: error,
    });
  }
}

export function toPolicy(name: string, version: string, rules: Rules): RuledPolicy {
  return { name, version, rules: rules.rules, decide: (request) => decide(rules, request) };
}

export function toVersion(text: string, schema: string): string {
  return sha256(toCanonicalJson([text, schema]));
}

function toInvalid(name: string, errors: readonly PolicyFinding[]): TuttiError {
  const [first, ...more] = errors.map(
    ({ line, problem, hint }) => `line ${line}: ${problem}${hint === undefined ? "" : ` (${hint})`}`,
  );
  const others = more.length === 0 ? "" : `, and ${more.length} more`;
  return new TuttiError("POLICY_INVALID", `the policy ${name} can't be used: ${first ?? ""}${others}`, {
    hint: "`tutti policy check <file>` lists everything that is wrong with it.",
    facts: { policy: name, findings: errors.length },
  });
}
