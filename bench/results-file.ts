import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const file = join(import.meta.dirname, "RESULTS.md");
/** Measured by a command of its own, so it stays when the rest is written anew. */
export const handOverTitle = "## What handing over costs";

/** Writes what the cells measured, and keeps what handing over costs. */
export function writeCells(report: string): void {
  writeFileSync(file, `${report}${readHandOver()}`);
}

/** Writes what handing over costs, and keeps the rest. */
export function writeHandOver(section: string): void {
  const [cells = ""] = readFileSync(file, "utf8").split(`\n${handOverTitle}\n`);
  writeFileSync(file, `${cells.trimEnd()}\n\n${section}`);
}

function readHandOver(): string {
  const [, section] = readFileSync(file, "utf8").split(`\n${handOverTitle}\n`);
  return section === undefined ? "" : `\n${handOverTitle}\n${section}`;
}
