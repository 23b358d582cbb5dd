/** What a receiver makes of a span, in either encoding. Written for tests, from the protocol's own description, so that it knows nothing of the encoder. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: Readonly<Record<string, unknown>>;
  }[];
  readonly status: number;
}

export interface ReceivedEvent {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Received {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly spans: readonly ReceivedSpan[];
  readonly events: readonly ReceivedEvent[];
}

type Field = readonly [field: number, value: bigint | Buffer];

/** Every field of a message; numbers as bigint, everything else as bytes. */
function* fieldsOf(bytes: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    if (wire === 0) {
      yield [tag >>> 3, varint()];
      continue;
    }
    const length = wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? Number(varint()) : Number.NaN;
    if (!(at + length <= bytes.length)) throw new Error(`a field of ${length} bytes at ${at} of ${bytes.length}`);
    yield [tag >>> 3, bytes.subarray(at, at + length)];
    at += length;
  }
}

/** The values of a field, in their order. */
function all(bytes: Buffer, field: number): readonly Buffer[] {
  return [...fieldsOf(bytes)].flatMap(([number, value]) => (number === field && Buffer.isBuffer(value) ? [value] : []));
}

const text = (bytes: Buffer, field: number): string => all(bytes, field).at(-1)?.toString("utf8") ?? "";
const hex = (bytes: Buffer, field: number): string => all(bytes, field).at(-1)?.toString("hex") ?? "";
const fixed = (bytes: Buffer, field: number): bigint => all(bytes, field).at(-1)?.readBigUInt64LE() ?? 0n;
const number = (bytes: Buffer, field: number): number =>
  Number([...fieldsOf(bytes)].find(([is]) => is === field)?.[1] ?? 0);

function valueOf(bytes: Buffer): unknown {
  for (const [field, value] of fieldsOf(bytes)) {
    if (typeof value === "bigint") return field === 2 ? value !== 0n : Number(BigInt.asIntN(64, value));
    if (field === 1) return value.toString("utf8");
    if (field === 4) return value.readDoubleLE();
    if (field === 5) return all(value, 1).map(valueOf);
  }
  return undefined;
}

const attributesOf = (bytes: Buffer, field: number): Record<string, unknown> =>
  Object.fromEntries(all(bytes, field).map((pair) => [text(pair, 1), all(pair, 2).map(valueOf)[0]]));

/** An ExportTraceServiceRequest or ExportLogsServiceRequest. */
export function decodeProtobuf(bytes: Buffer, of: "traces" | "logs"): Received {
  const groups = all(bytes, 1);
  const leaves = groups.flatMap((group) => all(group, 2)).flatMap((scope) => all(scope, 2));
  return {
    resource: Object.assign({}, ...groups.flatMap((group) => all(group, 1)).map((each) => attributesOf(each, 1))),
    spans: of === "traces" ? leaves.map(toSpan) : [],
    events: of === "logs" ? leaves.map(toEvent) : [],
  };
}

function toSpan(bytes: Buffer): ReceivedSpan {
  return {
    traceId: hex(bytes, 1),
    spanId: hex(bytes, 2),
    parentSpanId: hex(bytes, 4),
    name: text(bytes, 5),
    kind: number(bytes, 6),
    startNs: fixed(bytes, 7),
    endNs: fixed(bytes, 8),
    attributes: attributesOf(bytes, 9),
    links: all(bytes, 13).map((link) => ({
      traceId: hex(link, 1),
      spanId: hex(link, 2),
      attributes: attributesOf(link, 4),
    })),
    status: all(bytes, 15).map((status) => number(status, 3))[0] ?? 0,
  };
}

function toEvent(bytes: Buffer): ReceivedEvent {
  return { name: text(bytes, 12), traceId: hex(bytes, 9), spanId: hex(bytes, 10), attributes: attributesOf(bytes, 6) };
}

interface JsonPair {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}
interface JsonLeaf {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly eventName: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly JsonPair[];
  readonly links: readonly JsonLeaf[];
  readonly status: { readonly code?: number };
}
interface JsonGroup {
  readonly resource: { readonly attributes: readonly JsonPair[] };
  readonly scopeSpans?: readonly { readonly spans: readonly JsonLeaf[] }[];
  readonly scopeLogs?: readonly { readonly logRecords: readonly JsonLeaf[] }[];
}

/** The same request as OTLP/JSON. */
export function decodeJson(json: string): Received {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what does not have this form fails the test that reads it
  const parsed = JSON.parse(json) as {
    readonly resourceSpans?: readonly JsonGroup[];
    readonly resourceLogs?: readonly JsonGroup[];
  };
  const groups = [...(parsed.resourceSpans ?? []), ...(parsed.resourceLogs ?? [])];
  return {
    resource: Object.assign({}, ...groups.map(({ resource }) => fromPairs(resource.attributes))),
    spans: groups.flatMap(({ scopeSpans = [] }) =>
      scopeSpans.flatMap(({ spans }) =>
        spans.map((leaf) => ({
          traceId: leaf.traceId,
          spanId: leaf.spanId,
          parentSpanId: leaf.parentSpanId ?? "",
          name: leaf.name,
          kind: leaf.kind,
          startNs: BigInt(leaf.startTimeUnixNano),
          endNs: BigInt(leaf.endTimeUnixNano),
          attributes: fromPairs(leaf.attributes),
          links: leaf.links.map(({ traceId, spanId, attributes }) => ({
            traceId,
            spanId,
            attributes: fromPairs(attributes),
          })),
          status: leaf.status.code ?? 0,
        })),
      ),
    ),
    events: groups.flatMap(({ scopeLogs = [] }) =>
      scopeLogs.flatMap(({ logRecords }) =>
        logRecords.map(({ eventName, traceId, spanId, attributes }) => ({
          name: eventName,
          traceId,
          spanId,
          attributes: fromPairs(attributes),
        })),
      ),
    ),
  };
}

function fromPairs(pairs: readonly JsonPair[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, fromJsonValue(value)]));
}

function fromJsonValue(value: JsonPair["value"]): unknown {
  const [[kind, held] = []] = Object.entries(value);
  if (kind !== "arrayValue") return kind === "intValue" ? Number(held) : held;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what does not have this form fails the test that reads it
  return (held as { readonly values: readonly JsonPair["value"][] }).values.map(fromJsonValue);
}
