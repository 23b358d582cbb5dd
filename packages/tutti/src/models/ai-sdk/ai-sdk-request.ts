import type {
  JSONValue,
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Message,
  LanguageModelV4ToolResultPart,
} from "@ai-sdk/provider";

import type { ModelMessage, ModelRequest } from "../../contracts/model.ts";
import type { Price } from "../pricing/price.ts";
import { toAssistantParts, toMaker } from "./provider-data.ts";
import { wireNameMax, type WireNames } from "./wire-names.ts";
import { isStrictSchema, toWireSchema } from "./wire-schema.ts";

/** Settings that go to the provider with every call, and what a call costs. */
export interface AiSdkSettings extends Pick<
  LanguageModelV4CallOptions,
  "maxOutputTokens" | "temperature" | "seed" | "reasoning" | "providerOptions"
> {
  /** Wins over the list price: for models that are not listed, and for rates of your own. */
  readonly price?: Price;
  /** `false` for an endpoint that can't stream: then whoever watches sees an answer when it is whole. */
  readonly streams?: boolean;
}

export function toCallOptions(
  request: ModelRequest,
  model: LanguageModelV4,
  { names, settings }: { readonly names: WireNames; readonly settings: AiSdkSettings },
): LanguageModelV4CallOptions {
  const provider = model.provider.split(".", 1)[0] ?? "";
  const schema = toWireSchema(request.answer.schema);
  const byPrompt = mustAskInWords(request, model, provider);
  const { price: _price, streams: _streams, ...sent } = settings;
  const messages = toPrompt(request.messages, names, toMaker(model));
  const tools = request.tools.map((tool) => {
    const inputSchema = toWireSchema(tool.input);
    const strict = provider === "openai" ? { strict: isStrictSchema(inputSchema) } : {};
    return { type: "function" as const, name: names.toWire(tool.name), description: tool.does, inputSchema, ...strict };
  });
  const lax = strictByDefault(provider) && !isStrictSchema(schema) ? { strictJsonSchema: false } : {};
  // A run may go on in a month: what it needs is in the ledger, and no reference to what the provider may have forgotten.
  const stateless = model.provider === "openai.responses" ? { store: false } : {};
  const own = { ...lax, ...stateless, ...settings.providerOptions?.[provider] };
  return {
    ...sent,
    prompt: byPrompt
      ? [...messages, { role: "user", content: [{ type: "text", text: askForJson(schema) }] }]
      : messages,
    ...(byPrompt
      ? {}
      : {
          responseFormat: {
            type: "json",
            schema,
            name: request.answer.name.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, wireNameMax),
          },
        }),
    ...(tools.length === 0 ? {} : { tools }),
    providerOptions: { ...settings.providerOptions, ...(Object.keys(own).length === 0 ? {} : { [provider]: own }) },
  };
}

/**
 * Whether the schema has to be said in the prompt. Gemini refuses a response format beside tools; a compatible endpoint that
 * does not promise structured outputs would be asked for "some JSON" only.
 */
function mustAskInWords(request: ModelRequest, model: LanguageModelV4, provider: string): boolean {
  if (provider === "google" || provider === "vertex") return request.tools.length > 0;
  return "supportsStructuredOutputs" in model && model.supportsStructuredOutputs === false;
}

// OpenAI and what is compatible with it take a schema as strict unless told otherwise, and then refuse many schemas.
function strictByDefault(provider: string): boolean {
  return !["anthropic", "google", "vertex", "amazon-bedrock", "mistral", "cohere"].includes(provider);
}

function askForJson(schema: unknown): string {
  return `When you have what you need, answer with JSON only, no other words and no code fence, that fits this JSON Schema:\n${JSON.stringify(schema)}`;
}

function toPrompt(messages: readonly ModelMessage[], names: WireNames, maker: string): LanguageModelV4Message[] {
  const prompt: LanguageModelV4Message[] = [];
  for (const message of messages) {
    switch (message.role) {
      case "system":
        prompt.push({ role: "system", content: message.text });
        break;
      case "user":
        prompt.push({ role: "user", content: [{ type: "text", text: message.text }] });
        break;
      case "assistant":
        prompt.push({ role: "assistant", content: toAssistantParts(message, names, maker) });
        break;
      case "tool": {
        const part = toResultPart(message, names);
        const last = prompt.at(-1);
        // All results of a turn belong into one message.
        if (last?.role === "tool") last.content.push(part);
        else prompt.push({ role: "tool", content: [part] });
        break;
      }
    }
  }
  return prompt;
}

function toResultPart(
  message: Extract<ModelMessage, { role: "tool" }>,
  names: WireNames,
): LanguageModelV4ToolResultPart {
  const value = toJsonValue(message.result);
  const text = typeof value === "string" ? value : undefined;
  const output = message.isError
    ? text === undefined
      ? ({ type: "error-json", value } as const)
      : ({ type: "error-text", value: text } as const)
    : text === undefined
      ? ({ type: "json", value } as const)
      : ({ type: "text", value: text } as const);
  return { type: "tool-result", toolCallId: message.callId, toolName: names.toWire(message.tool), output };
}

function toJsonValue(value: unknown): JSONValue {
  const text: unknown = JSON.stringify(value);
  if (typeof text !== "string") return null;
  const parsed: JSONValue = JSON.parse(text);
  return parsed;
}
