import { fields, integer, listOf, recordOf, text, type Shape } from "../base/shape.ts";
import { amountShape, findBudgetProblem, type Budget, type BudgetLevel } from "./budget.ts";
import type { RunId } from "./ids.ts";
import type { Problem } from "./term-problems.ts";

/** The most that somebody may do. What is left out is not limited. */
export interface Permissions {
  /**
   * Tools by name, each with what its calls may spend together in one run, its children included; `mail.*` stands for all names that begin so.
   * Any other tool is refused.
   */
  readonly tools?: Readonly<Record<string, Budget>>;
  /** The persons that it may act for, by name. A run that nobody was named for is then refused. */
  readonly actsFor?: readonly string[];
  /** The most autonomy that it may have, 0 to 5. */
  readonly autonomyMax?: number;
}

/** The most that a run may do, with everything that it starts. */
export interface RunPermissions extends Permissions {
  /** How long after its start it may call tools, in milliseconds. */
  readonly lifetimeMs?: number;
}

/** Permissions as they were given to somebody. */
export interface GrantPart extends Permissions {
  /** Whose they are, and in which run: `r1/flow/brief`, `r1/agent/planner`. */
  readonly of: string;
  /** When they end; milliseconds since 1970. */
  readonly expiresAt?: number;
}

/**
 * What a run, or an agent in it, may do. Parts are only ever added, and what is done must fit each of them: so whoever is handed a grant on can't
 * do more than who handed it on.
 */
export interface Grant {
  /** The agents that act through each other, the first first: `planner@1f0c…`. */
  readonly actors: readonly string[];
  readonly parts: readonly GrantPart[];
}

/** So many agents may act through each other. */
export const delegationDepthMax = 16;
export const autonomyHighest = 5;

const permissionFields = { tools: recordOf(amountShape), actsFor: listOf(text), autonomyMax: integer } as const;
export const permissionsShape: Shape<Permissions> = fields({}, permissionFields);

export const grantShape: Shape<Grant> = fields({
  actors: listOf(text),
  parts: listOf(fields({ of: text }, { ...permissionFields, expiresAt: integer })),
});

export function isNarrow({ parts }: Grant): boolean {
  return parts.length > 0;
}

/** The grant of whom somebody hands it on to: what they both may. */
export function narrowGrant(grant: Grant, next: { readonly actor?: string; readonly part?: GrantPart }): Grant {
  return {
    actors: next.actor === undefined ? grant.actors : [...grant.actors, next.actor],
    parts: next.part === undefined ? grant.parts : [...grant.parts, next.part],
  };
}

export interface Wish {
  /** The person that it would be done for. */
  readonly actsFor: string | undefined;
  /** Absent when no tool is called yet. */
  readonly tool?: string;
  /** Absent where time does not count; milliseconds since 1970. */
  readonly now?: number | undefined;
}

/** Why a grant does not allow something, in words; `undefined` when it does. */
export function findRefusal({ actors, parts }: Grant, { actsFor, tool, now }: Wish): string | undefined {
  if (actors.length > delegationDepthMax)
    return `more than ${delegationDepthMax} agents would act through each other (${actors.slice(-2).join(", ")})`;
  for (const part of parts) {
    if (part.actsFor !== undefined && (actsFor === undefined || !part.actsFor.includes(actsFor)))
      return `${part.of} may not act for ${actsFor ?? "nobody"}`;
    if (now !== undefined && part.expiresAt !== undefined && now >= part.expiresAt)
      return `what ${part.of} may do ended at ${new Date(part.expiresAt).toISOString()}`;
    if (tool !== undefined && part.tools !== undefined && findPattern(part.tools, tool) === undefined)
      return `${part.of} may not call ${tool}`;
  }
  return undefined;
}

/** When the first part of it ends; milliseconds since 1970. */
export function expiryOf({ parts }: Grant): number {
  return Math.min(Number.POSITIVE_INFINITY, ...parts.map(({ expiresAt }) => expiresAt ?? Number.POSITIVE_INFINITY));
}

/** No part of it allows more autonomy than this. */
export function autonomyMaxOf({ parts }: Grant): number {
  return Math.min(autonomyHighest, ...parts.map(({ autonomyMax }) => autonomyMax ?? autonomyHighest));
}

const noLevels: readonly BudgetLevel[] = [];

/** The accounts that a call of the tool pays into because of its grant. */
export function toGrantLevels({ parts }: Grant, tool: string): readonly BudgetLevel[] {
  let levels: BudgetLevel[] | undefined; // asked for with every call, and most tools are only named
  parts.forEach(({ of, tools }) => {
    const pattern = tools === undefined ? undefined : findPattern(tools, tool);
    const limit = pattern === undefined ? undefined : tools?.[pattern];
    if (limit === undefined || Object.keys(limit).length === 0) return;
    (levels ??= []).push({ account: `grant/${of}/${pattern}`, limit });
  });
  return levels ?? noLevels;
}

/** The name itself before the longest beginning. */
function findPattern(tools: Readonly<Record<string, Budget>>, tool: string): string | undefined {
  if (Object.hasOwn(tools, tool)) return tool;
  let longest: string | undefined;
  for (const name in tools)
    if (name.length > (longest?.length ?? 0) && name.endsWith("*") && tool.startsWith(name.slice(0, -1)))
      longest = name;
  return longest;
}

const noGrant: Grant = { actors: [], parts: [] };

/** What a run begins with: what was declared for it, for who starts it and for its tenant, in that order. */
export function mintGrant(
  grants: Readonly<Record<string, RunPermissions>>,
  start: {
    readonly run: RunId;
    readonly flow: string;
    readonly by?: string | undefined;
    readonly tenant?: string | undefined;
    readonly now: number;
    /** Of whoever starts it. What stands in there already is not added again. */
    readonly from?: Grant;
  },
): Grant | undefined {
  if (start.from === undefined && Object.keys(grants).length === 0) return undefined;
  const { run, flow, by, tenant, now, from = noGrant } = start;
  const parts = [...from.parts];
  const add = (name: string): void => {
    const declared = Object.hasOwn(grants, name) ? grants[name] : undefined;
    if (declared === undefined || from.parts.some(({ of }) => of.endsWith(`/${name}`))) return;
    const { lifetimeMs, ...permissions } = declared;
    const expiry = lifetimeMs === undefined ? {} : { expiresAt: now + lifetimeMs };
    parts.push({ of: `${run}/${name}`, ...permissions, ...expiry });
  };
  add("*");
  add(`flow/${flow}`);
  if (by !== undefined) add(`person/${by}`);
  if (tenant !== undefined) add(`tenant/${tenant}`);
  return from.actors.length === 0 && parts.length === 0 ? undefined : { actors: from.actors, parts };
}

const toolPattern = /^(?:[A-Za-z][\w.:-]{0,63}\*?|\*)$/u;

/** What is wrong with permissions that somebody declared, if anything is. */
export function findPermissionProblem({
  tools,
  actsFor,
  autonomyMax,
  lifetimeMs,
}: RunPermissions): Problem | undefined {
  for (const [name, budget] of Object.entries(tools ?? {})) {
    if (!toolPattern.test(name))
      return {
        what: `no tool is named ${JSON.stringify(name)}`,
        hint: "Give the name of a tool, or how names begin: mail.*",
      };
    const problem = findBudgetProblem(budget);
    if (problem !== undefined)
      return { what: `what ${name} may spend: ${problem}`, hint: "Write for example { calls: 3 }." };
  }
  if (actsFor !== undefined && (!Array.isArray(actsFor) || actsFor.some((name) => name.trim() === "")))
    return { what: "it may act for somebody without a name", hint: "List the names of persons." };
  if (
    autonomyMax !== undefined &&
    !(Number.isSafeInteger(autonomyMax) && autonomyMax >= 0 && autonomyMax <= autonomyHighest)
  )
    return { what: `its autonomyMax is ${autonomyMax}`, hint: `Give a whole number from 0 to ${autonomyHighest}.` };
  if (lifetimeMs !== undefined && !(Number.isSafeInteger(lifetimeMs) && lifetimeMs > 0))
    return { what: `its lifetimeMs is ${lifetimeMs}`, hint: "Give a positive whole number of milliseconds." };
  return undefined;
}

/** The grant in a few words a part, for people. */
export function describePart({ of, tools, actsFor, autonomyMax, expiresAt }: GrantPart): string {
  const said = [
    ...(tools === undefined ? [] : [`may call ${describeTools(tools)}`]),
    ...(actsFor === undefined ? [] : [`may act for ${actsFor.join(", ") || "nobody"}`]),
    ...(autonomyMax === undefined ? [] : [`has autonomy of at most ${autonomyMax}`]),
    ...(expiresAt === undefined ? [] : [`until ${new Date(expiresAt).toISOString()}`]),
  ];
  return `${of} ${said.length === 0 ? "is not limited" : said.join(", ")}`;
}

function describeTools(tools: Readonly<Record<string, Budget>>): string {
  const names = Object.entries(tools).map(([name, budget]) => {
    const limits = Object.entries(budget).map(([unit, most]) => `${most} ${unit}`);
    return limits.length === 0 ? name : `${name} (${limits.join(", ")})`;
  });
  return names.length === 0 ? "no tool" : names.join(", ");
}
