import fc from "fast-check";
import { expect, test } from "vitest";

import { requests, toClaimed, toRequest } from "../../../../test/policy/requests.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { PolicyRequest, PolicyVerdict } from "../contracts/policy.ts";
import { decide } from "./decide.ts";
import { policy } from "./policy.ts";
import type { PolicyRule, Rules } from "./rule.ts";

const allowAll = `@id("all") permit(principal, action, resource);\n`;

const worth = { deny: 0, needs: 1, allow: 2 };

/** Asked about these rules, of which those that are marked hold. */
const askAbout = (rules: readonly PolicyRule[], request: PolicyRequest): PolicyVerdict =>
  decide({ rules, evaluate: () => ({ kind: "evaluated", satisfied: rules, failed: [] }) }, request);

const approvals = fc.record(
  {
    count: fc.integer({ min: 1, max: 3 }),
    role: fc.constantFrom("finance", "legal"),
    distinctFromInitiator: fc.boolean(),
  },
  { requiredKeys: ["count", "distinctFromInitiator"] },
);
const ruleLists: fc.Arbitrary<readonly PolicyRule[]> = fc.array(
  fc.record(
    { id: fc.string({ minLength: 1 }), effect: fc.constantFrom<PolicyRule["effect"][]>("permit", "forbid"), approvals },
    { requiredKeys: ["id", "effect"] },
  ),
  { maxLength: 5 },
);
const persons = fc.array(
  fc.record({ by: fc.constantFrom("anna", "ben", "cem", "dora"), roles: fc.subarray(["finance", "legal"]) }),
  { maxLength: 4 },
);

test("what no rule permits is denied", verifies("G3"), async () => {
  const none = await policy({ name: "none", cedar: "" });
  fc.assert(
    fc.property(requests, (request) => {
      expect(none.decide(request)).toEqual({ kind: "deny", rules: [], why: "no rule allows it" });
    }),
  );
});

test("whatever else holds, a forbid that nothing can end is a deny, and names itself", verifies("G3"), () => {
  fc.assert(
    fc.property(ruleLists, requests, fc.nat(), (rules, request, place) => {
      const forbid: PolicyRule = { id: "never", effect: "forbid", says: "Never." };
      const all = rules.toSpliced(place % (rules.length + 1), 0, forbid);
      const verdict = askAbout(all, request);
      expect(verdict.kind).toBe("deny");
      expect(verdict.rules).toContain("never");
      expect(verdict).toHaveProperty("why", expect.stringContaining("Never."));
    }),
  );
});

test("one more forbid never makes more of a verdict", verifies("G3"), () => {
  fc.assert(
    fc.property(ruleLists, requests, fc.option(approvals), (rules, request, needed) => {
      const forbid: PolicyRule = {
        id: "one-more",
        effect: "forbid",
        ...(needed === null ? {} : { approvals: needed }),
      };
      const before = askAbout(rules, request).kind;
      const after = askAbout([...rules, forbid], request).kind;
      expect(worth[after]).toBeLessThanOrEqual(worth[before]);
    }),
  );
});

test("one more approval never makes less of a verdict", verifies("G3"), () => {
  fc.assert(
    fc.property(ruleLists, requests, fc.tuple(persons, persons), (rules, request, [given, more]) => {
      const withApprovals = (list: PolicyRequest["context"]["approvals"]): PolicyRequest => ({
        ...request,
        context: { ...request.context, approvals: list },
      });
      const before = askAbout(rules, withApprovals(given)).kind;
      const after = askAbout(rules, withApprovals([...given, ...more])).kind;
      expect(worth[after]).toBeGreaterThanOrEqual(worth[before]);
    }),
  );
});

test(
  "the approvals that a verdict asks for make it an allow, and without the last of them it asks again",
  verifies("G3"),
  () => {
    fc.assert(
      fc.property(ruleLists, requests, persons, (rules, request, given) => {
        const context = { ...request.context, initiator: "ian" };
        const verdict = askAbout(rules, { ...request, context: { ...context, approvals: given } });
        fc.pre(verdict.kind === "needs");
        const wanted = verdict.approvals.flatMap(({ count, role }, place) =>
          Array.from({ length: count }, (_, at) => ({
            by: `person ${place}.${at}`,
            roles: role === undefined ? [] : [role],
          })),
        );
        const decideWith = (list: typeof wanted): string =>
          askAbout(rules, { ...request, context: { ...context, approvals: [...given, ...list] } }).kind;
        expect(decideWith(wanted)).toBe("allow");
        // Of one question only: an approval for one may be what another one lacks, and so may those given before.
        fc.pre(verdict.approvals.length === 1 && given.length === 0);
        expect(decideWith(wanted.slice(1))).toBe("needs");
      }),
    );
  },
);

const needsTwo = (distinctFromInitiator: boolean): PolicyRule => ({
  id: "two",
  effect: "permit",
  approvals: { count: 2, distinctFromInitiator },
});

const approvedBy = (...people: readonly string[]): PolicyRequest =>
  toRequest({ context: { initiator: "anna", approvals: people.map((by) => ({ by, roles: [] })) } });

test(
  "two yeses of one person are one, and whoever started the run counts only where a rule lets them",
  verifies("G3"),
  () => {
    expect(askAbout([needsTwo(false)], approvedBy("ben", "ben")).kind).toBe("needs");
    expect(askAbout([needsTwo(false)], approvedBy("anna", "ben")).kind).toBe("allow");
    expect(askAbout([needsTwo(true)], approvedBy("anna", "ben")).kind).toBe("needs");
    expect(askAbout([needsTwo(true)], approvedBy("cem", "ben")).kind).toBe("allow");
  },
);

const needs = (id: string, count: number, role?: string): PolicyRule => ({
  id,
  effect: "permit",
  approvals: { count, distinctFromInitiator: false, ...(role === undefined ? {} : { role }) },
});

test("of several ways to be permitted, the one that the fewest approvals are missing for is asked about", () => {
  const rules = [needs("three", 3), needs("legal", 1, "legal"), needs("finance", 1, "finance")];
  expect(askAbout(rules, toRequest())).toMatchObject({ kind: "needs", rules: ["legal"] });
  const given = [
    { by: "anna", roles: [] },
    { by: "ben", roles: [] },
  ];
  expect(askAbout(rules.toSpliced(1, 2), toRequest({ context: { approvals: given } }))).toEqual({
    kind: "needs",
    rules: ["three"],
    why: `the rule "three" asks for approval`,
    approvals: [{ count: 3, distinctFromInitiator: false }],
  });
});

test(
  "a rule that fails makes a deny of everything that it could be about, a permit as well as a forbid",
  verifies("G3"),
  () => {
    const permit: PolicyRule = { id: "all", effect: "permit" };
    for (const effect of ["permit", "forbid"] as const) {
      const rules: Rules = {
        rules: [],
        evaluate: () => ({
          kind: "evaluated",
          satisfied: [permit],
          failed: [{ rule: { id: "broken", effect }, message: "no such field" }],
        }),
      };
      expect(decide(rules, toRequest())).toEqual({
        kind: "deny",
        rules: ["broken"],
        why: "it can't be told whether it is allowed: broken: no such field",
        errors: ["broken: no such field"],
      });
    }
  },
);

test("a request that has not the form of one is denied, whatever the rules say", verifies("G3"), async () => {
  const all = await policy({ name: "all", cedar: allowAll });
  expect(all.decide(toRequest()).kind).toBe("allow");
  const broken: Readonly<Record<string, unknown>> = {
    "an amount that is not whole": toRequest({ context: { costCents: 1.5 } }),
    "an amount beyond exact numbers": toRequest({ context: { costCents: 2 ** 53 } }),
    "no number": toRequest({ context: { depth: Number.NaN } }),
    "an action that is not known": { ...toRequest(), action: "delete-everything" },
    "an action with the name of something inherited": { ...toRequest(), action: "constructor" },
    "an action that is not done to such a thing": toRequest({ resource: { kind: "model" } }),
    "a tool without an effect": { ...toRequest(), resource: { kind: "tool", name: "mail.send" } },
    "a principal of no kind": { ...toRequest(), principal: { kind: "god", name: "x" } },
    "an agent without autonomy": { ...toRequest(), principal: { kind: "agent", name: "x", version: "1", run: "r" } },
    "no approvals": { ...toRequest(), context: { run: "r", flow: "f" } },
    "an approval by nobody": { ...toRequest(), context: { run: "r", flow: "f", approvals: [{ roles: [] }] } },
    "a label that is no text": { ...toRequest(), context: { run: "r", flow: "f", approvals: [], labels: [1] } },
    "too many labels": toRequest({ context: { labels: Array.from({ length: 1_001 }, String) } }),
    nothing: undefined,
  };
  for (const [what, request] of Object.entries(broken)) {
    const verdict = all.decide(toClaimed(request));
    expect.soft(verdict, what).toMatchObject({ kind: "deny", rules: [], errors: [expect.any(String)] });
  }
});
