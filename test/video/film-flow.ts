import { z } from "zod";

import { TuttiError } from "../../packages/tutti/src/base/errors.ts";
import type { VideoModel } from "../../packages/tutti/src/contracts/media-model.ts";
import type { Flow } from "../../packages/tutti/src/contracts/run.ts";
import { flow } from "../../packages/tutti/src/flow/flow.ts";
import { ledgerKeeper } from "../../packages/tutti/src/tools/media.ts";
import { generateVideo, type VideoPatience } from "../../packages/tutti/src/tools/video/generate-video.ts";
import { videoTools } from "../../packages/tutti/src/tools/video/video-tools.ts";

/** A model behind the job server. `canFind: false`: like most providers, it can't be asked for an order by its key. */
export function toJobModel(url: string, canFind = true): VideoModel {
  const ask = async (path: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(`${url}${path}`, init);
    if (response.ok) return response;
    throw new TuttiError("TOOL_UNAVAILABLE", `the job server answered ${response.status}`);
  };
  const model: VideoModel = {
    provider: "jobs",
    id: "film-1",
    async start({ prompt }, { idempotencyKey, signal }) {
      const headers = { "idempotency-key": idempotencyKey };
      return { reference: (await idOf(await ask("/jobs", { method: "POST", body: prompt, headers, signal }))) ?? "" };
    },
    async status({ reference }, signal) {
      const { ready } = z
        .object({ ready: z.boolean() })
        .parse(await (await ask(`/jobs/${reference}`, { signal })).json());
      return { kind: ready ? "done" : "running" };
    },
    async fetch({ reference }, signal) {
      const response = await ask(`/jobs/${reference}/film`, { signal });
      return { mediaType: "video/mp4", content: new Uint8Array(await response.arrayBuffer()) };
    },
  };
  if (!canFind) return model;
  return {
    ...model,
    async find(key, signal) {
      const id = await idOf(await ask("/jobs", { headers: { "idempotency-key": key }, signal }));
      return id === undefined ? undefined : { reference: id };
    },
  };
}

async function idOf(response: Response): Promise<string | undefined> {
  return z.object({ id: z.string().optional() }).parse(await response.json()).id;
}

export function toFilmFlow(
  model: VideoModel,
  patience: VideoPatience = {},
): Flow<{ prompt: string }, { hash: string }> {
  const tools = videoTools(model, { keeper: ledgerKeeper });
  return flow({
    name: "film",
    input: z.object({ prompt: z.string() }),
    output: z.object({ hash: z.string() }),
    run: (run, request) => generateVideo(run, tools, { request, patience }),
  });
}
