import { expect, test } from "vitest";

import { bodyOf, type EntryKind, type LedgerEntry } from "../../packages/tutti/src/contracts/entry.ts";
import { toStepKey } from "../../packages/tutti/src/contracts/ids.ts";
import { toPolicyDecisions } from "../../packages/tutti/src/contracts/policy-decision.ts";
import { openSpanReader } from "../../packages/tutti/src/insight/otlp/span-reader.ts";
import { openJudgementReader } from "../../packages/tutti/src/insight/oversight/judgements.ts";
import { replayPolicy } from "../../packages/tutti/src/insight/replay-policy.ts";
import { whyOf } from "../../packages/tutti/src/insight/why.ts";
import { policy } from "../../packages/tutti/src/policy/policy.ts";
import { linesOf, openStage, plainFlow } from "../engine/engine-fixture.ts";
import { openPostOffice, toMailTool } from "../engine/world-fixture.ts";
import { verifies } from "../verifies.ts";

const everything = await policy({ name: "all", cedar: `@id("all") permit(principal, action, resource);` });
const nothing = await policy({ name: "none", cedar: `@id("none") forbid(principal, action, resource);` });
const step = toStepKey("/mail.send");

/** A run in which a policy allows an effect, as it is written, and as it was before decisions stood in intents. */
async function writeBoth(): Promise<readonly [readonly LedgerEntry[], readonly LedgerEntry[]]> {
  const stage = openStage();
  const mail = toMailTool(openPostOffice());
  const flow = plainFlow("f", (run) => run.call(mail, { to: "anna" }));
  const tutti = await stage.open([flow], { policy: everything });
  await tutti.run(flow, null, { by: "bert", tenant: "acme" });
  const entries = stage.entries.flatMap((entry): readonly LedgerEntry[] => {
    const [decision] = toPolicyDecisions(entry);
    if (decision === undefined) return [entry];
    const { decided: _, ...intent } = bodyOf(entry, "effect-intended");
    return [toOther(entry, "policy-decided", decision), toOther(entry, "effect-intended", intent)];
  });
  return [stage.entries, entries.map((entry, at) => ({ ...entry, seq: at + 1, lsn: at + 1 }))];
}

function toOther(entry: LedgerEntry, kind: EntryKind, body: unknown): LedgerEntry {
  return { ...entry, kind, body: JSON.stringify(body) };
}

/** Everything that is told of decisions, without the places of entries. */
async function tell(entries: readonly LedgerEntry[]): Promise<unknown> {
  const ledger = {
    scan: async (after: number, limit: number) => entries.slice(after, after + limit),
    read: async () => entries,
    readBlob: async () => undefined,
  };
  const open = entries.filter(({ kind }) => kind !== "effect-settled" && kind !== "run-done");
  const { spans } = await openSpanReader(ledger).read(entries);
  const { decisions, changes, differences } = await replayPolicy(ledger, nothing);
  const judge = openJudgementReader();
  for (const entry of open) judge.note(entry);
  const { effect } = bodyOf(entries.find(({ kind }) => kind === "effect-intended") ?? raise(), "effect-intended");
  const doubt = toOther(open[0] ?? raise(), "effect-in-doubt", { effect, why: "the process died" });
  const { lsn: _, ...deed } = judge.note(doubt)?.deed ?? raise();
  return {
    why: [entries, open].map((told) =>
      whyOf(told, step)
        .because.filter(({ kind }) => kind === "policy")
        .map(({ sentence }) => sentence),
    ),
    spans: spans.filter(({ role }) => role === "policy").map(({ attributes }) => attributes),
    replay: { decisions, changes, requests: differences.map(({ request }) => request) },
    deed,
  };
}

function raise(): never {
  throw new Error("the run has it");
}

test(
  "a decision is told the same, whether it stands in the intent or, as in older ledgers, in front of it",
  verifies("G3"),
  async () => {
    const [written, older] = await writeBoth();
    expect(linesOf(written)).toEqual([
      "run-started",
      "effect-intended /mail.send",
      "effect-settled /mail.send",
      "run-done",
    ]);
    expect(linesOf(older)).toContain("policy-decided /mail.send");
    const told = await tell(written);
    expect(told).toEqual(await tell(older));
    const sentence = expect.stringMatching(/^The policy all \(version \w{12}\) allowed it by all\.$/u);
    expect(told).toMatchObject({
      why: [[sentence], [sentence]],
      spans: [{ "tutti.policy.verdict": "allow", "tutti.policy.resource": "mail.send" }],
      replay: {
        decisions: 1,
        changes: { "allow → deny": 1 },
        requests: [{ context: { initiator: "bert", input: { to: "anna" } } }],
      },
      deed: { tool: "mail.send", tenant: "acme", tier: "irreversible" },
    });
  },
);
