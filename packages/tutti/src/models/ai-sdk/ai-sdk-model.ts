import type { LanguageModelV4, LanguageModelV4GenerateResult, LanguageModelV4Usage } from "@ai-sdk/provider";

import { TuttiError } from "../../base/errors.ts";
import type { Model, ModelReply, ToolCall } from "../../contracts/model.ts";
import type { Usage } from "../../contracts/outcome.ts";
import { toModelError } from "./ai-sdk-errors.ts";
import { toCallOptions, toWireNames, type AiSdkSettings, type WireNames } from "./ai-sdk-request.ts";

/**
 * A model of any AI SDK provider: `fromAiSdk(openai("gpt-5-mini"))`. One call is one attempt: retries belong to the step that makes it.
 * Errors tell what to do and never carry the key.
 * @throws TuttiError DEFINITION_INVALID when it is given something else than a model of the AI SDK's specification v4.
 */
export function fromAiSdk(model: LanguageModelV4, settings: AiSdkSettings = {}): Model {
  checkModel(model);
  return {
    provider: model.provider.split(".", 1)[0] ?? model.provider,
    id: model.modelId,
    async generate(request, signal) {
      const names = toWireNames(request);
      try {
        const result = await model.doGenerate({
          ...toCallOptions(request, model, { names, settings }),
          abortSignal: signal,
        });
        return toReply(result, names, model);
      } catch (error) {
        throw await toModelError(error, model, signal);
      }
    },
  };
}

// Types rule this out; a model's id as a string, or a provider of another major version, would fail much later and less clearly.
function checkModel(model: LanguageModelV4): void {
  const given: unknown = model;
  const version =
    typeof given === "object" && given !== null && "specificationVersion" in given
      ? given.specificationVersion
      : undefined;
  if (version === "v4" && typeof model.doGenerate === "function") return;
  const what =
    typeof given === "string"
      ? `the text ${JSON.stringify(given)}`
      : version === undefined
        ? "something else"
        : `a model of specification ${JSON.stringify(version)}`;
  throw new TuttiError(
    "DEFINITION_INVALID",
    `fromAiSdk needs a language model of the AI SDK (specification v4), and was given ${what}`,
    { hint: 'Pass the model itself, for example openai("gpt-5-mini") of a current @ai-sdk/openai.' },
  );
}

function toReply(result: LanguageModelV4GenerateResult, names: WireNames, model: LanguageModelV4): ModelReply {
  const texts = result.content.map((part) => (part.type === "text" ? part.text : ""));
  // An explicit selection of the provider's wins, also an empty one.
  const text = result.structuredOutputText ?? texts.join("");
  const toolCalls: ToolCall[] = [];
  for (const part of result.content) {
    if (part.type !== "tool-call" || part.providerExecuted === true) continue;
    toolCalls.push({ id: part.toolCallId, tool: names.toOurs(part.toolName), input: parseInput(part.input) });
  }
  const { unified } = result.finishReason;
  const facts = { provider: model.provider, model: model.modelId };
  if (unified === "content-filter") {
    throw new TuttiError(
      "MODEL_REFUSED",
      `${model.modelId} stopped: the provider's content filter did not let the answer through`,
      { hint: "Look at what the agent was given; another model may judge it differently.", facts },
    );
  }
  if ((unified === "length" || unified === "interrupted") && toolCalls.length === 0) {
    throw new TuttiError(
      "MODEL_ANSWER_INVALID",
      `the answer of ${model.modelId} was cut off${unified === "length" ? " at its token limit" : ""}`,
      { hint: "Raise maxOutputTokens, or ask for a shorter answer.", facts },
    );
  }
  const modelId = result.response?.modelId;
  return { text, toolCalls, usage: toUsage(result.usage), ...(modelId === undefined ? {} : { modelId }) };
}

// What is not JSON stays text: the tool's schema refuses it, and the model is told.
function parseInput(input: string): unknown {
  if (input.trim() === "") return {};
  try {
    return JSON.parse(input);
  } catch {
    return input;
  }
}

/** Totals include cached and reasoning tokens; a provider that gives only the parts is added up. */
function toUsage({ inputTokens, outputTokens }: LanguageModelV4Usage): Usage {
  return {
    modelCalls: 1,
    inputTokens: inputTokens.total ?? sum(inputTokens.noCache, inputTokens.cacheRead, inputTokens.cacheWrite),
    outputTokens: outputTokens.total ?? sum(outputTokens.text, outputTokens.reasoning),
  };
}

function sum(...parts: readonly (number | undefined)[]): number {
  return parts.reduce<number>((total, part) => total + (part ?? 0), 0);
}
