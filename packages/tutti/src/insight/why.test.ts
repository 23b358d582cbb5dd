import * as fc from "fast-check";
import { expect, test } from "vitest";

import { toEntries, type SampleLine } from "../../../../test/sample-entries.ts";
import { verifies } from "../../../../test/verifies.ts";
import type { LedgerEntry } from "../contracts/entry.ts";
import { toDocumentId, toEffectKey, toRunId, toStepKey } from "../contracts/ids.ts";
import { whyOf, type Reason } from "./why.ts";

const step = toStepKey;
const effect = toEffectKey("page:tea");
const unreachable = { code: "TOOL_UNAVAILABLE", message: "out of reach" } as const;

const brief: readonly SampleLine[] = [
  { kind: "run-started", body: { flow: "brief", version: "1", input: { topic: "tea" } } },
  { kind: "attempt-failed", key: "/find", body: { error: unreachable, attempt: 1, nextAt: 5 } },
  { kind: "step-done", key: "/find", body: { call: "web.search", attempt: 2, out: ["tea is a plant"] } },
  {
    kind: "agent-started",
    key: "/writer",
    body: { agent: "writer", version: "ab12", input: { topic: "tea" }, uses: [step("/find")] },
  },
  { kind: "step-done", key: "/writer/turn", body: { call: "model", out: { text: "Tea." } } },
  { kind: "signal-received", body: { name: "go", id: "s1", payload: "yes" } },
  {
    kind: "scope-closed",
    key: "/writer",
    body: { agent: "writer", out: { draft: "Tea." }, consumed: [6], confidence: { value: 0.8, source: "self" } },
  },
  {
    kind: "effect-intended",
    key: "/publish",
    body: { effect, tool: "page.publish", class: "once", digest: "d", uses: [step("/writer"), step("/find")] },
  },
  { kind: "effect-in-doubt", key: "/publish", body: { effect, why: "the process died" } },
  {
    kind: "effect-settled",
    key: "/publish",
    body: { effect, by: "person", out: { url: "https://tea" }, note: "I saw the page" },
  },
  { kind: "run-done", body: { out: { url: "https://tea" }, uses: [step("/publish")] } },
];

function outline(reason: Reason, depth = 0): string {
  const line = `${"  ".repeat(depth)}${reason.kind}: ${reason.sentence}`;
  return [line, ...reason.because.map((below) => outline(below, depth + 1))].join("\n");
}

test(
  "a result is traced back through what was handed in, the agent, the signal, the retry and the person",
  verifies("O6", "G13"),
  () => {
    expect(outline(whyOf(toEntries(brief)))).toMatchInlineSnapshot(`
      "run: The run of brief (version 1) is done: {url: "https://tea"}.
        input: It was given {topic: "tea"}.
        person: /publish: a person said that effect page:tea was done, with {url: "https://tea"} (I saw the page).
          effect: Its outcome was unknown: the process died
          agent: /writer: agent writer returned {draft: "Tea."} (confidence 80 %, by self).
            step: /find: web.search returned ["tea is a plant"] at attempt 2.
              attempt: Attempt 1 had failed: TOOL_UNAVAILABLE: out of reach
            step: /writer/turn: model returned {text: "Tea."}.
            signal: Signal go (id s1) came: yes
          known: /find: see above."
    `);
  },
);

test("who did a tool's work is said, and whose place was taken", verifies("O6", "K3"), () => {
  const report = { provider: "second", tried: [{ provider: "first", code: "TOOL_UNAVAILABLE" }] } as const;
  const entries = toEntries([
    { kind: "run-started", body: { flow: "brief", version: "1" } },
    { kind: "step-done", key: "/find", body: { call: "web.search", out: "tea", report } },
    {
      kind: "effect-settled",
      key: "/publish",
      body: { effect, by: "check", out: "page", report: { provider: "second" } },
    },
    { kind: "effect-settled", key: "/print", body: { effect, by: "tool", out: "page", report } },
  ]);
  const tell = (place: string): string => whyOf(entries, step(place)).sentence;
  expect(["/find", "/publish", "/print"].map(tell)).toEqual([
    "/find: web.search returned tea, by second after first (TOOL_UNAVAILABLE).",
    `/publish: the tool's check found effect page:tea done, with page, by second.`,
    "/print: effect page:tea was done with page, by second after first (TOOL_UNAVAILABLE).",
  ]);
});

test("one step can be asked about, with the agent that did it", verifies("O6"), () => {
  expect(outline(whyOf(toEntries(brief), step("/writer/turn")))).toMatchInlineSnapshot(`
    "step: /writer/turn: model returned {text: "Tea."}.
      agent: Agent writer (version ab12) did it, given {topic: "tea"}.
        step: /find: web.search returned ["tea is a plant"] at attempt 2.
          attempt: Attempt 1 had failed: TOOL_UNAVAILABLE: out of reach"
  `);
});

test("a failure is traced to the step where it began", verifies("O6"), () => {
  const entries = toEntries([
    { kind: "run-started", body: { flow: "brief", version: "1" } },
    { kind: "step-done", key: "/all/a/x", body: { out: 1 } },
    { kind: "step-failed", key: "/all/b/find", body: { error: unreachable, call: "web.search", attempt: 3 } },
    { kind: "scope-closed", key: "/all/b", body: { error: unreachable } },
    { kind: "scope-closed", key: "/all", body: { error: unreachable } },
    { kind: "run-failed", body: { error: unreachable } },
  ]);
  expect(outline(whyOf(entries))).toMatchInlineSnapshot(`
    "run: The run of brief (version 1) failed: TOOL_UNAVAILABLE: out of reach
      step: /all/b/find: web.search failed at attempt 3: TOOL_UNAVAILABLE: out of reach"
  `);
});

test("an effect that another run had done is traced to that run", verifies("O6", "D4"), () => {
  const from = { run: toRunId("r1"), step: step("/publish") };
  const entries = toEntries([
    { kind: "run-started", body: { flow: "brief", version: "1" } },
    { kind: "effect-shared", key: "/publish", body: { effect, from, out: 1 } },
    { kind: "run-done", body: { out: 1, uses: [step("/publish")] } },
  ]);
  expect(outline(whyOf(entries))).toMatchInlineSnapshot(`
    "run: The run of brief (version 1) is done: 1.
      effect: /publish: effect page:tea had been done by run r1 at /publish; its result was taken over."
  `);
});

test("a forked run says from where, and what a person changed", verifies("O6", "D12"), () => {
  const forkedFrom = { run: toRunId("r1"), step: step("/find"), seq: 3, lineage: toRunId("r1") };
  const entries = toEntries([
    {
      kind: "run-started",
      body: { flow: "brief", version: "1", forkedFrom, edits: { "/find": { output: ["coffee"] } } },
    },
    { kind: "step-done", key: "/find", body: { out: ["coffee"], edited: true } },
    { kind: "run-done", body: { out: "c", uses: [step("/find")] } },
  ]);
  expect(outline(whyOf(entries))).toMatchInlineSnapshot(`
    "run: The run of brief (version 1) is done: c.
      fork: It was forked from run r1 before /find (entry 3).
        person: A person changed the output of /find to ["coffee"].
      person: /find: a person put in ["coffee"] when the run was forked."
  `);
});

test("an open run says what it stands at", verifies("O6", "D10"), () => {
  const entries = toEntries([
    { kind: "run-started", body: { flow: "brief", version: "1" } },
    { kind: "timer-set", key: "/sleep", body: { dueAt: Date.UTC(2026, 10, 21) } },
    { kind: "effect-intended", key: "/publish", body: { effect, tool: "page.publish", class: "once", digest: "d" } },
    { kind: "effect-in-doubt", key: "/publish", body: { effect, why: "the process died" } },
    { kind: "cancel-requested", body: { by: "anna", reason: "enough" } },
  ]);
  expect(outline(whyOf(entries))).toMatchInlineSnapshot(`
    "run: The run of brief (version 1) is still open.
      person: anna asked to cancel it: enough
      step: /sleep: waits until 2026-11-21T00:00:00.000Z.
      effect: /publish: nobody knows whether effect page:tea happened: the process died"
  `);
});

test("asking for a step that the run does not have names those it has", verifies("O6"), () => {
  expect(() => whyOf(toEntries(brief), step("/publihs"))).toThrow(
    expect.objectContaining({ code: "INPUT_INVALID", hint: expect.stringContaining("/publish") }),
  );
  expect(() => whyOf([])).toThrow(expect.objectContaining({ code: "RUN_UNKNOWN" }));
});

test("an explanation stays within its limits and ends, whatever uses what", verifies("O6"), () => {
  const names = ["/a", "/b", "/c", "/a/d", "/a/e", "/b/f"].map(step);
  const link = fc.record({
    key: fc.constantFrom(...names),
    uses: fc.array(fc.constantFrom(...names), { maxLength: 4 }),
    agent: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(link, { maxLength: 30 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 5 }),
      (links, reasonsMax, depthMax) => {
        const lines = links.map(({ key, uses, agent }): SampleLine =>
          agent
            ? { kind: "agent-started", key, body: { agent: "a", version: "1", uses } }
            : { kind: "step-done", key, body: { uses } },
        );
        const entries = toEntries([
          { kind: "run-started", body: { flow: "f", version: "1" } },
          ...lines,
          { kind: "run-done", body: { uses: names } },
        ]);
        const told = outline(whyOf(entries, undefined, { reasonsMax, depthMax })).split("\n");
        const cuts = told.filter((line) => /^ *(?:cut|known): /u.test(line)).length;
        expect(told.length - cuts).toBeLessThanOrEqual(reasonsMax + 1);
        expect(Math.max(...told.map((line) => line.search(/\S/u) / 2))).toBeLessThanOrEqual(depthMax + 2);
      },
    ),
    { numRuns: 200 },
  );
});

test("what people wanted of a run is among its reasons, with who said it and why", verifies("G5"), () => {
  const entries = toEntries([
    { kind: "run-started", body: { flow: "brief", version: "1" } },
    {
      kind: "directive-given",
      body: { version: 1, kind: "goal", by: "ada", text: "Apples", reason: "the client called" },
    },
    { kind: "directive-given", body: { version: 3, kind: "stop", by: "bob", from: toRunId("above") } },
    { kind: "run-cancelled", body: { reason: "stopped by bob" } },
    { kind: "undo-requested", body: { by: "bob" } },
  ]);
  expect(
    whyOf(entries)
      .because.filter(({ kind }) => kind === "person")
      .map(({ sentence }) => sentence),
  ).toEqual([
    "ada set the goal: Apples (the client called).",
    "bob stopped the run, in run above.",
    "bob wanted what it did to be taken back.",
  ]);
});
/** An entry of a kind that other parts of Tutti bring. */
function toGoverned(kind: string, key: string, body: unknown): (seq: number) => LedgerEntry {
  return (seq) => {
    const [entry] = toEntries([{ kind: "note-written", key, body: { text: "" } }]);
    if (entry === undefined) throw new Error("one line is one entry");
    return Object.assign(entry, { kind, seq, lsn: seq, body: JSON.stringify(body) });
  };
}

test(
  "policies, approvals and directives that stand in entries are told with the step and the run",
  verifies("O6", "G1"),
  () => {
    const governedLines = [
      toGoverned("directive-given", "", { version: 1, kind: "goal", by: "dana", text: "only green tea" }),
      toGoverned("policy-decided", "/publish", {
        request: {
          principal: { kind: "run", run: "r", flow: "brief" },
          action: "call-tool",
          resource: { kind: "tool", name: "page.publish", effect: "once" },
          context: { run: "r", flow: "brief", approvals: [] },
        },
        policy: { name: "house", version: "7" },
        verdict: {
          kind: "needs",
          rules: ["publish"],
          why: "publishing needs a yes",
          approvals: [{ count: 1, distinctFromInitiator: false }],
        },
      }),
      toGoverned("approval-requested", "/publish", {
        approval: "a1",
        dueAt: 5,
        kind: "action",
        about: "Publish the page about tea?",
        round: 1,
        binding: {},
        package: "0".repeat(64),
        needs: [],
        stages: [],
        peopleKnown: false,
      }),
      toGoverned("approval-decided", "/publish", { approval: "a1", state: "granted", by: "erin", why: "reads well" }),
    ];
    const [first, ...rest] = toEntries(brief);
    if (first === undefined) throw new Error("the run has a beginning");
    const entries = [
      first,
      ...governedLines.map((make, at) => make(at + 2)),
      ...rest.map((entry) => ({ ...entry, seq: entry.seq + 4 })),
    ];
    const told = outline(whyOf(entries, step("/publish"), { depthMax: 1 }));
    expect(told).toContain("person: dana set the goal: only green tea.");
    expect(told).toContain("policy: The policy house (version 7) asked for people: publishing needs a yes by publish.");
    expect(told).toContain("person: People were asked: Publish the page about tea?");
    expect(told).toContain("person: The approval was granted by erin: reads well.");
    expect(outline(whyOf(entries))).toContain("  person: dana set the goal: only green tea.");
  },
);

test("a record of a decision is told as what was decided, and once", verifies("O2"), () => {
  const entries = toEntries([
    { kind: "run-started", body: { flow: "pick", version: "1" } },
    {
      kind: "decision-made",
      key: "/decision-made",
      body: {
        about: "who does it",
        chosen: "ada",
        why: "she is free",
        alternatives: [{ name: "bob", why: "he is not" }],
      },
    },
  ]);
  expect(outline(whyOf(entries, step("/decision-made")))).toBe(
    "step: It was decided: who does it: ada, because she is free; not bob (he is not).",
  );
});

test(
  "a step is traced to the versions of documents that it saw, and to the step that wrote them",
  verifies("O6"),
  () => {
    const stock = toDocumentId("stock/apples");
    const read: readonly SampleLine[] = [
      { kind: "run-started", body: { flow: "order", version: "1" } },
      {
        kind: "document-committed",
        key: "/count",
        body: { reads: { [stock]: 3 }, writes: [{ document: stock, version: 4, value: 9 }], out: 9 },
      },
      { kind: "document-read", key: "/look", body: { document: stock, version: 4, value: 9 } },
      { kind: "run-done", body: { out: 9, uses: [step("/look")] } },
    ];
    expect(outline(whyOf(toEntries(read)))).toMatchInlineSnapshot(`
      "run: The run of order (version 1) is done: 9.
        step: /look: stock/apples was read in version 4.
          document: It saw stock/apples in version 4, written by /count.
            step: /count: the transaction returned 9 and wrote stock/apples in version 4.
              document: It saw stock/apples in version 3, written outside this run."
    `);
    const many = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`stock/${at}`, 0]));
    const wide = toEntries([
      { kind: "run-started", body: { flow: "order", version: "1" } },
      { kind: "scope-closed", key: "/part", body: { out: 1, reads: many } },
    ]);
    expect(outline(whyOf(wide, step("/part")))).toContain("cut: 3 more documents were seen.");
  },
);
