// Draws docs/run.svg: makes the brief of `npm start` in an empty folder, and draws what `tutti show` prints of its run.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { cutToColumns, toColumns } from "../../packages/tutti/src/cli/terminal-text.ts";
import { root } from "../tidy/repository.ts";

const columns = 104;
const lineHeight = 17;
const columnWidth = 7.25;
const margin = 16;

/** What an escape sequence of `styleText` turns on or off. */
const styles: Readonly<Record<string, Partial<Style>>> = {
  "1": { weight: "700" },
  "2": { opacity: "0.6" },
  "22": { weight: "400", opacity: "1" },
  "31": { color: "#ff7b72" },
  "32": { color: "#7ee787" },
  "33": { color: "#e3b341" },
  "36": { color: "#79c0ff" },
  "39": { color: "#e6edf3" },
};

interface Style {
  readonly color: string;
  readonly weight: string;
  readonly opacity: string;
}

const plain: Style = { color: "#e6edf3", weight: "400", opacity: "1" };

writeFileSync(path.join(root, "docs/run.svg"), toSvg(readRun().trimEnd().split("\n")));

/** The run as a terminal shows it, with its colours. */
function readRun(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "tutti-draw-"));
  const flags = ["--conditions=tutti-source", "--disable-warning=ExperimentalWarning"];
  const env = { PATH: process.env["PATH"], FORCE_COLOR: "1", COLUMNS: String(columns) };
  const node = (file: string, args: readonly string[]): string =>
    execFileSync(process.execPath, [...flags, path.join(root, file), ...args], { cwd: folder, env, encoding: "utf8" });
  const tutti = (...args: readonly string[]): string =>
    node("packages/tutti/bin/tutti.mjs", [...args, "--ledger", ".tutti/brief.db"]);
  try {
    node("examples/brief/main.ts", []);
    const [tree = ""] = tutti("show", "brief-").split("\n\n"); // the result follows after an empty line
    return tree;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function toSvg(lines: readonly string[]): string {
  const width = Math.ceil(columns * columnWidth) + 2 * margin;
  const height = lines.length * lineHeight + 2 * margin;
  const texts = lines.map(
    (line, index) => `<text x="${margin}" y="${margin + (index + 1) * lineHeight - 5}">${toSpans(line)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="A run in the terminal: its steps as a tree, each done">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="12" xml:space="preserve">
${texts.join("\n")}
</g>
</svg>
`;
}

function toSpans(line: string): string {
  const style = { ...plain };
  let column = 0;
  let spans = "";
  for (const [index, piece] of line.split("\u001B[").entries()) {
    const [sequence = "", code = ""] = index === 0 ? [] : (/^(\d+)m/.exec(piece) ?? []);
    Object.assign(style, styles[code]);
    const part = piece.slice(sequence.length);
    const shown = cutToColumns(part.trimEnd(), columns - column);
    if (shown.trim() !== "") spans += toSpan(shown, style, column);
    column += toColumns(part);
  }
  return spans;
}

// Every span says where it begins, so that a font without a sign does not shift what follows.
function toSpan(shown: string, { color, weight, opacity }: Style, column: number): string {
  const leading = shown.length - shown.trimStart().length;
  const x = (margin + (column + leading) * columnWidth).toFixed(1);
  const escaped = shown.trim().replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const rest = `${weight === "400" ? "" : ` font-weight="${weight}"`}${opacity === "1" ? "" : ` opacity="${opacity}"`}`;
  return `<tspan x="${x}" fill="${color}"${rest}>${escaped}</tspan>`;
}
