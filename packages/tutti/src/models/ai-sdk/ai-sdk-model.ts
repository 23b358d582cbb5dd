import type { LanguageModelV4 } from "@ai-sdk/provider";

import { TuttiError } from "../../base/errors.ts";
import type { Model } from "../../contracts/model.ts";
import { refuseNetwork } from "../network-switch.ts";
import { findPrice } from "../pricing/find-price.ts";
import { toWorstCase } from "../worst-case.ts";
import { toModelError } from "./ai-sdk-errors.ts";
import { toReply } from "./ai-sdk-reply.ts";
import { toCallOptions, type AiSdkSettings } from "./ai-sdk-request.ts";
import { readStream } from "./ai-sdk-stream.ts";
import { findEndpoint } from "./endpoint.ts";
import { toWireNames } from "./wire-names.ts";

/**
 * A model of any AI SDK provider: `fromAiSdk(openai("gpt-5-mini"))`. One call is one attempt: retries belong to the step that makes it.
 * Errors tell what to do and never carry the key. Costs come from the list prices that are known, or from `price`.
 * `watch` must not throw: what it throws ends the call.
 * @throws TuttiError DEFINITION_INVALID when it is given something else than a model of the AI SDK's specification v4.
 */
export function fromAiSdk(model: LanguageModelV4, settings: AiSdkSettings = {}): Model {
  checkModel(model);
  const provider = model.provider.split(".", 1)[0] ?? model.provider;
  const price = settings.price ?? findPrice(provider, [model.modelId]);
  return {
    provider,
    id: model.modelId,
    worstCase: (request) => toWorstCase(request, { price, outputTokensMax: settings.maxOutputTokens }),
    async generate(request, signal, watch) {
      refuseNetwork(`${model.provider}/${model.modelId}`, findEndpoint(model));
      const names = toWireNames(request);
      try {
        const options = { ...toCallOptions(request, model, { names, settings }), abortSignal: signal };
        const result =
          watch === undefined || settings.streams === false
            ? await model.doGenerate(options)
            : await readStream((await model.doStream(options)).stream, { names, watch, signal });
        return toReply(result, { model, names, settings });
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
