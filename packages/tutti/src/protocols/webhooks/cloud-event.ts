import { TuttiError } from "../../base/errors.ts";

/** A CloudEvent, version 1.0 (cloudevents.io), however it was sent. */
export interface CloudEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string | undefined;
  /** Milliseconds since 1970, if its source says when it happened. */
  readonly time: number | undefined;
  readonly dataContentType: string | undefined;
  readonly dataSchema: string | undefined;
  /** Parsed where it is JSON, bytes where it is base64, else text. */
  readonly data: unknown;
  /** Everything else that it carries, by name. */
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** Names in lower case, as Node has them. */
export type IncomingHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

const known: ReadonlySet<string> = new Set(
  "specversion id source type subject time datacontenttype dataschema data data_base64".split(" "),
);
const attributePattern = /^[a-z0-9]{1,64}$/u;

/**
 * Reads an event in the structured mode (a JSON object with everything) or the binary one (attributes in `ce-` headers, data in the body).
 * @throws TuttiError EVENT_INVALID, saying what is wrong
 */
export function parseCloudEvent(headers: IncomingHeaders, body: string): CloudEvent {
  const mediaType = toMediaType(headerOf(headers, "content-type"));
  if (mediaType === "application/cloudevents+json") return fromStructured(body);
  if (mediaType.startsWith("application/cloudevents"))
    throw toInvalid(
      `the format ${mediaType} is not one of those that are read`,
      "Send one event as JSON, not a batch.",
    );
  if (headerOf(headers, "ce-specversion") === undefined)
    throw toInvalid(
      "there is neither a ce-specversion header nor a body of application/cloudevents+json",
      "Send a CloudEvent, version 1.0.",
    );
  return fromBinary(headers, body, mediaType);
}

function fromStructured(body: string): CloudEvent {
  const parsed = parseJson(body, "the body");
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw toInvalid("the body is no JSON object", "Send one event, with its attributes as fields.");
  const attributes: Readonly<Record<string, unknown>> = { ...parsed };
  const hasText = Object.hasOwn(attributes, "data");
  const encoded = attributes["data_base64"];
  if (encoded === undefined) return toEvent(attributes, hasText ? attributes["data"] : undefined);
  if (hasText || typeof encoded !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/u.test(encoded))
    throw toInvalid("data_base64 is no base64 text, or stands beside data", "Send one of data and data_base64.");
  return toEvent(attributes, Buffer.from(encoded, "base64"));
}

function fromBinary(headers: IncomingHeaders, body: string, mediaType: string): CloudEvent {
  const attributes: Record<string, unknown> = {};
  for (const name of Object.keys(headers)) {
    if (!name.startsWith("ce-")) continue;
    const attribute = name.slice(3);
    if (attribute === "datacontenttype" || attribute.startsWith("data_") || attribute === "data") continue;
    attributes[attribute] = decodeHeader(headerOf(headers, name) ?? "", name);
  }
  const contentType = headerOf(headers, "content-type");
  if (contentType !== undefined) attributes["datacontenttype"] = contentType;
  if (body === "") return toEvent(attributes, undefined);
  const isJson = mediaType === "application/json" || mediaType === "text/json" || mediaType.endsWith("+json");
  return toEvent(attributes, isJson ? parseJson(body, "the body") : body);
}

/** Attributes in headers are percent-encoded. */
function decodeHeader(value: string, name: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw toInvalid(`the header ${name} is not percent-encoded text`, "Encode what is not ASCII, and % itself.");
  }
}

function toEvent(attributes: Readonly<Record<string, unknown>>, data: unknown): CloudEvent {
  if (attributes["specversion"] !== "1.0")
    throw toInvalid("its specversion is not 1.0", 'Send a CloudEvent with specversion "1.0".');
  for (const name of Object.keys(attributes)) {
    if (!known.has(name) && !attributePattern.test(name))
      throw toInvalid("an attribute's name is not of small letters and digits", "Look at its extensions.");
  }
  return {
    id: requiredText(attributes, "id"),
    source: requiredText(attributes, "source"),
    type: requiredText(attributes, "type"),
    subject: optionalText(attributes, "subject"),
    time: toTime(optionalText(attributes, "time")),
    dataContentType: optionalText(attributes, "datacontenttype"),
    dataSchema: optionalText(attributes, "dataschema"),
    data,
    extensions: Object.fromEntries(Object.entries(attributes).filter(([name]) => !known.has(name))),
  };
}

function requiredText(attributes: Readonly<Record<string, unknown>>, name: string): string {
  const value = optionalText(attributes, name);
  if (value !== undefined) return value;
  throw toInvalid(`it has no ${name}`, "Every CloudEvent needs specversion, id, source and type.");
}

function optionalText(attributes: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = attributes[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && value !== "") return value;
  throw toInvalid(`its ${name} is no text`, `Send ${name} as a text that is not empty, or leave it out.`);
}

const timePattern = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/u;

function toTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = timePattern.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw toInvalid("its time is no RFC 3339 timestamp", "Like 2026-11-20T10:00:00Z.");
  return time;
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw toInvalid(`${what} is no JSON`, "Look at its content type.", error);
  }
}

function toMediaType(contentType: string | undefined): string {
  return (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** One header; of several the first. */
export function headerOf(headers: IncomingHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "object" ? value[0] : value;
}

function toInvalid(what: string, hint: string, cause?: unknown): TuttiError {
  return new TuttiError("EVENT_INVALID", `this is no CloudEvent: ${what}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}
