import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";

import { describeProviderFaults, type Exceptions } from "../../../../../test/tools/provider-conformance.ts";
import { TuttiError } from "../../base/errors.ts";
import type { VideoJob, VideoRequest } from "../../contracts/media-model.ts";
import type { ServiceAt } from "../../testing/provider-fault.ts";
import { imageProvider } from "../../tools/image/image-tool.ts";
import type { Provider } from "../../tools/provider.ts";
import { fromAiSdkImage } from "./ai-sdk-image.ts";
import { fromAiSdkVideo } from "./ai-sdk-video.ts";

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

const wholeAnswers = "the provider's package reads an answer whole; only the time limit of the tool ends it";
const exceptions: Exceptions = {
  "its answer has no end": wholeAnswers,
  "packed, and a thousand times as large": wholeAnswers,
  "packed in a way that was never asked for": "fetch reads it as it is, and it is readable",
  "it sends to itself": "fetch says so in words only: it is taken for a broken connection, which is the safe side",
};

describeProviderFaults(
  "an image model of the AI SDK",
  {
    open: (service) =>
      inTime(
        imageProvider(fromAiSdkImage(createOpenAI({ apiKey: service.key, baseURL: service.url }).image("gpt-image-1"))),
        service,
      ),
    input: { prompt: "a red cube" },
    effect: "write",
    good: { body: { created: 1, data: [{ b64_json: png }] } },
    answers: { kind: "json", needs: ["data", 0, "b64_json"] },
    followsRedirects: true,
  },
  exceptions,
);

describeProviderFaults(
  "a video model of the AI SDK, ordering",
  {
    open: (service) => {
      const model = fromAiSdkVideo(createGoogle({ apiKey: service.key, baseURL: service.url }).video("veo-test"));
      const start: Provider<VideoRequest, VideoJob> = {
        name: "google",
        run: (request, { idempotencyKey, signal }) => model.start(request, { idempotencyKey, signal }),
      };
      return inTime(start, service);
    },
    input: { prompt: "a red cube turns" },
    effect: "write",
    good: { body: { name: "models/veo-test/operations/abc123" } },
    answers: { kind: "json", needs: ["name"] },
    followsRedirects: true,
  },
  { ...exceptions, "packed, and cut off": "all of this JSON is there, and fetch does not miss the end of the packing" },
);
