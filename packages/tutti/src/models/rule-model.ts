import { describeThrown, TuttiError } from "../base/errors.ts";
import { findJson } from "../base/json-in-text.ts";
import type { Model, ModelRequest } from "../contracts/model.ts";
import { parseWith, type Schema } from "../contracts/schema.ts";

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

export type Rule = (question: RuleQuestion) => RuleReply | Promise<RuleReply>;

/** A rule that answers at once, from the agent's input alone. */
export function rule<Input>(schema: Schema<Input>, answer: (input: Input) => unknown): Rule {
  return async ({ input }) => ({
    answer: answer(await parseWith(schema, input, { code: "INPUT_INVALID", what: "what the rule is given" })),
  });
}

/**
 * A model that thinks by rules of yours, one for each agent, by its name: no key, no network, and the same request always gets the same
 * reply. For work that needs no language model, and for programs that have to run without one. Its calls cost nothing.
 * An agent without a rule, or whose rule throws, gets MODEL_REFUSED: the same rule would say the same again.
 * `id` tells it from other models where that counts, for example among voters.
 */
export function ruleModel(
  rules: Readonly<Record<string, Rule>>,
  { id = "rules-1" }: { readonly id?: string } = {},
): Model {
  return {
    provider: "rules",
    id,
    worstCase: () => ({ tokens: 0, costUsd: 0 }),
    async generate(request, signal) {
      signal.throwIfAborted();
      const agent = request.answer.name;
      const found = Object.hasOwn(rules, agent) ? rules[agent] : undefined;
      if (found === undefined)
        throw new TuttiError("MODEL_REFUSED", `there is no rule for the agent ${agent}`, {
          hint: `Add one to ruleModel; there are rules for ${Object.keys(rules).join(", ") || "none"}.`,
        });
      const question = toQuestion(request);
      const reply = await follow(agent, found, question);
      const calls = "calls" in reply ? reply.calls : [];
      return {
        text: "answer" in reply ? JSON.stringify(reply.answer) : "",
        toolCalls: calls.map((call, index) => ({ id: `call-${question.results.length + index + 1}`, ...call })),
        usage: { modelCalls: 1, inputTokens: 0, outputTokens: 0, costUsd: 0 },
      };
    },
  };
}

async function follow(agent: string, decide: Rule, question: RuleQuestion): Promise<RuleReply> {
  try {
    return await decide(question);
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
