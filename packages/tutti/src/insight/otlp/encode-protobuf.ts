import { ProtobufWriter } from "./protobuf-writer.ts";
import type { Attributes, AttributeValue, Origin, Span, SpanEvent, SpanLink } from "./span.ts";

/** Sampled, and the parent is known not to be in another process. */
export const spanFlags = 0x101;
export const severityInfo = 9;
export const statusError = 2;
export const kindNumbers = { internal: 1, client: 3 } as const;

/** An ExportTraceServiceRequest. The same bytes as the official serializer writes. */
export function encodeSpans(spans: readonly Span[], origin: Origin): Uint8Array {
  return encode(origin, (writer) => {
    for (const span of spans) writer.message(2, () => writeSpan(writer, span));
  });
}

/** An ExportLogsServiceRequest. */
export function encodeEvents(events: readonly SpanEvent[], origin: Origin): Uint8Array {
  return encode(origin, (writer) => {
    for (const event of events) writer.message(2, () => writeEvent(writer, event));
  });
}

function encode({ resource, scope }: Origin, writeLeaves: (writer: ProtobufWriter) => void): Uint8Array {
  const writer = new ProtobufWriter();
  writer.message(1, () => {
    writer.message(1, () => {
      writeAttributes(writer, resource, 1);
      writer.varint(2, 0);
    });
    writer.message(2, () => {
      writer.message(1, () => {
        writer.text(1, scope.name);
        writer.text(2, scope.version);
      });
      writeLeaves(writer);
      writer.text(3, scope.schemaUrl);
    });
  });
  return writer.finish();
}

function writeSpan(writer: ProtobufWriter, span: Span): void {
  writer.hex(1, span.traceId);
  writer.hex(2, span.spanId);
  if (span.parentSpanId !== undefined) writer.hex(4, span.parentSpanId);
  writer.text(5, span.name);
  writer.varint(6, kindNumbers[span.kind]);
  writer.nanoseconds(7, span.startMs);
  writer.nanoseconds(8, span.endMs);
  writeAttributes(writer, span.attributes, 9);
  writer.varint(10, 0);
  writer.varint(12, 0);
  for (const link of span.links) writer.message(13, () => writeLink(writer, link));
  writer.varint(14, 0);
  const { error } = span;
  writer.message(15, () => {
    if (error !== undefined) writer.text(2, error);
    writer.varint(3, error === undefined ? 0 : statusError);
  });
  writer.fixed32(16, spanFlags);
}

function writeLink(writer: ProtobufWriter, link: SpanLink): void {
  writer.hex(1, link.traceId);
  writer.hex(2, link.spanId);
  writeAttributes(writer, link.attributes, 4);
  writer.varint(5, 0);
  writer.fixed32(6, spanFlags);
}

function writeEvent(writer: ProtobufWriter, event: SpanEvent): void {
  writer.nanoseconds(1, event.atMs);
  writer.varint(2, severityInfo);
  writeAttributes(writer, event.attributes, 6);
  writer.varint(7, 0);
  writer.fixed32(8, 1);
  writer.hex(9, event.traceId);
  writer.hex(10, event.spanId);
  writer.nanoseconds(11, event.atMs);
  writer.text(12, event.name);
}

function writeAttributes(writer: ProtobufWriter, attributes: Attributes, field: number): void {
  for (const [key, value] of Object.entries(attributes)) {
    writer.message(field, () => {
      writer.text(1, key);
      writer.message(2, () => writeValue(writer, value));
    });
  }
}

function writeValue(writer: ProtobufWriter, value: AttributeValue): void {
  if (typeof value === "string") writer.text(1, value);
  else if (typeof value === "boolean") writer.varint(2, value ? 1 : 0);
  else if (typeof value !== "number") {
    writer.message(5, () => {
      for (const item of value) writer.message(1, () => writer.text(1, item));
    });
  } else if (Number.isSafeInteger(value)) writer.varint(3, value);
  else writer.double(4, value);
}
