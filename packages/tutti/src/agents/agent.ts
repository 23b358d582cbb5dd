import { TuttiError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { toCanonicalJson } from "../base/json.ts";
import type { Acted } from "../contracts/callable.ts";
import { pickTerms } from "../contracts/contract.ts";
import { toCodeText, toConditionPrint, toFingerprint } from "../contracts/fingerprint.ts";
import type { Agent } from "../contracts/run.ts";
import { toJsonSchema } from "../contracts/schema.ts";
import type { AgentDefinition } from "./agent-definition.ts";
import { actInTurns, type Loop } from "./agent-loop.ts";
import { findAgentProblem } from "./agent-problems.ts";
import { withConfidence } from "./answer.ts";
import { toCoordinationRules } from "./coordination.ts";
import { toRoleText } from "./prompt.ts";
import { toKit } from "./tool-choice.ts";

const turnsDefault = 12;
const repairsDefault = 1;

/**
 * Declares an agent: a role that reaches a typed result by itself, with a model and tools, in durable steps of the run that calls it.
 * @throws TuttiError DEFINITION_INVALID when the declaration can't work.
 */
export function agent<Input, Output>(definition: AgentDefinition<Input, Output>): Agent<Input, Output> {
  const problem = findAgentProblem(definition);
  if (problem !== undefined)
    throw new TuttiError("DEFINITION_INVALID", `agent ${JSON.stringify(definition.name)}: ${problem.what}`, {
      hint: problem.hint,
    });
  const { name, does, input, output, needs, ensures, budget, permissions } = definition;
  const loop = toLoop(definition);
  return {
    kind: "agent",
    name,
    version: toVersion(loop, definition),
    does,
    input,
    output,
    tools: loop.kit.tools,
    ...(needs === undefined ? {} : { needs }),
    ...(ensures === undefined ? {} : { ensures }),
    ...(budget === undefined ? {} : { budget }),
    ...(permissions === undefined ? {} : { permissions }),
    ...pickTerms(definition),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the host accepted the answer with this agent's own schema
    act: (run, given, host) => actInTurns(loop, run, { input: given, host }) as Promise<Acted<Output>>,
  };
}

function toLoop(definition: AgentDefinition<unknown, unknown>): Loop {
  const { name, does, instructions, model, output, ensures = [], coordination, confidence } = definition;
  const { turnsMax = turnsDefault, repairsMax = repairsDefault, tokensMax, durationMaxMs, costMaxUsd } = definition;
  const kit = toKit(definition.tools ?? []);
  const asksConfidence = confidence === "self";
  const schema = toJsonSchema(output, "input", `the output of ${name}`);
  return {
    name,
    does,
    tier: model,
    hints: definition.hints,
    roleText: toRoleText({
      name,
      does,
      instructions,
      hasTools: kit.tools.length > 0,
      searchesTools: kit.search !== undefined,
      guarantees: ensures.map((guarantee) => guarantee.name),
      coordination: toCoordinationRules(coordination),
    }),
    coordinates: coordination !== false,
    kit,
    answer: { name, schema: asksConfidence ? withConfidence(schema) : schema },
    asksConfidence,
    repairsMax,
    limits: { turnsMax, tokensMax, durationMaxMs, costMaxUsd },
    compaction: definition.compact,
    stepDown: definition.stepDown,
  };
}

// Another version is somebody else: whatever changes what the model is told, by which model, what its tools are and do, and what it may do.
// How much it may take does not, nor does who else happens to be there when it is called.
function toVersion(
  { roleText, tier, hints, kit, answer, compaction, stepDown }: Loop,
  { needs = [], ensures = [], permissions }: AgentDefinition<unknown, unknown>,
): string {
  const shown = [...kit.descriptionByName.values()];
  const tools = kit.tools.map(toFingerprint);
  const conditions = [...needs, ...ensures].map(toConditionPrint);
  const code = toCodeText(stepDown);
  const parts = { roleText, tier, hints, shown, tools, answer, compaction, conditions, permissions, code };
  return sha256(toCanonicalJson(parts)).slice(0, 12);
}
