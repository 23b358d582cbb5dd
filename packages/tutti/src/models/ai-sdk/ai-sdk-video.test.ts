import { createGoogle } from "@ai-sdk/google";
import { afterEach, expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { TuttiError } from "../../base/errors.ts";
import type { VideoModel } from "../../contracts/media-model.ts";
import {
  openProviderServer,
  type ProviderAnswer,
  type ProviderRequest,
  type ProviderServer,
} from "../../testing/provider-server.ts";
import { fromAiSdkVideo } from "./ai-sdk-video.ts";

const key = "AIzaSyTestKey4711abcdefgh";
const film = "\0\0\0\u0018ftypmp42 a film";
const operation = "models/veo-test/operations/abc123";
let server: ProviderServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** A model of Google's package, whose server answers as Veo does unless told otherwise. */
async function openModel(
  answerTo: (request: ProviderRequest) => ProviderAnswer | undefined = () => undefined,
): Promise<VideoModel> {
  server = await openProviderServer((request) => answerTo(request) ?? answer(request.path));
  return fromAiSdkVideo(createGoogle({ apiKey: key, baseURL: `${server.url}/v1beta` }).video("veo-test"));
}

function answer(path: string): ProviderAnswer {
  if (path.startsWith("/film")) return { kind: "answer", headers: { "content-type": "video/mp4" }, body: film };
  if (path.endsWith(":predictLongRunning")) return { kind: "answer", body: { name: operation } };
  return { kind: "answer", body: done(`${server?.url}/v1beta/film.mp4?alt=media`) };
}

const done = (uri: string): unknown => ({
  name: operation,
  done: true,
  response: { generateVideoResponse: { generatedSamples: [{ video: { uri } }] } },
});
const onStatus =
  (body: unknown) =>
  (request: ProviderRequest): ProviderAnswer | undefined =>
    request.path.endsWith("abc123") ? { kind: "answer", body } : undefined;
const signal = new AbortController().signal;
const job = { reference: JSON.stringify({ operationName: operation }) };

test("a film is ordered, asked for and fetched, and its key is in no result", verifies("K2", "M3"), async () => {
  const model = await openModel(({ path }) =>
    path.startsWith("/v1beta/film") ? { kind: "answer", body: film } : undefined,
  );
  const started = await model.start(
    { prompt: "a red cube turns", aspectRatio: "16:9", durationSeconds: 6 },
    { idempotencyKey: "video.start:1", signal },
  );
  expect(started).toEqual(job);
  const status = await model.status(started, signal);
  expect(status).toEqual({ kind: "done" });
  const { mediaType, content } = await model.fetch(started, signal);
  expect([mediaType, Buffer.from(content).toString("latin1")]).toEqual(["video/mp4", film]);
  expect(server?.requests).toMatchObject([
    {
      path: "/v1beta/models/veo-test:predictLongRunning",
      headers: { "idempotency-key": "video.start:1", "x-goog-api-key": key },
      body: {
        instances: [{ prompt: "a red cube turns" }],
        parameters: { sampleCount: 1, aspectRatio: "16:9", durationSeconds: 6 },
      },
    },
    { path: `/v1beta/${operation}` },
    { path: `/v1beta/${operation}` },
    { path: `/v1beta/film.mp4?alt=media&key=${key}` },
  ]);
  expect(JSON.stringify([started, status])).not.toContain("TestKey");
});

test("a film in the making, and one that will not be made, are answers", async () => {
  const running = await openModel(onStatus({ name: operation, done: false }));
  expect(await running.status(job, signal)).toEqual({ kind: "running" });
  await server?.close();
  const failed = await openModel(onStatus({ name: operation, done: true, error: { code: 3, message: "no people" } }));
  expect(await failed.status(job, signal)).toEqual({ kind: "failed", why: expect.stringContaining("no people") });
});

const onStart =
  (answerToStart: ProviderAnswer) =>
  (request: ProviderRequest): ProviderAnswer | undefined =>
    request.path.endsWith(":predictLongRunning") ? answerToStart : undefined;
const fault = (status: number): ProviderAnswer => ({
  kind: "answer",
  status,
  body: { error: { code: status, message: "m", status: "S" } },
});

test.for<[string, ProviderAnswer, string, string]>([
  ["asked to wait", fault(429), "TOOL_RATE_LIMITED", "none"],
  ["overloaded", fault(503), "TOOL_INTERRUPTED", "unknown"],
  ["a fault after the order arrived", fault(500), "TOOL_INTERRUPTED", "unknown"],
  ["an answer that never came", { kind: "cut" }, "TOOL_INTERRUPTED", "unknown"],
  ["an answer that broke off", { kind: "cut", after: '{"name":"mod' }, "TOOL_INTERRUPTED", "unknown"],
  ["a wrong key", fault(403), "TOOL_REFUSED", "none"],
])("an order that fails says whether a film may be made: %s", verifies("K4"), async ([, given, code, effect]) => {
  const model = await openModel(onStart(given));
  await expect(model.start({ prompt: "x" }, { idempotencyKey: "k", signal })).rejects.toMatchObject({ code, effect });
});

test.for<[string, ProviderAnswer, string]>([
  ["gone", { kind: "answer", status: 404, body: "" }, "TOOL_REFUSED"],
  ["out of reach", { kind: "answer", status: 502, body: "" }, "TOOL_UNAVAILABLE"],
  ["cut", { kind: "cut", after: "\0\0\0\u0018ftyp" }, "TOOL_UNAVAILABLE"],
])("a film whose address is %s changes nothing, and no error repeats the address", async ([, given, code]) => {
  const model = await openModel(({ path }) => (path.startsWith("/v1beta/film") ? given : undefined));
  const error: unknown = await model.fetch(job, signal).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code, effect: "none" });
  expect(String(error)).not.toMatch(/TestKey|film\.mp4/);
});

test("fetching a film that is not ready is an error, not an empty film", async () => {
  const model = await openModel(onStatus({ name: operation, done: false }));
  await expect(model.fetch(job, signal)).rejects.toMatchObject({ code: "TOOL_ANSWER_INVALID", effect: "none" });
});

test("an aborted question ends at once", async () => {
  const model = await openModel(() => ({ kind: "hang" }));
  const controller = new AbortController();
  const asked = model.status(job, controller.signal);
  const reason = new TuttiError("RUN_CANCELLED", "nobody wants it any more");
  controller.abort(reason);
  await expect(asked).rejects.toBe(reason);
});

test("a model that can't be started and asked is refused at once", () => {
  const whole = createGoogle({ apiKey: key }).video("veo-test");
  const { specificationVersion, provider, modelId, maxVideosPerCall } = whole;
  expect(() => fromAiSdkVideo({ specificationVersion, provider, modelId, maxVideosPerCall })).toThrow(
    expect.objectContaining({ code: "DEFINITION_INVALID" }),
  );
});
