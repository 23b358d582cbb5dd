import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const file = join(import.meta.dirname, "RESULTS.md");

/** Sections that a command of their own measures, in the order in which they stand at the end. No command touches another's part. */
export const separateTitles = {
  cycleTime: "## Cycle time: the same job, sequential and coordinated",
  handOver: "## What handing over costs",
  governance: "## What governance costs",
} as const;

export type SeparateSection = keyof typeof separateTitles;

/** Writes the tables of `npm run bench`. */
export function writeReport(report: string): void {
  writeFileSync(file, joinParts(report, readSections()));
}

/** Writes one section, its title included. */
export function writeSection(name: SeparateSection, section: string): void {
  writeFileSync(file, joinParts(readReport(), readSections().set(name, section)));
}

function readReport(): string {
  const text = readText();
  const places = Object.values(separateTitles).map((title) => text.indexOf(title));
  return text.slice(0, Math.min(...places.filter((place) => place >= 0), text.length));
}

function readSections(): Map<SeparateSection, string> {
  const sections = new Map<SeparateSection, string>();
  const parts = readText().split(/^(?=## )/mu);
  for (const name of sectionNames) {
    const section = parts.find((part) => part.startsWith(separateTitles[name]));
    if (section !== undefined) sections.set(name, section);
  }
  return sections;
}

const sectionNames = ["cycleTime", "handOver", "governance"] as const satisfies readonly SeparateSection[];

function joinParts(report: string, sections: ReadonlyMap<SeparateSection, string>): string {
  const parts = [report, ...sectionNames.map((name) => sections.get(name) ?? "")];
  const written = parts.map((part) => part.trim()).filter((part) => part !== "");
  return `${written.join("\n\n")}\n`;
}

function readText(): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
