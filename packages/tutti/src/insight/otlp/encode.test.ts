import { ProtobufLogsSerializer, ProtobufTraceSerializer, JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import fc from "fast-check";
import { expect, test } from "vitest";

import { decodeJson, decodeProtobuf } from "../../../../../test/otlp/decode.ts";
import { origin, toOfficialLog, toOfficialSpan } from "../../../../../test/otlp/official.ts";
import { verifies } from "../../../../../test/verifies.ts";
import { eventsToJson, spansToJson } from "./encode-json.ts";
import { encodeEvents, encodeSpans } from "./encode-protobuf.ts";
import type { Attributes, Span, SpanEvent } from "./span.ts";

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
