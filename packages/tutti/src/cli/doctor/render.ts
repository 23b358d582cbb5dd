import { toColumns, toNumberOf, toPlainLine, type Paint } from "../terminal-text.ts";
import type { Examination } from "./examine.ts";
import { severities, type Finding, type Severity } from "./finding.ts";
import type { Verdict } from "./verdict.ts";

interface Look {
  readonly sign: string;
  readonly format: "red" | "yellow" | "cyan";
  readonly one: string;
  readonly many: string;
  readonly title: string;
}

const looks: Readonly<Record<Severity, Look>> = {
  error: { sign: "✗", format: "red", one: "error", many: "errors", title: "To put right before production" },
  warning: {
    sign: "▲",
    format: "yellow",
    one: "warning",
    many: "warnings",
    title: "Fails, hangs or gets dear under load",
  },
  advice: {
    sign: "○",
    format: "cyan",
    one: "piece of advice",
    many: "pieces of advice",
    title: "Could be safer or clearer",
  },
};

const placesMax = 5;
const remarksMax = 5;

/** How it is shown: a terminal's colours and width. */
interface Screen {
  readonly paint: Paint;
  readonly columns: number;
}

/** What doctor prints for people, line by line. */
export function renderExamination(examined: Examination, screen: Screen): readonly string[] {
  const { findings, verdict } = examined;
  const { paint } = screen;
  const lines = [...renderVerdict(verdict, screen), "", ...renderLooked(examined, paint)];
  for (const severity of severities) {
    const found = findings.filter((finding) => finding.severity === severity);
    if (found.length > 0) lines.push("", ...renderSeverity(severity, found, screen));
  }
  return [...lines, "", renderSummary(findings, paint)];
}

/** The last line is what a terminal still shows. */
function renderSummary(findings: readonly Finding[], paint: Paint): string {
  if (findings.length === 0) return `${paint("green", "✓")} ${paint("bold", "Nothing to put right.")}`;
  const counts = severities.flatMap((severity) => {
    const { length } = findings.filter((finding) => finding.severity === severity);
    const { one, many, format } = looks[severity];
    return length === 0 ? [] : [paint(["bold", format], toNumberOf(length, one, many))];
  });
  return counts.join(paint("dim", " · "));
}

function renderVerdict({ kind, reasons }: Verdict, { paint, columns }: Screen): readonly string[] {
  const seen = (title: string): readonly string[] => {
    const [first = "", ...more] = wrap(`${title} ${toPlainLine(reasons.join(", "))}.`, columns);
    return [first.replace(title, paint("bold", title)), ...more];
  };
  switch (kind) {
    case "needed":
      return seen("Orchestration pays here:");
    case "unknown":
      return seen("Whether orchestration is needed can't be said:");
    case "not-needed":
      return [
        ...seen("No orchestration is needed here:"),
        "A plain call of a model's SDK does this. Tutti gives you something as soon as",
        "  · the work has to survive a crash half-way, or wait for hours",
        "  · it changes something that must not be changed twice",
        "  · a second agent or a person takes part, or somebody asks later why it was so",
      ];
  }
}

function renderLooked({ looked, remarks }: Examination, paint: Paint): readonly string[] {
  const parts = [
    toNumberOf(looked.files, "file"),
    toNumberOf(looked.flows, "flow"),
    toNumberOf(looked.agents, "agent"),
    toNumberOf(looked.tools, "tool"),
    looked.ledger === undefined ? "no ledger" : `open runs of ${looked.ledger}`,
  ];
  const shown = remarks.slice(0, remarksMax).map((remark) => paint("dim", `  ${toPlainLine(remark)}`));
  const more = remarks.length > remarksMax ? [paint("dim", `  and ${remarks.length - remarksMax} more`)] : [];
  return [paint("dim", `Looked at ${parts.join(" · ")}`), ...shown, ...more];
}

function renderSeverity(severity: Severity, findings: readonly Finding[], screen: Screen): readonly string[] {
  const { sign, format, title } = looks[severity];
  const { paint } = screen;
  const byRule = Map.groupBy(findings, ({ rule }) => rule);
  return [
    paint(["bold", format], title),
    ...[...byRule.values()].flatMap((group) => ["", ...renderGroup(group, paint(format, sign), screen)]),
  ];
}

/** Findings of one rule: why it matters and what to do are said once. */
function renderGroup(group: readonly Finding[], sign: string, { paint, columns }: Screen): readonly string[] {
  const [first] = group;
  if (first === undefined) return [];
  const width = Math.max(...group.map((finding) => toColumns(toPlace(finding))));
  const places = group.slice(0, placesMax).flatMap((finding) => {
    const [what = "", ...more] = wrap(toPlainLine(finding.what), columns - width - 4);
    const place = toPlace(finding);
    const head = `${sign} ${paint("bold", place)}${" ".repeat(width - toColumns(place))}  ${what}`;
    return [head, ...more.map((line) => `${" ".repeat(width + 4)}${line}`)];
  });
  return [
    ...places,
    ...(group.length > placesMax ? [`  and ${group.length - placesMax} more`] : []),
    ...wrap(first.why, columns - 2).map((line) => paint("dim", `  ${line}`)),
    // Never wrapped: it is there to be pasted.
    `  ${paint("cyan", first.fix)}`,
  ];
}

function toPlace({ path, line }: Finding): string {
  return toPlainLine(line === undefined ? path : `${path}:${line}`);
}

/** A sentence as lines of at most so many columns; a longer word stands alone. */
function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && toColumns(last) + 1 + toColumns(word) <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
