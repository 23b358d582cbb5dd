import { createOpenAI } from "@ai-sdk/openai";
import { afterEach, expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { isTuttiError, toStoredError, TuttiError } from "../../base/errors.ts";
import type { ImageReply, ImageRequest } from "../../contracts/media-model.ts";
import { openProviderServer, type ProviderAnswer, type ProviderServer } from "../../testing/provider-server.ts";
import { fromAiSdkImage } from "./ai-sdk-image.ts";

const key = "sk-test-4711abcdefghijklmnop";
// One pixel.
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
let server: ProviderServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

interface Asking {
  readonly request?: Partial<ImageRequest>;
  readonly signal?: AbortSignal;
  readonly modelId?: string;
}

async function draw(
  answer: ProviderAnswer,
  { request = {}, signal, modelId = "gpt-image-1" }: Asking = {},
): Promise<ImageReply> {
  server = await openProviderServer(() => answer);
  const model = createOpenAI({ apiKey: key, baseURL: `${server.url}/v1` }).image(modelId);
  const settings = { providerOptions: { openai: { quality: "low" } } };
  return fromAiSdkImage(model, settings).generate(
    { prompt: "a red cube", ...request },
    signal ?? new AbortController().signal,
  );
}

async function failure(answer: ProviderAnswer, asking?: Asking): Promise<TuttiError> {
  const thrown = await draw(answer, asking).then(
    () => "a picture",
    (error: unknown) => error,
  );
  if (isTuttiError(thrown)) return thrown;
  throw new TuttiError("BUG", `no TuttiError but ${String(thrown)}`);
}

const ok: ProviderAnswer = {
  kind: "answer",
  body: { created: 1, data: [{ b64_json: png, revised_prompt: "a red cube on white" }] },
};

test(
  "a picture comes back as bytes, with what they really are and what the model made of the prompt",
  verifies("K2", "M3"),
  async () => {
    const { image, revisedPrompt } = await draw(ok, { request: { size: "1024x1024" } });
    expect(image.mediaType).toBe("image/png");
    expect(Buffer.from(image.content).toString("base64")).toBe(png);
    expect(revisedPrompt).toBe("a red cube on white");
    expect(server?.requests).toMatchObject([
      {
        path: "/v1/images/generations",
        headers: { authorization: `Bearer ${key}` },
        body: { model: "gpt-image-1", prompt: "a red cube", n: 1, size: "1024x1024", quality: "low" },
      },
    ]);
  },
);

function refusal(
  status: number,
  error: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): ProviderAnswer {
  return { kind: "answer", status, headers, body: { error: { type: "invalid_request_error", ...error } } };
}

test.for<[string, ProviderAnswer, Partial<Pick<TuttiError, "code" | "effect" | "retryAfterMs">>]>([
  [
    "asked to wait",
    refusal(429, { message: "slow down" }, { "retry-after": "7" }),
    { code: "TOOL_RATE_LIMITED", effect: "none", retryAfterMs: 7_000 },
  ],
  [
    "a used-up quota",
    refusal(429, { message: "no money", code: "insufficient_quota" }),
    { code: "TOOL_REFUSED", effect: "none" },
  ],
  [
    "content that it declines",
    refusal(400, { message: "Your request was rejected by the safety system.", code: "moderation_blocked" }),
    { code: "TOOL_BLOCKED", effect: "none" },
  ],
  [
    "a request that it does not take",
    refusal(400, { message: "Unknown parameter" }),
    { code: "TOOL_REFUSED", effect: "none" },
  ],
  ["a wrong key", refusal(401, { message: `Incorrect API key ${key}` }), { code: "TOOL_REFUSED", effect: "none" }],
  [
    "a provider that is overloaded",
    refusal(503, { message: "overloaded" }),
    { code: "TOOL_INTERRUPTED", effect: "unknown" },
  ],
  ["a fault after it began", refusal(500, { message: "oops" }), { code: "TOOL_INTERRUPTED", effect: "unknown" }],
  ["a connection that broke before the answer", { kind: "cut" }, { code: "TOOL_INTERRUPTED", effect: "unknown" }],
  [
    "a connection that broke in the middle",
    { kind: "cut", after: '{"created":1,"data":[{"b64_json":"iVBOR' },
    { code: "TOOL_INTERRUPTED", effect: "unknown" },
  ],
  [
    "an answer of something else",
    { kind: "answer", body: "<html>hello</html>" },
    { code: "TOOL_ANSWER_INVALID", effect: "unknown" },
  ],
  [
    "a picture that is none",
    { kind: "answer", body: { created: 1, data: [{ b64_json: "aGVsbG8=" }] } },
    { code: "TOOL_ANSWER_INVALID", effect: "unknown" },
  ],
  ["no picture", { kind: "answer", body: { created: 1, data: [] } }, { code: "TOOL_BLOCKED", effect: "none" }],
])("%s is an error that says what to do and whether anything happened", verifies("K4"), async ([, answer, wanted]) => {
  const error = await failure(answer);
  const { code, effect, retryAfterMs } = error;
  expect({ code, effect, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }).toEqual(wanted);
  expect(error.hint).toBeTruthy();
  expect(JSON.stringify([toStoredError(error), String(error.cause)])).not.toMatch(/klmnop|red cube/);
});

test("a provider that nobody answers for did nothing", async () => {
  const gone = await openProviderServer(() => ok);
  await gone.close();
  const model = fromAiSdkImage(createOpenAI({ apiKey: key, baseURL: `${gone.url}/v1` }).image("gpt-image-1"));
  await expect(model.generate({ prompt: "x" }, new AbortController().signal)).rejects.toMatchObject({
    code: "TOOL_UNAVAILABLE",
    effect: "none",
  });
});

test("an aborted call ends at once, with the reason of the abort", async () => {
  const controller = new AbortController();
  const call = draw({ kind: "hang" }, { signal: controller.signal });
  const reason = new TuttiError("RUN_CANCELLED", "nobody wants it any more");
  controller.abort(reason);
  await expect(call).rejects.toBe(reason);
});

test("a size that is none is refused before anybody is asked", async () => {
  await expect(draw(ok, { request: { size: "big" } })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  expect(server?.requests).toEqual([]);
});

test("something that is no image model is refused at once", () => {
  const model = createOpenAI({ apiKey: key })("gpt-5-mini");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what plain JavaScript may pass
  const given = { ...model, specificationVersion: "v2" } as unknown as Parameters<typeof fromAiSdkImage>[0];
  expect(() => fromAiSdkImage(given)).toThrow(expect.objectContaining({ code: "DEFINITION_INVALID" }));
});
