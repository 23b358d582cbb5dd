import { TuttiError, type Model, type ModelMessage } from "tutti";
import type { z } from "zod";

/** What stands in for an agent's thinking: a function of its input. */
export type Rule = (input: unknown) => unknown;

/** A rule whose input is parsed first. */
export function rule<Input>(schema: z.ZodType<Input>, work: (input: Input) => unknown): Rule {
  return (input) => work(schema.parse(input));
}

/**
 * A model that needs no key and no network: it knows one rule for each agent, by the agent's name, and computes the answer from the input
 * that the agent was given. Another input, another answer. A real model takes its place where the engine is opened.
 */
export function ruleModel(id: string, rules: Readonly<Record<string, Rule>>): Model {
  return {
    provider: "rules",
    id,
    worstCase: ({ messages }) => ({ tokens: countWords(JSON.stringify(messages)) + answerWordsMax, costUsd: 0 }),
    generate({ messages, answer: { name } }, signal) {
      return new Promise((resolve) => {
        signal.throwIfAborted();
        const text = JSON.stringify(findRule(rules, name)(readInput(messages)));
        const inputTokens = countWords(JSON.stringify(messages));
        resolve({
          text,
          toolCalls: [],
          usage: { modelCalls: 1, inputTokens, outputTokens: countWords(text), costUsd: 0 },
        });
      });
    },
  };
}

const answerWordsMax = 2_000;

function countWords(text: string): number {
  return text.split(/\W+/u).length;
}

function findRule(rules: Readonly<Record<string, Rule>>, agent: string): Rule {
  const found = rules[agent];
  if (found !== undefined) return found;
  throw new TuttiError("MODEL_REFUSED", `this model has no rule for the agent ${JSON.stringify(agent)}`, {
    hint: `It has rules for ${Object.keys(rules).join(", ")}.`,
  });
}

/** The input as the agent was given it: the first thing that is said to a model. */
function readInput(messages: readonly ModelMessage[]): unknown {
  const said = messages.find((message) => message.role === "user")?.text ?? "";
  return JSON.parse(/```json\n([\s\S]*)\n```/u.exec(said)?.[1] ?? "null");
}
