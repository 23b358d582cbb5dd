import { SeverityNumber, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { ProtobufLogsSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";

import type { Attributes, Origin, Span, SpanEvent } from "../../packages/tutti/src/insight/otlp/span.ts";

/* Spans and events as the official packages want them, so that their serializer can judge ours. */

type OfficialSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];
type OfficialLog = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0][number];

export const origin: Origin = {
  resource: { "service.name": "tutti", "process.pid": 7 },
  scope: { name: "tutti", version: "0.1.0", schemaUrl: "https://opentelemetry.io/schemas/gen-ai/1.42.0" },
};
const resource = resourceFromAttributes({ ...origin.resource });

const toHrTime = (atMs: number): [number, number] => [Math.floor(atMs / 1_000), (atMs % 1_000) * 1_000_000];

export function toOfficialSpan(given: Span): OfficialSpan {
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

export const toOfficialLog = (given: SpanEvent): OfficialLog => ({
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
