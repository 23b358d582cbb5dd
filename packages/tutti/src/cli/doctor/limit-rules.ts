import { declares, effectOf, numberAt, titleOf, workOf, type Declared } from "./declarations.ts";
import type { Finding } from "./finding.ts";
import { findDeclared, findingAt, toolsOf, type Project, type Rule } from "./project.ts";
import { calledOf, childOf, contains, listOf, mentions, nameOf, propertyOf, textOf, walk } from "./syntax.ts";

const attemptsUsual = 20;

/** A tool that goes out to the network says how long that may take. */
export const toolsHaveDeadlines: Rule = (project) =>
  toolsOf(project).flatMap((tool): readonly Finding[] => {
    const goesOut = contains(workOf(tool), (node) => calledOf(node) === "fetch");
    if (!goesOut || declares(tool, "timeoutMs") !== false || hasOwnDeadline(workOf(tool))) return [];
    return [
      findingAt(tool, {
        rule: "tool-without-deadline",
        severity: "warning",
        what: `${titleOf(tool)} goes out to the network and has no timeoutMs`,
        why: "A service that never answers holds the run for 15 minutes, attempt by attempt.",
        fix: "timeoutMs: 30_000,",
      }),
    ];
  });

function hasOwnDeadline(work: Parameters<typeof contains>[0]): boolean {
  return contains(work, (node) => calledOf(node) === "AbortSignal.timeout");
}

/** Nothing is tried again for ever. */
export const retriesEnd: Rule = (project) =>
  project.files.flatMap((file) => {
    const findings: Finding[] = [];
    walk(file.tree, (node) => {
      const attemptsMax = node.type === "ObjectExpression" ? numberAt(node, "retry", "attemptsMax") : undefined;
      if (attemptsMax === undefined || attemptsMax <= attemptsUsual) return;
      findings.push(
        findingAt(
          { file, node: propertyOf(node, "retry") ?? node },
          {
            rule: "endless-retries",
            severity: "warning",
            what: `${attemptsMax} attempts are as good as no limit`,
            why: "What fails is asked and paid for again and again, long after somebody should have been told.",
            fix: "retry: { attemptsMax: 5, delayMs: 500, factor: 2, delayMaxMs: 30_000 },",
          },
        ),
      );
    });
    return findings;
  });

const limitNames = ["tokensMax", "durationMaxMs", "costMaxUsd", "budget", "turnsMax"];
const budgetNames = ["budget", "budgets", "costMaxUsd"];

/** What models may cost is limited somewhere. */
export const spendingIsLimited: Rule = (project) => {
  const agents = project.declared.filter(({ kind }) => kind === "agent");
  const [first] = agents;
  if (first === undefined || project.flows.length === 0 || !project.isWhole || hasBudget(project)) return [];
  return [
    findingAt(first, {
      rule: "no-budget",
      severity: "advice",
      what: `nothing limits what ${agents.length === 1 ? "the agent" : `the ${agents.length} agents`} may spend`,
      why: "A loop, a flood of runs or a dear model is noticed on the invoice.",
      fix: 'budgets: { "run/*": { usd: 2 }, "flow/*": { usd: 50 } }, // in tutti.config.ts',
    }),
  ];
};

function hasBudget({ files, hasBudgets }: Project): boolean {
  return hasBudgets || files.some(({ tree }) => budgetNames.some((name) => mentions(tree, name)));
}

/** An agent that acts says how far it may go. */
export const agentsAreLimited: Rule = (project) =>
  project.declared.flatMap((agent): readonly Finding[] => {
    if (agent.kind !== "agent" || hasBudget(project)) return [];
    const isLimited = limitNames.some((name) => propertyOf(agent.fields, name) !== undefined);
    const hasSpread = listOf(agent.fields, "properties").some((each) => each.type !== "Property");
    if (isLimited || hasSpread || !acts(project, agent)) return [];
    return [
      findingAt(agent, {
        rule: "agent-without-limits",
        severity: "warning",
        what: `${titleOf(agent)} may change things, and has no limit of its own`,
        why: "Each of its turns may act and cost; the only end is after 12 of them.",
        fix: "turnsMax: 6, tokensMax: 50_000, durationMaxMs: 120_000,",
      }),
    ];
  });

/** Whether an agent has a tool that changes something outside. */
function acts(project: Project, { fields }: Declared): boolean {
  return listOf(propertyOf(fields, "tools"), "elements").some((each) => {
    const tool = findDeclared(project, each);
    return tool !== undefined && ["once", "idempotent"].includes(effectOf(tool) ?? "");
  });
}

/** Rules say what an agent may do by itself, and what people are asked first. */
export const agentsAreGoverned: Rule = (project) => {
  const agent = project.declared.find((each) => each.kind === "agent" && acts(project, each));
  const hasPolicy = project.hasPolicy || project.files.some(({ tree }) => mentions(tree, "policy"));
  if (agent === undefined || hasPolicy || !project.isWhole) return [];
  return [
    findingAt(agent, {
      rule: "no-policy",
      severity: "advice",
      what: `${titleOf(agent)} may change things, and no policy decides`,
      why: "Whatever its model asks for is done, and nobody is asked first.",
      fix: 'policy: defaultPolicy, // in tutti.config.ts, from "tutti/policies"; see docs/approvals.md',
    }),
  ];
};

const vendorModel =
  /^(?:(?:openai|anthropic|google|mistral|meta|xai|deepseek)\/|gpt-|chatgpt|claude|gemini|llama|mistral|mixtral|deepseek|grok|qwen|o[134](?:-|$))/iu;

/** An agent names a tier; which model stands behind it is said once. */
export const modelsAreTiers: Rule = (project) =>
  project.declared.flatMap((agent): readonly Finding[] => {
    const model = agent.kind === "agent" ? textOf(propertyOf(agent.fields, "model")) : undefined;
    if (model === undefined || !vendorModel.test(model)) return [];
    return [
      findingAt(agent, {
        rule: "model-by-vendor",
        severity: "advice",
        what: `${titleOf(agent)} names a vendor's model, "${model}"`,
        why: "Another model, a cheaper one or a second one for failover then means a change of every agent.",
        fix: `model: "fast", // and in tutti.config.ts: models: { fast: … }`,
      }),
    ];
  });

/** Whoever is declared is called. */
export const agentsAreCalled: Rule = (project) =>
  project.declared.flatMap((agent): readonly Finding[] => {
    if (agent.kind !== "agent" || agent.binding === undefined || !project.isWhole) return [];
    const { binding } = agent;
    const uses = project.files.flatMap(({ tree }) => {
      const found: string[] = [];
      walk(tree, (node, ancestors) => {
        if (node.type !== "Identifier" || nameOf(node) !== binding) return;
        const above = ancestors.at(-1);
        if (above?.type === "VariableDeclarator" && childOf(above, "id") === node) return;
        if (/^(?:Import|Export)Specifier$/u.test(above?.type ?? "")) return;
        found.push(binding);
      });
      return found;
    });
    if (uses.length > 0 || isReexported(project, binding)) return [];
    return [
      findingAt(agent, {
        rule: "agent-nobody-calls",
        severity: "advice",
        what: `${titleOf(agent)} is called by nobody here`,
        why: "What is not used is still read, kept and believed to work.",
        fix: `await run.call(${binding}, …); // or delete it`,
      }),
    ];
  });

function isReexported({ files }: Project, binding: string): boolean {
  return files.some(({ imports }) => [...imports.values()].some(({ name }) => name === binding && name !== "default"));
}
