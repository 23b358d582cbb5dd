import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const file = join(import.meta.dirname, "RESULTS.md");

/** The part that `npm run bench:cycle-time` measures; it stands last, and either command leaves the other's part alone. */
export const cycleTimeTitle = "## Cycle time: the same job, sequential and coordinated";

/** Writes the tables of `npm run bench`. */
export function writeReport(report: string): void {
  const [, cycleTime] = readParts();
  writeParts(report, cycleTime);
}

/** Writes the part about cycle time, its title included. */
export function writeCycleTime(part: string): void {
  const [report] = readParts();
  writeParts(report, part);
}

function readParts(): readonly [report: string, cycleTime: string] {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const place = text.indexOf(cycleTimeTitle);
  return place < 0 ? [text, ""] : [text.slice(0, place), text.slice(place)];
}

function writeParts(report: string, cycleTime: string): void {
  const parts = [report, cycleTime].map((part) => part.trim()).filter((part) => part !== "");
  writeFileSync(file, `${parts.join("\n\n")}\n`);
}
