import { TuttiError } from "../base/errors.ts";
import type { LadderStage } from "../contracts/approval.ts";
import { stagesMax } from "../flow/govern/approval-stages.ts";
import type { StartOptions, TuttiOptions } from "./tutti.ts";

const ladderPattern = /^(?:(?:tool|rule|role)\/.+|\*)$/u;
const timeouts: ReadonlySet<string> = new Set(["deny", "escalate", "proceed"]);
const nameCharactersMax = 120;

/** @throws TuttiError DEFINITION_INVALID for what can't work, before anything is opened. */
export function checkPeople({ people, approvals = {} }: TuttiOptions): void {
  const names = new Set<string>();
  for (const { name } of people ?? []) {
    if (name.trim() === "" || name.length > nameCharactersMax || names.has(name)) {
      throw new TuttiError("DEFINITION_INVALID", `two people are named ${JSON.stringify(name)}, or it is no name`, {
        hint: `Give each of \`people\` a name of their own, of at most ${nameCharactersMax} characters.`,
      });
    }
    names.add(name);
  }
  for (const [ladder, stages] of Object.entries(approvals)) {
    if (!ladderPattern.test(ladder)) {
      throw new TuttiError("DEFINITION_INVALID", `no ladder is named ${JSON.stringify(ladder)}`, {
        hint: "Name tool/<name>, rule/<id>, role/<role> or *.",
      });
    }
    const problem =
      stages.length > stagesMax
        ? `it has ${stages.length} stages, more than ${stagesMax}`
        : stages.map((stage) => findProblem(stage, people && names)).find((found) => found !== undefined);
    if (problem === undefined) continue;
    throw new TuttiError("DEFINITION_INVALID", `the ladder of ${ladder}: ${problem}`, {
      hint: 'Write for example [{ role: "lead", deadlineMs: 3_600_000, onTimeout: "escalate" }, { role: "director" }].',
    });
  }
}

function findProblem(stage: LadderStage, known: ReadonlySet<string> | undefined): string | undefined {
  const { count, deadlineMs, onTimeout, persons = [], delegates = [] } = stage;
  if (count !== undefined && (!Number.isSafeInteger(count) || count < 1)) return `its count is ${count}`;
  if (deadlineMs !== undefined && (!Number.isSafeInteger(deadlineMs) || deadlineMs < 1))
    return `its deadlineMs is ${deadlineMs}`;
  if (onTimeout !== undefined && !timeouts.has(onTimeout)) return `its onTimeout is ${JSON.stringify(onTimeout)}`;
  const stranger = known === undefined ? undefined : [...persons, ...delegates].find((name) => !known.has(name));
  return stranger === undefined ? undefined : `nobody of \`people\` is named ${stranger}`;
}

/** What a start says about who starts it. @throws TuttiError INPUT_INVALID */
export function toStarterFields({ by }: StartOptions): { readonly by?: string } {
  if (by === undefined) return {};
  if (by.trim() !== "" && by.length <= nameCharactersMax) return { by };
  throw new TuttiError("INPUT_INVALID", `${JSON.stringify(by.slice(0, nameCharactersMax))} can't name a person`, {
    hint: `Give a name of at most ${nameCharactersMax} characters.`,
  });
}
