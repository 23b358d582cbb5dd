import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { toProject } from "./read-project.ts";
import { findAll } from "./rules.ts";
import { parseSource } from "./source-file.ts";

const head = `import { agent, flow, openTutti, tool, type Run } from "tutti";\nimport { z } from "zod";\n`;

function look(text: string, isWhole = false): readonly string[] {
  const files = [parseSource("flows.ts", `${head}${text}`)];
  return findAll(toProject(files, { isWhole, hasBudgets: false, hasPolicy: false, callables: [] })).map(
    ({ rule }) => rule,
  );
}

const inFlow = (body: string, more = ""): string =>
  `${more}\nexport const job = flow({ name: "job", input: z.object({}), output: z.object({}), run: async (run: Run, input) => {\n${body}\n} });`;
const toolOf = (parts: string): string =>
  `export const send = tool({ name: "send", does: "Sends.", input: z.object({ to: z.string() }), output: z.object({}), ${parts} });`;
const agentOf = (parts: string): string =>
  `const writer = agent({ name: "writer", does: "Writes.", input: z.object({}), output: z.object({}), instructions: "Write.", ${parts} });`;

interface Case {
  readonly rule: string;
  readonly faults: readonly string[];
  /** What looks like it and is right. */
  readonly nearMisses: readonly string[];
  readonly isWhole?: boolean;
}

const key = "key: ({ to }) => to";
const check = "check: async () => undefined";
const post = 'fetch(url, { method: "POST"';
const all = (writes: string): string =>
  `const stock = tool({ name: "stock", effect: "local", writes: ["stock"], run: () => ({}) });
   const count = tool({ name: "count", effect: "read", ${writes}, run: () => ({}) });
   ${inFlow(`await run.all({ a: (run) => run.call(stock, {}), b: (run) => run.call(count, {}) });`)}`;

const cases: readonly Case[] = [
  {
    rule: "once-without-key",
    faults: [toolOf('effect: "once", run: () => ({})'), toolOf(`effect: "once", ${check}, run() { return {}; }`)],
    nearMisses: [
      toolOf(`effect: "once", ${key}, ${check}, run: () => ({})`),
      toolOf('effect: "local", run: () => ({})'),
      toolOf('...safe, effect: "once", run: () => ({})'),
      `import { tool as other } from "elsewhere"; other({ name: "send", effect: "once", run: () => ({}) });`,
    ],
  },
  {
    rule: "once-without-check",
    faults: [toolOf(`effect: "once", ${key}, run: () => ({})`)],
    nearMisses: [
      toolOf(`effect: "once", ${key}, ${check}, run: () => ({})`),
      toolOf(`effect: "once", ${key}, check({ to }) { return find(to); }, run: () => ({})`),
      toolOf('effect: "idempotent", run: () => ({})'),
    ],
  },
  {
    rule: "idempotent-without-key",
    faults: [
      toolOf(`effect: "idempotent", run: ({ to }, { signal }) => ${post}, signal })`),
      toolOf(`effect: "idempotent", run: ({ to }) => client.customers.create({ to })`),
    ],
    nearMisses: [
      toolOf(
        `effect: "idempotent", run: (_, { idempotencyKey }) => ${post}, headers: { "idempotency-key": idempotencyKey } })`,
      ),
      toolOf(`effect: "idempotent", run: (input, host) => sendWith(input, host)`),
      toolOf(`effect: "idempotent", run: ({ to }, { signal }) => fetch(url, { method: "PUT", signal })`),
      toolOf(`effect: "read", run: ({ to }) => ${post} })`),
      toolOf(`effect: "idempotent", run: (input, host) => ${post}, headers: { key: host.idempotencyKey } })`),
      toolOf(`effect: "idempotent", run: ({ to }) => Object.create({ to })`).replace("Object.create", "create"),
    ],
  },
  {
    rule: "branches-collide",
    faults: [all('reads: ["stock"]'), all('writes: ["stock"]')],
    nearMisses: [all('reads: ["orders"]'), all("").replace(", ,", ",")],
  },
  {
    rule: "not-durable",
    faults: [
      inFlow("const page = await fetch(url);"),
      inFlow("const at = Date.now();"),
      inFlow("const id = Math.random();"),
      inFlow("const day = new Date();"),
      inFlow("await new Promise((resolve) => setTimeout(resolve, 10));"),
      inFlow("await gather(run);", "async function gather(part: Run) { return part.note(String(Date.now())); }"),
      inFlow("await setTimeout(10);", 'import { setTimeout } from "node:timers/promises";'),
      inFlow("const id = randomUUID();", 'import { randomUUID } from "node:crypto";'),
      inFlow("await run.map([1], async (branch) => { await branch.sleep(Math.random()); });"),
    ],
    nearMisses: [
      inFlow('const page = await run.step("fetch", async () => (await fetch(url)).text());'),
      inFlow('await run.step("at", () => Date.now()); const day = new Date(run.now());'),
      inFlow("await run.sleep(10); run.random(); run.uuid();"),
      inFlow("await run.call(send, {});", toolOf('effect: "read", run: () => fetch(url)')),
      inFlow("return toText();", "function toText() { return String(Date.now()); }"),
      inFlow("const load = async (fetch) => fetch(run); return load(page);"),
      inFlow("await fetch(run, url);", "async function fetch(run, url) { return run.call(page, { url }); }"),
      inFlow("const made = tool({ name: 'x', effect: 'read', run: () => Date.now() }); await run.call(made, {});"),
    ],
  },
  {
    rule: "endless-loop",
    faults: [
      inFlow("while (true) { const answer = await run.call(writer, {}); if (answer.ok) break; }"),
      inFlow("for (;;) { const answer = await run.call(writer, {}); if (answer.ok) return answer; }"),
      inFlow("let ok = false; while (!ok) { ok = (await run.call(writer, {})).ok; }"),
    ],
    nearMisses: [
      inFlow("for (let round = 1; round <= 3; round++) { await run.call(writer, {}); }"),
      inFlow("let left = 3; while (left > 0) { left -= 1; await run.call(writer, {}); }"),
      inFlow("while (true) { await run.wait(order, { timeoutMs: 1_000 }); await run.call(writer, {}); }"),
      inFlow("while (queue.length > 0) { await run.call(writer, queue.shift()); }"),
      inFlow("for (const item of items) { await run.call(writer, item); }"),
      inFlow("while (true) { if (text.includes('x')) break; }"),
    ],
  },
  {
    rule: "fan-out-without-concurrency",
    faults: [
      inFlow("await run.map(items, (branch, item) => branch.call(writer, item));"),
      inFlow("await run.map(items, work, { name: 'all' });"),
    ],
    nearMisses: [
      inFlow("await run.map(items, work, { concurrency: 4, need: 'all' });"),
      inFlow("await run.map(['a', 'b'], work);"),
      inFlow("await run.map(items, work, limits);"),
      inFlow("items.map((item) => item.name);"),
    ],
  },
  {
    rule: "fan-out-without-need",
    faults: [inFlow("await run.map(items, work, { concurrency: 4 });")],
    nearMisses: [
      inFlow("await run.map(items, work, { concurrency: 4, need: 'any' });"),
      inFlow("await run.map(items, work, { ...limits, concurrency: 2 });"),
    ],
  },
  {
    rule: "bare-promise-all",
    faults: [inFlow("await Promise.all(items.map((item) => run.call(writer, item)));")],
    nearMisses: [
      inFlow("await Promise.all([run.call(writer, {}), run.call(reader, {})]);"),
      inFlow("await Promise.all(items.map((item) => toText(item)));"),
      inFlow('await run.step("all", () => Promise.all(items.map((item) => read(item))));'),
    ],
  },
  {
    rule: "wait-without-deadline",
    faults: [inFlow("await run.wait(approved);"), inFlow("await run.wait(orders, { key: 'a' });")],
    nearMisses: [
      inFlow("await run.wait(approved, { timeoutMs: 1_000 });"),
      inFlow("await run.wait(approved, options);"),
      inFlow("await run.race({ yes: (branch) => branch.wait(approved), late: (branch) => branch.sleep(1_000) });"),
      inFlow("await queue.wait(approved);"),
    ],
  },
  {
    rule: "empty-not-handled",
    faults: [
      inFlow("const { hits } = await run.call(search, {}); return hits[0].url;"),
      inFlow("const found = await run.call(search, {}); return found.hits[0]!.url;"),
    ],
    nearMisses: [
      inFlow("const { hits } = await run.call(search, {}); if (hits.length === 0) return {}; return hits[0].url;"),
      inFlow("const { hits } = await run.call(search, {}); return hits[0]?.url;"),
      inFlow("const { hits } = await run.call(search, {}); const first = hits[0]; if (first) return hits[0].url;"),
      inFlow("const { hits } = await run.call(search, {}); if (!hits[0]) return {}; return hits[0].url;"),
      inFlow("const pair = [1, 2]; return pair[0].toFixed();"),
    ],
  },
  {
    rule: "tool-without-deadline",
    faults: [toolOf('effect: "read", run: async ({ to }, { signal }) => (await fetch(to, { signal })).json()')],
    nearMisses: [
      toolOf('effect: "read", timeoutMs: 10_000, run: ({ to }) => fetch(to)'),
      toolOf('effect: "read", run: ({ to }) => fetch(to, { signal: AbortSignal.timeout(1_000) })'),
      toolOf('effect: "read", run: ({ to }) => to.length'),
      toolOf('...limits, effect: "read", run: ({ to }) => fetch(to)'),
    ],
  },
  {
    rule: "endless-retries",
    faults: [
      toolOf('effect: "read", retry: { attemptsMax: 1000 }, run: () => ({})'),
      inFlow("await run.call(writer, {}, { retry: { attemptsMax: Infinity } });"),
    ],
    nearMisses: [
      toolOf('effect: "read", retry: { attemptsMax: 5 }, run: () => ({})'),
      "const retry = { attemptsMax: 100 };",
    ],
  },
  {
    rule: "no-budget",
    isWhole: true,
    faults: [`${agentOf('model: "fast"')}\n${inFlow("await run.call(writer, {});")}`],
    nearMisses: [
      `${agentOf('model: "fast", costMaxUsd: 1')}\n${inFlow("await run.call(writer, {});")}`,
      `${agentOf('model: "fast"')}\n${inFlow("await run.call(writer, {});")}\nexport const budgets = { "run/*": { usd: 1 } };`,
      inFlow("run.note('no agent');"),
    ],
  },
  {
    rule: "agent-without-limits",
    faults: [
      `${toolOf(`effect: "once", ${key}, ${check}, run: () => ({})`)}\n${agentOf('model: "fast", tools: [send]')}`,
    ],
    nearMisses: [
      `${toolOf(`effect: "once", ${key}, ${check}, run: () => ({})`)}\n${agentOf('model: "fast", turnsMax: 4, tools: [send]')}`,
      `${toolOf('effect: "read", run: () => ({})')}\n${agentOf('model: "fast", tools: [send]')}`,
    ],
  },
  {
    rule: "no-policy",
    isWhole: true,
    faults: [`${toolOf('effect: "once", run: () => ({})')}\n${agentOf('model: "fast", tools: [send]')}`],
    nearMisses: [
      `${toolOf('effect: "read", run: () => ({})')}\n${agentOf('model: "fast", tools: [send]')}`,
      `${toolOf('effect: "once", run: () => ({})')}\n${agentOf('model: "fast", tools: [send]')}\nawait openTutti({ flows: [], policy });`,
    ],
  },
  {
    rule: "model-by-vendor",
    faults: [agentOf('model: "gpt-5-mini"'), agentOf('model: "anthropic/claude-sonnet-4-5"')],
    nearMisses: [agentOf('model: "fast"'), agentOf('model: "o"'), agentOf("model: tier")],
  },
  {
    rule: "agent-nobody-calls",
    isWhole: true,
    faults: [agentOf('model: "fast"')],
    nearMisses: [
      `${agentOf('model: "fast"')}\n${inFlow("await run.call(writer, {});")}`,
      `export ${agentOf('model: "fast"')}\nexport const crew = { writer };`,
    ],
  },
  {
    rule: "secret-in-code",
    faults: [
      `const key = "sk-ant-${"aZ4".repeat(12)}";`,
      `const key = \`Bearer ghp_${"b7Q".repeat(13)}\`;`,
      'const url = "postgres://app:s3cr3tPw9@db.internal/app";',
    ],
    nearMisses: [
      'const key = "sk-your-key-goes-here-please";',
      'const key = process.env["PROVIDER_KEY"];',
      'const url = "postgres://app:password@localhost/app";',
      "const url = `postgres://app:${word}@localhost/app`;",
      'const kind = "sk-short";',
    ],
  },
  {
    rule: "error-swallowed",
    faults: [
      inFlow("try { await run.call(writer, {}); } catch {}"),
      inFlow("await run.call(writer, {}).catch(() => {});"),
    ],
    nearMisses: [
      inFlow("try { await run.call(writer, {}); } catch (error) { run.note(String(error)); }"),
      inFlow("try { await run.call(writer, {}); } catch { /* a missing draft is an empty one */ }"),
      inFlow("const text = await run.call(writer, {}).catch(() => fallback);"),
      inFlow("try { JSON.parse(text); } catch {}"),
      inFlow("await cleanUp().catch(() => {});"),
      inFlow("try { await cleanUp(); } catch {}"),
    ],
  },
  {
    rule: "ledger-is-temporary",
    faults: [
      'const tutti = await openTutti({ flows: [], ledger: "/tmp/ledger.db" });',
      'const tutti = await openTutti({ flows: [], ledger: join(tmpdir(), "ledger.db") });',
    ],
    nearMisses: [
      'const tutti = await openTutti({ flows: [], ledger: "data/tmp/ledger.db" });',
      "const tutti = await openTutti({ flows: [] });",
    ],
  },
  {
    rule: "effects-without-power",
    faults: [
      `${toolOf(`effect: "once", ${key}, ${check}, run: () => ({})`)}\nawait openTutti({ flows: [], durability: "process" });`,
    ],
    nearMisses: [
      `${toolOf('effect: "read", run: () => ({})')}\nawait openTutti({ flows: [], durability: "process" });`,
      `${toolOf(`effect: "once", ${key}, ${check}, run: () => ({})`)}\nawait openTutti({ flows: [], durability: "power" });`,
    ],
  },
];

for (const { rule, faults, nearMisses, isWhole } of cases) {
  test.for(faults)(`${rule} is found: %s`, verifies("X5"), (text) => {
    expect(look(text, isWhole)).toContain(rule);
  });
  test.for(nearMisses)(`${rule} is not said of what only looks like it: %s`, verifies("X5"), (text) => {
    expect(look(text, isWhole)).not.toContain(rule);
  });
}

test("a finding says where, how bad, why and what to paste, and the worst come first", () => {
  const file = parseSource("flows/job.ts", `${head}${inFlow("await run.wait(go);\nconst at = Date.now();")}`);
  const found = findAll(toProject([file], { isWhole: true, hasBudgets: false, hasPolicy: false, callables: [] }));
  expect(found.map(({ rule, severity, path, line }) => [rule, severity, path, line])).toEqual([
    ["not-durable", "error", "flows/job.ts", 6],
    ["wait-without-deadline", "advice", "flows/job.ts", 5],
  ]);
  expect(found[0]).toMatchObject({ fix: "run.now()", why: expect.stringMatching(/\.$/) });
});

test("what was found of a secret is not said", () => {
  const secret = `sk-ant-${"aZ4".repeat(12)}`;
  const found = findAll(
    toProject([parseSource("a.ts", `const key = "${secret}";`)], {
      isWhole: true,
      hasBudgets: false,
      hasPolicy: false,
      callables: [],
    }),
  );
  expect(found).toHaveLength(1);
  expect(JSON.stringify(found)).not.toContain("aZ4");
});

test("every rule is on the page for users", () => {
  const page = readFileSync(new URL("../../../../../docs/doctor.md", import.meta.url), "utf8");
  expect(cases.filter(({ rule }) => !page.includes(`\`${rule}\``))).toEqual([]);
});
