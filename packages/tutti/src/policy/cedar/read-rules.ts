import type { DetailedError, PolicyJson } from "@cedar-policy/cedar-wasm/nodejs";

import type { InputType, PolicyRule } from "../rule.ts";
import { readAnnotations } from "./annotations.ts";
import { readEntity } from "./compile-expression.ts";
import { readActions } from "./compile-rule.ts";
import type { RuleSource } from "./compiled-rules.ts";
import type { Cedar } from "./load-cedar.ts";
import { findTooDeep } from "./nesting.ts";
import { principalTypes, resourceTypes, toSchemaText } from "./schema.ts";

/** What is wrong with a text, or worth a look. */
export interface PolicyFinding {
  readonly severity: "error" | "warning";
  /** From 1. */
  readonly line: number;
  readonly rule?: string;
  readonly problem: string;
  readonly hint?: string;
}

export interface ReadRule extends RuleSource {
  readonly json: PolicyJson;
  readonly text: string;
  /** Of its first letter in the whole text. */
  readonly line: number;
}

export interface ReadPolicy {
  readonly rules: readonly ReadRule[];
  readonly inputs: ReadonlyMap<string, InputType>;
  readonly schema: string;
  readonly findings: readonly PolicyFinding[];
}

const textBytesMax = 1_000_000;
const rulesMax = 5_000;

/** Reads a text and checks every rule strictly against the schema. Rules are complete only when no finding is an error. */
export function readRules(cedar: Cedar, text: string): ReadPolicy {
  const findings: PolicyFinding[] = [];
  const rules: ReadRule[] = [];
  const inputs = new Map<string, InputType>();
  for (const part of split(cedar, text, findings)) {
    const json = toJson(cedar, part, findings);
    if (json === undefined) continue;
    const annotated = readAnnotations(json.effect, json.annotations ?? {});
    const report = (problem: string): void => void findings.push(toError(part, annotated.rule, problem));
    for (const problem of annotated.problems) report(problem);
    if (rules.some(({ rule }) => rule.id === annotated.rule.id)) report("another rule has this name too");
    for (const [path, type] of annotated.inputs) {
      const other = inputs.get(path) ?? type;
      if (other !== type) report(`another rule takes input.${path} as ${other}, this one as ${type}`);
      inputs.set(path, type);
    }
    rules.push({ ...part, rule: annotated.rule, json });
  }
  const schema = toSchemaText(inputs);
  if (findings.length === 0) findings.push(...validate(cedar, rules, schema));
  if (findings.length === 0) findings.push(...findUnanswerable(rules));
  if (findings.length === 0 && rules.length === 0)
    findings.push({ severity: "warning", line: 1, problem: "there is no rule, so everything is denied" });
  return { rules, inputs, schema, findings: findings.toSorted((left, right) => left.line - right.line) };
}

/** Whoever asks for approvals has to let somebody give them. By the rules' heads alone: their conditions can't be told from their text. */
function findUnanswerable(rules: readonly ReadRule[]): readonly PolicyFinding[] {
  const asking = rules.find(({ rule }) => rule.approvals !== undefined);
  if (asking === undefined || rules.some(({ rule, json }) => mayPermitYes(rule, json))) return [];
  return [
    {
      severity: "warning",
      line: asking.line,
      rule: asking.rule.id,
      problem: "it asks for approvals, and no rule permits a person to approve, so nobody can say yes",
      hint: '@id("people-approve") permit(principal is Tutti::Person, action == Tutti::Action::"approve", resource);',
    },
  ];
}

function mayPermitYes(
  { effect, approvals }: PolicyRule,
  { principal, action, resource }: Pick<PolicyJson, "principal" | "action" | "resource">,
): boolean {
  if (effect === "forbid" || approvals !== undefined) return false; // a vote can't wait for votes
  const isOf = (scope: typeof principal | typeof resource, type: string): boolean =>
    scope.op === "is"
      ? scope.entity_type === type
      : scope.op !== "==" || !("entity" in scope) || readEntity(scope.entity).type === type;
  return (
    readActions(action)?.has("approve") !== false &&
    isOf(principal, principalTypes.person) &&
    isOf(resource, resourceTypes.approval)
  );
}

function toError({ line }: Part, rule: PolicyRule, problem: string): PolicyFinding {
  return { severity: "error", line, ...(rule.id === "" ? {} : { rule: rule.id }), problem };
}

interface Part {
  readonly text: string;
  readonly line: number;
}

/** The rules one by one, in the order of the text. */
function split(cedar: Cedar, text: string, findings: PolicyFinding[]): readonly Part[] {
  const refuse = (problem: string, line = 1): readonly Part[] => {
    findings.push({ severity: "error", line, problem });
    return [];
  };
  if (Buffer.byteLength(text) > textBytesMax) return refuse(`the text is larger than ${textBytesMax} bytes`);
  const tooDeep = findTooDeep(text);
  if (tooDeep !== undefined)
    return refuse(
      "this rule is too long or too deep; make several of it, or use a set",
      1 + countLines(text.slice(0, tooDeep)),
    );
  const found = cedar.policySetTextToParts(text);
  if (found.type === "failure") {
    findings.push(...found.errors.map((error) => toFinding({ text, line: 1 }, error)));
    return [];
  }
  if (found.policy_templates.length > 0) return refuse("rules with slots (?principal, ?resource) are not supported");
  if (found.policies.length > rulesMax) return refuse(`there are more than ${rulesMax} rules`);
  let from = 0;
  let line = 1;
  return toTextOrder(found.policies).map((policy) => {
    const at = Math.max(from, text.indexOf(policy, from));
    line += countLines(text.slice(from, at));
    const part = { text: policy, line };
    line += countLines(policy);
    from = at + policy.length;
    return part;
  });
}

/** Cedar returns its parts sorted by the names `policy0`, `policy1`, `policy10`, …: as texts, not as numbers. */
function toTextOrder(sorted: readonly string[]): readonly string[] {
  const places = sorted.map((_, index) => index).toSorted((left, right) => (String(left) < String(right) ? -1 : 1));
  const ordered: string[] = [];
  for (const [index, place] of places.entries()) ordered[place] = sorted[index] ?? "";
  return ordered;
}

function countLines(text: string): number {
  return text.split("\n").length - 1;
}

function toJson(cedar: Cedar, part: Part, findings: PolicyFinding[]): PolicyJson | undefined {
  const found = cedar.policyToJson(part.text);
  if (found.type === "success") return found.json;
  findings.push(...found.errors.map((error) => toFinding(part, error)));
  return undefined;
}

function validate(cedar: Cedar, rules: readonly ReadRule[], schema: string): readonly PolicyFinding[] {
  const staticPolicies = Object.fromEntries(rules.map(({ rule, text }) => [rule.id, text]));
  const answer = cedar.validate({ validationSettings: { mode: "strict" }, schema, policies: { staticPolicies } });
  const whole = { text: "", line: 1 };
  if (answer.type === "failure") return answer.errors.map((error) => toFinding(whole, error));
  const rulesById = new Map(rules.map((each) => [each.rule.id, each]));
  const findingsByPlace = new Map<string, PolicyFinding>();
  for (const { policyId, error } of [...answer.validationErrors, ...answer.validationWarnings]) {
    // Cedar says the same of every action and type that a rule could be about; once is enough.
    const place = JSON.stringify([policyId, error.severity, error.sourceLocations]);
    if (findingsByPlace.has(place)) continue;
    const finding = toFinding(rulesById.get(policyId) ?? whole, error);
    const problem = finding.problem.replace(`for policy \`${policyId}\`, `, "");
    findingsByPlace.set(place, { ...finding, rule: policyId, problem });
  }
  return [...findingsByPlace.values()];
}

function toFinding({ text, line }: Part, error: DetailedError): PolicyFinding {
  const [label] = error.sourceLocations ?? [];
  // Places are counted in bytes.
  const before = Buffer.from(text)
    .subarray(0, label?.start ?? 0)
    .toString("utf8");
  const hint = error.help ?? toInputHint(error.message) ?? label?.label ?? undefined;
  return {
    severity: error.severity === "warning" ? "warning" : "error",
    line: line + countLines(before),
    problem: error.message,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** Cedar can't know that a field of the input only has to be declared. */
function toInputHint(message: string): string | undefined {
  const path = /attribute `input(?:\.(?<name>[\w-]+)|\["(?<quoted>[^"]+)"\])` .*not found/u.exec(message)?.groups;
  const name = path?.["name"] ?? path?.["quoted"];
  return name === undefined ? undefined : `declare it on the rule: @input("${name}: Long")`;
}
