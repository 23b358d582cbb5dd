import { names } from "./conventions.ts";
import type { Attributes, AttributeValue, Span, SpanRole } from "./span.ts";

/** Attributes of their own that some tools draw more from than from the conventions. */
export const dialects = ["phoenix", "langfuse", "langsmith"] as const;
export type Dialect = (typeof dialects)[number];

/** The same span, which also says what it is in the words of one tool. */
export function inDialect(span: Span, dialect: Dialect | undefined): Span {
  if (dialect === undefined) return span;
  return { ...span, attributes: { ...span.attributes, ...translators[dialect](span) } };
}

const translators: Readonly<Record<Dialect, (span: Span) => Attributes>> = {
  phoenix: toPhoenix,
  langfuse: toLangfuse,
  langsmith: ({ role }) => ({ "langsmith.span.kind": langsmithKinds[role] ?? "chain" }),
};

const phoenixKinds: Readonly<Partial<Record<SpanRole, string>>> = {
  agent: "AGENT",
  model: "LLM",
  tool: "TOOL",
  decision: "EVALUATOR",
  policy: "GUARDRAIL",
};

const langfuseTypes: Readonly<Partial<Record<SpanRole, string>>> = {
  run: "chain",
  agent: "agent",
  plan: "agent",
  model: "generation",
  tool: "tool",
  message: "chain",
  decision: "evaluator",
  policy: "guardrail",
};

const langsmithKinds: Readonly<Partial<Record<SpanRole, string>>> = { model: "llm", tool: "tool" };

function toPhoenix({ role, attributes, spanId, parentSpanId }: Span): Attributes {
  const input = numberOf(attributes[names.inputTokens]);
  const output = numberOf(attributes[names.outputTokens]);
  return {
    "openinference.span.kind": phoenixKinds[role] ?? "CHAIN",
    ...renamed(attributes, [
      [names.conversation, "session.id"],
      [names.requestModel, "llm.model_name"],
      [names.provider, "llm.provider"],
      [names.inputTokens, "llm.token_count.prompt"],
      [names.outputTokens, "llm.token_count.completion"],
      [names.tool, "tool.name"],
      ...valueNames("input.value", "output.value"),
    ]),
    ...(input === undefined || output === undefined ? {} : { "llm.token_count.total": input + output }),
    ...(role === "agent"
      ? { "graph.node.id": spanId, ...(parentSpanId === undefined ? {} : { "graph.node.parent_id": parentSpanId }) }
      : {}),
  };
}

function toLangfuse({ role, name, attributes, parentSpanId, error }: Span): Attributes {
  return {
    "langfuse.observation.type": langfuseTypes[role] ?? "span",
    ...(parentSpanId === undefined ? { "langfuse.trace.name": name } : {}),
    ...renamed(attributes, [
      [names.conversation, "langfuse.session.id"],
      [names.responseModel, "langfuse.observation.model.name"],
      ...valueNames("langfuse.observation.input", "langfuse.observation.output"),
    ]),
    ...(error === undefined
      ? {}
      : { "langfuse.observation.level": "ERROR", "langfuse.observation.status_message": error }),
  };
}

/** Where values stand, if they leave at all. */
function valueNames(input: string, output: string): readonly (readonly [string, string])[] {
  return [
    ["tutti.input", input],
    [names.toolArguments, input],
    ["tutti.output", output],
    [names.toolResult, output],
    [names.outputMessages, output],
  ];
}

function renamed(attributes: Attributes, pairs: readonly (readonly [string, string])[]): Attributes {
  const said: Record<string, AttributeValue> = {};
  for (const [from, to] of pairs) {
    const value = attributes[from];
    if (value !== undefined) said[to] = value;
  }
  return said;
}

function numberOf(value: AttributeValue | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}
