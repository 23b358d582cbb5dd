import type {
  JSONValue,
  LanguageModelV4,
  LanguageModelV4Content,
  LanguageModelV4Message,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";

import type { Json } from "../../base/json.ts";
import { anything, fields, listOf, oneOf, recordOf, text, type Shape, type ShapeOf } from "../../base/shape.ts";
import type { ModelMessage } from "../../contracts/model.ts";
import type { WireNames } from "./wire-names.ts";

// What some providers want to see again with the next turn: Gemini's thought signatures, OpenAI's reasoning items, Anthropic's signed thinking.
const options: Shape<SharedV4ProviderOptions> = (value, path) => {
  const copy: Record<string, Record<string, JSONValue>> = JSON.parse(
    JSON.stringify(recordOf(recordOf(anything))(value, path)),
  );
  return copy;
};

/** The parts of a reply in their order. Texts are named by what they say only where the reply's own text is not the whole of it; calls by their order. */
const keptShape = fields({
  by: text,
  parts: listOf(fields({ kind: oneOf("text", "reasoning", "call") }, { text, data: options })),
});
type Part = ShapeOf<typeof keptShape>["parts"][number];

/** Whose provider data a reply carries: another model can't read it. */
export function toMaker(model: Pick<LanguageModelV4, "provider" | "modelId">): string {
  return `${model.provider}/${model.modelId}`;
}

type AssistantMessage = Extract<ModelMessage, { readonly role: "assistant" }>;
type AssistantParts = Extract<LanguageModelV4Message, { readonly role: "assistant" }>["content"];

/** What has to be kept of a reply beside its text and calls; nothing for most providers. */
export function toProviderData(content: readonly LanguageModelV4Content[], said: string, by: string): Json | undefined {
  const parts: Part[] = [];
  for (const part of content) {
    if (part.type !== "text" && part.type !== "reasoning" && part.type !== "tool-call") continue;
    if (part.type === "tool-call" && part.providerExecuted === true) continue;
    const data = part.providerMetadata === undefined ? {} : { data: part.providerMetadata };
    if (part.type === "tool-call") parts.push({ kind: "call", ...data });
    else if (part.type === "reasoning") parts.push({ kind: "reasoning", text: part.text, ...data });
    else parts.push({ kind: "text", ...(part.text === said ? {} : { text: part.text }), ...data });
  }
  if (!parts.some((part) => part.data !== undefined || part.kind === "reasoning")) return undefined;
  const kept: Json = JSON.parse(JSON.stringify({ by, parts }));
  return kept;
}

/** An earlier turn as its provider takes it. What another provider or model left with it is not for this one. */
export function toAssistantParts(message: AssistantMessage, names: WireNames, by: string): AssistantParts {
  const calls = message.toolCalls.map((call) => ({
    type: "tool-call" as const,
    toolCallId: call.id,
    toolName: names.toWire(call.tool),
    // Providers want an object; what the model wrote instead was refused and told.
    input: typeof call.input === "object" && call.input !== null ? call.input : {},
  }));
  const parts: AssistantParts = [];
  for (const { kind, text: own, data } of readParts(message, by)) {
    const known = data === undefined ? {} : { providerOptions: data };
    const words = own ?? message.text;
    const call = kind === "call" ? calls.shift() : undefined;
    if (call !== undefined) parts.push({ ...call, ...known });
    else if (kind === "reasoning") parts.push({ type: "reasoning", text: words, ...known });
    // A provider refuses an empty text, unless it is there for what hangs on it.
    else if (kind === "text" && (words !== "" || data !== undefined))
      parts.push({ type: "text", text: words, ...known });
  }
  return [...parts, ...calls];
}

function readParts(message: AssistantMessage, by: string): readonly Part[] {
  const plain: readonly Part[] = [{ kind: "text" }, ...message.toolCalls.map((): Part => ({ kind: "call" }))];
  const { providerData } = message;
  if (typeof providerData !== "object" || providerData === null || !("by" in providerData)) return plain;
  const kept = keptShape(providerData, "providerData");
  return kept.by === by ? kept.parts : plain;
}
