export type AttributeValue = string | number | boolean | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** What of a run a span stands for. */
export type SpanRole =
  | "run"
  | "agent"
  | "plan"
  | "model"
  | "tool"
  | "step"
  | "scope"
  | "child"
  | "wait"
  | "message"
  | "decision"
  | "policy"
  | "approval"
  | "directive"
  | "document";

/**
 * Why two spans belong together although neither is inside the other. `data`: its result went in. `retry`: the try before. `fork`: where it was
 * forked off. `child`: the run that it started, and back. `shared`: whose effect it is. `message`: who reads it, what it answers.
 */
export type LinkType = "data" | "retry" | "fork" | "child" | "shared" | "message";

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
}

/** One span, as OTLP has it. Times are milliseconds since 1970. */
export interface Span {
  readonly role: SpanRole;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** `client`: somebody outside did it. */
  readonly kind: "internal" | "client";
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly links: readonly SpanLink[];
  /** The code of the error that it ended with. */
  readonly error: string | undefined;
}

/** One event of the Logs API, about a span. */
export interface SpanEvent {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly atMs: number;
  readonly attributes: Attributes;
}

/** What some entries of the ledger come to. */
export interface Telemetry {
  readonly spans: readonly Span[];
  readonly events: readonly SpanEvent[];
}

/** Who sends spans. */
export interface Origin {
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version: string; readonly schemaUrl: string };
}
