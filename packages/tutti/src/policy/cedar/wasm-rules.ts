import type { StatefulAuthorizationCall, CedarValueJson, EntityJson, TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";

import { assert } from "../../base/assert.ts";
import { describeThrown } from "../../base/errors.ts";
import type { FailedRule, PolicyRule } from "../rule.ts";
import type { Remainder } from "./compiled-rules.ts";
import type { Cedar } from "./load-cedar.ts";
import type { ReadRule } from "./read-rules.ts";
import { CedarRecord, CedarSet, Entity, type CedarValue, type KnownEntity, type Query } from "./value.ts";

/**
 * Rules that Cedar itself evaluates. Permits and forbids are asked apart, because Cedar does not say which permits hold once a forbid does.
 * @param version names the set in Cedar's own memory, which keeps it as long as the process lives
 */
export function openWasmRules(cedar: Cedar, version: string, sources: readonly ReadRule[]): Remainder {
  const groups = (["permit", "forbid"] as const).map((effect) => {
    const members = sources.filter(({ rule }) => rule.effect === effect);
    const id = `${version} ${effect}`;
    const staticPolicies = Object.fromEntries(members.map(({ rule, text }) => [rule.id, text]));
    const parsed = cedar.preparsePolicySet(id, { staticPolicies });
    if (parsed.type === "failure") throw new Error(`rules that were read before can't be read: ${version}`);
    return { id, rulesById: new Map(members.map(({ rule }) => [rule.id, rule])) };
  });
  return {
    evaluate(query) {
      const call = toCall(query);
      const satisfied: PolicyRule[] = [];
      const failed: FailedRule[] = [];
      for (const { id, rulesById } of groups) {
        const found = ask(cedar, { ...call, preparsedPolicySetId: id });
        for (const rule of rulesById.values()) {
          const message = typeof found === "string" ? found : found.errors.get(rule.id);
          if (message !== undefined) failed.push({ rule, message });
          else if (typeof found !== "string" && found.reasons.has(rule.id)) satisfied.push(rule);
        }
      }
      return { kind: "evaluated", satisfied, failed };
    },
  };
}

interface Answer {
  readonly reasons: ReadonlySet<string>;
  readonly errors: ReadonlyMap<string, string>;
}

/** A text for whatever kept Cedar from answering: every rule that it was asked about counts as failed. */
function ask(cedar: Cedar, call: StatefulAuthorizationCall): Answer | string {
  try {
    const answer = cedar.statefulIsAuthorized(call);
    if (answer.type === "failure") return answer.errors.map(({ message }) => message).join("; ");
    const { reason, errors } = answer.response.diagnostics;
    return {
      reasons: new Set(reason),
      errors: new Map(errors.map(({ policyId, error }) => [policyId, error.message])),
    };
  } catch (error) {
    return `Cedar broke down: ${describeThrown(error)}`;
  }
}

/** The request as Cedar takes it. */
export function toCall(query: Query): Omit<StatefulAuthorizationCall, "preparsedPolicySetId"> {
  return {
    principal: toUid(query.principal.entity),
    action: toUid(query.action),
    resource: toUid(query.resource.entity),
    context: toRecord(query.context),
    validateRequest: false, // it has the shape of the schema by construction
    entities: [toEntityJson(query.principal), toEntityJson(query.resource)],
  };
}

function toUid({ type, id }: Entity): TypeAndId {
  return { type, id };
}

function toEntityJson({ entity, attributes, parents }: KnownEntity): EntityJson {
  return { uid: toUid(entity), attrs: toRecord(attributes), parents: parents.map(toUid) };
}

function toRecord(record: CedarRecord): Record<string, CedarValueJson> {
  return Object.fromEntries(record.entries().map(([name, value]) => [name, toJson(value)]));
}

function toJson(value: CedarValue): CedarValueJson {
  if (value instanceof Entity) return { __entity: toUid(value) };
  if (value instanceof CedarSet) return value.items.map(toJson);
  if (value instanceof CedarRecord) return toRecord(value);
  assert(typeof value !== "bigint", "only arithmetic makes large numbers, and requests hold none");
  return value;
}
