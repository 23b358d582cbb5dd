import type { LanguageModelV4 } from "@ai-sdk/provider";

/**
 * Where a provider's package will send a request, as far as it lets others see it: the specification has no word for it, and the packages
 * keep a base URL, or a function that makes one, in their settings. `undefined` when neither is there.
 */
export function findEndpoint(model: LanguageModelV4): string | undefined {
  const config: unknown = "config" in model ? model.config : undefined;
  if (typeof config !== "object" || config === null) return undefined;
  if ("baseURL" in config && typeof config.baseURL === "string") return toAddress(config.baseURL);
  if (!("url" in config) || typeof config.url !== "function") return undefined;
  const made: unknown = Reflect.apply(config.url, config, [{ path: "/", modelId: model.modelId }]);
  return typeof made === "string" ? toAddress(made) : undefined;
}

function toAddress(text: string): string | undefined {
  return URL.canParse(text) ? text : undefined;
}
