import { TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { toCanonicalJson } from "../base/json.ts";
import type { Acted, Tool } from "../contracts/callable.ts";
import { pickTerms } from "../contracts/contract.ts";
import { toCodeText, toFingerprint } from "../contracts/fingerprint.ts";
import { findPermissionProblem, type Permissions } from "../contracts/grant.ts";
import type { Agent, AgreeOptions, Callable, Run, Voters } from "../contracts/run.ts";
import type { Schema } from "../contracts/schema.ts";
import { findTermProblem } from "../contracts/term-problems.ts";
import type { Guarantee, Precondition, Terms } from "../contracts/terms.ts";
import { agreeOn } from "./agree.ts";

/** How a team works: written like a flow, over its members. May return what `run.result` gave, so that confidence and usage stay with it. */
export type Manner<Input, Output> = (run: Run, input: Input) => Promise<Acted<Output>>;

/** What `team` is given. The input and output types follow from the two schemas. */
export interface TeamDefinition<Input, Output> extends Terms {
  /** Letters, digits and `_ . -`, at most 64, the first a letter. */
  readonly name: string;
  /** One sentence for the people and agents that choose it. */
  readonly does: string;
  readonly input: Schema<Input>;
  readonly output: Schema<Output>;
  /** Everybody that `how` calls: tools, agents, flows, other teams. What they can undo is known to the run from the beginning. */
  readonly members: readonly Callable[];
  readonly how: Manner<Input, NoInfer<Output>>;
  /** Raise it when what `how` uses changes: only its own text is part of the team's version. */
  readonly version?: string;
  /** What must hold before it is called. */
  readonly needs?: readonly Precondition<NoInfer<Input>>[];
  /** What holds of every output that it hands over. */
  readonly ensures?: readonly Guarantee<NoInfer<Input>, NoInfer<Output>>[];
  /** The most that it may do, with all its members. */
  readonly permissions?: Permissions;
}

const namePattern = /^[A-Za-z][\w.-]{0,63}$/;

/**
 * Declares a team: several callables that are called as one, like an agent, also by other teams.
 * @throws TuttiError DEFINITION_INVALID when the declaration can't work.
 */
export function team<Input, Output>(definition: TeamDefinition<Input, Output>): Agent<Input, Output> {
  const { name, does, input, output, members, how, needs, ensures, permissions } = definition;
  const problem = findTeamProblem(definition);
  if (problem !== undefined)
    throw new TuttiError("DEFINITION_INVALID", `team ${JSON.stringify(name)}: ${problem.what}`, { hint: problem.hint });
  return {
    kind: "agent",
    name,
    version: toVersion(definition),
    does,
    input,
    output,
    tools: toTools(members),
    ...(needs === undefined ? {} : { needs }),
    ...(ensures === undefined ? {} : { ensures }),
    ...(permissions === undefined ? {} : { permissions }),
    ...pickTerms(definition),
    act: (run, given) => how(run, given),
  };
}

/** A team whose members all answer, and whose answers become one by a rule: see `run.agree`. */
export function agreeing<Input, Output>(
  voters: Voters<Input, Output>,
  options: AgreeOptions<NoInfer<Input>, NoInfer<Output>>,
): Manner<Input, Output> {
  return async (run, input) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- asked with the input, and answered with the output, of these very voters
    const request = { voters, input, options } as unknown as Parameters<typeof agreeOn>[1];
    const { agreement, usage } = await agreeOn(run, request);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is the answer of one of these voters, or of the branch for a split
    return { output: agreement.value as Output, confidence: agreement.confidence, usage };
  };
}

/** What does not depend on the types. */
interface Declared extends Terms {
  readonly name: string;
  readonly does: string;
  readonly members: readonly Callable[];
  readonly how: unknown;
  readonly version?: string;
  readonly permissions?: Permissions;
}

function findTeamProblem({
  name,
  does,
  members,
  how,
  permissions = {},
  ...terms
}: Declared): { readonly what: string; readonly hint: string } | undefined {
  if (typeof name !== "string" || !namePattern.test(name)) {
    return {
      what: "its name can't be used",
      hint: "Start with a letter and use letters, digits and _ . - only, at most 64.",
    };
  }
  if (typeof does !== "string" || does.trim() === "")
    return { what: "it does not say what it does", hint: "Give `does` one sentence." };
  if (!Array.isArray(members) || members.length === 0)
    return { what: "it has no members", hint: "Name whom `how` calls." };
  if (typeof how !== "function") return { what: "it does not say how it works", hint: "Give `how` a function." };
  return findPermissionProblem(permissions) ?? findTermProblem(terms);
}

function toTools(members: readonly Callable[]): readonly Tool[] {
  const toolByName = new Map<string, Tool>();
  for (const member of members) {
    const tools = member.kind === "tool" ? [member] : member.kind === "agent" ? member.tools : [];
    for (const tool of tools) toolByName.set(tool.name, tool);
  }
  return [...toolByName.values()];
}

function toVersion({ name, does, members, how, permissions, version = "1" }: Declared): string {
  const known = members.map((member) => [member.name, member.kind === "tool" ? toFingerprint(member) : member.version]);
  const parts = { name, does, version, members: known, how: toCodeText(how), permissions };
  return sha256(toCanonicalJson(parts)).slice(0, 12);
}
