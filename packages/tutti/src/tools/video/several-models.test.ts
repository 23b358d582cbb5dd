import { expect, test } from "vitest";

import { verifies } from "../../../../../test/verifies.ts";
import { TuttiError } from "../../base/errors.ts";
import type { ToolReport } from "../../contracts/callable.ts";
import type { VideoModel } from "../../contracts/media-model.ts";
import { toToolHost } from "../../testing/tool-host.ts";
import { ledgerKeeper } from "../media.ts";
import { videoTools } from "./video-tools.ts";

const request = { prompt: "a red cube turns" };

function toModel(provider: string, changes: Partial<VideoModel> = {}): VideoModel {
  return {
    provider,
    id: `${provider}-1`,
    start: async () => ({ reference: `${provider}'s` }),
    status: async ({ reference }) => (reference === `${provider}'s` ? { kind: "done" } : { kind: "running" }),
    fetch: async () => ({ mediaType: "video/mp4", content: Buffer.from(provider) }),
    ...changes,
  };
}

const refusing = (code: "TOOL_REFUSED" | "TOOL_INTERRUPTED"): VideoModel =>
  toModel("first", {
    start: async () => {
      throw new TuttiError(code, "no");
    },
  });

test(
  "the next model makes a film only if the first certainly did not begin; the one that makes it is asked for it",
  verifies("K3"),
  async () => {
    const reports: ToolReport[] = [];
    const host = toToolHost({ report: (report) => reports.push(report) });
    const tools = videoTools([refusing("TOOL_REFUSED"), toModel("second")], {
      keeper: ledgerKeeper,
      costUsd: { second: 3 },
    });
    const job = await tools.start.run(request, host);
    expect(job).toEqual({ reference: "second's", provider: "second" });
    expect(Object.assign({}, ...reports)).toEqual({
      provider: "second",
      tried: [{ provider: "first", code: "TOOL_REFUSED" }],
      usage: { modelCalls: 1, inputTokens: 0, outputTokens: 0, costUsd: 3 },
    });
    expect(await tools.status.run(job, host)).toEqual({ status: { kind: "done" } });
    expect(await tools.fetch.run(job, host)).toMatchObject({ bytes: 6 });
    const open = videoTools([refusing("TOOL_INTERRUPTED"), toModel("second")], { keeper: ledgerKeeper });
    await expect(open.start.run(request, host)).rejects.toMatchObject({ code: "TOOL_INTERRUPTED", effect: "unknown" });
    const later = videoTools(toModel("third"), { keeper: ledgerKeeper });
    await expect(async () => later.status.run(job, host)).rejects.toMatchObject({ code: "TOOL_REFUSED" });
  },
);
