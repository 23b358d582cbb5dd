import { createOpenAI } from "@ai-sdk/openai";

import { describeProviderFaults } from "../../../../../test/tools/provider-conformance.ts";
import { TuttiError } from "../../base/errors.ts";
import type { ServiceAt } from "../../testing/provider-fault.ts";
import { imageProvider } from "../../tools/image/image-tool.ts";
import type { Provider } from "../../tools/provider.ts";
import { fromAiSdkImage } from "./ai-sdk-image.ts";

// One pixel.
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** With the time limit that a tool of several providers gives to each: the provider's package has none. */
function inTime<Input, Output>(provider: Provider<Input, Output>, { timeoutMs }: ServiceAt): Provider<Input, Output> {
  return {
    name: provider.name,
    async run(input, host) {
      const limit = new AbortController();
      const late = new TuttiError("TOOL_INTERRUPTED", "it did not answer in time", { hint: "Ask again later." });
      const timer = setTimeout(() => limit.abort(late), timeoutMs);
      try {
        return await provider.run(input, { ...host, signal: AbortSignal.any([host.signal, limit.signal]) });
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

describeProviderFaults("an image model of the AI SDK", {
  open: (service) =>
    inTime(
      imageProvider(fromAiSdkImage(createOpenAI({ apiKey: service.key, baseURL: service.url }).image("gpt-image-1"))),
      service,
    ),
  input: { prompt: "a red cube" },
  effect: "write",
  good: { body: { created: 1, data: [{ b64_json: png }] } },
  empty: { body: { created: 1, data: [] } },
  answers: { kind: "json", needs: ["data", 0, "b64_json"] },
});
