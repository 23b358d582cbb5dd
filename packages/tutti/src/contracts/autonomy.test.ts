import { array, assert, constantFrom, integer, option, property, record } from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import {
  autonomyDefault,
  parseAgentVersion,
  toActionKinds,
  toAgentId,
  toCertified,
  toEffective,
  type Certificate,
} from "./autonomy.ts";

function grant(action: string, of: number, until?: number): [string, Certificate] {
  return [action, { action, level: of, until, lsn: 1 }];
}

const level = integer({ min: 0, max: 5 });
const maybe = option(level, { nil: undefined });

test("the level that counts is never above anything that limits it, and one of the limits", verifies("G6"), () => {
  const labels = option(array(constantFrom("untrusted", "personal"), { maxLength: 2 }), { nil: undefined });
  assert(
    property(record({ certified: level, tenantCap: maybe, directiveCap: maybe, labels }), (limits) => {
      const taint = limits.labels?.includes("untrusted") === true ? 2 : 5;
      const all = [limits.certified, limits.tenantCap ?? 5, limits.directiveCap ?? 5, taint];
      expect(toEffective(limits)).toBe(Math.min(...all));
    }),
  );
});

test(
  "a grant for a tool goes first, one for a tier covers no class of data, and one that has ended nothing",
  verifies("G6"),
  () => {
    const pay = { kind: "tool", name: "pay", effect: "once", reversible: false } as const;
    const personal = { ...pay, dataClasses: ["personal", "secret"] };
    expect(toActionKinds(pay)).toEqual(["tool/pay", "tier/irreversible"]);
    expect(toActionKinds({ ...pay, reversible: true })).toEqual(["tool/pay", "tier/compensable"]);
    expect(toCertified(new Map([grant("tier/irreversible", 4)]), pay, 0)).toBe(4);
    expect(toCertified(new Map([grant("tier/irreversible", 4)]), personal, 0)).toBe(autonomyDefault);
    const classes = [grant("tier/irreversible/personal", 4), grant("tier/irreversible/secret", 3)];
    expect(toCertified(new Map(classes), personal, 0)).toBe(3);
    expect(toCertified(new Map([grant("tier/irreversible", 4), grant("tool/pay", 2)]), pay, 0)).toBe(2);
    const ended = new Map([grant("tool/pay", 5, 10)]);
    expect([toCertified(ended, pay, 9), toCertified(ended, pay, 10)]).toEqual([5, autonomyDefault]);
  },
);

test("a version of an agent is read as it is written", () => {
  expect(parseAgentVersion(toAgentId({ name: "a@b", version: "2" }))).toEqual({ name: "a@b", version: "2" });
  for (const typed of ["a", "@1", "a@", ""]) expect(parseAgentVersion(typed)).toBeUndefined();
});
