import { TuttiError } from "../base/errors.ts";
import { findBudgetProblem, type Budget } from "../contracts/budget.ts";
import type { ActHost, DocumentAccess, ToldPiece, Tool } from "../contracts/callable.ts";
import type { StepKey } from "../contracts/ids.ts";
import type { Result } from "../contracts/outcome.ts";
import type { Agent, CallOptions, Callable, Run } from "../contracts/run.ts";
import { parseWith } from "../contracts/schema.ts";
import { injectionRisk } from "../guardrails/injection-risk.ts";
import { openAcceptor, type Acceptor } from "./acceptance.ts";
import { findLimited, openGuard } from "./admission.ts";
import { admitModel } from "./admit-model.ts";
import type { AttemptHost } from "./attempts.ts";
import { toCallLevels } from "./budget-levels.ts";
import { startChild } from "./child.ts";
import { checkNeeds, ensure } from "./conditions.ts";
import { directModel } from "./directed-model.ts";
import { callDocumentTool } from "./document-tool-call.ts";
import type { Driver } from "./driver.ts";
import { callEffect } from "./effect-call.ts";
import { digestOf, digestOfChild, effectKeyOf } from "./effect-key.ts";
import { toToolHost } from "./effect-outcome.ts";
import { governModel } from "./govern/govern-model.ts";
import { toAdmission } from "./govern/govern-step.ts";
import { isLimited, refuseActor, refuseUngranted } from "./govern/grants.ts";
import { conditionLimits } from "./in-time.ts";
import { clearLabels, joinLabels, labelsOf, learn, raiseRisk, release, riskAt, toBroughtIn } from "./labels.ts";
import type { toActed } from "./recorded.ts";
import type { Pending, Scope } from "./scope.ts";
import { runScoped } from "./scoped.ts";
import { runStep, toBlobs, type Called } from "./step.ts";
import { toBody, toStoredValue } from "./stored-value.ts";

/** Makes the handle that an agent's steps are written against. */
export type OpenRun = (driver: Driver, scope: Scope) => Run;

export interface CallRequest {
  readonly scope: Scope;
  readonly callable: Callable;
  readonly input: unknown;
  readonly options: CallOptions;
  readonly openRun: OpenRun;
}

/** Calls a tool, an agent or a flow: input checked, one durable unit, output checked. */
export function callCallable(driver: Driver, request: CallRequest): Promise<Result<unknown>> {
  const { scope, callable, options } = request;
  const key = driver.enter(scope, options.name ?? callable.name, `run.call(${callable.name})`);
  if (key === undefined) return new Promise<never>(() => {});
  return call(driver, request, key);
}

async function call(driver: Driver, request: CallRequest, key: StepKey): Promise<Result<unknown>> {
  const { callable, options } = request;
  if (options.budget !== undefined) refuseBudget(key, options.budget);
  const edit = driver.history.started.edits?.[key];
  const given = edit !== undefined && "input" in edit ? edit.input : request.input;
  const parsed = parseWith(callable.input, given, { code: "INPUT_INVALID", what: `the input of ${callable.name}` });
  const input = parsed instanceof Promise ? await parsed : parsed;
  const { scope } = request;
  const digest = callable.kind === "flow" ? digestOfChild(callable.name, input) : digestOf(input);
  const called: Called = {
    call: callable.name,
    digest,
    input: toStoredValue("input", input, `the input of ${callable.name}`),
    uses: driver.usedBy(given),
    labels: labelsOf(scope, digest),
  };
  switch (callable.kind) {
    case "tool": {
      const broughtIn = clearLabels(toBroughtIn(callable), callable.clears);
      try {
        const output = await callTool(driver, { ...request, callable, input, key, called });
        if (callable.clears !== undefined)
          release(scope, digestOf(output), joinLabels(clearLabels(called.labels, callable.clears), broughtIn));
        if (callable.trust !== undefined && driver.host.policy !== undefined)
          raiseRisk(scope, injectionRisk(JSON.stringify(output) ?? ""));
        return { output, step: key };
      } finally {
        learn(scope, broughtIn); // an error tells something too
      }
    }
    case "agent": {
      const acted = await callAgent(driver, { ...request, callable, input, key, called });
      return { ...acted, step: key };
    }
    case "flow": {
      const child = startChild(driver, {
        key,
        scope: request.scope,
        flow: callable,
        called,
        onParentEnd: "cancel",
        budget: options.budget,
      });
      return { output: await child.result(), step: key };
    }
  }
}

function refuseBudget(key: StepKey, budget: Budget): void {
  const problem = findBudgetProblem(budget);
  if (problem === undefined) return;
  throw new TuttiError("INPUT_INVALID", `the budget of ${key}: ${problem}`, { hint: "Leave out what is not limited." });
}

interface Checked<Kind extends Callable> extends Omit<CallRequest, "callable"> {
  readonly callable: Kind;
  readonly key: StepKey;
  readonly called: Called;
}

function callTool(driver: Driver, request: Checked<Tool>): Promise<unknown> {
  const { callable: tool, key, scope, called, input, options } = request;
  driver.tools.set(tool.name, tool);
  if (tool.document !== undefined) return callDocument(driver, request, tool.document);
  const effect = effectKeyOf(tool, input, { lineage: driver.lineage, step: key, digest: called.digest });
  const retry = options.retry ?? tool.retry;
  const timeoutMs = options.timeoutMs ?? tool.timeoutMs ?? driver.host.toolTimeoutMs;
  const limited = findLimited(driver, { tool, key, scope, timeoutMs, budget: options.budget, reported: called });
  if (tool.effect === "idempotent" || tool.effect === "once")
    return callEffect(driver, { tool, input, key, scope, effect, called, timeoutMs, retry, limited });
  const { digest } = called;
  const hosted = { effect, called, tool: tool.name, class: tool.effect, scope, digest, use: "run" } as const;
  const run = (host: AttemptHost): unknown => {
    const output = tool.run(input, toToolHost(driver, hosted, host));
    const failure = { code: "OUTPUT_INVALID", what: `the output of ${tool.name}` } as const;
    return output instanceof Promise
      ? output.then((value) => parseWith(tool.output, value, failure))
      : parseWith(tool.output, output, failure);
  };
  const work = tool.needs === undefined && tool.ensures === undefined ? run : toGuarded(driver, request, run);
  const guard = limited === undefined ? undefined : (pending: Pending) => openGuard(driver, limited, { pending });
  const isGoverned = driver.host.policy !== undefined || isLimited(driver, scope);
  const admit = isGoverned ? toAdmission(driver, { tool, input, key, scope, effect, called }) : undefined;
  return runStep(driver, { key, scope, effect: tool.effect, retry, timeoutMs, work, called, guard, admit });
}

/** Time does not count here: a replay must find the same answer. */
function callDocument(
  driver: Driver,
  { callable: tool, key, scope, called, input }: Checked<Tool>,
  access: DocumentAccess,
): Promise<unknown> {
  const ungranted = refuseUngranted(driver, { tool, scope }, false);
  if (ungranted === undefined) return callDocumentTool(driver, { access, key, scope, input });
  const work = (): never => {
    throw ungranted;
  };
  return runStep(driver, { key, scope, effect: "local", retry: undefined, timeoutMs: undefined, work, called });
}

/** The same work between what must hold before it and what holds after it. */
function toGuarded(
  driver: Driver,
  { callable: tool, input }: Checked<Tool>,
  run: (host: AttemptHost) => unknown,
): (host: AttemptHost) => Promise<unknown> {
  return async (host) => {
    await checkNeeds(tool, input, { runId: driver.run, step: host.step, signal: host.signal });
    return ensure(tool, await run(host), input);
  };
}

function callAgent(driver: Driver, request: Checked<Agent>): Promise<ReturnType<typeof toActed>> {
  const { callable: agent, key, scope, called, input } = request;
  for (const tool of agent.tools) driver.tools.set(tool.name, tool);
  if (!driver.history.written.has(key) && !driver.history.recorded.has(key) && scope.cancelled === undefined) {
    const fields = {
      agent: agent.name,
      version: agent.version,
      does: agent.does,
      digest: called.digest,
      ...(called.uses.length === 0 ? {} : { uses: called.uses }),
      ...(agent.permissions === undefined ? {} : { permissions: agent.permissions }),
    };
    void driver.append({ kind: "agent-started", key, body: toBody(fields, called.input), ...toBlobs(called.input) });
  }
  const levels = [
    ...(agent.budget === undefined ? [] : [{ account: `agent/${driver.run}/${agent.name}`, limit: agent.budget }]),
    ...toCallLevels(driver.run, key, request.options.budget),
  ];
  return runScoped(driver, {
    key,
    scope,
    verb: `a call of ${agent.name}`,
    agent: `${agent.name}@${agent.version}`,
    digest: called.digest,
    clears: agent.clears,
    body: async (inner) => {
      inner.actor = { name: agent.name, version: agent.version, permissions: agent.permissions };
      inner.agent = agent.name;
      refuseActor(driver, inner);
      learn(inner, called.labels);
      learn(inner, toBroughtIn(agent));
      raiseRisk(inner, riskAt(scope));
      if (request.options.fresh === true) inner.wantsFresh = true;
      if (levels.length > 0) driver.admission.limitScope(inner, levels);
      driver.admission.nameAgent(inner, agent.name);
      const run = request.openRun(driver, inner);
      const acceptor = openAcceptor(agent, input, run);
      if (agent.needs !== undefined && agent.needs.length > 0)
        await run.step(
          "needs",
          (host) => checkNeeds(agent, input, { step: host.step, signal: host.signal, runId: driver.run }),
          conditionLimits,
        );
      const acted = await agent.act(run, input, toActHost(driver, request, { acceptor, inner }));
      const output = await acceptor.settle(acted.output);
      raiseRisk(scope, riskAt(inner));
      return { ...acted, output };
    },
  });
}

interface Acting {
  readonly acceptor: Acceptor;
  readonly inner: Scope;
}

function toActHost(driver: Driver, { callable: agent, key }: Checked<Agent>, { acceptor, inner }: Acting): ActHost {
  const { host, run } = driver;
  return {
    fresh: inner.wantsFresh,
    model: (tier, asker) =>
      governModel(driver, inner, {
        model: admitModel(driver, inner, {
          model: directModel(driver, inner, { model: host.model(tier), asker }),
          asker,
        }),
        asker,
      }),
    progress: (text) => host.progress(run, key, text),
    // Who watches may come and go while the agent works.
    get tell() {
      return host.tell === undefined ? undefined : (piece: ToldPiece) => host.tell?.(run, agent.name, piece);
    },
    objective: host.objective,
    team: () => host.team?.() ?? [],
    accept: (output) => acceptor.accept(output),
    look: () => driver.directive.look(inner, agent.name),
    precedents: (text) => host.precedents({ tenant: driver.history.started.tenant, text, agent: agent.name }),
    awaitHandBack: () => driver.directive.awaitHandBack(inner, agent),
  };
}
