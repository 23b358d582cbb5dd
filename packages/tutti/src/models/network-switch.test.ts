import { createOpenAI } from "@ai-sdk/openai";
import { afterEach, expect, test } from "vitest";

import { verifies } from "../../../../test/verifies.ts";
import type { Model, ModelRequest } from "../contracts/model.ts";
import { openProviderServer } from "../testing/provider-server.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { chatWire } from "../testing/wire-answers.ts";
import { fromAiSdk } from "./ai-sdk/ai-sdk-model.ts";
import { failover } from "./failover.ts";
import { forbidNetworkModels } from "./network-switch.ts";
import { offlineModel } from "./offline/offline-model.ts";

const request: ModelRequest = {
  messages: [{ role: "user", text: "?" }],
  tools: [],
  answer: { name: "answer", schema: {} },
};

afterEach(() => {
  delete process.env["TUTTI_NETWORK_MODELS"];
});

/** A model that would send, and what it would send to. */
function openRemote(): { readonly model: Model; readonly sent: string[] } {
  const sent: string[] = [];
  const openai = createOpenAI({
    apiKey: "test",
    fetch: async (address) => {
      sent.push(new Request(address).url);
      return new Response(JSON.stringify(chatWire.answer({ text: "{}" })));
    },
  });
  return { model: fromAiSdk(openai.chat("gpt-5-mini")), sent };
}

function ask(model: Model): Promise<unknown> {
  return model.generate(request, new AbortController().signal).then(
    (reply) => reply.text,
    (error: unknown) => error,
  );
}

test("where network models are forbidden, nothing is sent beyond this machine", verifies("M3", "X3"), async () => {
  const { model, sent } = openRemote();
  {
    using _ = forbidNetworkModels();
    expect(await ask(model)).toMatchObject({
      code: "MODEL_FORBIDDEN",
      disposition: "give-up",
      facts: { endpoint: "api.openai.com" },
    });
    // It is no failure to go on from: a test would pass with another model than it was written for.
    expect(await ask(failover([model, scriptedModel([{ answer: {} }])]))).toMatchObject({ code: "MODEL_FORBIDDEN" });
    const unknown = fromAiSdk({
      specificationVersion: "v4",
      provider: "made-up",
      modelId: "m",
      supportedUrls: {},
      doGenerate: () => Promise.reject(new Error("asked")),
      doStream: () => Promise.reject(new Error("asked")),
    });
    expect(await ask(unknown)).toMatchObject({ code: "MODEL_FORBIDDEN" });
  }
  expect(sent).toEqual([]);
  expect(await ask(model)).toBe("{}");
});

test("the environment forbids them for a whole process, and a word that says neither yes nor no is an error", async () => {
  const { model, sent } = openRemote();
  process.env["TUTTI_NETWORK_MODELS"] = "forbid";
  expect(await ask(model)).toMatchObject({
    code: "MODEL_FORBIDDEN",
    hint: expect.stringContaining("TUTTI_NETWORK_MODELS=forbid"),
  });
  process.env["TUTTI_NETWORK_MODELS"] = "nope";
  expect(await ask(model)).toMatchObject({ code: "MODEL_FORBIDDEN", hint: expect.stringContaining("forbid or allow") });
  expect(sent).toEqual([]);
  process.env["TUTTI_NETWORK_MODELS"] = "allow";
  expect(await ask(model)).toBe("{}");
});

test("models on this machine go on: local servers, scripts, the offline model", verifies("M3"), async () => {
  const server = await openProviderServer(() => ({ kind: "answer", body: chatWire.answer({ text: "{}" }) }));
  try {
    using _ = forbidNetworkModels();
    for (const baseURL of [`${server.url}/v1`, `${server.url.replace("127.0.0.1", "localhost")}/v1`])
      expect(await ask(fromAiSdk(createOpenAI({ apiKey: "test", baseURL }).chat("m")))).toBe("{}");
    expect(await ask(scriptedModel([{ answer: {} }]))).toBe("{}");
    expect(await ask(offlineModel())).toEqual(expect.any(String));
    for (const baseURL of ["http://127.0.0.1.example.com/v1", "http://10.0.0.1/v1", "http://[::2]/v1"])
      expect(await ask(fromAiSdk(createOpenAI({ apiKey: "test", baseURL }).chat("m")))).toMatchObject({
        code: "MODEL_FORBIDDEN",
      });
  } finally {
    await server.close();
  }
});
