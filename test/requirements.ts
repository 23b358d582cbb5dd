/** One promise to a user. */
export interface Requirement {
  readonly id: string;
  readonly promise: string;
  /** No comparable system has this today: here Tutti must be clearly first. */
  readonly first: boolean;
  /** Which part of the promise is the new one, where it is not the whole of it. */
  readonly firstIn?: string;
}

// A line is an id, the promise, and `✦` where it is new, followed by the part that is.
const table = `
# Durability and failure
D1 A run survives the death of its process at any instant and goes on where it was, by itself, when a worker is up again.
D2 A finished step is never run again on recovery: not in sequence, not in parallel branches, not inside an agent's turn (a paid model call is never paid twice). ✦ same-named steps in native Promise.all branches
D3 A side effect happens at most once per key. A crash between doing and recording becomes an explicit in-doubt state that is resolved by asking the tool, or a person. Never silently repeated, never silently lost. ✦
D4 Two agents, or two runs, that decide on the same action share one effect; the second gets the first's result and the ledger says so. ✦
D5 Retries with exponential backoff and jitter; attempts are durable; exactly one layer owns them, so they never multiply.
D6 Rollback: completed effects that declare an undo are undone in reverse order when a flow fails, itself durable and retried.
D7 Timeouts, circuit breakers, bulkheads, rate limits per tool and provider; their state survives restarts and is shared by workers.
D8 Re-route on failure and on an empty result: another query, tool, provider or agent, then a person.
D9 Durable timers, schedules (cron) and waits of any length cost nothing while they wait.
D10 The state of any run can be asked at any point, while it runs and after.
D11 Cancel, pause, resume; cancelling reaches children and running calls.
D12 Fork a run at any step, with an edited result or input; unchanged steps are reused; effects are not repeated.
D13 New code meets old runs safely: a run is pinned to its flow version or patched; divergence is detected exactly and parks the run; upgrade check replays every open run against new code before a deploy. ✦ the check
D14 Storage grows linearly with the work (≤ 2.5× the payload); large values are stored once, by content hash.
D15 The same trigger delivered twice starts one run (deduplication by key and window).
D16 Beyond one machine the same flows run on Temporal with the ledger in PostgreSQL; a worker's death moves its runs to another.
D17 Child runs, and waiting for them.

# Coordination
C1 Sequence: typed output of one agent is the typed input of the next, checked at the hand-over.
C2 Parallel branches, joined, with a declared policy: all, any, quorum of n, best effort; siblings kept, cancelled or undone; what if one succeeds and two fail is answered by the declaration. ✦
C3 Map over a list with a concurrency limit; race; loops until a condition; conditions and cycles.
C4 A supervisor agent decomposes a goal into tasks, assigns them to the best-suited agents, watches, and synthesises one result.
C5 Planning by a model: a validated task graph, executed with the most parallelism that its dependencies allow; re-planned on failure, empty result, low confidence, stall or new information; a person can edit the plan.
C6 Several tiers: a team is itself callable, so supervisors supervise supervisors.
C7 Hand-off between peers without a central coordinator, with the context that the receiver needs and no more; ping-pong is detected and stopped.
C8 Negotiated claiming: open work is announced, agents bid by capability, cost and load, one gets a lease, nobody does it twice. ✦
C9 Event-driven: agents and flows react to typed events; correlation, filters, debounce, deduplication; two reactions to one trigger do not collide.
C10 Federation: agents of another organisation are members of a team; only declared fields cross the border.
C11 Agents and sub-tasks can be spawned at run time.
C12 Whether consumers of an output may run in parallel follows from what tools and agents declare that they read and write. ✦
C13 Conflicting outputs are reconciled by a declared rule: vote, weighted vote, judge, debate, merge, or escalate; dissent is kept. ✦ as a primitive
C14 Peer review: one agent checks another's work before it moves on, with a bounded revise loop.
C15 Routing by declared capability, availability, cost and past success, not by hard-wired name only.
C16 Coordination context in prompts: objective, what others can do, hand-off rules, what evidence suffices, when to escalate; written once, added for every agent.
C17 Resources: concurrency slots, priorities and quotas per tenant, flow, agent and provider.

# Shared state and memory
S1 Shared, versioned documents across agents and runs.
S2 An agent never acts on stale data: reads are recorded, validated at commit and before an effect; per key: merge, refresh, re-run, lease, escalate. ✦
S3 Several documents change together or not at all.
S4 Long-term memory: facts with source, validity, labels; recalled into context; forgotten on request.
S5 Artifacts (files, images, reports) stored by content hash with provenance.

# Capabilities
K1 One registry of tools; agents see only the few that fit: 200 tools cost under 2,000 tokens of description, not 15,000–40,000.
K2 Search, fetch, run code, generate image, generate video, store, publish: one interface, one configuration, one command line.
K3 Several providers behind a capability; failover only when the first certainly had no effect.
K4 One closed error vocabulary, each error saying what to do next and whether an effect happened.
K5 Code runs in a sandbox: no files, no network, bounded time and memory.

# Governance: people lead
G1 Provenance: for every output, which agent, version, model, prompt, inputs, policy and person led to it.
G2 Guardrails on inputs and outputs at every hand-over: schema, semantic checks, personal data, injected instructions.
G3 Policy as code decides every action: allow, deny, or needs approval; deny on any error; replayable over history. ✦ replay
G4 Approvals carry a recommendation, reasons, alternatives, evidence, risk, deadline; bound to the exact arguments, code version and state read; single use; anything else fails closed. ✦
G5 People set objectives and constraints, and change direction mid-run; no step goes on under an old directive. ✦ as one mechanism with S2
G6 Autonomy in levels per agent and kind of action, earned by evidence, withdrawn automatically.
G7 Escalation ladders: deadlines, delegates, several approvers, separation of duties.
G8 Every override is kept as a labelled example, shown as precedent, exported as a data set.
G9 Every agent has an identity and short-lived, narrow permissions; delegation only narrows.
G10 Secrets never reach a prompt, the ledger or a log.
G11 Budgets of money, tokens, calls and time per tenant, run and agent, reserved before spending, never exceeded by parallel work. ✦
G12 The ledger is the audit trail: tamper-evident, verified offline by a small independent program.
G13 A person can ask why, and a regulator can get a self-contained evidence bundle for a run.
G14 Freeze: one command stops an agent, a run or everything, with no further effect.
G15 A share of final outputs is sampled for human review, so that plausible but wrong results are found.
G16 Data keeps labels (trusted? personal? whose?); a labelled value cannot reach a forbidden sink, whatever a prompt says.

# Observability
O1 Every agent action, tool call, message, decision and state change is recorded once, with its cause.
O2 Decision graph: what was chosen, what else was possible, on what evidence. ✦
O3 A confidence at every decision, calibrated against outcomes, honest about too little evidence. ✦
O4 Uncertainty travels: a result's confidence reflects the confidence of what it was built from. ✦
O5 Messages between agents are first-class: who told whom what, who read it, what it changed.
O6 why: from any output back through the steps, data, messages, policies and people that caused it. ✦
O7 Attribution: which agent most likely caused a failure, top three suspects with reasons, and a priced what-if.
O8 Drift: behaviour that changes over time is detected and tied to the version change that preceded it.
O9 Cost, tokens, latency, success per agent, tool, flow and tenant.
O10 Traces leave as standard OTLP for LangSmith, W&B Weave, Langfuse, Phoenix and any collector; metrics for Prometheus; alerts by webhook.
O11 The console: see, understand, decide, steer; live; on 20,000-step runs too.
O12 Audit of other systems: traces of LangGraph, CrewAI, AutoGen and others are read and hidden coordination failures found (duplicates, lost updates, races, stale reads, orphans, retry storms, ping-pong, silent empties). ✦

# Models
M1 Tiers (fast, balanced, deep) configured once; an agent names a tier, not a vendor.
M2 Routing by task, budget and confidence; cascade: cheap first, stronger when unsure.
M3 Any provider of the AI SDK; provider failover; local models.
M4 Tokens and cost counted once and correctly, per call, agent, run.
M5 Identical requests inside a run are not paid twice where the caller allows it.

# Protocols and other frameworks
P1 Agents find each other through a registry of signed cards, local and remote.
P2 Contracts: every tool and agent states invocation conditions, guarantees and failure modes; they travel in MCP and A2A and are enforced on call. ✦
P3 MCP client: tools of any server (stdio, HTTP; current and older revisions).
P4 MCP server: flows and agents as tools, a durable run as a task, an approval as an elicitation. ✦
P5 A2A server and client on the durable engine: same message id, same task; recovery after a crash. ✦
P6 A team can be used as a model (OpenAI-compatible endpoint), from an AI SDK or AG-UI front end.
P7 Agents of LangGraph, CrewAI, AutoGen / Microsoft Agent Framework, OpenAI Agents, Mastra, Pydantic AI, Haystack, DSPy and coding agents (ACP) are members of a team; managed agents (Bedrock, Vertex, Azure, Agentforce, Copilot Studio, watsonx) over A2A or their API.
P8 Next.js: a client and React hooks; runs stream to the page and survive reloads.

# For the people who build with it
X1 First result within a minute of cloning or installing: no key, no account, no container.
X2 Flows are ordinary async functions: no compiler, no directives, no glue between steps, types inferred.
X3 Test kit: scripted models, recorded calls, manual clock, crash at every step, injected faults, contract tests between agents. ✦ crash kit
X4 A flow can be drawn before it runs: inputs, outputs, decision points, hand-offs.
X5 doctor looks at a project: says honestly when no orchestration is needed, and what is missing for production when it is.
X6 Command line with live progress, plain output in pipes, JSON for machines, meaningful exit codes.
X7 An example for every pattern, each a program that checks its own result.
X8 Light: the core installs in under 30 MB.
`;

/** Every promise Tutti makes. A test that proves one says so with `verifies`; `npm run requirements` shows what nothing proves yet. */
export const requirements: readonly Requirement[] = table
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map(toRequirement);

/** Promises of which only a part is built: what is missing. Their tests prove the rest, so nobody should read them as kept. */
export const missingById: Readonly<Record<string, string>> = {
  G10: "values in parts, compressed or encrypted; what a program prints by itself outside the command line",
  O11: "foreign traces in the console",
  P2: "contracts of our own MCP server, and contracts in A2A",
  P8: "React hooks and helpers for Next.js; the client and its stream are there",
};

function toRequirement(line: string): Requirement {
  const match = /^([A-Z]\d+) ([^✦]+?)(?: (✦) ?(.*))?$/.exec(line);
  const [, id, promise, star, firstIn] = match ?? [];
  if (id === undefined || promise === undefined) throw new Error(`not a promise: ${line}`);
  return { id, promise, first: star !== undefined, ...(firstIn ? { firstIn } : {}) };
}
