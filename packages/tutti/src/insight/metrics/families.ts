import { decimal, fields, integer, listOf, recordOf, text } from "../../base/shape.ts";

type Labels = Readonly<Record<string, string>>;

/** A label has at most so many values in one family; what comes after is counted together, as `other`. */
export const labelValuesMax = 200;
/** And a family so many combinations of them. */
const seriesMax = 2_000;
const other = "other";

/** Upper bounds, in seconds. */
const buckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800] as const;

interface Histogram {
  readonly labels: Labels;
  /** How many were in each bucket and no smaller one; the last is beyond all. */
  readonly counts: number[];
  sum: number;
}

const savedLabels = recordOf(listOf(text));
const savedNumbers = fields({ known: savedLabels, values: recordOf(decimal) });
const savedDurations = fields({
  known: savedLabels,
  histograms: listOf(fields({ labels: recordOf(text), counts: listOf(integer), sum: decimal })),
});

/** One metric of Prometheus with all its labels. */
abstract class Family {
  readonly name: string;
  readonly help: string;
  abstract readonly type: "counter" | "gauge" | "histogram";
  private readonly known = new Map<string, Set<string>>();

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  abstract lines(): readonly string[];

  /** All that it has counted, as JSON. */
  abstract save(): unknown;

  /** Goes on from what was saved, instead of from nothing. @throws ShapeError for what was not saved here */
  abstract load(saved: unknown): void;

  /** The text: https://prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4. */
  toText(): string {
    const lines = this.lines();
    if (lines.length === 0) return "";
    return `# HELP ${this.name} ${this.help}\n# TYPE ${this.name} ${this.type}\n${lines.join("\n")}\n`;
  }

  protected saveKnown(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries([...this.known].map(([label, values]) => [label, [...values]]));
  }

  protected loadKnown(known: Readonly<Record<string, readonly string[]>>): void {
    for (const [label, values] of Object.entries(known)) this.known.set(label, new Set(values));
  }

  /** The labels under which something is counted. */
  protected bound(labels: Labels, known: ReadonlyMap<string, unknown>): Labels {
    const bounded = this.boundValues(labels);
    if (known.size < seriesMax || known.has(toLabelText(bounded))) return bounded;
    return Object.fromEntries(Object.keys(labels).map((name) => [name, other]));
  }

  private boundValues(labels: Labels): Labels {
    return Object.fromEntries(
      Object.entries(labels).map(([name, value]) => {
        const values = this.known.get(name) ?? new Set();
        this.known.set(name, values);
        if (!values.has(value) && values.size >= labelValuesMax) return [name, other];
        values.add(value);
        return [name, value];
      }),
    );
  }
}

/** A number by its labels: one that only grows, or one that is as it is. */
export class Numbers extends Family {
  readonly type: "counter" | "gauge";
  private readonly values = new Map<string, number>();

  constructor(type: "counter" | "gauge", name: string, help: string) {
    super(name, help);
    this.type = type;
  }

  add(labels: Labels, value: number): void {
    const key = toLabelText(this.bound(labels, this.values));
    this.values.set(key, (this.values.get(key) ?? 0) + value);
  }

  save(): unknown {
    return { known: this.saveKnown(), values: Object.fromEntries(this.values) };
  }

  load(saved: unknown): void {
    const { known, values } = savedNumbers(saved, this.name);
    this.loadKnown(known);
    for (const [key, value] of Object.entries(values)) this.values.set(key, value);
  }

  lines(): readonly string[] {
    return [...this.values].map(([labels, value]) => `${this.name}${labels} ${value}`);
  }
}

/** How long something took, by its labels. */
export class Durations extends Family {
  readonly type = "histogram";
  private readonly histograms = new Map<string, Histogram>();

  add(given: Labels, seconds: number): void {
    const labels = this.bound(given, this.histograms);
    const key = toLabelText(labels);
    let histogram = this.histograms.get(key);
    if (histogram === undefined) {
      histogram = { labels, counts: Array.from({ length: buckets.length + 1 }, () => 0), sum: 0 };
      this.histograms.set(key, histogram);
    }
    const at = buckets.findIndex((bound) => seconds <= bound);
    const place = at === -1 ? buckets.length : at;
    histogram.counts[place] = (histogram.counts[place] ?? 0) + 1;
    histogram.sum += seconds;
  }

  save(): unknown {
    return { known: this.saveKnown(), histograms: [...this.histograms.values()] };
  }

  load(saved: unknown): void {
    const { known, histograms } = savedDurations(saved, this.name);
    this.loadKnown(known);
    for (const { labels, counts, sum } of histograms)
      this.histograms.set(toLabelText(labels), { labels, counts: [...counts], sum });
  }

  lines(): readonly string[] {
    return [...this.histograms.values()].flatMap(({ labels, counts, sum }) => {
      let total = 0;
      const lines = counts.map((count, at) => {
        total += count;
        return `${this.name}_bucket${toLabelText({ ...labels, le: String(buckets[at] ?? "+Inf") })} ${total}`;
      });
      const labelled = toLabelText(labels);
      return [...lines, `${this.name}_sum${labelled} ${sum}`, `${this.name}_count${labelled} ${total}`];
    });
  }
}

function toLabelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escape(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
