import { createHmac } from "node:crypto";

import { expect, onTestFinished, test } from "vitest";

import { bodiesOf, openStage } from "../../../../../test/engine/engine-fixture.ts";
import { openOrders, orders, settle } from "../../../../../test/engine/event-fixture.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { parseCloudEvent } from "./cloud-event.ts";
import { openWebhooks, type WebhookOptions } from "./open-webhooks.ts";

const structured = { "content-type": "application/cloudevents+json; charset=utf-8" };
const event = { specversion: "1.0", id: "1", source: "/shop", type: "order.placed", data: { number: "a", amount: 1 } };

test("structured and binary mode say the same", verifies("C9"), () => {
  const attributes = { ...event, subject: "ä", time: "2026-11-20T10:00:00Z", datacontenttype: "application/json" };
  const fromBody = parseCloudEvent(structured, JSON.stringify({ ...attributes, trace: "t" }));
  const fromHeaders = parseCloudEvent(
    {
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-id": "1",
      "ce-source": "/shop",
      "ce-type": "order.placed",
      "ce-subject": "%C3%A4",
      "ce-time": "2026-11-20T10:00:00Z",
      "ce-trace": "t",
    },
    JSON.stringify(event.data),
  );
  expect(fromHeaders).toEqual(fromBody);
  expect(fromBody).toMatchObject({
    subject: "ä",
    time: Date.UTC(2026, 10, 20, 10),
    data: event.data,
    extensions: { trace: "t" },
  });
});

const parse = (fields: object): unknown => parseCloudEvent(structured, JSON.stringify({ ...event, ...fields })).data;

test("data may be bytes, text or nothing", () => {
  expect(parse({ data: undefined, data_base64: "aGk=" })).toEqual(Buffer.from("hi"));
  expect(parse({ data: "text" })).toBe("text");
  expect(parse({ data: undefined })).toBeUndefined();
});

test.for([
  ["no JSON", structured, "{"],
  ["a list", structured, "[]"],
  ["a batch", { "content-type": "application/cloudevents-batch+json" }, "[]"],
  ["no event", { "content-type": "application/json" }, "{}"],
  ["another version", structured, JSON.stringify({ ...event, specversion: "0.3" })],
  ["no id", structured, JSON.stringify({ ...event, id: undefined })],
  ["an empty source", structured, JSON.stringify({ ...event, source: "" })],
  ["a number for a type", structured, JSON.stringify({ ...event, type: 7 })],
  ["a wrong time", structured, JSON.stringify({ ...event, time: "yesterday" })],
  ["a wrong attribute", structured, JSON.stringify({ ...event, "Wrong-Name": 1 })],
  ["both kinds of data", structured, JSON.stringify({ ...event, data_base64: "aGk=" })],
  ["a badly encoded header", { "ce-specversion": "1.0", "ce-id": "%E4", "ce-source": "s", "ce-type": "t" }, ""],
] as const)("%s is refused as no CloudEvent", ([, headers, body]) => {
  expect(() => parseCloudEvent(headers, body)).toThrow(expect.objectContaining({ code: "EVENT_INVALID" }));
});

async function open(options: Partial<WebhookOptions> = {}) {
  const stage = openStage();
  const pack = openOrders("pack");
  const tutti = await stage.open([], { on: [pack.subscription] });
  const hooks = await openWebhooks(tutti, { topics: { "order.placed": orders }, ...options });
  onTestFinished(() => hooks.close());
  const post = async (body: string, headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(hooks.url, { method: "POST", body, headers: { ...structured, ...headers } });
    const { kind, code } = (await response.json()) as { kind?: string; code?: string }; // oxlint-disable-line typescript/no-unsafe-type-assertion -- our own answer
    return [response.status, kind ?? code];
  };
  return { stage, tutti, pack, hooks, post };
}

test(
  "an event that is delivered twice is acted on once; source and id together name it",
  verifies("C9", "D15"),
  async () => {
    const { stage, tutti, pack, post } = await open();
    expect(await post(JSON.stringify(event))).toEqual([202, "published"]);
    expect(await post(JSON.stringify(event))).toEqual([202, "repeated"]);
    expect(await post(JSON.stringify({ ...event, source: "/other" }))).toEqual([202, "published"]);
    await settle(stage, tutti);
    expect(pack.seen).toEqual(["a", "a"]);
  },
);

test(
  "what is no event, too large, of an unknown type or not posted is refused, and nothing is stored",
  verifies("C9"),
  async () => {
    const { stage, hooks, post } = await open({ bodyBytesMax: 500 });
    expect(await post("{")).toEqual([400, "EVENT_INVALID"]);
    expect(await post(JSON.stringify({ ...event, data: {} }))).toEqual([400, "INPUT_INVALID"]);
    expect(await post(JSON.stringify({ ...event, type: "toString" }))).toEqual([404, "EVENT_UNKNOWN"]);
    expect(await post(JSON.stringify({ ...event, more: "x".repeat(600) }))).toEqual([413, "EVENT_INVALID"]);
    expect((await fetch(hooks.url)).status).toBe(405);
    expect(bodiesOf(stage.entries, "event-published")).toEqual([]);
  },
);

test("with a key, only what is signed with it counts", verifies("C9"), async () => {
  const { post } = await open({ signature: { key: "k1" } });
  const body = JSON.stringify(event);
  const sign = (key: string): string => createHmac("sha256", key).update(body).digest("hex");
  expect(await post(body)).toEqual([401, "EVENT_UNTRUSTED"]);
  expect(await post(body, { "x-signature-256": `sha256=${sign("k2")}` })).toEqual([401, "EVENT_UNTRUSTED"]);
  expect(await post(body, { "x-signature-256": "short" })).toEqual([401, "EVENT_UNTRUSTED"]);
  expect(await post(body, { "x-signature-256": `sha256=${sign("k1")}` })).toEqual([202, "published"]);
});

test("a ledger that takes nothing more is answered with 503, so that the sender tries again", async () => {
  const { stage, post } = await open();
  await stage.ledger.close();
  expect(await post(JSON.stringify(event))).toEqual([503, "LEDGER_CLOSED"]);
});
