import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { createOpenAI } from "@ai-sdk/openai";
import { expect, onTestFinished, test } from "vitest";

import { bodiesOf, openStage, plainFlow } from "../../../../../test/engine/engine-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { toJsonSchema } from "../../contracts/schema.ts";
import { fromAiSdkImage } from "../../models/ai-sdk/ai-sdk-image.ts";
import { openProviderServer } from "../../testing/provider-server.ts";
import { folderKeeper } from "../media.ts";
import { chartTool, diagramTool } from "./drawing-tools.ts";
import { imageProvider, imageTool } from "./image-tool.ts";

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

test(
  "a flow gets a generated picture with where it comes from and what it cost, and replay asks nobody",
  verifies("K2"),
  async () => {
    const server = await openProviderServer(() => ({
      kind: "answer",
      body: { created: 1, data: [{ b64_json: png }] },
    }));
    onTestFinished(() => server.close());
    const model = createOpenAI({ apiKey: "sk-test", baseURL: `${server.url}/v1` }).image("gpt-image-1");
    const draw = imageTool(imageProvider(fromAiSdkImage(model), { costUsd: 0.04 }));
    const stage = openStage();
    const illustrated = plainFlow("illustrated", async (run) => {
      const image = await run.call(draw, { prompt: "a red cube" });
      await run.sleep(1_000);
      return image;
    });
    const first = await stage.open([illustrated], { evictAfterMs: 0 });
    await first.start(illustrated, {}, { id: "r" });
    await expect.poll(() => stage.entries.some((entry) => entry.kind === "timer-set"), { timeout: 30_000 }).toBe(true);
    await first.close();
    const second = await stage.open([illustrated]);
    await stage.clock.advance(1_000);
    expect(await second.run(illustrated, {}, { id: "r" })).toMatchObject({
      provider: "openai",
      model: "gpt-image-1",
      costUsd: 0.04,
      mediaType: "image/png",
      bytes: 70,
      content: { kind: "base64", base64: png },
    });
    expect(server.requests).toHaveLength(1);
    await second.close();
  },
);

test(
  "when one model can't draw, the next does; who did, who was tried and what it cost is in the ledger",
  verifies("K3", "M3"),
  async () => {
    const server = await openProviderServer(({ path: place }) =>
      place.startsWith("/first")
        ? { kind: "answer", status: 500, body: "no" }
        : { kind: "answer", body: { created: 1, data: [{ b64_json: png }] } },
    );
    onTestFinished(() => server.close());
    const toProvider = (name: string) => {
      const model = createOpenAI({ apiKey: "sk-test", baseURL: `${server.url}/${name}` }).image("gpt-image-1");
      return { ...imageProvider(fromAiSdkImage(model), { costUsd: 0.04 }), name };
    };
    const draw = imageTool(toProvider("first"), toProvider("second"));
    const stage = openStage();
    const drawn = plainFlow("drawn", (run) => run.call(draw, { prompt: "a red cube" }));
    const tutti = await stage.open([drawn]);
    expect(await tutti.run(drawn, {})).toMatchObject({ mediaType: "image/png" });
    await tutti.close();
    await stage.ledger.flush();
    expect(bodiesOf(stage.entries, "step-done").map(({ report }) => report)).toEqual([
      {
        provider: "second",
        tried: [{ provider: "first", code: "TOOL_INTERRUPTED" }],
        usage: { modelCalls: 1, inputTokens: 0, outputTokens: 0, costUsd: 0.04 },
      },
    ]);
  },
);

const chart = {
  kind: "line",
  title: "Visitors",
  labels: ["Mon", "Tue"],
  series: [{ name: "web", values: [3, 5] }],
} as const;

test("charts and diagrams are tools that need no key: SVG in the ledger, PNG in a folder", verifies("K2"), async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "tutti-media-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const keeper = folderKeeper(folder);
  const stage = openStage();
  const pictures = plainFlow("pictures", async (run) => ({
    chart: await run.call(chartTool(), { chart }),
    diagram: await run.call(diagramTool({ keeper }), {
      diagram: {
        title: "Way",
        boxes: [
          { id: "a", label: "A" },
          { id: "b", label: "B" },
        ],
        arrows: [{ from: "a", to: "b" }],
      },
      format: "png",
    }),
  }));
  const tutti = await stage.open([pictures]);
  onTestFinished(() => tutti.close());
  const result = await tutti.run(pictures, {});
  expect(result).toMatchObject({
    chart: {
      mediaType: "image/svg+xml",
      content: { kind: "text", text: expect.stringMatching(/^<svg [\s\S]*<\/svg>\n$/) },
    },
    diagram: { mediaType: "image/png", content: { kind: "file", file: expect.stringContaining(folder) } },
  });
  const { file = "" } = /"file":"(?<file>[^"]+)"/.exec(JSON.stringify(result))?.groups ?? {};
  expect((await readFile(file)).subarray(1, 4).toString("latin1")).toBe("PNG");
});

test("wrong data is refused before the tool is called, with its place", async () => {
  const stage = openStage();
  const wrong = { ...chart, series: [{ name: "web", values: [3] }] };
  const failing = plainFlow("failing", (run) => run.call(chartTool(), { chart: wrong }));
  const tutti = await stage.open([failing]);
  onTestFinished(() => tutti.close());
  await expect(tutti.run(failing, {})).rejects.toMatchObject({
    code: "INPUT_INVALID",
    message: expect.stringContaining("series[0].values should be a list of 2, one per label, not a list of 1"),
  });
});

test("models are told what a chart and a diagram consist of", () => {
  expect(toJsonSchema(chartTool().input, "input", "chart.draw")).toMatchObject({ type: "object", required: ["chart"] });
  expect(toJsonSchema(diagramTool().input, "input", "diagram.draw")).toMatchObject({ required: ["diagram"] });
});
