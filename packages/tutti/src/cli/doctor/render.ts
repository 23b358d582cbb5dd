import { toNumberOf, toPlainLine, type Paint } from "../terminal-text.ts";
import type { Examination } from "./examine.ts";
import { severities, type Finding, type Severity } from "./finding.ts";
import type { Verdict } from "./verdict.ts";

interface Look {
  readonly sign: string;
  readonly format: "red" | "yellow" | "cyan";
  readonly title: (count: number) => string;
}

const looks: Readonly<Record<Severity, Look>> = {
  error: { sign: "✗", format: "red", title: (count) => `${toNumberOf(count, "error")} to put right before production` },
  warning: {
    sign: "▲",
    format: "yellow",
    title: (count) => `${toNumberOf(count, "warning")}: fails, hangs or gets dear under load`,
  },
  advice: {
    sign: "○",
    format: "cyan",
    title: (count) => `${toNumberOf(count, "piece of advice", "pieces of advice")}`,
  },
};

const placesMax = 5;
const remarksMax = 5;

/** What doctor prints for people, line by line. */
export function renderExamination(examined: Examination, paint: Paint): readonly string[] {
  const { findings, verdict } = examined;
  const lines = [...renderVerdict(verdict, paint), "", ...renderLooked(examined, paint)];
  for (const severity of severities) {
    const found = findings.filter((finding) => finding.severity === severity);
    if (found.length > 0) lines.push("", ...renderSeverity(severity, found, paint));
  }
  if (findings.length === 0) lines.push("", `${paint("green", "✓")} ${paint("bold", "Nothing to put right.")}`);
  return lines;
}

function renderVerdict(verdict: Verdict, paint: Paint): readonly string[] {
  const reasons = verdict.reasons.map(toPlainLine).join(", ");
  switch (verdict.kind) {
    case "not-needed":
      return [
        `${paint(["bold", "green"], "No orchestration is needed here.")} ${reasons}.`,
        "A plain call of a model's SDK does this. Tutti gives you something as soon as",
        "  · the work has to survive a crash half-way, or wait for hours",
        "  · it changes something that must not be changed twice",
        "  · a second agent or a person takes part, or somebody asks later why it decided so",
      ];
    case "needed":
      return [`${paint("bold", "Orchestration pays here:")} ${reasons}.`];
    case "unknown":
      return [`${paint("bold", "Whether orchestration is needed can't be said:")} ${reasons}.`];
  }
}

function renderLooked({ looked, remarks }: Examination, paint: Paint): readonly string[] {
  const parts = [
    toNumberOf(looked.files, "file"),
    toNumberOf(looked.flows, "flow"),
    toNumberOf(looked.agents, "agent"),
    toNumberOf(looked.tools, "tool"),
    ...(looked.ledger === undefined ? ["no ledger"] : [`open runs of ${looked.ledger}`]),
  ];
  const shown = remarks.slice(0, remarksMax).map((remark) => paint("dim", `  ${toPlainLine(remark)}`));
  const more = remarks.length > remarksMax ? [paint("dim", `  and ${remarks.length - remarksMax} more`)] : [];
  return [paint("dim", `Looked at ${parts.join(" · ")}`), ...shown, ...more];
}

function renderSeverity(severity: Severity, findings: readonly Finding[], paint: Paint): readonly string[] {
  const { sign, format, title } = looks[severity];
  const byRule = Map.groupBy(findings, ({ rule }) => rule);
  return [
    paint(["bold", format], title(findings.length)),
    ...[...byRule.values()].flatMap((group) => ["", ...renderGroup(group, { sign: paint(format, sign), paint })]),
  ];
}

/** Findings of one rule: why it matters and what to do are said once. */
function renderGroup(
  group: readonly Finding[],
  { sign, paint }: { readonly sign: string; readonly paint: Paint },
): readonly string[] {
  const [first] = group;
  if (first === undefined) return [];
  const places = group
    .slice(0, placesMax)
    .map((finding) => `${sign} ${toPlainLine(finding.what)}  ${paint("dim", toPlace(finding))}`);
  const more = group.length > placesMax ? [`  and ${group.length - placesMax} more`] : [];
  return [
    ...places,
    ...more,
    `  ${first.why}`,
    `  ${paint("dim", "│")} ${paint("cyan", first.fix)}  ${paint("dim", first.rule)}`,
  ];
}

function toPlace({ path, line }: Finding): string {
  return toPlainLine(line === undefined ? path : `${path}:${line}`);
}
