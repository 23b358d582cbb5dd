import { bodyOf, type LedgerEntry } from "../../contracts/entry.ts";
import type { RunId } from "../../contracts/ids.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { isModelStep } from "../model-reply.ts";
import { inDialect, type Dialect } from "./dialects.ts";
import { readEntry } from "./entry-spans.ts";
import { RunSpans } from "./run-spans.ts";
import type { Span, SpanEvent, Telemetry } from "./span.ts";

export interface SpanOptions {
  /** Sends inputs, outputs and reasons too; by default only their hashes. */
  readonly bodies?: boolean;
  readonly dialect?: Dialect | undefined;
  /** So many open steps of all runs together are kept in memory; what is beyond is read again when it is needed. */
  readonly openStepsMax?: number;
}

/** Turns entries into spans, in the order of the ledger. However they are divided over calls, and wherever it begins, the spans are the same. */
export interface SpanReader {
  /**
   * What these entries, the next ones of their runs, complete.
   * @throws TuttiError LEDGER_CORRUPT, LEDGER_TOO_NEW
   */
  read(entries: readonly LedgerEntry[]): Promise<Telemetry>;
}

const openStepsDefault = 100_000;
const pageEntries = 500;

export function openSpanReader(ledger: Pick<Ledger, "read" | "readBlob">, options: SpanOptions = {}): SpanReader {
  const { bodies = false, dialect, openStepsMax = openStepsDefault } = options;
  // The one that was used last comes last.
  const runs = new Map<RunId, RunSpans>();
  let weight = 0;

  function forget(spans: RunSpans): void {
    if (runs.delete(spans.run)) weight -= spans.weight;
  }

  /** The run up to the entry before. */
  async function find({ run, seq }: LedgerEntry): Promise<RunSpans> {
    const known = runs.get(run);
    if (known !== undefined) forget(known);
    if (known?.seq === seq - 1) return known;
    const spans = new RunSpans(run, bodies);
    while (spans.seq < seq - 1) {
      const page = await ledger.read(run, spans.seq + 1, Math.min(pageEntries, seq - 1 - spans.seq));
      for (const entry of page) readEntry(spans, await withReply(ledger, entry));
      spans.take(); // they were told when they were new
      if (page.length === 0) break; // nothing is missing in a ledger that is intact; verify says more
    }
    return spans;
  }

  function keep(spans: RunSpans): void {
    if (spans.isOver && spans.open.size === 0) return;
    runs.set(spans.run, spans);
    weight += spans.weight;
    for (const oldest of runs.values()) {
      if (weight <= openStepsMax || oldest === spans) break;
      forget(oldest);
    }
  }

  return {
    async read(entries) {
      const told: { readonly spans: Span[]; readonly events: SpanEvent[] } = { spans: [], events: [] };
      for (const entry of entries) {
        const spans = await find(entry);
        readEntry(spans, await withReply(ledger, entry));
        const { spans: ended, events } = spans.take();
        told.spans.push(...ended.map((span) => inDialect(span, dialect)));
        told.events.push(...events);
        keep(spans);
      }
      return told;
    },
  };
}

/** A large answer of a model stands apart from its entry, and what it used stands in it. */
async function withReply(ledger: Pick<Ledger, "readBlob">, entry: LedgerEntry): Promise<LedgerEntry> {
  if (entry.kind !== "step-done" || !isModelStep(entry.key)) return entry;
  const { outRef, ...body } = bodyOf(entry, "step-done");
  const content = outRef === undefined ? undefined : await ledger.readBlob(outRef.hash);
  if (content === undefined) return entry;
  return { ...entry, body: JSON.stringify({ ...body, out: JSON.parse(content) }) };
}
