import { isDeepStrictEqual } from "node:util";

import { TuttiError } from "../base/errors.ts";
import { anything, fields, flag, integer, listOf, oneOf, ShapeError, text, type Shape } from "../base/shape.ts";
import type { NeededApprovals, Policy, PolicyVerdict } from "../contracts/policy.ts";

/** What a policy is to say of one request. */
export interface PolicyCase {
  readonly name: string;
  readonly request: unknown;
  /** Only what is given is compared. */
  readonly verdict: {
    readonly kind: PolicyVerdict["kind"];
    readonly rules?: readonly string[];
    readonly approvals?: readonly NeededApprovals[];
  };
}

export interface FailedCase {
  readonly name: string;
  readonly wanted: PolicyCase["verdict"];
  readonly got: PolicyVerdict;
}

const casesShape: Shape<readonly PolicyCase[]> = listOf(
  fields({
    name: text,
    request: anything,
    verdict: fields(
      { kind: oneOf("allow", "deny", "needs") },
      {
        rules: listOf(text),
        approvals: listOf(fields({ count: integer, distinctFromInitiator: flag }, { role: text })),
      },
    ),
  }),
);

/** @throws TuttiError INPUT_INVALID */
export function parseCases(value: unknown): readonly PolicyCase[] {
  try {
    return casesShape(value, "cases");
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new TuttiError("INPUT_INVALID", `the cases can't be used: ${error.message}`, {
      hint: `Write a list: [{ "name": "…", "request": { … }, "verdict": { "kind": "allow" } }]`,
      cause: error,
    });
  }
}

/** The cases that a policy decides otherwise. A request that can't be judged is denied, as everywhere. */
export function findFailedCases(policy: Policy, cases: readonly PolicyCase[]): readonly FailedCase[] {
  return cases.flatMap(({ name, request, verdict }) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `decide` parses what it is given
    const got = policy.decide(request as Parameters<Policy["decide"]>[0]);
    return fits(got, verdict) ? [] : [{ name, wanted: verdict, got }];
  });
}

function fits(got: PolicyVerdict, wanted: PolicyCase["verdict"]): boolean {
  const { rules, approvals } = wanted;
  if (got.kind !== wanted.kind) return false;
  if (rules !== undefined && !isDeepStrictEqual(got.rules.toSorted(), rules.toSorted())) return false;
  return approvals === undefined || (got.kind === "needs" && isDeepStrictEqual(got.approvals, approvals));
}
