import fc from "fast-check";
import { expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import type { LedgerEntry } from "./entry.ts";
import { toRunId } from "./ids.ts";
import { foldDecision, toPolicyDecisions, type PolicyDecision } from "./policy-decision.ts";

const word = fc.string({ maxLength: 8 });
const words = fc.array(word, { maxLength: 3 });
const input = fc.jsonValue({ maxDepth: 2 });

const context = fc.record(
  {
    run: word,
    flow: word,
    approvals: fc.array(fc.record({ by: word, roles: words }), { maxLength: 2 }),
    tenant: word,
    costCents: fc.nat(),
    labels: words,
    injectionRisk: fc.nat(100),
    initiator: word,
    depth: fc.nat(),
  },
  { requiredKeys: ["run", "flow", "approvals"] },
);

const deed = fc.record({
  agent: fc.option(fc.record({ name: word, version: word, autonomy: fc.nat(5), run: word })),
  resource: fc.record(
    {
      name: word,
      effect: fc.constantFrom("idempotent" as const, "once" as const),
      reversible: fc.boolean(),
      dataClasses: words,
      accepts: words,
    },
    { requiredKeys: ["name", "effect", "reversible"] },
  ),
  context,
  input: fc.option(input, { nil: undefined }),
  rules: words,
});

function toEntry(kind: LedgerEntry["kind"], body: unknown): LedgerEntry {
  const place = { lsn: 1, run: toRunId("r"), seq: 1, key: "/s", at: 0, version: 1, hash: "" };
  return { ...place, kind, body: JSON.stringify(body) };
}

test("a decision is read from the intent that it allows as from an entry of its own", verifies("G3"), () => {
  fc.assert(
    fc.property(deed, ({ agent, resource, context: around, input: given, rules }) => {
      const { run, flow } = around;
      const decision: PolicyDecision = {
        request: {
          principal: agent === null ? { kind: "run", run, flow } : { kind: "agent", ...agent },
          action: "call-tool",
          resource: { kind: "tool", ...resource },
          context: given === undefined ? around : { ...around, input: given },
        },
        verdict: { kind: "allow", rules },
        policy: { name: "house", version: "1" },
      };
      const { name, effect, reversible } = resource;
      const intent = toEntry("effect-intended", {
        effect: "e",
        tool: name,
        class: effect,
        digest: "d",
        ...(reversible ? { undo: true } : {}),
        decided: foldDecision(decision),
        input: given,
      });
      expect(toPolicyDecisions(intent)).toEqual(toPolicyDecisions(toEntry("policy-decided", decision)));
      expect(toPolicyDecisions(intent)).toEqual([JSON.parse(JSON.stringify(decision))]);
    }),
  );
});

test("a vote holds the decision on each thing that it is a yes to", verifies("G3"), () => {
  fc.assert(
    fc.property(context, fc.array(fc.record({ name: word, rules: words })), words, (around, matters, roles) => {
      const policy = { name: "house", version: "1" };
      const vote = { approval: "a", by: "ann", saw: "0", verdict: "approve", roles };
      const decided = { policy, context: around, matters };
      expect(toPolicyDecisions(toEntry("approval-voted", { ...vote, decided }))).toEqual(
        matters.map(({ name, rules }) => ({
          request: {
            principal: { kind: "person", person: "ann", roles },
            action: "approve",
            resource: { kind: "approval", name },
            context: around,
          },
          verdict: { kind: "allow", rules },
          policy,
        })),
      );
      expect(toPolicyDecisions(toEntry("approval-voted", { ...vote, note: '"decided":{' }))).toEqual([]);
    }),
  );
});

test("an intent without a policy holds no decision, whatever its input says", () => {
  const intent = { effect: "e", tool: "t", class: "once", digest: "d", input: { decided: {} } };
  expect(toPolicyDecisions(toEntry("effect-intended", intent))).toEqual([]);
  expect(toPolicyDecisions(toEntry("note-written", { text: '"decided":{' }))).toEqual([]);
});
