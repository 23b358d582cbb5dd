import { describeThrown, TuttiError } from "../base/errors.ts";
import { findJson } from "../base/json-in-text.ts";
import type { Model, ModelRequest } from "../contracts/model.ts";

/** What an agent's rule is asked: its input, and what its tools have brought so far. */
export interface RuleQuestion {
  /** The agent's input, as it was given; its rule parses it. */
  readonly input: unknown;
  /** Results of the calls that were made, in order; empty in the first turn. */
  readonly results: readonly RuleToolResult[];
}

export interface RuleToolResult {
  readonly tool: string;
  readonly result: unknown;
  /** The tool refused; `result` says why. */
  readonly isError: boolean;
}

/** Tools to call first, or the answer. */
export type RuleReply =
  | { readonly calls: readonly { readonly tool: string; readonly input: unknown }[] }
  | { readonly answer: unknown };

export type Rule = (question: RuleQuestion) => RuleReply;

/**
 * A model that thinks by rules of yours, one for each agent, by its name: no key, no network, and the same request always gets the same
 * reply. For work that needs no language model, and for programs that have to run without one. Its calls cost nothing.
 * An agent without a rule, or whose rule throws, gets MODEL_REFUSED: the same rule would say the same again.
 */
export function ruleModel(rules: Readonly<Record<string, Rule>>): Model {
  return {
    provider: "rules",
    id: "rules-1",
    worstCase: () => ({ tokens: 0, costUsd: 0 }),
    async generate(request, signal) {
      signal.throwIfAborted();
      const agent = request.answer.name;
      const rule = Object.hasOwn(rules, agent) ? rules[agent] : undefined;
      if (rule === undefined)
        throw new TuttiError("MODEL_REFUSED", `there is no rule for the agent ${agent}`, {
          hint: `Add one to ruleModel; there are rules for ${Object.keys(rules).join(", ") || "none"}.`,
        });
      const question = toQuestion(request);
      const reply = follow(agent, rule, question);
      const calls = "calls" in reply ? reply.calls : [];
      return {
        text: "answer" in reply ? JSON.stringify(reply.answer) : "",
        toolCalls: calls.map((call, index) => ({ id: `call-${question.results.length + index + 1}`, ...call })),
        usage: { modelCalls: 1, inputTokens: 0, outputTokens: 0, costUsd: 0 },
      };
    },
  };
}

function follow(agent: string, rule: Rule, question: RuleQuestion): RuleReply {
  try {
    return rule(question);
  } catch (error) {
    const refused = question.results.findLast(({ isError }) => isError);
    const why =
      refused === undefined ? describeThrown(error) : `${refused.tool} refused: ${JSON.stringify(refused.result)}`;
    throw new TuttiError("MODEL_REFUSED", `the rule of ${agent} failed: ${why}`, {
      hint: "Correct the rule, or what it is given.",
      cause: error,
    });
  }
}

function toQuestion({ messages }: ModelRequest): RuleQuestion {
  const task = messages.find((message) => message.role === "user")?.text ?? "";
  const results = messages.flatMap((message) =>
    message.role === "tool" ? [{ tool: message.tool, result: message.result, isError: message.isError }] : [],
  );
  return { input: findJson(task)?.value, results };
}
