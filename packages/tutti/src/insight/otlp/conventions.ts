/**
 * Names of the OpenTelemetry conventions for generative AI, as they stood on 2026-11-20 (repository semantic-conventions-genai, commit 002c8a6;
 * all of them are "Development" there). Kept here because no package has them in this form, and so that an update of one can't rename what leaves.
 */
export const schemaUrl = "https://opentelemetry.io/schemas/gen-ai/1.42.0";

export const operations = {
  run: "invoke_workflow",
  agent: "invoke_agent",
  plan: "plan",
  model: "chat",
  tool: "execute_tool",
} as const;

export const names = {
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  conversation: "gen_ai.conversation.id",
  workflow: "gen_ai.workflow.name",
  agent: "gen_ai.agent.name",
  agentVersion: "gen_ai.agent.version",
  agentDescription: "gen_ai.agent.description",
  requestModel: "gen_ai.request.model",
  responseModel: "gen_ai.response.model",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  cacheWriteTokens: "gen_ai.usage.cache_creation.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
  outputMessages: "gen_ai.output.messages",
  tool: "gen_ai.tool.name",
  toolType: "gen_ai.tool.type",
  toolArguments: "gen_ai.tool.call.arguments",
  toolResult: "gen_ai.tool.call.result",
  evaluation: "gen_ai.evaluation.name",
  evaluationScore: "gen_ai.evaluation.score.value",
  evaluationLabel: "gen_ai.evaluation.score.label",
  evaluationReason: "gen_ai.evaluation.explanation",
  error: "error.type",
} as const;

export const evaluationEvent = "gen_ai.evaluation.result";

/** Providers under the names that the conventions give them, by the beginning of the name that the AI SDK gives. */
const providerNames: readonly (readonly [string, string])[] = [
  ["openai", "openai"],
  ["azure", "azure.ai.openai"],
  ["anthropic", "anthropic"],
  ["google.vertex", "gcp.vertex_ai"],
  ["vertex", "gcp.vertex_ai"],
  ["google", "gcp.gemini"],
  ["amazon-bedrock", "aws.bedrock"],
  ["mistral", "mistral_ai"],
  ["cohere", "cohere"],
  ["deepseek", "deepseek"],
  ["groq", "groq"],
  ["perplexity", "perplexity"],
  ["xai", "x_ai"],
];

/** `openai.responses` is `openai`; what the conventions do not know keeps its name. */
export function toProviderName(provider: string): string {
  const known = providerNames.find(([begins]) => provider === begins || provider.startsWith(`${begins}.`));
  return known?.[1] ?? provider;
}
