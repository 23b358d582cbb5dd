import { array, assert, constantFrom, integer, option, property, record, uniqueArray } from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import {
  autonomyMaxOf,
  delegationDepthMax,
  describePart,
  expiryOf,
  findPermissionProblem,
  findRefusal,
  grantShape,
  mintGrant,
  narrowGrant,
  toGrantLevels,
  type Grant,
} from "./grant.ts";
import { toRunId } from "./ids.ts";

const nothing: Grant = { actors: [], parts: [] };
const wholeNames = ["mail.send", "mail.read", "page.publish", "look"] as const;
const people = ["ann", "bert", undefined] as const;
const r1 = toRunId("r1");

const permissions = record(
  {
    tools: uniqueArray(constantFrom(...wholeNames, "mail.*", "page.*", "*"), { maxLength: 3 }).map((names) =>
      Object.fromEntries(names.map((name) => [name, {}])),
    ),
    actsFor: uniqueArray(constantFrom("ann", "bert"), { maxLength: 2 }),
    autonomyMax: integer({ min: 0, max: 5 }),
    expiresAt: integer({ min: 1, max: 100 }),
  },
  { requiredKeys: [] },
);
const chain = array(record({ part: option(permissions, { nil: undefined }) }), { maxLength: 20 });

test("whoever is handed a grant on can do nothing that who handed it on can't", verifies("G9"), () => {
  assert(
    property(chain, integer({ min: 0, max: 100 }), (links, now) => {
      let parent = nothing;
      for (const [index, { part }] of links.entries()) {
        const own = part === undefined ? {} : { part: { of: `r1/agent/a${index}`, ...part } };
        const child = narrowGrant(parent, { actor: `a${index}@1`, ...own });
        expect(autonomyMaxOf(child)).toBeLessThanOrEqual(autonomyMaxOf(parent));
        expect(expiryOf(child)).toBeLessThanOrEqual(expiryOf(parent));
        for (const tool of wholeNames)
          for (const actsFor of people) {
            const refusedAbove = findRefusal(parent, { tool, actsFor, now }) !== undefined;
            const refused = findRefusal(child, { tool, actsFor, now }) !== undefined;
            const refusedAlone = findRefusal(
              { actors: [], parts: child.parts.slice(parent.parts.length) },
              { tool, actsFor, now },
            );
            // Exactly the intersection: neither more nor less than both allow.
            const isTooDeep = child.actors.length > delegationDepthMax;
            expect(refused).toBe(refusedAbove || isTooDeep || refusedAlone !== undefined);
          }
        parent = child;
      }
    }),
  );
});

test("so many agents may act through each other, and not one more", verifies("G9"), () => {
  const actors = Array.from({ length: delegationDepthMax }, (_, index) => `a${index}@1`);
  expect(findRefusal({ actors, parts: [] }, { actsFor: undefined })).toBeUndefined();
  expect(findRefusal(narrowGrant({ actors, parts: [] }, { actor: "b@1" }), { actsFor: undefined })).toContain("b@1");
});

test("a run begins with what fits it, and a child adds only what is not there", () => {
  const grants = {
    "*": { autonomyMax: 4 },
    "flow/brief": { tools: { "mail.*": { calls: 2 }, "mail.read": {} }, lifetimeMs: 50 },
    "person/ann": { actsFor: ["ann"] },
    "tenant/acme": { autonomyMax: 3 },
    "flow/other": { tools: {} },
  };
  const start = { run: r1, flow: "brief", by: "ann", tenant: "acme", now: 1_000 };
  const grant = mintGrant(grants, start) ?? nothing;
  expect(grant.parts).toEqual([
    { of: "r1/*", autonomyMax: 4 },
    { of: "r1/flow/brief", tools: { "mail.*": { calls: 2 }, "mail.read": {} }, expiresAt: 1_050 },
    { of: "r1/person/ann", actsFor: ["ann"] },
    { of: "r1/tenant/acme", autonomyMax: 3 },
  ]);
  expect(autonomyMaxOf(grant)).toBe(3);
  expect(expiryOf(grant)).toBe(1_050);
  expect(toGrantLevels(grant, "mail.send")).toEqual([{ account: "grant/r1/flow/brief/mail.*", limit: { calls: 2 } }]);
  expect(toGrantLevels(grant, "mail.read")).toEqual([]);
  const child = mintGrant(grants, { ...start, run: toRunId("r1.c"), flow: "other", from: grant });
  expect(child?.parts.slice(grant.parts.length)).toEqual([{ of: "r1.c/flow/other", tools: {} }]);
  expect(mintGrant({}, start)).toBeUndefined();
  expect(grantShape(JSON.parse(JSON.stringify(grant)), "")).toEqual(grant);
  expect(grant.parts.map(describePart)[1]).toBe(
    "r1/flow/brief may call mail.* (2 calls), mail.read, until 1970-01-01T00:00:01.050Z",
  );
});

test("permissions that can't be kept are told", () => {
  expect(
    findPermissionProblem({ tools: { "mail.*": { calls: 1 }, "*": {} }, actsFor: ["ann"], lifetimeMs: 1 }),
  ).toBeUndefined();
  expect(findPermissionProblem({ tools: { "m*l": {} } })?.what).toContain("m*l");
  expect(findPermissionProblem({ tools: { mail: { calls: -1 } } })?.what).toContain("calls");
  expect(findPermissionProblem({ actsFor: [" "] })?.what).toContain("without a name");
  expect(findPermissionProblem({ autonomyMax: 6 })?.what).toContain("6");
  expect(findPermissionProblem({ lifetimeMs: 0 })?.what).toContain("0");
});
