import { toSpanId, toTraceId } from "../../base/trace-context.ts";
import type { BodyOf, EntryKind, LedgerEntry } from "../../contracts/entry.ts";
import type { RunId, StepKey } from "../../contracts/ids.ts";
import { addUsage, noUsage, type Confidence, type Usage } from "../../contracts/outcome.ts";
import { cutLinks, toLink, type Shown } from "./attributes.ts";
import { evaluationEvent, names, operations } from "./conventions.ts";
import type { Attributes, Span, SpanEvent, SpanLink, SpanRole } from "./span.ts";

/** An entry on its way into spans. */
export interface Reading<Kind extends EntryKind> {
  readonly spans: RunSpans;
  readonly entry: LedgerEntry;
  readonly key: string;
  readonly at: number;
  readonly body: BodyOf<Kind>;
}

/** A step whose beginning is recorded, and its end not yet. */
interface OpenStep {
  readonly role: SpanRole;
  /** What its name is about: an agent, a tool, a flow. */
  readonly about: string;
  readonly startMs: number;
  readonly attributes: Attributes;
  readonly links: readonly SpanLink[];
  readonly parentSpanId: string;
}

export type FailedAttempt = BodyOf<"attempt-failed"> & { readonly at: number };

/** What ends, and what is known of it then. */
export interface Ended {
  readonly key: string;
  readonly role: SpanRole;
  readonly about: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attempt?: number;
  /** Distinguishes spans about one step from the step's own. */
  readonly part?: string;
  readonly attributes: Attributes;
  readonly links: readonly SpanLink[];
  readonly error?: string | undefined;
  readonly parentSpanId?: string;
}

/**
 * A run on its way into spans: what of it is still open. Follows from its entries alone, so it can be made again at any time, and the spans with it.
 */
export class RunSpans {
  readonly run: RunId;
  private readonly withBodies: boolean;
  readonly traceId: string;
  readonly rootSpanId: string;
  /** The newest entry in it. */
  seq = 0;
  started: (BodyOf<"run-started"> & { readonly at: number }) | undefined;
  isOver = false;
  usage: Usage = noUsage;
  readonly open = new Map<string, OpenStep>();
  readonly failed = new Map<string, FailedAttempt[]>();
  /** Which attempt it was, of steps where it was not the first. */
  private readonly lastAttempts = new Map<string, number>();
  private readonly copied = new Set<string>();
  private spans: Span[] = [];
  private events: SpanEvent[] = [];

  constructor(run: RunId, bodies: boolean) {
    this.run = run;
    this.withBodies = bodies;
    this.traceId = toTraceId(run);
    this.rootSpanId = toSpanId(run, "", 1);
  }

  get shown(): Shown {
    if (this.started?.personal !== undefined) return "nothing";
    return this.withBodies ? "bodies" : "hashes";
  }

  /** How much of it is in memory. */
  get weight(): number {
    return 1 + this.open.size + this.failed.size + this.lastAttempts.size + this.copied.size;
  }

  /** Whether the entry was taken over by a fork: what it tells happened in another run, and is told there. */
  isCopy({ seq }: LedgerEntry): boolean {
    return seq > 1 && seq <= 1 + (this.started?.forkedFrom?.copied ?? 0);
  }

  copy({ key }: LedgerEntry): void {
    this.copied.add(key);
  }

  begin(key: string, step: Omit<OpenStep, "parentSpanId">): void {
    this.open.set(key, { ...step, parentSpanId: this.parentOf(key) });
  }

  /** Ends a step whose beginning is known. */
  end(key: string, end: Partial<Ended> & { readonly endMs: number }): OpenStep | undefined {
    const begun = this.open.get(key);
    if (begun === undefined) return undefined;
    this.open.delete(key);
    this.emit({
      key,
      ...begun,
      ...end,
      attributes: { ...begun.attributes, ...end.attributes },
      links: [...begun.links, ...(end.links ?? [])],
    });
    return begun;
  }

  emit(ended: Ended): void {
    const { key, role, attempt = 1, part, startMs, endMs } = ended;
    if (attempt > 1) this.lastAttempts.set(key, attempt);
    this.spans.push({
      role,
      traceId: this.traceId,
      spanId: toSpanId(this.run, part === undefined ? key : `${key}\n${part}`, attempt),
      parentSpanId: key === "" && part === undefined ? undefined : (ended.parentSpanId ?? this.parentOf(key)),
      name: toName(role, ended.about),
      kind: role === "model" ? "client" : "internal",
      // An end is never before its beginning, whatever a step says of how long it took.
      startMs: Math.min(Math.max(startMs, this.started?.at ?? 0), endMs),
      endMs,
      attributes: {
        ...(isOperation(role) ? { [names.operation]: operations[role] } : {}),
        [names.conversation]: this.run,
        "tutti.kind": role,
        ...(key === "" ? {} : { "tutti.step": key }),
        ...(attempt === 1 ? {} : { "tutti.attempt": attempt }),
        ...ended.attributes,
      },
      links: cutLinks(ended.links),
      error: ended.error,
    });
  }

  /** A confidence, as an evaluation of a step's span. */
  judge(
    key: string,
    confidence: Confidence,
    at: { readonly ms: number; readonly seq: number; readonly why?: string | undefined },
  ): void {
    this.events.push({
      name: evaluationEvent,
      traceId: this.traceId,
      spanId: toSpanId(this.run, key, 1),
      atMs: at.ms,
      attributes: {
        [names.evaluation]: "confidence",
        [names.evaluationScore]: confidence.value,
        [names.evaluationLabel]: confidence.source,
        ...(at.why === undefined ? {} : { [names.evaluationReason]: at.why }),
        // Log records have no id; by this a receiver knows one that came twice.
        "tutti.entry": `${this.run}/${at.seq}`,
      },
    });
  }

  spend(usage: Usage): void {
    this.usage = addUsage(this.usage, usage);
  }

  linksTo(uses: readonly StepKey[] | undefined): readonly SpanLink[] {
    return (uses ?? []).map((step) => {
      const from = this.copied.has(step) ? this.started?.forkedFrom?.run : undefined;
      return toLink("data", { run: from ?? this.run, step, attempt: this.lastAttempts.get(step) ?? 1 });
    });
  }

  /** Takes what was emitted since. */
  take(): { readonly spans: Span[]; readonly events: SpanEvent[] } {
    const { spans, events } = this;
    this.spans = [];
    this.events = [];
    return { spans, events };
  }

  /** The agent around a step, or else the run: parts that only have a name leave no entry when they begin, so they can't be anybody's parent. */
  private parentOf(key: string): string {
    for (let end = key.lastIndexOf("/"); end > 0; end = key.lastIndexOf("/", end - 1)) {
      const path = key.slice(0, end);
      const role = this.open.get(path)?.role;
      if (role === "agent" || role === "plan") return toSpanId(this.run, path, 1);
    }
    return this.rootSpanId;
  }
}

function isOperation(role: SpanRole): role is keyof typeof operations {
  return Object.hasOwn(operations, role);
}

function toName(role: SpanRole, about: string): string {
  const operation = isOperation(role) ? operations[role] : `tutti.${role}`;
  return about === "" ? operation : `${operation} ${about}`;
}
