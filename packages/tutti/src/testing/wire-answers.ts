/** What a model says, before it is put into a provider's wire format. */
export interface Said {
  readonly text?: string;
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly input: unknown }[];
  /** Thinking, with the data that the provider wants to see again. */
  readonly thinking?: { readonly text: string; readonly signature: string };
  /** All input, and its cached and its newly cached part; all output, and its reasoning part. */
  readonly usage?: {
    readonly input: number;
    readonly cached?: number;
    readonly written?: number;
    readonly output: number;
    readonly reasoning?: number;
  };
}

/** A provider's wire format: one body, or the same as events of a stream. */
export interface Wire {
  answer(said: Said): unknown;
  events(said: Said): readonly string[];
}

const usageDefault: NonNullable<Said["usage"]> = { input: 10, output: 5 };

/** Cut in two, so that a stream has something to put together. */
function halves(text: string): readonly string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((half) => half !== "");
}

function toData(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function event(type: string, fields: Readonly<Record<string, unknown>> = {}): string {
  return `event: ${type}\n${toData({ type, ...fields })}`;
}

/** Chat Completions: OpenAI, whoever is compatible with it, and Ollama under /v1. */
export const chatWire: Wire = {
  answer({ text, calls = [], thinking, usage = usageDefault }) {
    const toolCalls = calls.map(({ id, name, input }) => ({
      id,
      type: "function",
      function: { name, arguments: JSON.stringify(input) },
    }));
    const message = {
      role: "assistant",
      content: text ?? null,
      ...(thinking === undefined ? {} : { reasoning_content: thinking.text }),
      ...(calls.length === 0 ? {} : { tool_calls: toolCalls }),
    };
    return {
      id: "chat-1",
      object: "chat.completion",
      created: 1,
      model: "wire-model-1",
      choices: [{ index: 0, message, finish_reason: calls.length === 0 ? "stop" : "tool_calls" }],
      usage: toChatUsage(usage),
    };
  },
  events({ text = "", calls = [], thinking, usage = usageDefault }) {
    const chunk = (delta: unknown, finish: string | null = null): string =>
      toData({
        id: "chat-1",
        object: "chat.completion.chunk",
        created: 1,
        model: "wire-model-1",
        choices: [{ index: 0, delta, finish_reason: finish }],
      });
    const thoughts = halves(thinking?.text ?? "").map((half) => chunk({ reasoning_content: half }));
    const words = halves(text).map((half) => chunk({ content: half }));
    const called = calls.flatMap(({ id, name, input }, index) => {
      const [first = "", ...rest] = halves(JSON.stringify(input));
      const begin = { index, id, type: "function", function: { name, arguments: first } };
      return [
        chunk({ tool_calls: [begin] }),
        ...rest.map((half) => chunk({ tool_calls: [{ index, function: { arguments: half } }] })),
      ];
    });
    return [
      chunk({ role: "assistant", content: "" }),
      ...thoughts,
      ...words,
      ...called,
      chunk({}, calls.length === 0 ? "stop" : "tool_calls"),
      toData({
        id: "chat-1",
        object: "chat.completion.chunk",
        model: "wire-model-1",
        choices: [],
        usage: toChatUsage(usage),
      }),
      "data: [DONE]\n\n",
    ];
  },
};

function toChatUsage({ input, cached, output, reasoning }: NonNullable<Said["usage"]>): unknown {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
    ...(reasoning === undefined ? {} : { completion_tokens_details: { reasoning_tokens: reasoning } }),
  };
}

/** The Responses API of OpenAI. */
export const responsesWire: Wire = {
  answer: (said) => toResponse(said),
  events(said) {
    const response = { id: "resp_1", object: "response", created_at: 1, model: "wire-model-1", output: [] };
    const items = toItems(said).flatMap((item, index) => {
      const place = { output_index: index };
      const open = {
        ...item,
        ...("arguments" in item ? { arguments: "" } : {}),
        ...("content" in item ? { content: [] } : {}),
      };
      const pieces =
        "arguments" in item
          ? halves(String(item["arguments"])).map((delta) =>
              event("response.function_call_arguments.delta", { ...place, item_id: item["id"], delta }),
            )
          : "content" in item
            ? halves(said.text ?? "").map((delta) =>
                event("response.output_text.delta", { ...place, item_id: item["id"], content_index: 0, delta }),
              )
            : [];
      return [
        event("response.output_item.added", { ...place, item: open }),
        ...pieces,
        event("response.output_item.done", { ...place, item }),
      ];
    });
    return [
      event("response.created", { response: { ...response, status: "in_progress" } }),
      ...items,
      event("response.completed", { response: toResponse(said) }),
    ];
  },
};

function toResponse(said: Said): Readonly<Record<string, unknown>> {
  const { input, cached = 0, output, reasoning = 0 } = said.usage ?? usageDefault;
  return {
    id: "resp_1",
    object: "response",
    created_at: 1,
    status: "completed",
    model: "wire-model-1",
    output: toItems(said),
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: reasoning },
      total_tokens: input + output,
    },
  };
}

function toItems({ text, calls = [], thinking }: Said): readonly Readonly<Record<string, unknown>>[] {
  const thought = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: thinking?.signature };
  const message = {
    type: "message",
    id: "msg_1",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text, annotations: [] }],
  };
  return [
    ...(thinking === undefined ? [] : [thought]),
    ...(text === undefined ? [] : [message]),
    ...calls.map(({ id, name, input }, index) => ({
      type: "function_call",
      id: `fc_${index}`,
      call_id: id,
      name,
      arguments: JSON.stringify(input),
      status: "completed",
    })),
  ];
}

/** The Messages API of Anthropic. */
export const messagesWire: Wire = {
  answer(said) {
    return {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "wire-model-1",
      content: toBlocks(said),
      stop_reason: (said.calls ?? []).length > 0 ? "tool_use" : "end_turn",
      stop_sequence: null,
      usage: toMessagesUsage(said),
    };
  },
  events(said) {
    const blocks = toBlocks(said).flatMap((block, index) => [
      event("content_block_start", { index, content_block: { ...block, ...toEmpty(block) } }),
      ...toDeltas(block).map((delta) => event("content_block_delta", { index, delta })),
      event("content_block_stop", { index }),
    ]);
    const usage = toMessagesUsage(said);
    const message = {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "wire-model-1",
      content: [],
      stop_reason: null,
      stop_sequence: null,
    };
    const stop = { stop_reason: (said.calls ?? []).length > 0 ? "tool_use" : "end_turn", stop_sequence: null };
    return [
      event("message_start", { message: { ...message, usage: { ...usage, output_tokens: 1 } } }),
      event("ping"),
      ...blocks,
      event("message_delta", { delta: stop, usage }),
      event("message_stop"),
    ];
  },
};

type Block =
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown };

function toBlocks({ text, calls = [], thinking }: Said): readonly Block[] {
  return [
    ...(thinking === undefined
      ? []
      : [{ type: "thinking" as const, thinking: thinking.text, signature: thinking.signature }]),
    ...(text === undefined ? [] : [{ type: "text" as const, text }]),
    ...calls.map((call) => ({ type: "tool_use" as const, ...call })),
  ];
}

function toEmpty(block: Block): Readonly<Record<string, unknown>> {
  return block.type === "thinking"
    ? { thinking: "", signature: "" }
    : block.type === "text"
      ? { text: "" }
      : { input: {} };
}

function toDeltas(block: Block): readonly unknown[] {
  switch (block.type) {
    case "thinking":
      return [
        ...halves(block.thinking).map((thinking) => ({ type: "thinking_delta", thinking })),
        { type: "signature_delta", signature: block.signature },
      ];
    case "text":
      return halves(block.text).map((text) => ({ type: "text_delta", text }));
    case "tool_use":
      return halves(JSON.stringify(block.input)).map((partial_json) => ({ type: "input_json_delta", partial_json }));
  }
}

function toMessagesUsage({ usage = usageDefault }: Said): Readonly<Record<string, unknown>> {
  const { input, cached = 0, written = 0, output, reasoning } = usage;
  return {
    input_tokens: input - cached - written,
    cache_read_input_tokens: cached,
    cache_creation_input_tokens: written,
    output_tokens: output,
    ...(reasoning === undefined ? {} : { output_tokens_details: { thinking_tokens: reasoning } }),
  };
}

/** generateContent of Gemini. Its calls have no ids. */
export const geminiWire: Wire = {
  answer: (said) => toGemini(toGeminiParts(said), said, "STOP"),
  events(said) {
    const parts = toGeminiParts(said).flatMap((part) =>
      part.text === undefined ? [part] : halves(part.text).map((text) => ({ ...part, text })),
    );
    return parts.map((part, index) => toData(toGemini([part], said, index === parts.length - 1 ? "STOP" : undefined)));
  },
};

interface GeminiPart {
  readonly text?: string;
  readonly thought?: boolean;
  readonly functionCall?: unknown;
  readonly thoughtSignature?: string;
}

function toGeminiParts({ text, calls = [], thinking }: Said): readonly GeminiPart[] {
  return [
    ...(thinking === undefined ? [] : [{ text: thinking.text, thought: true }]),
    ...(text === undefined ? [] : [{ text }]),
    // The first call of a turn carries the signature.
    ...calls.map(({ name, input }, index) => ({
      functionCall: { name, args: input },
      ...(index > 0 || thinking === undefined ? {} : { thoughtSignature: thinking.signature }),
    })),
  ];
}

function toGemini(parts: readonly GeminiPart[], { usage = usageDefault }: Said, finish: string | undefined): unknown {
  const { input, cached, output, reasoning = 0 } = usage;
  return {
    candidates: [
      { content: { role: "model", parts }, index: 0, ...(finish === undefined ? {} : { finishReason: finish }) },
    ],
    usageMetadata: {
      promptTokenCount: input,
      candidatesTokenCount: output - reasoning,
      thoughtsTokenCount: reasoning,
      totalTokenCount: input + output,
      ...(cached === undefined ? {} : { cachedContentTokenCount: cached }),
    },
    modelVersion: "wire-model-1",
    responseId: "r-1",
  };
}
