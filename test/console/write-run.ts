import { toRunId } from "../../packages/tutti/src/contracts/ids.ts";
import type { Ledger, NewEntry, RunLog } from "../../packages/tutti/src/ledger/ledger.ts";

/* Runs as a ledger holds them, of any length, with everything in them that a screen shows: agents side by side, questions, tools, retries,
   failures, decisions, votes, messages. Written without an engine, so that 2,000 steps take a moment. */

export interface WrittenRun {
  readonly id: string;
  readonly flow?: string;
  readonly steps: number;
  /** `open`: it has no end, and its last round is at work. */
  readonly end: "done" | "failed" | "open";
  /** What agents say; text of agents is never to be trusted. */
  readonly says?: string;
}

/** Writes it; resolves with its log, for whoever wants to write on. */
export async function writeRun(ledger: Ledger, run: WrittenRun): Promise<RunLog> {
  const { id, flow = "competitive-report", steps, end, says } = run;
  const body = JSON.stringify({ flow, version: "3", input: { topic: "electric vans in Europe", depth: steps } });
  const started = await ledger.start({ id: toRunId(id), flow, version: "3", body });
  if (started.kind !== "started") throw new Error(`there is a run ${id}`);
  const { log } = started.claim;
  const entries: NewEntry[] = [];
  for (let round = 0; entries.length < steps; round++) entries.push(...toRound(round, says));
  entries.length = Math.min(entries.length, Math.max(steps, 1));
  if (end === "done")
    entries.push({
      kind: "run-done",
      key: "",
      body: toBody({ out: { url: "https://example.org/vans" } }),
      status: "done",
    });
  if (end === "failed")
    entries.push({
      kind: "run-failed",
      key: "",
      body: toBody({
        error: { code: "TOOL_FAILED", message: "the page could not be published", hint: "Publish again." },
      }),
      status: "failed",
    });
  await Promise.all(entries.map((entry) => log.append(entry)));
  return log;
}

const branches = ["pricing", "range", "service", "policy"] as const;
const nth = (name: string, round: number): string => (round === 0 ? name : `${name}#${round + 1}`);
const toBody = (body: unknown): string => JSON.stringify(body);

/** Plan, four researchers side by side, a draft, a vote, and what is published: about sixty entries. */
export function toRound(round: number, says = ""): readonly NewEntry[] {
  const sure = (step: number): number => [0.91, 0.83, 0.47, 0.68, 0.88, 0.72][(round * 5 + step) % 6] ?? 0.5;
  const plan = `/${nth("plan", round)}`;
  const research = `/${nth("research", round)}`;
  const draft = `/${nth("draft", round)}`;
  const review = `/${nth("review", round)}`;
  const publish = `/${nth("publish", round)}`;
  const entries: NewEntry[] = [...toAgent({ path: plan, agent: "planner", uses: [], sure: sure(0), says, tools: [] })];
  const parts = branches.map((branch, index) =>
    toAgent({
      path: `${research}/${branch}/researcher`,
      agent: index % 2 === 0 ? "researcher" : "analyst",
      uses: [plan],
      sure: sure(index + 1),
      says,
      tools: ["web.search", "web.read", index === 2 ? "db.query" : "web.read"],
    }),
  );
  for (let at = 0; parts.some((part) => at < part.length); at++) {
    for (const part of parts) entries.push(...part.slice(at, at + 1));
  }
  entries.push({ kind: "scope-closed", key: research, body: toBody({ out: { findings: branches.length } }) });
  const findings = branches.map((branch) => `${research}/${branch}/researcher`);
  entries.push(...toAgent({ path: draft, agent: "writer", uses: findings, sure: sure(5), says, tools: [] }));
  entries.push({
    kind: "message-sent",
    key: `${draft}/message`,
    body: toBody({
      from: "writer",
      to: "reviewer",
      intent: `please check the prices ${says}`,
      bytes: 2_140,
      readBy: review,
    }),
  });
  entries.push(...toAgent({ path: review, agent: "reviewer", uses: [draft], sure: sure(2), says, tools: [] }));
  entries.push(...toVerdict(review, { draft, says, sure: sure(3) }));
  const url = { url: "https://example.org/vans" };
  entries.push({
    kind: "step-done",
    key: publish,
    body: toBody({ call: "page.check", effect: "read", out: url, uses: [review] }),
  });
  return entries;
}

interface Verdict {
  readonly draft: string;
  readonly says: string;
  readonly sure: number;
}

/** A decision with what was not taken, and a vote with somebody against it. */
function toVerdict(review: string, { draft, says, sure }: Verdict): readonly NewEntry[] {
  return [
    {
      kind: "decision-made",
      key: `${review}/decision`,
      body: toBody({
        about: "which draft to publish",
        chosen: `draft B ${says}`,
        why: "it names its sources and has no claim without a quote",
        alternatives: [
          { name: "draft A", why: "two prices without a source", score: 0.61 },
          { name: "abstain", why: "the deadline is today", score: 0.12 },
        ],
        confidence: { value: sure, source: "agreement" },
      }),
    },
    {
      kind: "votes-counted",
      key: `${review}/votes`,
      body: toBody({
        rule: "majority of 3",
        outcome: "agreed",
        votes: [
          { voter: "reviewer", step: review, family: "a", weight: 1, agrees: true, reason: "sources hold" },
          { voter: "analyst", step: draft, family: "b", weight: 0.8, agrees: false, reason: "range figures are old" },
        ],
        silent: [{ voter: "planner", code: "MODEL_REFUSED" }],
        confidence: { value: 0.67, source: "agreement" },
      }),
    },
  ];
}

interface WrittenAgent {
  readonly path: string;
  readonly agent: string;
  readonly uses: readonly string[];
  readonly sure: number;
  readonly says: string;
  readonly tools: readonly string[];
}

function toAgent({ path, agent, uses, sure, says, tools }: WrittenAgent): readonly NewEntry[] {
  const usage = { modelCalls: 1, inputTokens: 1_240, outputTokens: 180, costUsd: 0.0042 };
  const reply = {
    text: `Looked at ${path} ${says}`,
    toolCalls: tools.map((tool) => ({ tool })),
    usage,
    model: "scripted/fast",
  };
  const entries: NewEntry[] = [
    { kind: "agent-started", key: path, body: toBody({ agent, version: "3", uses }) },
    { kind: "step-done", key: `${path}/model`, body: toBody({ out: reply, usage }) },
  ];
  tools.forEach((tool, index) => {
    const key = `${path}/${tool}${tools.indexOf(tool) < index ? "#2" : ""}`;
    if (tool === "db.query")
      entries.push({
        kind: "attempt-failed",
        key,
        body: toBody({ attempt: 1, error: { code: "TOOL_FAILED", message: "the database took too long" }, nextAt: 0 }),
      });
    entries.push({
      kind: "step-done",
      key,
      body: toBody({ call: tool, effect: "read", out: { hits: [`12 prices ${says}`] }, uses: [`${path}/model`] }),
    });
  });
  entries.push({ kind: "step-done", key: `${path}/model#2`, body: toBody({ out: reply, usage }) });
  entries.push({
    kind: "scope-closed",
    key: path,
    body: toBody({
      agent: `${agent}@3`,
      out: { findings: [`Vans cost less to run than in 2024. ${says}`] },
      usage: { modelCalls: 2, inputTokens: 2_480, outputTokens: 360, costUsd: 0.0084 },
      confidence: { value: sure, source: "check" },
    }),
  });
  return entries;
}
