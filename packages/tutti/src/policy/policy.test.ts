import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { errorOf } from "../../../../test/engine/engine-fixture.ts";
import { requests, toRequest } from "../../../../test/policy/requests.ts";
import { soundRules, unsoundRules } from "../../../../test/policy/rules.ts";
import { verifies } from "../../../../test/verifies.ts";
import { loadOptional } from "../base/optional-package.ts";
import type { PolicyRequest, PolicyVerdict } from "../contracts/policy.ts";
import { loadCedar } from "./cedar/load-cedar.ts";
import { readRules } from "./cedar/read-rules.ts";
import { toSchemaText } from "./cedar/schema.ts";
import { defaultPolicy, defaultPolicyText } from "./default-policy.ts";
import { defaultRules } from "./default-rules.ts";
import { checkPolicy, loadPolicy, policy } from "./policy.ts";

const allowAll = `@id("all") permit(principal, action, resource);`;

describe("what a text is checked for", () => {
  const faults: Readonly<Record<string, readonly [text: string, line: number, problem: string | RegExp]>> = {
    "a text that is no Cedar": [`${allowAll}\npermit(principal, action resource);`, 2, /unexpected token `resource`/],
    "a rule without a name": [`\npermit(principal, action, resource);`, 2, /has no name/],
    "two rules of one name": [`${allowAll}\n${allowAll}`, 2, "another rule has this name too"],
    "an annotation that is misspelt": [`@id("a")\n@aproval("1")\npermit(principal, action, resource);`, 1, /@aproval/],
    "approvals that are no number": [`@id("a") @approvals("some") permit(principal, action, resource);`, 1, /1 to 20/],
    "a role for no approvals": [`@id("a") @role("x") permit(principal, action, resource);`, 1, /@approvals/],
    "a field of the input that nothing declares": [
      `@id("a") permit(principal, action, resource)\nwhen { "ä" == "ö" || context.input.amount > 5 };`,
      2,
      /attribute `input.amount` .* not found/,
    ],
    "an input of two types": [
      `@id("a") @input("to: String") permit(principal, action, resource);\n@id("b") @input("to: Long") permit(principal, action, resource);`,
      2,
      "another rule takes input.to as String, this one as Long",
    ],
    "an input that no object holds as a field": [
      `@id("a") @input("__proto__: String") permit(principal, action, resource);`,
      1,
      /at "__proto__: String"/,
    ],
    "an input of no type": [`@id("a") @input("to: Text") permit(principal, action, resource);`, 1, /at "to: Text"/],
    "a field that may be absent": [
      `// costs\n@id("a") forbid(principal, action, resource)\nwhen { context.costCents > 5 };`,
      3,
      /optional attribute `costCents`/,
    ],
    "an action that is not there": [
      `@id("a") permit(principal, action == Tutti::Action::"cal-tool", resource);`,
      1,
      /unrecognized action/,
    ],
    "a slot": [`@id("a") permit(principal == ?principal, action, resource);`, 1, /slots/],
    "too large a text": [`// ${"x".repeat(1_000_000)}`, 1, /larger than/],
  };

  test.each(Object.entries(faults))("%s is found, with its line", async (_what, [text, line, problem]) => {
    const findings = await checkPolicy(text);
    expect(findings).toContainEqual(
      expect.objectContaining({ severity: "error", line, problem: expect.stringMatching(problem) }),
    );
    expect(await errorOf(policy({ name: "x", cedar: text }))).toMatchObject({ code: "POLICY_INVALID" });
  });

  test("a finding says once what is wrong, and what to do", async () => {
    const [finding, ...more] = await checkPolicy(
      `@id("big") forbid(principal, action, resource) when { context.input.amount > 5 };`,
    );
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ rule: "big", hint: `declare it on the rule: @input("amount: Long")` });
  });

  test("lines are right beyond the tenth rule, which Cedar sorts before the third", async () => {
    const rules = Array.from({ length: 14 }, (_, at) => `@id("rule-${at}")\npermit(principal, action, resource);`);
    rules[11] = `@id("rule-11")\npermit(principal, action, resource == Tutti::Tol::"x");`;
    expect(await checkPolicy(rules.join("\n"))).toContainEqual(
      expect.objectContaining({ severity: "error", line: 24, rule: "rule-11" }),
    );
  });

  test("a rule that can't ever hold is a warning, and so is no rule at all; both can be used", async () => {
    const never = `@id("never") permit(principal, action, resource) when { false };`;
    for (const text of [never, ""]) {
      expect(await checkPolicy(text)).toMatchObject([{ severity: "warning", line: 1 }]);
      expect((await policy({ name: "x", cedar: text })).decide(toRequest()).kind).toBe("deny");
    }
  });
});

test("a forbid that can't be evaluated is a deny, where Cedar itself skips it and allows", verifies("G3"), async () => {
  const cedar = await loadCedar();
  const guard = `@id("guard") forbid(principal, action, resource) when { context.depth > 5 };`;
  const { principal, action, resource } = {
    principal: { type: "Tutti::Agent", id: "a" },
    action: { type: "Tutti::Action", id: "send" },
    resource: { type: "Tutti::Border", id: "b" },
  };
  const policies = { staticPolicies: { all: allowAll, guard } };
  const answer = cedar.isAuthorized({ principal, action, resource, context: {}, policies, entities: [] });
  expect(answer).toMatchObject({ response: { decision: "allow", diagnostics: { errors: [{ policyId: "guard" }] } } });
  // Its text is refused already; an overflow is what only a request can bring about.
  expect(await checkPolicy(guard)).toMatchObject([{ severity: "error" }]);
  const sound = await policy({
    name: "x",
    cedar: `${allowAll}
@id("guard") forbid(principal, action, resource) when { context has depth && context.depth * context.depth > 100 };`,
  });
  expect(sound.decide(toRequest({ context: { depth: 2 } })).kind).toBe("allow");
  expect(sound.decide(toRequest({ context: { depth: Number.MAX_SAFE_INTEGER } }))).toMatchObject({
    kind: "deny",
    rules: ["guard"],
    errors: ["guard: a number is out of range"],
  });
});

test(
  "fields of the input that rules declare decide; one that does not fit is a deny, others are not looked at",
  verifies("G3"),
  async () => {
    const capped = await policy({
      name: "capped",
      cedar: `${allowAll}
@id("cap") @says("Nothing over 100 euro.") @input("order.totalCents: Long, to: Set<String>") forbid(principal, action, resource)
when { context.input has "order.totalCents" && context.input["order.totalCents"] > 10000 };`,
    });
    const decide = (input: unknown) => capped.decide(toRequest({ context: { input } }));
    expect(decide({ order: { totalCents: 10_000 }, scale: 0.5 }).kind).toBe("allow");
    expect(decide({ order: { totalCents: 10_001 } })).toEqual({
      kind: "deny",
      rules: ["cap"],
      why: "Nothing over 100 euro.",
    });
    for (const input of [undefined, null, "text", {}, { order: null }, { order: { totalCents: null } }])
      expect.soft(decide(input).kind).toBe("allow");
    for (const totalCents of [10_000.5, 2 ** 53, "9", true, [1], {}, Number.NaN])
      expect
        .soft(decide({ order: { totalCents } }))
        .toMatchObject({ kind: "deny", errors: [expect.stringContaining("input.order.totalCents")] });
    for (const to of ["a", [1], ["a", 1], Array.from({ length: 1_001 }, String)])
      expect.soft(decide({ to })).toMatchObject({ kind: "deny", errors: [expect.stringContaining("input.to")] });
  },
);

test(
  "a permit with @approvals holds, and a forbid with them ends, once they are given; @says is what people read",
  verifies("G3"),
  async () => {
    const pay = await policy({
      name: "pay",
      cedar: `
@id("pay") @approvals("1") @says("Payments are approved.") permit(principal, action == Tutti::Action::"call-tool", resource);
@id("large") @approvals("2") @role("finance") @distinct("initiator") @says("Large ones by two of finance.")
forbid(principal, action == Tutti::Action::"call-tool", resource) when { context has costCents && context.costCents > 100000 };`,
    });
    const decide = (costCents: number, ...by: readonly string[]) =>
      pay.decide(
        toRequest({
          context: { costCents, initiator: "ian", approvals: by.map((name) => ({ by: name, roles: ["finance"] })) },
        }),
      );
    expect(decide(5)).toEqual({
      kind: "needs",
      rules: ["pay"],
      why: "Payments are approved.",
      approvals: [{ count: 1, distinctFromInitiator: false }],
    });
    expect(decide(5, "ian")).toEqual({ kind: "allow", rules: ["pay"] });
    expect(decide(200_000)).toMatchObject({
      rules: ["large", "pay"],
      why: "Large ones by two of finance.; Payments are approved.",
      approvals: [{ count: 2, role: "finance", distinctFromInitiator: true }, { count: 1 }],
    });
    expect(decide(200_000, "ian", "anna")).toMatchObject({ kind: "needs", rules: ["large"] });
    expect(decide(200_000, "ben", "anna")).toEqual({ kind: "allow", rules: ["pay"] });
  },
);

test(
  "rules outside the compiled part are evaluated by Cedar, and decide together with the others",
  verifies("G3"),
  async () => {
    const mixed = await policy({
      name: "mixed",
      cedar: `
@id("plain") permit(principal, action, resource) when { context.flow == "pay" };
@id("date") permit(principal, action, resource) when { datetime("2026-01-01") < datetime("2026-01-02") && context.flow == "old" };
@id("net") forbid(principal, action, resource) when { ip("10.0.0.1").isInRange(ip("10.0.0.0/8")) && context.labels.contains("inside") };
@id("asks") @approvals("1") @says("Ask.") forbid(principal, action, resource) when { ip("10.0.0.1").isIpv4() && context.labels.contains("ask") };
@id("huge") forbid(principal, action, resource) when { context has depth && context.depth < -9223372036854775807 };
@id("fails") forbid(principal, action, resource) when { context has depth && context.depth * 9007199254740993 > 1 };
@id("first") @approvals("1") permit(principal, action, resource) when { ip("10.0.0.1").isIpv4() && context.flow == "two" };
@id("second") @approvals("1") permit(principal, action, resource) when { context.flow == "two" };`,
    });
    const decide = (context: Partial<PolicyRequest["context"]>): PolicyVerdict => mixed.decide(toRequest({ context }));
    expect(decide({})).toEqual({ kind: "allow", rules: ["plain"] });
    expect(decide({ flow: "old" })).toEqual({ kind: "allow", rules: ["date"] });
    expect(decide({ flow: "two" })).toMatchObject({ kind: "needs", rules: ["first"] });
    expect(decide({ labels: ["inside", "ask"] })).toMatchObject({ kind: "deny", rules: ["net"] });
    expect(decide({ labels: ["ask"] })).toMatchObject({ kind: "needs", rules: ["asks"], why: "Ask." });
    expect(decide({ labels: ["ask"], approvals: [{ by: "anna", roles: [] }] })).toEqual({
      kind: "allow",
      rules: ["plain"],
    });
    expect(decide({ depth: Number.MAX_SAFE_INTEGER })).toMatchObject({
      kind: "deny",
      rules: ["fails"],
      errors: [expect.stringContaining("overflow")],
    });
  },
);

test("the same rules, half of them compiled and half of them in Cedar, decide the same", verifies("G3"), async () => {
  const cedarOnly = `ip("127.0.0.1").isLoopback() && `;
  const half = soundRules
    .split(/\n(?=@id)/u)
    .map((rule, at) => (at % 2 === 0 ? rule.replace(/when \{([^]*)\};/u, `when { ${cedarOnly} ($1) };`) : rule))
    .join("\n");
  const [whole, mixed] = await Promise.all([
    policy({ name: "whole", cedar: soundRules }),
    policy({ name: "mixed", cedar: half }),
  ]);
  expect(half.split(cedarOnly).length).toBeGreaterThan(5);
  const kindsSeen = new Set<string>();
  fc.assert(
    fc.property(requests, (request) => {
      const verdict = mixed.decide(request);
      const { errors: _, ...rest } = { errors: undefined, ...whole.decide(request) };
      expect(verdict).toMatchObject({ kind: rest.kind, rules: rest.rules });
      kindsSeen.add(verdict.kind);
    }),
    { numRuns: 500 },
  );
  expect(kindsSeen).toEqual(new Set(["allow", "deny"]));
});

test(
  "a policy's version is that of its text and schema, and it decides the same every time",
  verifies("G3"),
  async () => {
    const [one, again, other] = await Promise.all(
      [soundRules, soundRules, `${soundRules}// and more`].map((cedar) => policy({ name: "x", cedar })),
    );
    expect(one?.version).toMatch(/^[0-9a-f]{64}$/u);
    expect(again?.version).toBe(one?.version);
    expect(other?.version).not.toBe(one?.version);
    fc.assert(
      fc.property(requests, (request) => {
        const asked = structuredClone(request);
        expect(again?.decide(request)).toEqual(one?.decide(request));
        expect(request).toEqual(asked);
      }),
    );
  },
);

test("the default policy is compiled from its own text and needs no Cedar", verifies("G3"), async () => {
  const { rules, findings } = readRules(await loadCedar(), defaultPolicyText);
  expect(findings).toEqual([]);
  expect(structuredClone(defaultRules)).toEqual(rules.map(({ rule, json }) => ({ rule, json })));
  const loaded = await policy({ name: "default", cedar: defaultPolicyText });
  expect(defaultPolicy).toMatchObject({ version: loaded.version, rules: loaded.rules });
});

const decideByDefault = (autonomy: number, effect: "read" | "local" | "idempotent" | "once", reversible = false) =>
  defaultPolicy.decide(
    toRequest({
      principal: { kind: "agent", name: "a", version: "1", autonomy, run: "r" },
      resource: { effect, reversible },
    }),
  ).kind;

test("by default looking is free, what is outside asks, and trust is granted step by step", verifies("G3"), () => {
  expect([decideByDefault(0, "read"), decideByDefault(0, "local")]).toEqual(["allow", "allow"]);
  for (const effect of ["idempotent", "once"] as const) {
    expect([0, 3, 4, 5].map((autonomy) => decideByDefault(autonomy, effect))).toEqual([
      "needs",
      "needs",
      "needs",
      "allow",
    ]);
    expect([3, 4, 5].map((autonomy) => decideByDefault(autonomy, effect, true))).toEqual(["needs", "allow", "allow"]);
  }
  const run = { kind: "run", run: "r", flow: "f" } as const;
  const kinds = (["call-tool", "call-model", "read-document", "write-document", "send", "approve"] as const).map(
    (action) => defaultPolicy.decide(toRequest({ principal: run, action })).kind,
  );
  expect(kinds).toEqual(["needs", "allow", "allow", "allow", "needs", "deny"]);
  expect(
    defaultPolicy.decide(toRequest({ principal: { kind: "person", person: "anna", roles: [] }, action: "approve" }))
      .kind,
  ).toBe("allow");
});

test("a policy is read from its file and named like it; a file that is not there is said so", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "tutti-policy-"));
  try {
    const file = path.join(folder, "house.cedar");
    writeFileSync(file, allowAll);
    expect(await loadPolicy(file)).toMatchObject({ name: "house", rules: [{ id: "all", effect: "permit" }] });
    const missing = path.join(folder, "none.cedar");
    expect(await errorOf(loadPolicy(missing))).toMatchObject({ code: "SOURCE_UNREADABLE" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("without Cedar's package a text says what to install", verifies("X8"), async () => {
  const missing = Object.assign(new Error("Cannot find package '@cedar-policy/cedar-wasm' imported from somewhere"), {
    code: "ERR_MODULE_NOT_FOUND",
  });
  const wanted = { name: "@cedar-policy/cedar-wasm", range: "4.13", use: "The text of a policy is read by" };
  const error = await errorOf(loadOptional(wanted, () => Promise.reject(missing)));
  expect(error).toMatchObject({ code: "DEFINITION_INVALID", hint: "Run: npm install @cedar-policy/cedar-wasm@4.13" });
});

const toRule = (condition: string): string =>
  `// "(((\n@id("a") permit(principal, action, resource) when {\n${condition} };`;

test("a rule that would break Cedar down is refused before it is read; a long set is not", async () => {
  const inner = `context.flow == "pay ((( \\" !!! // ;"`;
  const nested: Readonly<Record<string, (count: number) => string>> = {
    brackets: (count) => `${"(".repeat(count)}${inner}${")".repeat(count)}`,
    denials: (count) => `${"!(".repeat(count)}${inner}${")".repeat(count)}`,
    ands: (count) => Array.from({ length: count }, () => inner).join(" && "),
    choices: (count) => `${"if false then false else ".repeat(count)}${inner}`,
    sums: (count) => `${"1 + ".repeat(count)}1 == 1 || ${inner}`,
  };
  for (const [what, make] of Object.entries(nested)) {
    for (const count of [300, 3_000])
      expect
        .soft(await checkPolicy(toRule(make(count))), what)
        .toMatchObject([{ severity: "error", line: 3, problem: expect.stringContaining("too deep") }]);
    expect.soft(await checkPolicy(toRule(make(20))), what).toEqual([]);
  }
  const unclosed = await checkPolicy(toRule(`"${'\\"'.repeat(400_000)}`));
  expect(unclosed).toMatchObject([{ severity: "error" }]);
  const names = Array.from({ length: 3_000 }, (_, at) => `"tool-${at}"`).join(", ");
  const listed = await policy({ name: "x", cedar: toRule(`[${names}].contains(resource.name)`) });
  expect(listed.decide(toRequest({ resource: { name: "tool-2999" } })).kind).toBe("allow");
  expect(listed.decide(toRequest({ resource: { name: "tool-3000" } })).kind).toBe("deny");
});

test("unsound rules are refused, each of them that can fail", async () => {
  const findings = await checkPolicy(`${soundRules}${unsoundRules}`);
  expect(findings.filter(({ severity }) => severity === "error").map(({ rule }) => rule)).toEqual(
    expect.arrayContaining(["fails", "fails-too", "any"]),
  );
});

test("the rules of the documentation can be used, and its schema is the one that rules are checked against", async () => {
  const page = readFileSync(new URL("../../../../docs/policy.md", import.meta.url), "utf8");
  const [, rules = ""] = /```cedar\n(.*?)```/su.exec(page) ?? [];
  expect(rules).toContain("permit");
  expect(await checkPolicy(rules)).toEqual([]);
  expect(page).toContain(`\`\`\`text\n${toSchemaText(new Map())}\`\`\``);
});
