/** Models for agents: any provider of the AI SDK, and one that needs no provider. */
export { fromAiSdk } from "./models/ai-sdk/ai-sdk-model.ts";
export type { AiSdkSettings } from "./models/ai-sdk/ai-sdk-request.ts";
export { offlineModel } from "./models/offline/offline-model.ts";
