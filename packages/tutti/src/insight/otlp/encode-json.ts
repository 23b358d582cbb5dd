import { kindNumbers, severityInfo, spanFlags, statusError } from "./encode-protobuf.ts";
import type { Attributes, AttributeValue, Origin, Span, SpanEvent } from "./span.ts";

/** The same requests as encode-protobuf.ts writes, as OTLP/JSON: ids in hexadecimal digits, times as text. */
export function spansToJson(spans: readonly Span[], { resource, scope }: Origin): string {
  const { schemaUrl, ...named } = scope;
  return JSON.stringify({
    resourceSpans: [
      { resource: toResource(resource), scopeSpans: [{ scope: named, spans: spans.map(toSpan), schemaUrl }] },
    ],
  });
}

export function eventsToJson(events: readonly SpanEvent[], { resource, scope }: Origin): string {
  const { schemaUrl, ...named } = scope;
  return JSON.stringify({
    resourceLogs: [
      { resource: toResource(resource), scopeLogs: [{ scope: named, logRecords: events.map(toLogRecord), schemaUrl }] },
    ],
  });
}

function toResource(attributes: Attributes): object {
  return { attributes: toPairs(attributes), droppedAttributesCount: 0 };
}

function toSpan(span: Span): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    name: span.name,
    kind: kindNumbers[span.kind],
    startTimeUnixNano: toNanoseconds(span.startMs),
    endTimeUnixNano: toNanoseconds(span.endMs),
    attributes: toPairs(span.attributes),
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    status: span.error === undefined ? { code: 0 } : { code: statusError, message: span.error },
    links: span.links.map(({ traceId, spanId, attributes }) => ({
      attributes: toPairs(attributes),
      spanId,
      traceId,
      droppedAttributesCount: 0,
      flags: spanFlags,
    })),
    droppedLinksCount: 0,
    flags: spanFlags,
  };
}

function toLogRecord(event: SpanEvent): object {
  return {
    timeUnixNano: toNanoseconds(event.atMs),
    observedTimeUnixNano: toNanoseconds(event.atMs),
    severityNumber: severityInfo,
    eventName: event.name,
    attributes: toPairs(event.attributes),
    droppedAttributesCount: 0,
    flags: 1,
    traceId: event.traceId,
    spanId: event.spanId,
  };
}

function toNanoseconds(atMs: number): string {
  return atMs === 0 ? "0" : `${atMs}000000`;
}

function toPairs(attributes: Attributes): readonly object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: toAnyValue(value) }));
}

function toAnyValue(value: AttributeValue): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value !== "number") return { arrayValue: { values: value.map((item) => ({ stringValue: item })) } };
  return Number.isSafeInteger(value) ? { intValue: value } : { doubleValue: value };
}
