/** Models for agents: any provider of the AI SDK, models made of models, and one that needs no provider. */
export { fromAiSdk } from "./models/ai-sdk/ai-sdk-model.ts";
export type { AiSdkSettings } from "./models/ai-sdk/ai-sdk-request.ts";
export { cached, type CachedOptions } from "./models/cached.ts";
export { cascade, type CascadeOptions } from "./models/cascade.ts";
export { failover, type FailoverOptions } from "./models/failover.ts";
export { offlineModel } from "./models/offline/offline-model.ts";
export type { Price } from "./models/pricing/price.ts";
export { prices, pricesSource } from "./models/pricing/prices.ts";
export { withPrice, type PriceSettings } from "./models/pricing/with-price.ts";
export { route, type RouteOptions } from "./models/route.ts";
export {
  rule,
  ruleModel,
  type Rule,
  type RuleQuestion,
  type RuleReply,
  type RuleToolResult,
} from "./models/rule-model.ts";
