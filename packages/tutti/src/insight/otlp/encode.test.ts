import { SeverityNumber, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { ProtobufLogsSerializer, ProtobufTraceSerializer, JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import fc from "fast-check";
import { expect, test } from "vitest";

import { decodeJson, decodeProtobuf } from "../../../../../test/otlp/decode.ts";
import { playEverything } from "../../../../../test/otlp/everything-run.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { eventsToJson, spansToJson } from "./encode-json.ts";
import { encodeEvents, encodeSpans } from "./encode-protobuf.ts";
import { openSpanReader } from "./span-reader.ts";
import type { Attributes, Origin, Span, SpanEvent, Telemetry } from "./span.ts";

type OfficialSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];
type OfficialLog = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0][number];

const origin: Origin = {
  resource: { "service.name": "tutti", "process.pid": 7 },
  scope: { name: "tutti", version: "0.1.0", schemaUrl: "https://opentelemetry.io/schemas/gen-ai/1.42.0" },
};
const resource = resourceFromAttributes({ ...origin.resource });

const hex = (digits: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from("0123456789abcdef")), minLength: digits, maxLength: digits });
const moment = fc.integer({ min: 0, max: 4_102_444_800_000 });
const text = fc.string({ unit: "grapheme", maxLength: 300 });
const attributes: fc.Arbitrary<Attributes> = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 20 }).filter((name) => name !== "__proto__"),
  fc.oneof(
    text,
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Number.isInteger(value)),
    fc.array(text, { maxLength: 3 }),
  ),
);
const span: fc.Arbitrary<Span> = fc.record({
  role: fc.constant("step" as const),
  traceId: hex(32),
  spanId: hex(16),
  parentSpanId: fc.option(hex(16), { nil: undefined }),
  name: text,
  kind: fc.constantFrom("internal", "client"),
  startMs: moment,
  endMs: moment,
  attributes,
  links: fc.array(fc.record({ traceId: hex(32), spanId: hex(16), attributes }), { maxLength: 3 }),
  error: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
});
const event: fc.Arbitrary<SpanEvent> = fc.record({
  name: fc.string({ minLength: 1 }),
  traceId: hex(32),
  spanId: hex(16),
  atMs: moment,
  attributes,
});

const toHrTime = (atMs: number): [number, number] => [Math.floor(atMs / 1_000), (atMs % 1_000) * 1_000_000];

function toOfficialSpan(given: Span): OfficialSpan {
  const context = { traceId: given.traceId, spanId: given.spanId, traceFlags: 1 };
  return {
    name: given.name,
    kind: given.kind === "client" ? SpanKind.CLIENT : SpanKind.INTERNAL,
    spanContext: () => context,
    ...(given.parentSpanId === undefined ? {} : { parentSpanContext: { ...context, spanId: given.parentSpanId } }),
    startTime: toHrTime(given.startMs),
    endTime: toHrTime(given.endMs),
    status:
      given.error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: given.error },
    attributes: toMutable(given.attributes),
    links: given.links.map((link) => ({
      context: { traceId: link.traceId, spanId: link.spanId, traceFlags: 1 },
      attributes: toMutable(link.attributes),
    })),
    events: [],
    duration: [0, 0],
    ended: true,
    resource,
    instrumentationScope: origin.scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

const toMutable = (given: Attributes): OfficialSpan["attributes"] =>
  Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, typeof value === "object" ? [...value] : value]),
  );

const toOfficialLog = (given: SpanEvent): OfficialLog => ({
  hrTime: toHrTime(given.atMs),
  hrTimeObserved: toHrTime(given.atMs),
  severityNumber: SeverityNumber.INFO,
  spanContext: { traceId: given.traceId, spanId: given.spanId, traceFlags: 1 },
  eventName: given.name,
  attributes: toMutable(given.attributes),
  resource,
  instrumentationScope: origin.scope,
  droppedAttributesCount: 0,
});

test("spans are the same bytes as the official serializer writes, in both encodings", verifies("O10"), () => {
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 4 }), (spans) => {
      const official = spans.map(toOfficialSpan);
      expect(Buffer.from(encodeSpans(spans, origin)).toString("hex")).toBe(
        Buffer.from(ProtobufTraceSerializer.serializeRequest(official) ?? []).toString("hex"),
      );
      expect(JSON.parse(spansToJson(spans, origin))).toEqual(
        JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(official))),
      );
    }),
    { numRuns: 60 },
  );
});

test("events are the same bytes as the official serializer writes", verifies("O10"), () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 4 }), (events) => {
      const official = events.map(toOfficialLog);
      expect(Buffer.from(encodeEvents(events, origin)).toString("hex")).toBe(
        Buffer.from(ProtobufLogsSerializer.serializeRequest(official) ?? []).toString("hex"),
      );
    }),
    { numRuns: 60 },
  );
});

test("both encodings say the same to a receiver", () => {
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 4 }), fc.array(event, { minLength: 1 }), (spans, events) => {
      expect(decodeProtobuf(Buffer.from(encodeSpans(spans, origin)), "traces")).toEqual(
        decodeJson(spansToJson(spans, origin)),
      );
      expect(decodeProtobuf(Buffer.from(encodeEvents(events, origin)), "logs")).toEqual(
        decodeJson(eventsToJson(events, origin)),
      );
    }),
    { numRuns: 30 },
  );
});

test(
  "what a run wrote is the same bytes when it is sent again, and those of the official serializer",
  verifies("O10"),
  async () => {
    const { stage, tutti } = await playEverything();
    const told = await openSpanReader(stage.ledger).read(stage.entries);
    const again: { readonly spans: Span[]; readonly events: Telemetry["events"][number][] } = { spans: [], events: [] };
    for (const entry of stage.entries) {
      // Another process for each entry.
      const { spans, events } = await openSpanReader(stage.ledger).read([entry]);
      again.spans.push(...spans);
      again.events.push(...events);
    }
    expect(spansToJson(again.spans, origin)).toBe(spansToJson(told.spans, origin));
    expect(eventsToJson(again.events, origin)).toBe(eventsToJson(told.events, origin));
    const official = ProtobufTraceSerializer.serializeRequest(told.spans.map(toOfficialSpan));
    expect(Buffer.from(encodeSpans(again.spans, origin))).toEqual(Buffer.from(official ?? []));
    const officialEvents = ProtobufLogsSerializer.serializeRequest(told.events.map(toOfficialLog));
    expect(Buffer.from(encodeEvents(again.events, origin))).toEqual(Buffer.from(officialEvents ?? []));
    await tutti.close();
  },
);
