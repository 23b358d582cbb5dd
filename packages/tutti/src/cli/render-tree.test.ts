import * as fc from "fast-check";
import { expect, test } from "vitest";

import { sampleStart, toEntries, type SampleLine } from "../../../../test/sample-entries.ts";
import { verifies } from "../../../../test/verifies.ts";
import { toEffectKey, toRunId, toStepKey } from "../contracts/ids.ts";
import { nextRunTree, toRunTree } from "../insight/next-run-tree.ts";
import type { RunTree } from "../insight/run-tree.ts";
import { renderTree } from "./render-tree.ts";
import { cutToColumns, toColumns, toElapsed, toPlainLine } from "./terminal-text.ts";

const run = toRunId("7f3k2m9q0x");
const error = { code: "TOOL_UNAVAILABLE", message: "search.example did not answer" } as const;
const usage = { modelCalls: 3, inputTokens: 41_000, outputTokens: 7_000, costUsd: 0.0713 };

const branches = Array.from({ length: 9 }, (_, index): SampleLine => ({
  kind: "step-done",
  key: `/research/${index}/search`,
  body: { call: "web.search", out: [1, 2] },
  atMs: 5_000 + index * 100,
}));

const midway: readonly SampleLine[] = [
  { kind: "run-started", body: { flow: "brief", version: "1" } },
  { kind: "agent-started", key: "/planner", body: { agent: "planner", version: "ab12" }, atMs: 100 },
  {
    kind: "scope-closed",
    key: "/planner",
    body: {
      agent: "planner",
      out: { questions: ["a", "b", "c", "d"] },
      usage,
      confidence: { value: 0.91, source: "self" },
    },
    atMs: 3_100,
  },
  ...branches,
  {
    kind: "attempt-failed",
    key: "/research/9/search",
    body: { error, attempt: 1, nextAt: sampleStart + 24_000 },
    atMs: 8_000,
  },
  {
    kind: "effect-intended",
    key: "/publish",
    body: { effect: toEffectKey("page:tea"), tool: "page.publish", class: "once", digest: "d" },
    atMs: 9_000,
  },
  {
    kind: "effect-in-doubt",
    key: "/publish",
    body: { effect: toEffectKey("page:tea"), why: "the process died while it ran" },
    atMs: 10_000,
  },
  { kind: "timer-set", key: "/sleep", body: { dueAt: sampleStart + 3 * 86_400_000 }, atMs: 11_000 },
  { kind: "step-failed", key: "/chart", body: { error: { code: "STEP_FAILED", message: "no data" } }, atMs: 12_000 },
];

const tree = nextRunTree(toRunTree(toEntries(midway)), [
  { kind: "step-started", run, step: toStepKey("/draft"), at: sampleStart + 12_000, attempt: 2 },
  { kind: "progress", run, step: toStepKey("/draft"), at: sampleStart + 12_500, text: "reading 3 sources" },
]);

function draw(width: number, height = 40): string {
  return renderTree(tree, {
    width,
    height,
    color: false,
    now: sampleStart + 21_000,
    frame: 2,
    remark: "answer: tutti settle page:tea done|not-done",
  }).join("\n");
}

test("a run midway shows as a tree in 80 columns", verifies("X6"), () => {
  expect(draw(80)).toMatchInlineSnapshot(`
    "brief  7f3k2m9q0x  0:21
     ✔ planner       {questions: [4 items]} · conf 91%                          0:03
     ⠹ research      9 of 10 done
       ├ ✔ 0/search  web.search · [1, 2]
       ├ ✔ 1/search  web.search · [1, 2]
       ├ ✔ 2/search  web.search · [1, 2]
       ├ ✔ 3/search  web.search · [1, 2]
       ├ ✔ 4/search  web.search · [1, 2]
       ├ ✔ 5/search  web.search · [1, 2]
       ├ ✔ 6/search  web.search · [1, 2]
       ├ ✔ 7/search  web.search · [1, 2]
       ├ ✔ 8/search  web.search · [1, 2]
       └ ◌ 9/search  attempt 2 in 0:03 · TOOL_UNAVAILABLE: search.example did…
     ! publish       page.publish · in doubt: the process died while it ran     0:12
     ◌ sleep         until 2026-11-23 10:00 UTC                                 0:10
     ✗ chart         STEP_FAILED: no data
     ⠹ draft         attempt 2 · reading 3 sources                              0:09
     ! answer: tutti settle page:tea done|not-done
     1 agent · 10 calls · 48k tokens · $0.0713 · 1 retry · 1 failed · 1 in doubt"
  `);
});

test("a narrow terminal of 40 columns keeps names and times", verifies("X6"), () => {
  expect(draw(40)).toMatchInlineSnapshot(`
    "brief  7f3k2m9q0x  0:21
     ✔ planner       {questions: [4 i…  0:03
     ⠹ research      9 of 10 done
       ├ ✔ 0/search  web.search · [1,…
       ├ ✔ 1/search  web.search · [1,…
       ├ ✔ 2/search  web.search · [1,…
       ├ ✔ 3/search  web.search · [1,…
       ├ ✔ 4/search  web.search · [1,…
       ├ ✔ 5/search  web.search · [1,…
       ├ ✔ 6/search  web.search · [1,…
       ├ ✔ 7/search  web.search · [1,…
       ├ ✔ 8/search  web.search · [1,…
       └ ◌ 9/search  attempt 2 in 0:0…
     ! publish       page.publish · i…  0:12
     ◌ sleep         until 2026-11-23…  0:10
     ✗ chart         STEP_FAILED: no…
     ⠹ draft         attempt 2 · read…  0:09
     ! answer: tutti settle page:tea done|n…
     1 agent · 10 calls · 48k tokens · $0.0…"
  `);
});

test("a wide terminal of 200 columns shows the results whole", verifies("X6"), () => {
  expect(draw(200)).toMatchInlineSnapshot(`
    "brief  7f3k2m9q0x  0:21
     ✔ planner       {questions: [4 items]} · conf 91%                                         0:03
     ⠹ research      9 of 10 done
       ├ ✔ 0/search  web.search · [1, 2]
       ├ ✔ 1/search  web.search · [1, 2]
       ├ ✔ 2/search  web.search · [1, 2]
       ├ ✔ 3/search  web.search · [1, 2]
       ├ ✔ 4/search  web.search · [1, 2]
       ├ ✔ 5/search  web.search · [1, 2]
       ├ ✔ 6/search  web.search · [1, 2]
       ├ ✔ 7/search  web.search · [1, 2]
       ├ ✔ 8/search  web.search · [1, 2]
       └ ◌ 9/search  attempt 2 in 0:03 · TOOL_UNAVAILABLE: search.example did not answer
     ! publish       page.publish · in doubt: the process died while it ran                    0:12
     ◌ sleep         until 2026-11-23 10:00 UTC                                                0:10
     ✗ chart         STEP_FAILED: no data
     ⠹ draft         attempt 2 · reading 3 sources                                             0:09
     ! answer: tutti settle page:tea done|not-done
     1 agent · 10 calls · 48k tokens · $0.0713 · 1 retry · 1 failed · 1 in doubt"
  `);
});

test("in a low terminal what needs a person and what is going on stay, the rest is counted", verifies("X6"), () => {
  expect(draw(80, 14)).toMatchInlineSnapshot(`
    "brief  7f3k2m9q0x  0:21
     ✔ planner       {questions: [4 items]} · conf 91%                          0:03
     ⠹ research      9 of 10 done
       ├ +6 done
       ├ ✔ 6/search  web.search · [1, 2]
       ├ ✔ 7/search  web.search · [1, 2]
       ├ ✔ 8/search  web.search · [1, 2]
       └ ◌ 9/search  attempt 2 in 0:03 · TOOL_UNAVAILABLE: search.example did…
     ! publish       page.publish · in doubt: the process died while it ran     0:12
     ◌ sleep         until 2026-11-23 10:00 UTC                                 0:10
     ✗ chart         STEP_FAILED: no data
     ⠹ draft         attempt 2 · reading 3 sources                              0:09
     ! answer: tutti settle page:tea done|not-done
     1 agent · 10 calls · 48k tokens · $0.0713 · 1 retry · 1 failed · 1 in doubt"
  `);
  expect(draw(80, 8)).toMatchInlineSnapshot(`
    "brief  7f3k2m9q0x  0:21
     +1 done, 1 running
     ! publish           page.publish · in doubt: the process died while it r…  0:12
     ◌ sleep             until 2026-11-23 10:00 UTC                             0:10
     ✗ chart             STEP_FAILED: no data
     ⠹ draft             attempt 2 · reading 3 sources                          0:09
     ! answer: tutti settle page:tea done|not-done
     1 agent · 10 calls · 48k tokens · $0.0713 · 1 retry · 1 failed · 1 in doubt"
  `);
});

test("a finished run shows its end", verifies("X6"), () => {
  const finished = toRunTree(
    toEntries([
      ...midway.slice(0, 3),
      {
        kind: "effect-shared",
        key: "/publish",
        body: {
          effect: toEffectKey("page:tea"),
          from: { run: toRunId("r1"), step: toStepKey("/publish") },
          out: { url: "https://tea" },
        },
      },
      { kind: "run-done", body: { out: { url: "https://tea" } } },
    ]),
  );
  expect(renderTree(finished, { width: 80, height: 40, color: false, now: 0 }).join("\n")).toMatchInlineSnapshot(`
    "brief  7f3k2m9q0x  done  0:05
     ✔ planner  {questions: [4 items]} · conf 91%      0:03
     ✔ publish  done by run r1 · {url: "https://tea"}
     1 agent · 1 call · 48k tokens · $0.0713 · 1 shared"
  `);
});

test("colour is added only where it is wanted, and changes no column", verifies("X6"), () => {
  const view = { width: 80, height: 40, now: sampleStart + 21_000, frame: 2 };
  const colored = renderTree(tree, { ...view, color: true });
  expect(colored.join("\n")).toContain("\u001B[");
  expect(colored.map((line) => toPlainLine(line).trimEnd())).toEqual(
    renderTree(tree, { ...view, color: false }).map((line) => line.trimEnd()),
  );
});

// What an agent might print: colours, cursor movements, titles, links, right-to-left marks, wide and combined characters, halves of them.
const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "\u001B[2J\u001B[Hgone",
    "\u001B]0;title\u0007x",
    "\u001B]8;;https://evil\u001B\\click\u001B]8;;\u001B\\",
    "\u009B31mred",
    "a\r\nb\u2028c",
    "\u202Egnp.exe",
    "日本語のテキスト",
    "👩‍👩‍👧‍👦🇩🇪é",
    "\uD83D",
    "\u001B",
  ),
);

function isHarmless(line: string): boolean {
  // oxlint-disable-next-line no-control-regex -- it looks for what must not be there
  return !/[\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069\u2028\u2029]/u.test(line);
}

test(
  "whatever names and texts a run holds, no line is wider and none more than the terminal, and no control character gets through",
  verifies("X6"),
  () => {
    const lines = fc.array(
      fc.record({ name: hostile, depth: fc.integer({ min: 0, max: 4 }), text: hostile, kind: fc.nat(4) }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 30 }), (items, width, height) => {
        const entries = toEntries([
          { kind: "run-started", body: { flow: "f", version: "1" } },
          ...items.map(({ name, depth, text, kind }): SampleLine => {
            const key = `${"/scope".repeat(depth)}/${name.replaceAll("/", "_")}`;
            if (kind === 0) return { kind: "step-done", key, body: { out: text } };
            if (kind === 1)
              return { kind: "step-failed", key, body: { error: { code: "STEP_FAILED", message: text } } };
            if (kind === 2) return { kind: "note-written", key, body: { text } };
            if (kind === 3) return { kind: "effect-in-doubt", key, body: { effect: toEffectKey(text), why: text } };
            return { kind: "agent-started", key, body: { agent: text, version: "1" } };
          }),
        ]);
        const drawn = renderTree(toRunTree(entries), {
          width,
          height,
          color: false,
          now: sampleStart,
          frame: 1,
          remark: items[0]?.text ?? "",
        });
        expect(drawn.length).toBeLessThanOrEqual(height);
        for (const line of drawn) {
          expect(toColumns(line)).toBeLessThanOrEqual(width);
          expect(isHarmless(line)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  },
);

test("every step is on the screen or counted, however low the terminal", verifies("X6"), () => {
  const shape = fc.array(fc.record({ path: fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }), state: fc.nat(2) }), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(shape, fc.integer({ min: 3, max: 40 }), (items, height) => {
      const entries = toEntries([
        { kind: "run-started", body: { flow: "f", version: "1" } },
        ...items.map(({ path, state }): SampleLine => {
          const key = `/${path.join("/")}`;
          return state === 0
            ? { kind: "step-done", key, body: {} }
            : state === 1
              ? { kind: "step-failed", key, body: { error } }
              : { kind: "agent-started", key, body: { agent: "a", version: "1" } };
        }),
      ]);
      const whole: RunTree = toRunTree(entries);
      const drawn = renderTree(whole, { width: 100, height, color: false, now: sampleStart });
      const outermost = drawn.filter((line) => /^ [▸◌!✔↶✗–] /u.test(line)).length;
      const counted = drawn.filter((line) => line.startsWith(" +")).flatMap((line) => [...line.matchAll(/\d+/gu)]);
      const hidden = counted.reduce((sum, match) => sum + Number(match[0]), 0);
      expect(outermost + hidden).toBe(whole.root.children.length);
    }),
    { numRuns: 300 },
  );
});

test("durations and cut texts read as people write them", () => {
  expect([0, 59_000, 61_000, 3_723_000, 273_600_000].map(toElapsed)).toEqual([
    "0:00",
    "0:59",
    "1:01",
    "1:02:03",
    "3d 4h",
  ]);
  expect(cutToColumns("日本語", 5)).toBe("日本…");
  expect(cutToColumns("abc", 0)).toBe("");
});

test("a watched run shows the newest thing that a person wanted of it", verifies("G5"), () => {
  const steered = toRunTree(
    toEntries([
      { kind: "run-started", body: { flow: "brief", version: "1" } },
      { kind: "directive-given", body: { version: 1, kind: "goal", by: "ada", text: "Apples" } },
      { kind: "directive-given", body: { version: 2, kind: "stop", by: "bob", reason: "enough" } },
    ]),
  );
  const view = { width: 80, height: 40, now: sampleStart, color: false };
  expect(renderTree(steered, { ...view, frame: 1 })[1]).toBe(" bob stopped the run (enough)");
  expect(renderTree(steered, view).join("\n")).not.toContain("bob");
});
