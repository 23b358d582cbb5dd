import type { Contract } from "../contracts/callable.ts";

/** How an agent works with others: what it is told beside its own task. Each has words of its own by default. */
export interface CoordinationRules {
  /** What to do with what others are better at. */
  readonly handOff?: string;
  /** What suffices to state something. */
  readonly evidence?: string;
  /** When a person has to decide. */
  readonly escalate?: string;
}

const defaultRules: Required<CoordinationRules> = {
  handOff:
    "What one of the others is better at, leave to them: do your own part, and say in your answer what is left, who can do it and what they need to know.",
  evidence:
    "One source that you have read suffices for a fact that nobody disputes. Where sources disagree, give both sides and say so.",
  escalate:
    "A person has to decide when the task contradicts itself, when something is missing that nobody here can get, or when going on could do harm that can't be taken back. Then stop, and say in your answer what has to be decided and what you would do.",
};

/** What is always said: part of the agent's version. */
export function toCoordinationRules(given: CoordinationRules | false | undefined): readonly string[] {
  if (given === false) return [];
  const said = { ...defaultRules, ...given };
  return [`Hand-off: ${said.handOff}`, `Evidence: ${said.evidence}`, `Escalation: ${said.escalate}`];
}

const membersMax = 20;
const doesCharactersMax = 120;
const objectiveCharactersMax = 400;

export interface Surroundings {
  readonly objective: string | undefined;
  readonly team: readonly Contract[];
  /** Names that need no telling: the agent itself, and its own tools. */
  readonly known: ReadonlySet<string>;
}

/** What follows from who and what is there when the agent is called. Not part of its version, and not recorded. */
export function toCoordinationContext({ objective, team, known }: Surroundings): readonly string[] {
  const others = team.filter((contract) => !known.has(contract.name));
  const shown = others.slice(0, membersMax).map(toMemberLine);
  const more = others.length > shown.length ? [`  ${others.length - shown.length} more.`] : [];
  return [
    ...(objective === undefined ? [] : [`The whole run is for this: ${toShort(objective, objectiveCharactersMax)}`]),
    ...(shown.length === 0 ? [] : [["Others here, whom you can't call yourself:", ...shown, ...more].join("\n")]),
  ];
}

function toMemberLine({ kind, name, does, effect }: Contract): string {
  const what = effect === undefined || effect === "read" ? kind : `${kind}, changes things`;
  return `  ${name} (${what})${does === "" ? "" : `: ${toShort(does, doesCharactersMax)}`}`;
}

function toShort(text: string, charactersMax: number): string {
  const line = text.replaceAll(/\s+/gu, " ").trim();
  return line.length <= charactersMax ? line : `${line.slice(0, charactersMax - 1)}…`;
}
